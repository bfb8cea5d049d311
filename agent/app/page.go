package app

import (
	"context"
	"slices"
	"strings"

	"branchline/agent/capture"
	"branchline/agent/scan"
	"branchline/agent/web"
	"branchline/internal/keyboard"
	"branchline/internal/movement"
	"branchline/internal/wire"
)

// typed gives a code from the page to the scanners' own way. The barcode that
// finds out the keyboard is answered with what it shows.
func (a *App) typed(ctx context.Context, t web.Typed) scan.Answer {
	in := capture.Typed{Text: t.Text, Physical: t.Physical, ByHand: t.ByHand, Purpose: t.Purpose, Station: web.Station}
	if !t.ByHand {
		name, rest, keys := a.scans.Keyboard(in)
		if f, settings := keyboard.Calibrate(rest.Text, rest.Physical, keys); f.Recognised {
			answer, why := keyboardAnswer(f, len(settings) > 0), ""
			if answer.Sound != scan.OK {
				why = answer.Text
			}
			mend := make([]capture.Suggestion, len(settings))
			for i, x := range settings {
				mend[i] = capture.Suggestion{Setting: x.Name, Value: x.Value, Why: x.Why}
			}
			a.scans.Calibrated(name, rest.Text, why, mend)
			return answer
		}
	}
	return a.scans.Typed(ctx, in)
}

func keyboardAnswer(f keyboard.Finding, byClick bool) scan.Answer {
	if len(f.Problems) == 0 {
		return scan.Answer{Sound: scan.OK, Unrecorded: true, Text: "the keyboard is right: layout, Caps Lock and separators come as the scanner sends them"}
	}
	var texts []string
	for _, p := range f.Problems {
		texts = append(texts, p.Text)
	}
	if byClick {
		texts = append(texts, "Or let it be mended by a click: On its way, Test a scanner")
	}
	return scan.Answer{Sound: scan.Warn, Code: f.Problems[0].Code, Unrecorded: true, Text: strings.Join(texts, ". ")}
}

// forWords says what a scanner is for.
func forWords(s capture.Status) string {
	if s.Keyboard {
		return "whatever page is open"
	}
	return string(s.For)
}

// reportOf gives a test scan to the page.
func reportOf(r *capture.Report) *web.TestReport {
	if r == nil {
		return nil
	}
	t := &web.TestReport{At: r.At, Raw: r.Raw, Bytes: r.Bytes, Symbology: r.Symbology, Standard: string(r.Standard), Understood: r.Understood,
		Words: r.Words, Why: r.Why}
	for _, p := range r.Parts {
		t.Parts = append(t.Parts, web.TestPart(p))
	}
	for _, s := range r.Suggestions {
		t.Suggestions = append(t.Suggestions, web.TestSuggestion(s))
	}
	return t
}

// scanners lets the page act on them; they are built after it.
type scanners struct{ a *App }

func (s scanners) Test(scanner string, on bool) error { return s.a.scans.Test(scanner, on) }

func (s scanners) Apply(ctx context.Context, scanner, setting, value string) error {
	return s.a.scans.Apply(ctx, scanner, setting, value)
}

// stations are those of the scanners that are for p.
func (a *App) stations(p scan.Purpose) (list []string) {
	for _, s := range a.scans.Status() {
		if s.For == p && !slices.Contains(list, s.Station) {
			list = append(list, s.Station)
		}
	}
	return list
}

// sent tells whether the hub has confirmed the live lane of an epoch through a
// place. A stream that is no longer kept was confirmed long ago.
func (a *App) sent(epoch string, through uint64) bool {
	if epoch == "" { // the power failed before the place was noted
		st, err := a.outbox.Stats()
		return err == nil && st.Unsent == 0
	}
	streams := a.outbox.Streams()
	i := slices.IndexFunc(streams, func(s wire.Stream) bool { return s.Epoch == epoch && s.Lane == movement.Live })
	return i < 0 || streams[i].Acked >= through
}
