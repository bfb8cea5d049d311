package movement_test

import (
	"bytes"
	"testing"

	"branchline/internal/movement"
)

func TestARowsOwnKeyIsFoundAgain(t *testing.T) {
	sum := bytes.Repeat([]byte{0xab}, 32)
	for _, key := range []string{"till/R1/1", "till/R!1/1", "till/1!0123456789abcdef", "x"} {
		if got, ok := movement.RowKey(movement.BadRowKey(key, sum)); !ok || got != key {
			t.Errorf("%q: %q, %v", key, got, ok)
		}
	}
	for _, key := range []string{"", "till/R1/1", "till/R!1/1", "!abababababababab", "till!ABABABABABABABAB", "till!abababababababa", movement.NamelessRowKey("till", sum)} {
		if got, ok := movement.RowKey(key); ok {
			t.Errorf("%q: %q", key, got)
		}
	}
	m := movement.Movement{NaturalKey: movement.NamelessRowKey("till", sum), Source: movement.Source{Adapter: "till", File: "day.csv", Line: 7}}
	if got := movement.RowPlace(&m); got != "till\nday.csv\n7" {
		t.Errorf("%q", got)
	}
	m.NaturalKey = movement.BadRowKey("till/1", sum)
	if got := movement.RowPlace(&m); got != "" {
		t.Errorf("%q", got)
	}
}
