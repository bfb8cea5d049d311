package dispense

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"branchline/internal/movement"
)

// A row that is shifted by a column has a name where a code, a number, a date or
// initials belong: it goes to a person, the name nowhere, and two such rows are
// told as two.
func TestNamesInTheWrongColumnAreNotKept(t *testing.T) {
	p := open(t, func(e *Export) {
		e.Mapping.Schemes, e.Mapping.By = []movement.Scheme{movement.GTIN, movement.PZN}, Column{Name: "patient"}
	})
	text := head
	for i, c := range [][4]string{
		{"04012345678901", "1", "2026-11-23 10:00", "mm"},
		{"Erika Musterfrau", "1", "2026-11-23 10:00", "mm"},
		{"Max Mustermann", "1", "2026-11-23 10:00", "mm"},
		{"04012345678901", "Musterfrau", "2026-11-23 10:00", "mm"},
		{"04012345678901", "Mustermann", "2026-11-23 10:00", "mm"},
		{"04012345678901", "1", "Erika Musterfrau", "mm"},
		{"04012345678901", "1", "2026-11-23 10:00", "Erika Musterfrau"},
		{"04012345678901", "1", "2026-11-23 10:00", "a.muster-7"}, // somebody who logs in
		{"PZN-02758089", "1", "2026-11-23 10:00", ""},
	} {
		text += fmt.Sprintf("R1;%d;%s;%s;%s;%s\n", i/2*2, c[0], c[1], c[2], c[3]) // two with one key
	}
	p.put("a.csv", text)
	p.look()
	p.want("R1/0=1 !no_code !no_code !bad_quantity !bad_quantity !bad_date !bad_initials R1/6=1 R1/8=1")
	seen := fmt.Sprintf("%+v\n%s", p.d.Status(), p.log.b.String())
	for _, m := range p.movements() {
		seen += string(m.AppendJSON(nil))
	}
	for _, row := range p.rows() {
		seen += fmt.Sprintf("%+v", row)
	}
	p.store.Close()
	file, err := os.ReadFile(p.path)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"Erika", "Musterfrau", "Mustermann"} {
		if strings.Contains(seen, name) || strings.Contains(string(file), name) {
			t.Errorf("%s is kept:\n%s", name, seen)
		}
	}
	p.start()
}

// A name stands in each column that is mapped to a text, of rows that are good
// otherwise and of shifted ones: none of it is kept, and try-export says where.
func TestNamesInMappedTextsAreNotKept(t *testing.T) {
	const header = "receipt;line;pzn;qty;when;kind;lot;serial;unit;reason;patient\n"
	good := []string{"R1", "1", "02758089", "1", "2026-11-23 10:00", "D", "A123", "S1", "Packung", "broken", "x"}
	with := func(change map[int]string) string {
		row := append([]string(nil), good...)
		for i, v := range change {
			row[i] = v
		}
		return strings.Join(row, ";") + "\n"
	}
	mapping := func(e *Export) {
		e.Mapping.Schemes, e.Mapping.KindColumn = []movement.Scheme{movement.PZN}, Column{Name: "kind"}
		e.Mapping.Kinds = map[string]string{"D": "dispense", "V": "person"}
		e.Mapping.Lot, e.Mapping.Serial, e.Mapping.Unit, e.Mapping.Reason = Column{Name: "lot"}, Column{Name: "serial"}, Column{Name: "unit"}, Column{Name: "reason"}
	}
	for name, c := range map[string]struct {
		change map[int]string
		want   string
	}{
		"good":                        {nil, "R1/1=1"},
		"a kind":                      {map[int]string{5: "Musterfrau"}, "!unknown_kind"},
		"a short kind":                {map[int]string{5: "Eva"}, "!unknown_kind"},
		"a kind, and the texts":       {map[int]string{5: "Musterfrau", 6: "Erika", 7: "Eva 1", 8: "Eva", 9: "Eva"}, "!unknown_kind"},
		"a lot":                       {map[int]string{6: "Musterfrau"}, "!no_lot"},
		"a lot, with a birth":         {map[int]string{6: "Erika Musterfrau 1953"}, "!no_lot"},
		"a lot, with a whole one":     {map[int]string{6: "Musterfrau geb. 3.4.1961"}, "!no_lot"},
		"a receipt, with a birth":     {map[int]string{0: "Musterfrau 3.4.1961"}, "!no_document"},
		"a short number":              {map[int]string{3: "Eva"}, "!bad_quantity"},
		"a short date":                {map[int]string{4: "Eva"}, "!bad_date"},
		"a short code":                {map[int]string{2: "Eva"}, "!no_code"},
		"a serial number":             {map[int]string{7: "MUSTERFRAU"}, "!no_serial"},
		"a unit":                      {map[int]string{8: "Musterfrau"}, "!unknown_unit"},
		"a reason":                    {map[int]string{9: "broken by Erika Musterfrau"}, "R1/1=1"},
		"a receipt":                   {map[int]string{0: "Musterfrau"}, "!no_document"},
		"a receipt of words":          {map[int]string{0: "Erika Musterfrau 1"}, "!no_document"},
		"a line":                      {map[int]string{1: "Musterfrau, Erika"}, "!no_key"},
		"a number, and all the texts": {map[int]string{0: "Erika", 3: "Musterfrau", 6: "Eva 1", 7: "Eva", 8: "Eva", 9: "Eva"}, "!bad_quantity"},
	} {
		t.Run(name, func(t *testing.T) {
			p := open(t, mapping)
			p.put("a.csv", header+with(c.change))
			p.look()
			p.want(c.want)
			seen := fmt.Sprintf("%+v\n%+v\n%s", p.d.Status(), p.rows(), p.log.b.String())
			for _, m := range p.movements() {
				seen += string(m.AppendJSON(nil))
			}
			sum, err := Try(t.Context(), p.e, p.file("a.csv"), func(m *movement.Movement, _ int64) error {
				seen += string(m.AppendJSON(nil))
				return nil
			})
			if err != nil || (len(sum.Words) > 0) != (c.change != nil && c.change[5] != "Eva") {
				t.Errorf("%+v, %v", sum, err)
			}
			seen += fmt.Sprintf("%+v", sum)
			p.store.Close()
			file, err := os.ReadFile(p.path)
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{"Erika", "Musterfrau", "MUSTERFRAU", "Eva"} {
				if strings.Contains(seen, name) || strings.Contains(string(file), name) {
					t.Errorf("%s is kept:\n%s", name, seen)
				}
			}
			p.start()
		})
	}
}

// A person at the branch may type what a file may not say.
func TestAPersonMayTypeWords(t *testing.T) {
	p := open(t, func(e *Export) { e.Mapping.Lot = Column{Name: "lot"} })
	p.put("a.csv", "receipt;line;pzn;qty;when;lot\nR1;1;A1;1;2026-11-23 10:00;ABCDEFGHIJ\n")
	p.look()
	s := word
	s.Values = values(p.badRow(), map[string]string{"lot": "ABCDEFGHIJ"})
	m, err := p.d.Correct(t.Context(), p.badRow().ID, s)
	if err != nil || m.Lot != "ABCDEFGHIJ" || m.NaturalKey != "till/R1/1" {
		t.Errorf("%+v, %v", m, err)
	}
	p.none()
}

// A reason is nothing that the stock needs: one that is not known is left out, which
// the record says, and the row goes on.
func TestAReasonThatIsNotKnownIsLeftOut(t *testing.T) {
	const text = "receipt;line;pzn;qty;when;reason\nR1;1;A1;1;2026-11-23 10:00;Maria Musterfrau\nR2;1;A1;1;2026-11-23 10:00;broken\n" +
		"R3;1;A1;x;2026-11-23 10:00;Maria Musterfrau\nR4;1;A1;1;2026-11-23 10:00;\n"
	p := open(t, func(e *Export) { e.Mapping.Reason = Column{Name: "reason"} })
	p.put("a.csv", text)
	s := p.look()
	p.want("R1/1=1 R2/1=1 !bad_quantity R4/1=1")
	m := p.movements()
	if m[0].Reason != "" || m[0].Source.Raw != "pzn=A1; qty=1; when=2026-11-23 10:00; receipt=R1; reason=(not kept); line=1" ||
		m[1].Reason != "broken" || m[1].Source.Raw != "" || m[3].Source.Raw != "" {
		t.Errorf("%+v", m)
	}
	if len(s.Unfit) != 1 || s.Unfit["reason"] != 1 {
		t.Errorf("told %v", s.Unfit)
	}
	p = open(t, func(e *Export) {
		e.Mapping.Reason, e.Mapping.Key = Column{Name: "reason"}, append(e.Mapping.Key, Column{Name: "reason"})
	})
	p.put("a.csv", text)
	p.look()
	p.want("!unknown_reason R2/1/broken=1 !bad_quantity !missing_key")
}

func TestUnitsAndReasonsOfTheMapping(t *testing.T) {
	p := open(t, func(e *Export) {
		e.Mapping.Unit, e.Mapping.Units = Column{Name: "unit"}, []string{"Streifen", "Rolle"}
	})
	p.put("a.csv", "receipt;line;pzn;qty;when;unit\nR1;1;A1;1;2026-11-23 10:00;rolle\nR2;1;A1;1;2026-11-23 10:00;Tablet\nR3;1;A1;1;2026-11-23 10:00;\n")
	p.look()
	p.want("R1/1=1 !unknown_unit R3/1=1")
	for text, want := range map[string]bool{"broken": true, "Abgelaufen / Bruch": true, "1.2345": true, "first fill": true, "OK": true, "Müller": false, "for Erika": false} {
		if got := known([]byte(text), nil, isReason); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}
