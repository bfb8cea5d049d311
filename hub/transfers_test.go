package main

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"branchline/hub/ledger"
	"branchline/hub/ledger/ledgertest"
	"branchline/hub/projection"
	"branchline/internal/movement"
)

// What was sent is told until it has come, by lot; what was discarded is not.
func TestWhatIsOnItsWayBetweenBranches(t *testing.T) {
	l := ledgertest.Open(t)
	from, to := ledgertest.NewSender("BR01", "aaaaaaaaaaaa", movement.Live), ledgertest.NewSender("BR02", "bbbbbbbbbbbb", movement.Live)
	box := func(number, lot string) func(*movement.Movement) {
		return func(m *movement.Movement) {
			m.Document, m.Lot = movement.Document{Type: "transfer", Ref: number}, lot
		}
	}
	const whole, part, never, late, out = "BR01/BR02/T260301-080000", "BR01/BR02/T260301-090000", "BR01/BR02/T260301-100000", "BR01/BR02/T260301-110000", "BR01/BR02/T260301-120000"
	from.Commit(t, l, ledgertest.Record(movement.TransferOut, 2, box(whole, "A1")), ledgertest.Record(movement.TransferOut, 3, box(part, "A1")),
		ledgertest.Record(movement.TransferOut, 1, box(part, "B2")), ledgertest.Record(movement.TransferOut, 4, box(never, "")),
		ledgertest.Record(movement.TransferOut, 9, box(out, "A1")))
	to.Commit(t, l, ledgertest.Record(movement.TransferIn, 2, box(whole, "a1")), ledgertest.Record(movement.TransferIn, 1, box(part, "A1")),
		ledgertest.Record(movement.TransferIn, 1, box(part, "B2")), ledgertest.Record(movement.TransferIn, 5, box(late, "A1")))
	if err := projection.New(l, slog.New(slog.DiscardHandler), nil).CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := l.Refuse(t.Context(), []ledger.Refusal{{Movement: from.Find(t, l, 5), Stage: "plan", Reason: "lot_missing", Text: "?"}}, ledgertest.Noon); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Decide(t.Context(), ledger.Decision{Choice: ledger.Discard, Movements: []ledger.MovementID{from.Find(t, l, 5)}, Who: "ann", Why: "never packed", At: ledgertest.Noon}); err != nil {
		t.Fatal(err)
	}
	from.Commit(t, l, ledgertest.Record(movement.TransferOut, 7, func(m *movement.Movement) { m.Counterpart, m.Lot = "BR02", "U1" }),
		ledgertest.Record(movement.TransferOut, 8, func(m *movement.Movement) { m.Counterpart, m.Lot = "CENTRAL", "U1" }))
	to.Commit(t, l, ledgertest.Record(movement.TransferIn, 2, func(m *movement.Movement) { m.Counterpart, m.Lot = "BR01", "U1" }))
	if err := projection.New(l, slog.New(slog.DiscardHandler), nil).CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	list := func(c transfersCommand, now time.Time) string {
		t.Helper()
		var text bytes.Buffer
		if err := c.list(t.Context(), l, &text, now); err != nil {
			t.Fatal(err)
		}
		return text.String()
	}
	soon := ledgertest.Noon.Add(time.Hour)
	got := list(transfersCommand{Days: 90}, soon)
	for _, want := range []string{part + "  since", "lot A1: 3 sent, 1 taken in, 1 of it not in Odoo yet", never + "  since", ": 4 sent, 0 taken in", "BR01/BR02/unnumbered  since", "lot U1: 7 sent, 2 taken in"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	for _, other := range []string{whole, out, late, "B2", "CENTRAL"} {
		if strings.Contains(got, other) {
			t.Errorf("%q in\n%s", other, got)
		}
	}
	if got := list(transfersCommand{Days: 90, Branch: "BR03"}, soon); !strings.HasPrefix(got, "All that was sent") {
		t.Errorf("of another branch: %s", got)
	}
	if got := list(transfersCommand{Days: 1}, soon.AddDate(0, 0, 3)); !strings.HasPrefix(got, "All that was sent") {
		t.Errorf("of another day: %s", got)
	}
	// What was taken in is planned before the sender's word comes: now it is too much.
	posting := ledger.NewPosting{Name: "p1", Branch: "BR02", Kind: movement.TransferIn, Document: movement.Document{Type: "transfer", Ref: late},
		Body: []byte("{}"), Movements: []ledger.MovementID{to.Find(t, l, 4)}}
	if _, err := l.CreatePosting(t.Context(), posting, ledgertest.Noon); err != nil {
		t.Fatal(err)
	}
	from.Commit(t, l, ledgertest.Record(movement.TransferOut, 3, box(late, "A1")))
	if err := projection.New(l, slog.New(slog.DiscardHandler), nil).CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := list(transfersCommand{Days: 90}, soon); !strings.Contains(got, late) || !strings.Contains(got, "3 sent, 5 taken in") {
		t.Errorf("more came than was sent:\n%s", got)
	}
}
