package web_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"branchline/agent/staff"
	"branchline/agent/web"
	"branchline/internal/ui/uitest"
)

// signing is the site of a branch where AB has the PIN 4711.
func signing(t *testing.T) (*desk, string) {
	hash, err := staff.Hash("4711")
	if err != nil {
		t.Fatal(err)
	}
	d := newDesk()
	if d.staff, err = staff.New(staff.Config{Users: []staff.User{{Initials: "AB", PIN: hash}}}, nil, nil); err != nil {
		t.Fatal(err)
	}
	_, url := serve(t, d)
	return d, url
}

// Where people have PINs, nothing is confirmed or thrown away without one.
func TestWhoeverConfirmsSigns(t *testing.T) {
	const session = "/session/BR12%2FIN%2F00042@20261123T094100.000Z"
	cases := map[string]struct {
		path      string
		form      url.Values
		says      string
		confirmed bool
	}{
		"no PIN":            {session + "/confirm", url.Values{"by": {"AB"}}, "do not belong together", false},
		"a wrong one":       {session + "/confirm", url.Values{"by": {"AB"}, "pin": {"4712"}}, "do not belong together", false},
		"somebody else":     {session + "/confirm", url.Values{"by": {"CD"}, "pin": {"4711"}}, "do not belong together", false},
		"no initials":       {session + "/confirm", url.Values{"pin": {"4711"}}, "whose work is it", false},
		"in the address":    {session + "/confirm?by=AB&pin=4711", url.Values{}, "whose work is it", false},
		"the right one":     {session + "/confirm", url.Values{"by": {"ab"}, "pin": {"4711"}}, "is confirmed", true},
		"thrown away":       {session + "/cancel", url.Values{"by": {"AB"}, "why": {"wrong goods"}}, "do not belong together", false},
		"thrown away, sure": {session + "/cancel", url.Values{"by": {"AB"}, "why": {"wrong goods"}, "pin": {"4711"}}, "is thrown away", false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			d, site := signing(t)
			res, err := http.PostForm(site+c.path, c.form)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			body, _ := io.ReadAll(res.Body)
			if !strings.Contains(strings.ToLower(string(body)), c.says) || (d.done != nil) != c.confirmed {
				t.Errorf("confirmed %v, says\n%s", d.done != nil, body)
			}
			if strings.Contains(string(body), "4711") {
				t.Error("the page shows the PIN")
			}
		})
	}
}

func TestSigningOnThePage(t *testing.T) {
	d, site := signing(t)
	d.view.Notices, d.view.Questions = nil, 0
	page := uitest.Open(t, site+"/session/BR12%2FIN%2F00042@20261123T094100.000Z/review")
	page.Click("#by")
	page.Type("AB")
	page.Press(uitest.Tab)
	page.Type("4711")
	page.Shot("review-pin")
	page.Press(uitest.Enter)
	page.WaitText("is confirmed")
	if d.done == nil || d.done.By != "AB" {
		t.Errorf("confirmed %+v", d.done)
	}
}

var _ web.Staff = (*staff.Staff)(nil)
