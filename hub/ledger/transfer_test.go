package ledger_test

import (
	"log/slog"
	"testing"

	"branchline/hub/ledger"
	"branchline/hub/ledger/ledgertest"
	"branchline/hub/projection"
	"branchline/internal/movement"
)

// Packs with a serial number come for themselves: nobody can say that the sender sent
// none of one before what it recorded next has come.
func TestABoxOfPacksIsWholeWhenSomethingFollows(t *testing.T) {
	l := ledgertest.Open(t)
	const number = "BR01/BR02/T260301-080000"
	s := ledgertest.NewSender("BR01", "aaaaaaaaaaaa", movement.Live)
	whole := func(want bool, packs int) {
		t.Helper()
		if err := projection.New(l, slog.New(slog.DiscardHandler), nil).CatchUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		got, err := l.Transfer(t.Context(), number)
		if err != nil || got.Whole != want || len(got.Movements) != packs {
			t.Errorf("%d packs, whole %t, want %d, %t (%v)", len(got.Movements), got.Whole, packs, want, err)
		}
	}
	pack := func(serial string) []byte {
		return ledgertest.Record(movement.TransferOut, 1, func(m *movement.Movement) {
			m.Serial, m.Document = serial, movement.Document{Type: "transfer", Ref: number}
		})
	}
	s.Commit(t, l, pack("1"))
	whole(false, 1)
	s.Commit(t, l, pack("2"), pack("3"))
	whole(false, 3)
	s.Commit(t, l, ledgertest.Record(movement.Dispense, 1))
	whole(true, 3)
}

func TestNumbersOfTransfers(t *testing.T) {
	for text, want := range map[string]string{
		"BR01/BR02/T261123-221501": "BR01 BR02", "a_b/C-1/T000101-000000": "a_b C-1",
		"": "", "P00017": "", "BR01/BR02": "", "BR01/BR02/T261123-251501": "", "BR01/BR02/T261123-2215010": "", "BR01//T261123-221501": "",
		"BR01/BR02/T261123-221501/x": "", "BR 1/BR02/T261123-221501": "",
	} {
		from, to, ok := ledger.TransferNumber(text)
		if got := from + " " + to; ok != (want != "") || ok && got != want {
			t.Errorf("%q: %q %t", text, got, ok)
		}
	}
}
