package web_test

import (
	"io"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"branchline/agent/web"
)

func show(t *testing.T, s web.State) string {
	h, err := web.Handler(func() web.State { return s }, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	body, _ := io.ReadAll(w.Result().Body)
	if w.Code != 200 || !strings.HasSuffix(strings.TrimSpace(string(body)), "</html>") {
		t.Fatalf("status %d, page cut: %s", w.Code, body)
	}
	return string(body)
}

func TestStatusSaysWhatIsSafe(t *testing.T) {
	now := time.Now()
	cases := map[string]struct {
		state web.State
		want  []string
	}{
		"all sent": {web.State{Hub: web.Hub{Connected: true}}, []string{"Everything scanned and read is at the hub", "Connected · all sent"}},
		"on its way": {web.State{Unsent: 3, OldestUnsent: now, Hub: web.Hub{Connected: true}},
			[]string{"3 movements are on their way"}},
		"offline": {web.State{Unsent: 214, OldestUnsent: now, Hub: web.Hub{Since: now, Trouble: "no route to host"}},
			[]string{"214 movements are kept safely here", "no route to host", "Offline since"}},
		"alarm":           {web.State{Alarms: []string{"The disk is full."}}, []string{"Something needs a person", "The disk is full."}},
		"scanner down":    {web.State{Scanners: []web.Device{{Name: "counter", Detail: "unplugged", Since: now}}}, []string{"counter", "unplugged", "Down since"}},
		"an export":       {web.State{Exports: []web.Export{{Name: "till", Up: true, Good: 12, Bad: 2, LastFile: "a.csv", LastFinished: now}}}, []string{"a.csv", "12"}},
		"script in names": {web.State{Branch: "<script>x</script>", Exports: []web.Export{{Name: `"><img src=x>`}}}, []string{"&lt;script&gt;"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			body := show(t, c.state)
			for _, want := range c.want {
				if !strings.Contains(body, want) {
					t.Errorf("%q is not on the page:\n%s", want, body)
				}
			}
			if strings.Contains(body, "<script>x") || strings.Contains(body, "<img") {
				t.Error("markup from outside is not escaped")
			}
		})
	}
}
