package web

import (
	"context"
	"html/template"
	"net/http"
	"time"

	"branchline/agent/scan"
	"branchline/internal/symbol"
)

// Scanners is what the page can do with a scanner.
type Scanners interface {
	// Test lets a scanner's codes be explained, not recorded, for two minutes,
	// or ends that.
	Test(scanner string, on bool) error
	// Apply makes a setting of a scanner, at once and for good.
	Apply(ctx context.Context, scanner, setting, value string) error
}

// TestReport is what a test scan showed.
type TestReport struct {
	At time.Time
	// Raw shows what came, with control characters as signs.
	Raw        string
	Bytes      int
	Symbology  string
	Standard   string
	Understood bool
	Words      string
	Parts      []TestPart
	Why        string
	// Suggestions would mend it, the surest first.
	Suggestions []TestSuggestion
}

// TestPart is one element of a code.
type TestPart struct{ Name, ID, Value string }

// TestSuggestion would mend a scanner; one without a setting is for a person to
// do at the scanner or the PC.
type TestSuggestion struct{ Setting, Value, Why string }

// scanners shows how the scanners are, and what a test scan came to.
func (p *Page) scanners(w http.ResponseWriter, _ *http.Request) {
	s := p.statusNow()
	p.show(w, http.StatusOK, "scanners.html", "/way", frame{Title: "Scanners", Purpose: scan.LookUp, State: &s.State, Body: s})
}

func (p *Page) testScanner(w http.ResponseWriter, r *http.Request) {
	name, on := r.PathValue("name"), r.FormValue("on") != ""
	if err := p.Scanners.Test(name, on); err != nil {
		p.fail(w, r, err, "/scanners")
		return
	}
	text := "the test of " + name + " has ended: what it scans is recorded again"
	if on {
		text = "scan something with " + name + " now: it is explained below, and not recorded"
	}
	p.reply(w, r, scan.Answer{Sound: scan.OK, Unrecorded: true, Text: text}, "/scanners")
}

func (p *Page) applySetting(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	if err := p.Scanners.Apply(r.Context(), name, r.FormValue("setting"), r.FormValue("value")); err != nil {
		p.fail(w, r, err, "/scanners")
		return
	}
	p.reply(w, r, scan.Answer{Sound: scan.OK, Text: name + " is set: scan again to see what it makes of it"}, "/scanners")
}

// sheetPage are the barcodes to be printed.
type sheetPage struct {
	Groups      []sheetGroup
	Calibration template.HTML
}

type sheetGroup struct {
	Title string
	Codes []sheetCode
}

type sheetCode struct {
	Label, Code string
	Drawn       template.HTML
}

// sheet shows the command barcodes, to be printed and kept at the counter.
func (p *Page) sheet(w http.ResponseWriter, _ *http.Request) {
	var body sheetPage
	drawn := func(s symbol.SVG, err error) template.HTML {
		if err != nil {
			p.Log.Error("a barcode cannot be drawn", "err", err)
			return ""
		}
		return template.HTML(s.Text) //nolint:gosec // drawn by ourselves
	}
	for _, g := range scan.Sheet(p.Reasons, p.Desk.Branches()) {
		group := sheetGroup{Title: g.Title}
		for _, c := range g.Commands {
			group.Codes = append(group.Codes, sheetCode{c.Label, c.Code, drawn(c.Draw())})
		}
		body.Groups = append(body.Groups, group)
	}
	if p.Calibration != nil {
		body.Calibration = drawn(p.Calibration())
	}
	p.show(w, http.StatusOK, "sheet.html", "/way", frame{Title: "Command barcodes", Body: body})
}
