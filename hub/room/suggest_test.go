package room

import (
	"testing"

	"branchline/internal/feed"
	"branchline/internal/movement"
)

func TestCodesThatAreAlike(t *testing.T) {
	for name, c := range map[string]struct {
		code, have string
		want       int
	}{
		"with leading zeros":        {"04012345678901", "4012345678901", 100},
		"a PZN with its letters":    {"PZN-12345678", "12345678", 100},
		"another check digit":       {"04012345678902", "04012345678901", 90},
		"another pack level":        {"14012345678908", "04012345678901", 80},
		"a PZN within an NTIN":      {"04150123456782", "12345678", 70},
		"two signs changed places":  {"04012345687901", "04012345678901", 60},
		"one sign differs":          {"04012345778901", "04012345678901", 50},
		"one sign is missing":       {"ASP50", "ASP500", 0},
		"one of a long one missing": {"4012345678", "40123456578", 50},
		"another code":              {"05555555555555", "04012345678901", 0},
		"short ones":                {"12", "13", 0},
	} {
		if why, got := alike(c.code, c.have); got != c.want || (got > 0) != (why != "") {
			t.Errorf("%s: %d (%s), want %d", name, got, why, c.want)
		}
	}
}

func TestSuggestionsAreForAPersonToChoose(t *testing.T) {
	m := &Room{Parts: Parts{Goods: func() []feed.Product {
		return []feed.Product{
			{Key: "1", Name: "Paracetamol 500 mg", Reference: "P500", Barcode: "4012345678901"},
			{Key: "2", Name: "Ibuprofen 400 mg", Reference: "I400", Barcode: "4099999999990"},
			{Key: "3", Name: "Paracetamol syrup", Reference: "PS"},
			{Key: "4", Name: "Old", Reference: "OLD", Barcode: "4012345678900", Archived: true},
			{Key: "5", Name: "Nameless", Barcode: ""},
		}
	}}}
	got := m.Suggest(movement.Product{Scheme: movement.GTIN, Code: "04012345678902"}, "4012345678902;PARACETAMOL;2")
	if len(got) != 2 || got[0].Key != "1" || got[1].Key != "3" || got[1].Why != "its name has paracetamol" {
		t.Errorf("%+v", got)
	}
}
