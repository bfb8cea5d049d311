package movement_test

import (
	"math/big"
	"testing"
	"time"

	"pgregory.net/rapid"

	"branchline/internal/movement"
)

func TestParseQuantity(t *testing.T) {
	cases := []struct {
		in   string
		want string // "" is refused
	}{
		{"0", "0"}, {"1", "1"}, {"+1", "1"}, {"-1", "-1"}, {"007", "7"}, {"2.50", "2.5"}, {"0.000001", "0.000001"},
		{"-0.5", "-0.5"}, {"1000000000", "1000000000"}, {"1.10000000", "1.1"}, {"-0", "0"},
		{"", ""}, {"-", ""}, {"1,5", ""}, {"1e3", ""}, {" 1", ""}, {"1 ", ""}, {".5", ""}, {"5.", ""}, {"--1", ""},
		{"+-1", ""}, {"0.0000001", ""}, {"1000000000.1", ""}, {"99999999999", ""}, {"NaN", ""}, {"0x10", ""}, {"١", ""},
	}
	for _, c := range cases {
		q, err := movement.ParseQuantity(c.in)
		if c.want == "" {
			if err == nil {
				t.Errorf("%q became %v, want an error", c.in, q)
			}
		} else if err != nil || q.String() != c.want {
			t.Errorf("%q became %v, %v; want %s", c.in, q, err, c.want)
		}
	}
}

// A quantity is the exact decimal that its text says, there and back, and its
// double for Odoo comes back as the same quantity.
func TestQuantityWithItsNoun(t *testing.T) {
	for q, want := range map[movement.Quantity]string{0: "0 packs", movement.Units(1): "1 pack", movement.Units(2): "2 packs", movement.Units(1) / 2: "0.5 packs"} {
		if got := q.Of("pack", "packs"); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestQuantityIsExact(t *testing.T) {
	limit := int64(movement.MaxQuantity)
	rapid.Check(t, func(t *rapid.T) {
		q := movement.Quantity(rapid.Int64Range(-limit, limit).Draw(t, "q"))
		r, ok := new(big.Rat).SetString(q.String())
		if !ok || r.Cmp(big.NewRat(int64(q), movement.QuantityScale)) != 0 {
			t.Fatalf("%d prints as %s", int64(q), q)
		}
		if back, err := movement.ParseQuantity(q.String()); err != nil || back != q {
			t.Fatalf("%s parses as %v, %v", q, back, err)
		}
		if back, err := movement.QuantityFromFloat(q.Float()); err != nil || back != q {
			t.Fatalf("%s comes back from Odoo as %v, %v", q, back, err)
		}
	})
}

func TestDates(t *testing.T) {
	for _, s := range []string{"2028-02-29", "1900-01-01", "2199-12-31"} {
		if d, err := movement.ParseDate(s); err != nil || d.String() != s {
			t.Errorf("%s: %v, %v", s, d, err)
		}
	}
	for _, s := range []string{"2027-02-29", "2027-13-01", "2027-00-10", "2027-1-1", "27-01-01", "1899-12-31", "2200-01-01", ""} {
		if d, err := movement.ParseDate(s); err == nil {
			t.Errorf("%q became %v", s, d)
		}
	}
	kiribati := time.FixedZone("", 14*3600)
	d := movement.Date{Year: 2028, Month: 5, Day: 31}
	if got := d.At(12, kiribati).UTC().Format(time.DateTime); got != "2028-05-30 22:00:00" {
		t.Errorf("noon in a far zone is %s UTC", got)
	}
	rapid.Check(t, func(t *rapid.T) {
		a := time.Unix(rapid.Int64Range(-2e9, 7e9).Draw(t, "a"), 0).UTC()
		b := time.Unix(rapid.Int64Range(-2e9, 7e9).Draw(t, "b"), 0).UTC()
		da, db := movement.DateOf(a), movement.DateOf(b)
		if da.Before(db) != (da.String() < db.String()) {
			t.Fatalf("%v before %v?", da, db)
		}
	})
}

func TestIDs(t *testing.T) {
	id := movement.ID{Branch: "BR01", Epoch: movement.NewEpoch(), Lane: movement.Live, Seq: 17}
	if !movement.ValidEpoch(id.Epoch) {
		t.Errorf("epoch %q is not valid", id.Epoch)
	}
	if back, err := movement.ParseID(id.String()); err != nil || back != id {
		t.Errorf("%s became %v, %v", id, back, err)
	}
	for _, s := range []string{"", "BR01", "BR01/aaaaaaaaaaaa/live/0", "BR01/aaaaaaaaaaaa/live/-1", "BR01/aaaaaaaaaaaa/live/01",
		"BR01/aaaaaaaaaaaa/fast/1", "BR 1/aaaaaaaaaaaa/live/1", "BR01/AAAAAAAAAAAA/live/1", "BR01/aaaaaaaaaaaa/live/1/2",
		"+/aaaaaaaaaaaa/live/1", "BR01/aaaaaaaaaaaa/live/9223372036854775808"} {
		if id, err := movement.ParseID(s); err == nil {
			t.Errorf("%q became %v", s, id)
		}
	}
}

// The chain shows a changed, a missing, an inserted and a swapped record, and
// a stream passed off as another.
func TestChainShowsAlterations(t *testing.T) {
	head := func(branch string, records ...string) movement.Hash {
		c := movement.NewChain(movement.Genesis(branch, "aaaaaaaaaaaa", movement.Live))
		for _, r := range records {
			c.Add([]byte(r))
		}
		return c.Head()
	}
	want := head("BR01", "a", "b", "c")
	if got := head("BR01", "a", "b").Next([]byte("c")); got != want {
		t.Error("Next and Chain differ")
	}
	for name, got := range map[string]movement.Hash{
		"changed": head("BR01", "a", "x", "c"), "missing": head("BR01", "a", "c"), "joined": head("BR01", "ab", "c"),
		"inserted": head("BR01", "a", "b", "b", "c"), "swapped": head("BR01", "b", "a", "c"), "foreign": head("BR02", "a", "b", "c"),
	} {
		if got == want {
			t.Errorf("%s: same hash", name)
		}
	}
	var back movement.Hash
	text, _ := want.MarshalText()
	if err := back.UnmarshalText(text); err != nil || back != want {
		t.Errorf("hash %s came back as %s, %v", want, back, err)
	}
	for _, s := range []string{"", "00", string(text[:63]), string(text) + "0", "zz" + string(text[2:])} {
		if back.UnmarshalText([]byte(s)) == nil {
			t.Errorf("%q was taken for a hash", s)
		}
	}
}
