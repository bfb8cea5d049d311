package ui_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"branchline/internal/ui"
	"branchline/internal/ui/uitest"
)

const wedgePage = `<!doctype html><title>scan</title>
<input id="field" value="before"><button id="button" onclick="pressed = true">Press</button>
<script type="module">
import { listen } from "/ui/wedge.js";
window.scans = []; window.numbers = []; window.pressed = false; window.opened = performance.timeOrigin + performance.now();
listen((scan) => window.scans.push(scan), (digits, quick) => window.numbers.push(digits + (quick ? " quick" : "")));
window.ready = true;
</script>`

type wedgeScan struct {
	Text, Physical string
	Caps           bool
}

// What a scanner types is one code, wherever the focus is, and leaves no trace
// there; what a person types is none.
func TestWedge(t *testing.T) {
	mux := http.NewServeMux()
	mux.Handle("/ui/", ui.Assets("/ui/"))
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, wedgePage) })
	server := httptest.NewServer(mux)
	defer server.Close()
	page := uitest.Open(t, server.URL)

	const code = "]d2010401234567890317280531" + "10A77b12\x1d21X-9/'y"
	cases := []struct {
		name, focus string
		do          func()
		want        []wedgeScan
		field       string
	}{
		{"nothing has the focus", "", func() { page.Scan(code) }, []wedgeScan{{Text: code, Physical: code}}, "before"},
		{"a field has the focus", "field", func() { page.Scan(code) }, []wedgeScan{{Text: code, Physical: code}}, "before"},
		{"a button has the focus", "button", func() { page.Scan("a b c d") }, []wedgeScan{{Text: "a b c d", Physical: "a b c d"}}, "before"},
		{"two scans", "field", func() { page.Scan("12345670"); page.Scan("12345687") },
			[]wedgeScan{{Text: "12345670", Physical: "12345670"}, {Text: "12345687", Physical: "12345687"}}, "before"},
		{"a person types into the field", "field", func() { page.Type("12345670") }, nil, "12345670before"},
		{"a person types, then scans", "field", func() { page.Type("abc"); page.Scan("12345670") },
			[]wedgeScan{{Text: "12345670", Physical: "12345670"}}, "abcbefore"},
		{"a person presses Enter", "field", func() { page.Type("12"); page.Press(uitest.Enter) }, nil, "12before"},
		{"three keys are no code", "", func() { page.Scan("123") }, nil, "before"},
		{"a German keyboard, a scanner set to US", "", func() {
			page.ScanKeys(uitest.Key{Key: "z", Code: "KeyY", Text: "z"}, uitest.Key{Key: "Y", Code: "KeyZ", Text: "Y", Shift: true},
				uitest.Key{Key: "ß", Code: "Minus", Text: "ß"}, uitest.Key{Key: "+", Code: "BracketRight", Text: "+", Ctrl: true},
				uitest.Key{Key: "1", Code: "Digit1", Text: "1"}, uitest.Enter)
		}, []wedgeScan{{Text: "zYß\x1d1", Physical: "yZ-\x1d1"}}, "before"},
		{"a separator as Alt+029", "field", func() {
			one := uitest.Key{Key: "1", Code: "Digit1", Text: "1"}
			page.ScanKeys(one, one, one, uitest.Key{Key: "Alt", Code: "AltLeft", Alt: true, Down: true},
				uitest.Key{Key: "0", Code: "Numpad0", Alt: true}, uitest.Key{Key: "2", Code: "Numpad2", Alt: true}, uitest.Key{Key: "9", Code: "Numpad9", Alt: true},
				uitest.Key{Key: "Alt", Code: "AltLeft", Up: true}, one, uitest.Tab)
		}, []wedgeScan{{Text: "111\x1d1", Physical: "111\x1d1"}}, "before"},
		{"a dead key", "", func() {
			page.ScanKeys(uitest.Key{Key: "Dead", Code: "Quote"}, uitest.Key{Key: "1", Code: "Digit1", Text: "1"},
				uitest.Key{Key: "2", Code: "Digit2", Text: "2"}, uitest.Key{Key: "3", Code: "Digit3", Text: "3"}, uitest.Enter)
		}, []wedgeScan{{Text: "\uFFFD123", Physical: "'123"}}, "before"},
	}
	t.Run("a code whose first keys went to the page before", func(t *testing.T) {
		for after, half := range map[time.Duration]bool{20 * time.Millisecond: true, time.Second: false} {
			page.Go(server.URL)
			page.Wait("window.ready === true")
			opened := time.UnixMicro(int64(uitest.Eval[float64](page, "window.opened * 1000")))
			page.ScanAt(opened.Add(after), "12345670")
			if got := uitest.Eval[bool](page, "window.scans.at(-1).half"); got != half {
				t.Errorf("%s after the page had opened it is taken for half a code: %t", after, got)
			}
		}
	})
	t.Run("a code with a pause in it", func(t *testing.T) {
		for pause, half := range map[time.Duration]bool{30 * time.Millisecond: false, 80 * time.Millisecond: true, 450 * time.Millisecond: true, 2 * time.Second: false} {
			for _, head := range []string{"2112345", "0"} {
				page.Go(server.URL)
				page.Wait("window.ready === true")
				page.ScanTorn(head, pause, "010401000000006710L8")
				if got := uitest.Eval[bool](page, "window.scans.at(-1).half"); got != half {
					t.Errorf("%s after %q it is taken for half a code: %t", pause, head, got)
				}
			}
		}
	})
	t.Run("digits that are no code", func(t *testing.T) {
		page.Go(server.URL)
		page.Wait("window.ready === true")
		person := func(text string) { page.Type(text); page.Press(uitest.Enter) }
		page.Scan("99")
		page.Scan("7")
		person("99")
		person("x12")
		person("1 2")
		person("4012345678901")
		page.Type("5")
		page.Press(uitest.Tab)
		person("6") // the field has the focus
		uitest.Eval[any](page, "document.getElementById('field').focus(); null")
		person("8")
		uitest.Eval[any](page, "document.getElementById('button').focus(); null")
		person("3")
		want := []string{"99 quick", "7 quick", "99", "12", "2", "4012345678901", "3"}
		if diff := cmp.Diff(want, uitest.Eval[[]string](page, "window.numbers")); diff != "" {
			t.Errorf("the numbers (- want, + got):\n%s", diff)
		}
		if uitest.Eval[bool](page, "window.pressed") {
			t.Error("the number pressed the button")
		}
	})
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			page.Go(server.URL)
			page.Wait("window.ready === true")
			focus := "document.activeElement.blur()"
			if c.focus != "" {
				focus = fmt.Sprintf("document.getElementById(%q).focus()", c.focus)
			}
			uitest.Eval[any](page, focus+"; null")
			c.do()
			got := uitest.Eval[[]wedgeScan](page, "window.scans.map(s => ({Text: s.text, Physical: s.physical, Caps: s.caps}))")
			if diff := cmp.Diff(c.want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("the scans (- want, + got):\n%s", diff)
			}
			if field := uitest.Eval[string](page, "document.getElementById('field').value"); field != c.field {
				t.Errorf("the field holds %q, want %q", field, c.field)
			}
			if uitest.Eval[bool](page, "window.pressed") {
				t.Error("the scan pressed the button")
			}
		})
	}
}
