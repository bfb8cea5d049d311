package ui_test

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"branchline/internal/ui"
)

func TestAgo(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Hour: "0 s", 0: "0 s", 999 * time.Millisecond: "0 s", 8 * time.Second: "8 s", 59 * time.Second: "59 s",
		12*time.Minute + 59*time.Second: "12 min", 2*time.Hour + 10*time.Minute: "2 h 10 min", 76 * time.Hour: "3 d 4 h",
	} {
		if got := ui.Ago(d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
}

// The pages load nothing from elsewhere, and what they name is there.
func TestAssetsAreServedAndLoadNothingFromElsewhere(t *testing.T) {
	for _, name := range []string{"base.css", "live.js"} {
		w := httptest.NewRecorder()
		ui.Assets("/ui/").ServeHTTP(w, httptest.NewRequest("GET", "/ui/"+name, nil))
		if w.Code != 200 || w.Body.Len() == 0 {
			t.Errorf("%s: status %d, %d bytes", name, w.Code, w.Body.Len())
		}
		if strings.Contains(w.Body.String(), "://") || strings.Contains(w.Body.String(), "@import") {
			t.Errorf("%s names something elsewhere", name)
		}
	}
}
