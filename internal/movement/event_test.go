package movement

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// The print is stored for more than a year: it must not change.
func TestPrintStaysAsItIs(t *testing.T) {
	m := Movement{Kind: Dispense, Product: Product{Scheme: PZN, Code: "02758089"}, Lot: "A1234567", Expiry: Date{2027, 4, 30},
		Quantity: Units(2), Unit: "Packung", Document: Document{Type: "dispensing", Ref: "R1"},
		OccurredAt: time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC), RecordedAt: time.Now(), NaturalKey: fmt.Sprint(time.Now())}
	if got, want := m.Print(), uint64(0x70bef64567383146); got != want {
		t.Errorf("print %#x, want %#x", got, want)
	}
}

func TestPrintTellsEventsApart(t *testing.T) {
	text := rapid.SampledFrom([]string{"", "A", "AB", "B", "12345678", "123456789", "ABCDEFGH12345678"})
	draw := rapid.Custom(func(t *rapid.T) Movement {
		return Movement{Kind: rapid.SampledFrom(Kinds).Draw(t, "kind"),
			Product: Product{Scheme: rapid.SampledFrom(Schemes).Draw(t, "scheme"), Code: text.Draw(t, "code")},
			Lot:     text.Draw(t, "lot"), Serial: text.Draw(t, "serial"), Unit: text.Draw(t, "unit"), Reason: text.Draw(t, "reason"),
			Expiry:   rapid.SampledFrom([]Date{{}, {2027, 4, 30}, {2027, 5, 30}}).Draw(t, "expiry"),
			Quantity: Quantity(rapid.Int64Range(0, 3).Draw(t, "quantity")),
			Document: Document{Type: text.Draw(t, "type"), Ref: text.Draw(t, "ref")},
			// Nothing of what follows makes another event.
			OccurredAt: time.UnixMilli(rapid.Int64Range(0, 2).Draw(t, "at")).In(time.FixedZone("", rapid.IntRange(0, 1).Draw(t, "zone")*3600)),
			By:         text.Draw(t, "by"), NaturalKey: text.Draw(t, "key")}
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b := draw.Draw(t, "a"), draw.Draw(t, "b")
		if rapid.Bool().Draw(t, "nearly the same") {
			by, key := b.By, b.NaturalKey
			b = a
			b.By, b.NaturalKey = by, key
			switch rapid.IntRange(0, 5).Draw(t, "but") {
			case 0:
				b.Lot, b.Serial = a.Serial, a.Lot
			case 1:
				b.Quantity++
			case 2:
				b.Unit += "x"
			case 3:
				b.OccurredAt = b.OccurredAt.Add(time.Second)
			case 4:
				b.Expiry.Day++
			}
		}
		if same := a.SameEvent(&b); same != (a.Print() == b.Print()) || a.Print() == 0 {
			t.Errorf("same %v, prints %#x and %#x", same, a.Print(), b.Print())
		}
	})
}
