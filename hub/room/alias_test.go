package room

import (
	"strings"
	"testing"
	"time"

	"branchline/internal/fault"
	"branchline/internal/movement"
	"branchline/internal/odoo"
)

// shelf is a catalogue with what Odoo knows by one code.
type shelf struct {
	read  bool
	found []odoo.Product
	per   []movement.Quantity
}

func (s shelf) AsOf() time.Time {
	if s.read {
		return time.Unix(1, 0)
	}
	return time.Time{}
}

func (s shelf) Known(movement.Product) ([]odoo.Product, []movement.Quantity) { return s.found, s.per }

func (s shelf) Find(movement.Product) ([]odoo.Product, []movement.Quantity) { return s.found, s.per }

func TestAnAliasOverrulesOdooOnlyIfThatIsMeant(t *testing.T) {
	code := movement.Product{Scheme: movement.GTIN, Code: "04012345678901"}
	one, pack := movement.Units(1), movement.Units(10)
	to := odoo.Product{ID: 1, Name: "Paracetamol 500", Code: "P500", Active: true}
	other := odoo.Product{ID: 2, Name: "Ibuprofen 400", Code: "I400", Active: true, UoM: odoo.Ref{Name: "Units"}}
	third := odoo.Product{ID: 3, Name: "Aspirin", Active: true}
	old := odoo.Product{ID: 4, Name: "Paracetamol, old"}
	for name, c := range map[string]struct {
		shelf
		refused string // the code of the refusal
		tells   string // what it, or the audit, names
	}{
		"Odoo does not know it":           {shelf{true, nil, nil}, "", ""},
		"Odoo says the same":              {shelf{true, []odoo.Product{to}, []movement.Quantity{one}}, "", ""},
		"Odoo says another":               {shelf{true, []odoo.Product{other}, []movement.Quantity{one}}, "known_code", "Ibuprofen 400 (I400)"},
		"Odoo says a pack of the same":    {shelf{true, []odoo.Product{to}, []movement.Quantity{pack}}, "known_code", "10"},
		"Odoo leaves open which":          {shelf{true, []odoo.Product{other, to}, []movement.Quantity{one, one}}, "", ""},
		"Odoo leaves open which, of else": {shelf{true, []odoo.Product{other, third}, []movement.Quantity{one, one}}, "known_code", "Ibuprofen 400 (I400); Aspirin"},
		"Odoo has it in the archive":      {shelf{true, []odoo.Product{old}, []movement.Quantity{one}}, "", ""},
		"nobody knows yet":                {shelf{}, "catalogue_not_read", "not read"},
	} {
		t.Run(name, func(t *testing.T) {
			what, err := overruledBy(c.shelf, code, &to, false)
			if c.refused == "" {
				if what != "" || err != nil {
					t.Errorf("%q, %v", what, err)
				}
				return
			}
			if fault.CodeOf(err) != c.refused || !strings.Contains(err.Error(), c.tells) || !strings.Contains(fault.HintOf(err), "--overrule") {
				t.Errorf("refused with %v", err)
			}
			if what, err := overruledBy(c.shelf, code, &to, true); err != nil || what == "" || c.read && !strings.Contains(what, c.tells) {
				t.Errorf("meant: %q, %v", what, err)
			}
		})
	}
}
