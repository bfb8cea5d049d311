package dispense

import (
	"strings"
	"testing"
	"time"
)

// A system that names its files otherwise all at once must not go unread in silence.
func TestAFileThatNoExportReadsIsTold(t *testing.T) {
	p := open(t, func(e *Export) { e.Pattern, e.Ignore = "till_*.csv", []string{"price*.csv"} })
	p.put("till_1.csv", head+row(1, 1, "2"))
	for _, name := range []string{"prices.csv", "readme.txt", ".hidden.csv", "half.csv.tmp"} {
		p.put(name, "x")
	}
	p.look()
	p.now = p.now.Add(3 * time.Minute)
	if s := p.look(); s.State != Watching {
		t.Errorf("what is no export: %+v", s)
	}
	p.put("kasse_1.csv", head+row(2, 1, "2"))
	if s := p.look(); s.State != Watching {
		t.Errorf("just written, it may still be renamed: %+v", s)
	}
	p.now = p.now.Add(3 * time.Minute)
	if s := p.look(); s.State != Held || s.Code != "unread_file" || !strings.Contains(s.Reason, "kasse_1.csv") || !strings.Contains(s.Reason, "till_*.csv") {
		t.Errorf("%+v", s)
	}
	p.put("till_2.csv", head+row(3, 1, "2"))
	p.look()
	p.want("R1/1=2 R3/1=2") // the others are read meanwhile
}

func TestAFolderOfSeveralExportsHasNoStrayOfAnother(t *testing.T) {
	all := []Export{{Name: "a", Folder: "/x", Pattern: "a_*.csv"}, {Name: "b", Folder: "/x/", Pattern: "b_*.csv"}, {Name: "c", Folder: "/y", Pattern: "*"}}
	if s := newStrays(&all[0], all); s == nil || len(s.exports) != 2 {
		t.Errorf("%+v", s)
	}
	if s := newStrays(&all[1], all); s != nil {
		t.Errorf("two tell of the same file: %+v", s)
	}
}

func TestCodesOfTheChainsOwnAreNoWords(t *testing.T) {
	for text, words := range map[string]bool{
		"AMOX-CAPS-250": false, "AMOX_CAPS_250": false, "PARA-500": false, "IBU-TAB-400": false, "ACC-akut-600": false, "INS-GLA": false, "AMOX": false,
		"550e8400-e29b-41d4-a716-446655440000": false, "01ARZ3NDEKTSV4RRFFQ69G5FAV": false, "KASSE-HAUPT-000123": false, "A/B/Filiale/Mitte/7": false,
		"Maria Musterfrau": true, "Musterfrau, Maria 3": true, "Anna-Maria Müller 12": true, "Musterfrau-Maria-03.04.1961": true, "DOE^JOHN^19610304": true,
		"Müller-Lüdenscheidt": true,
	} {
		if got := severalWords([]byte(text)); got != words {
			t.Errorf("%q: words %v", text, got)
		}
	}
	m := Mapping{Codes: []string{"amox-*"}}
	for text, want := range map[string]bool{"AMOX-CAPS": true, "Maria Musterfrau": false} {
		if got := written([]byte(text), m.Codes); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
	for _, bad := range []string{"*", "[", "", "**?"} {
		if patterns("codes", []string{bad}) == nil {
			t.Errorf("%q is taken for a pattern", bad)
		}
	}
}
