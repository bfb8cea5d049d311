package productcode_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"branchline/internal/fault"
	"branchline/internal/movement"
	"branchline/internal/productcode"
)

func TestNormal(t *testing.T) {
	cases := []struct {
		scheme     movement.Scheme
		code, want string // empty for refused
	}{
		{movement.GTIN, "4012345678901", "04012345678901"}, {movement.GTIN, "04012345678901", "04012345678901"},
		{movement.GTIN, "4012345678902", ""}, {movement.GTIN, "", ""}, {movement.GTIN, "401234567890x", ""},
		{movement.PZN, "01234562", "01234562"}, {movement.PZN, "PZN - 1234562", "01234562"}, {movement.PZN, "-01234562", "01234562"},
		{movement.PZN, "01234560", ""}, {movement.PZN, "123", ""},
		{movement.NDC, "0002-3227-30", "0002-3227-30"}, {movement.NDC, "0002322730", "0002322730"}, {movement.NDC, "hello", ""}, {movement.NDC, "00-02", ""},
		{movement.HIBC, "+A123BJC5D6E71G", "+A123BJC5D6E71G"}, {movement.HIBC, "A123", ""},
		{movement.SKU, "A-1", "A-1"}, {movement.SKU, strings.Repeat("x", 65), ""},
	}
	for _, c := range cases {
		got, err := productcode.Normal(movement.Product{Scheme: c.scheme, Code: c.code})
		switch {
		case c.want == "" && fault.ClassOf(err) != fault.Data:
			t.Errorf("%s %q: %v, %v", c.scheme, c.code, got, err)
		case c.want != "" && (err != nil || got.Code != c.want || got.Scheme != c.scheme):
			t.Errorf("%s %q is %v, %v, want %s", c.scheme, c.code, got, err, c.want)
		}
	}
}

// What is normal stays as it is; nothing panics.
func TestNormalIsNormal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := movement.Product{Scheme: rapid.SampledFrom(movement.Schemes).Draw(t, "scheme"),
			Code: rapid.OneOf(rapid.StringMatching(`(PZN)?[ -]?[0-9]{7,14}`), rapid.String()).Draw(t, "code")}
		one, err := productcode.Normal(p)
		if err != nil {
			return
		}
		if two, err := productcode.Normal(one); err != nil || two != one {
			t.Fatalf("%v, then %v, %v", one, two, err)
		}
	})
}
