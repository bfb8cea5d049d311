package ledger_test

import (
	"testing"
	"time"

	"branchline/hub/ledger"
	"branchline/hub/ledger/ledgertest"
	"branchline/hub/projection"
	"branchline/internal/movement"
	"log/slog"
)

// A moment told by a clock that was ahead is not waited for once it is right again.
func TestAPostingIsDueWhateverAWrongClockSaid(t *testing.T) {
	now := ledgertest.Noon
	cases := map[string]struct {
		changed, next time.Duration // from now
		due           bool
	}{
		"its pause is over":                       {-time.Minute, -time.Second, true},
		"its pause lasts":                         {-time.Minute, time.Minute, false},
		"changed by a clock that was ahead":       {30 * 24 * time.Hour, 30*24*time.Hour + time.Minute, true},
		"the clock was set back while it changed": {-time.Minute, 30 * 24 * time.Hour, true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			l := ledgertest.Open(t)
			s := ledgertest.NewSender("BR01", epoch, movement.Live)
			s.Commit(t, l, ledgertest.Record(movement.Dispense, 1))
			if err := projection.New(l, slog.New(slog.DiscardHandler), nil).CatchUp(t.Context()); err != nil {
				t.Fatal(err)
			}
			id, err := l.CreatePosting(t.Context(), ledger.NewPosting{Name: "a", Branch: "BR01", Kind: movement.Dispense, Movements: []ledger.MovementID{s.Find(t, l, 1)}}, now)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := l.ChangePosting(t.Context(), id, ledger.PostingChange{At: now.Add(c.changed), State: ledger.PostingBegun, NextAt: now.Add(c.next)}); err != nil {
				t.Fatal(err)
			}
			all, err := l.OpenPostings(t.Context(), "BR01", now, 10)
			if err != nil || (len(all) == 1) != c.due {
				t.Errorf("due: %v, want %t; %v", all, c.due, err)
			}
			if all, err = l.OpenPostings(t.Context(), "BR01", time.Time{}, 10); err != nil || len(all) != 1 {
				t.Errorf("open: %v, %v", all, err)
			}
		})
	}
}
