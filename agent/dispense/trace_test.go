package dispense

import (
	"strings"
	"testing"

	"branchline/internal/movement"
)

const traced = "receipt;line;pzn;qty;when;unit\nR0;1;02758089;1;2026-11-23 10:00;\nR1;1;12345;1;2026-11-23 10:00;\n;1;12345;1;2026-11-23 10:00;\n"

// A later version, or a mapping, that says something else is the matter with a row shows
// no row again that has not changed, whether it waits or somebody has settled it.
func TestABadRowOfWhichSomethingElseIsSaidIsTheSame(t *testing.T) {
	for name, settle := range map[string]func(p *pharmacy, r BadRow) error{
		"open":      func(*pharmacy, BadRow) error { return nil },
		"dismissed": func(p *pharmacy, r BadRow) error { return p.d.Dismiss(p.t.Context(), r.ID, word) },
		"corrected": func(p *pharmacy, r BadRow) error {
			_, err := p.d.Correct(p.t.Context(), r.ID, Settling{By: "AB", Why: "seen",
				Values: values(r, map[string]string{"pzn": "02758089", "receipt": "R" + r.ID[:3]})})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := open(t, func(e *Export) {
				e.Mapping.Schemes, e.Mapping.Unit = []movement.Scheme{movement.PZN}, Column{Name: "unit"}
			})
			p.put("a.csv", traced)
			p.look()
			rows := p.rows()
			if len(rows) != 2 {
				t.Fatalf("%+v", rows)
			}
			for _, r := range rows {
				if err := settle(p, r); err != nil {
					t.Fatal(err)
				}
			}
			before, live, open := len(p.movements()), len(p.live()), len(p.rows())
			p.e.Mapping.Schemes = []movement.Scheme{movement.PZN, movement.GTIN} // the reason is another now
			p.restart()
			p.put("a.csv", strings.Replace(traced, "R0;", "R9;", 1)) // from its start
			s := p.look()
			if got := p.movements(); len(got) != before+1 || len(p.live()) != live || len(p.rows()) != open || s.Rows != (Counts{Good: 1, Known: 2}) {
				t.Errorf("%+v, %d on the list: %+v", s.Rows, len(p.rows()), got)
			}
		})
	}
}

// A row that was dismissed as it could not be read goes to a person once more when it
// can: neither that it counts nor that it does not is guessed.
func TestADismissedRowThatCanBeRead(t *testing.T) {
	p := open(t, func(e *Export) {
		e.Mapping.Schemes, e.Mapping.Unit = []movement.Scheme{movement.PZN}, Column{Name: "unit"}
	})
	const text = "receipt;line;pzn;qty;when;unit\nR0;1;02758089;1;2026-11-23 10:00;\nR1;1;02758089;1;2026-11-23 10:00;Stange\n"
	p.put("a.csv", text)
	p.look()
	if err := p.d.Dismiss(t.Context(), p.badRow().ID, word); err != nil {
		t.Fatal(err)
	}
	p.e.Mapping.Units = []string{"Stange"}
	for _, first := range []string{"R7;", "R8;"} {
		p.restart()
		p.put("a.csv", strings.Replace(text, "R0;", first, 1))
		p.look()
	}
	p.want("R0/1=1 !unknown_unit R7/1=1 !dismissed_before R8/1=1")
	r := p.badRow()
	if _, err := p.d.Correct(t.Context(), r.ID, Settling{By: "AB", Why: "it counts", Values: values(r, nil)}); err != nil {
		t.Fatal(err)
	}
	p.restart()
	p.put("a.csv", strings.Replace(text, "R0;", "R9;", 1))
	p.look()
	p.none()
	if made := p.live(); len(made) != 2 || made[1].NaturalKey != "till/R1/1" || made[1].Unit != "Stange" {
		t.Errorf("%+v", made)
	}
	p.put("b.csv", strings.Replace(text, "1;2026", "2;2026", 2)) // mended in the system
	if s := p.look(); s.Rows.Bad != 2 {
		t.Errorf("a row that was changed is not looked at: %+v", s.Rows)
	}
}
