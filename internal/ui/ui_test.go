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

func TestClock(t *testing.T) {
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	for want, at := range map[string]time.Time{
		"08:15":             time.Date(2026, 11, 23, 8, 15, 0, 0, time.UTC),
		"22 Nov 23:59":      time.Date(2026, 11, 22, 23, 59, 0, 0, time.UTC),
		"23 Nov 2025 09:00": time.Date(2025, 11, 23, 9, 0, 0, 0, time.UTC),
		"00:30":             time.Date(2026, 11, 22, 23, 30, 0, 0, time.FixedZone("", -3600)),
	} {
		if got := ui.Clock(at, now); got != want {
			t.Errorf("%v is %q, want %q", at, got, want)
		}
	}
}

// The pages load nothing from elsewhere, and what they name is there.
func TestAssetsAreServedAndLoadNothingFromElsewhere(t *testing.T) {
	for _, name := range []string{"base.css", "icon.svg", "live.js", "answer.js", "wedge.js"} {
		w := httptest.NewRecorder()
		ui.Assets("/ui/").ServeHTTP(w, httptest.NewRequest("GET", "/ui/"+name, nil))
		if w.Code != 200 || w.Body.Len() == 0 {
			t.Errorf("%s: status %d, %d bytes", name, w.Code, w.Body.Len())
		}
		body := strings.ReplaceAll(w.Body.String(), `xmlns="http://www.w3.org/2000/svg"`, "")
		if strings.Contains(body, "://") || strings.Contains(body, "@import") {
			t.Errorf("%s names something elsewhere", name)
		}
		again := httptest.NewRequest("GET", "/ui/"+name, nil)
		again.Header.Set("If-None-Match", w.Header().Get("ETag"))
		w = httptest.NewRecorder()
		ui.Assets("/ui/").ServeHTTP(w, again)
		if w.Code != 304 {
			t.Errorf("%s is sent again though the browser has it: %d", name, w.Code)
		}
	}
}

func TestUnknownIconIsAnError(t *testing.T) {
	if svg, err := ui.Icon("scanner"); err != nil || !strings.Contains(string(svg), "aria-hidden") {
		t.Errorf("got %q, %v", svg, err)
	}
	if _, err := ui.Icon("none"); err == nil {
		t.Error("an unknown icon was drawn")
	}
}
