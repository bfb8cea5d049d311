package post_test

import (
	"os"
	"path/filepath"
	"testing"

	"branchline/hub/ledger"
	"branchline/hub/ledger/ledgertest"
	"branchline/internal/movement"
	"branchline/internal/odoo"
)

// putBack puts the hub's ledger and the branch back to a moment: what was sent
// since is no longer known to either.
func (w *world) putBack(backup string, at ledger.Cursor, sent int) {
	w.t.Helper()
	b, err := os.ReadFile(backup)
	must(w.t, err)
	path := filepath.Join(w.t.TempDir(), "restored.db")
	must(w.t, os.WriteFile(path, b, 0o600))
	w.on(ledgertest.OpenAt(w.t, path))
	again := ledgertest.NewSender(w.sender.Branch, w.sender.Epoch, w.sender.Lane)
	again.At = at
	w.sender, w.sent = again, w.sent[:sent]
}

// Hub and branch are both put back to last night, as when all machines are
// restored, and the branch records anew under the lost day's numbers, cut as then
// or otherwise, known to the hub before Odoo is searched or after. What Odoo has
// of the lost day does not count as the new movements: a person decides about
// each, and what is released is posted, once.
func TestHubAndBranchPutBackLoseNothingAndPostNothingTwice(t *testing.T) {
	for name, c := range map[string]struct {
		lost, anew []int64
		first      bool // Odoo is searched before the branch has sent
		uncertain  []uint64
	}{
		"cut as then":           {[]int64{1, 2}, []int64{3, 4}, false, []uint64{2, 3}},
		"cut otherwise":         {[]int64{1, 2}, []int64{3, 4, 5}, false, []uint64{2, 3}},
		"less than then":        {[]int64{1, 2, 7}, []int64{3}, true, []uint64{2}},
		"searched first":        {[]int64{1, 2}, []int64{3, 4, 5}, true, []uint64{2, 3}},
		"one was the same then": {[]int64{1, 2}, []int64{1, 4}, true, []uint64{2, 3}},
	} {
		t.Run(name, func(t *testing.T) {
			everywhere(t, func(t *testing.T, w *world) {
				p := w.product(odoo.ByQuantity)
				send := func(all []int64) {
					t.Helper()
					var ms []movement.Movement
					for _, n := range all {
						m := w.moved(movement.Dispense, p, n)
						m.OccurredAt, m.RecordedAt = ledgertest.Noon, ledgertest.Noon
						ms = append(ms, m)
					}
					w.send(ms...)
				}
				send([]int64{10})
				w.settle()
				backup := filepath.Join(t.TempDir(), "backup.db")
				w.copyLedger(backup)
				night := w.sender.At
				send(c.lost)
				w.settle()

				w.putBack(backup, night, 1)
				if c.first {
					ctx, cancel := contextFor(t)
					defer cancel()
					w.until(ctx, func() bool { return w.poster.Status().Adopted })
				}
				send(c.anew)
				if n := uint64(1 + len(c.anew)); len(c.anew) < len(c.lost) { // the branch reports where it ends
					if ended, err := w.ledger.NoteEnd(t.Context(), w.sender.Stream, n, w.clock.now()); err != nil || !ended {
						t.Fatalf("ended %t, %v", ended, err)
					}
				}
				w.settle()
				if cursor, err := w.ledger.Cursor(t.Context(), w.sender.Stream); err != nil || !cursor.Ended {
					t.Errorf("the stream goes on: %+v, %v", cursor, err)
				}
				got := w.exceptions()
				if len(got) != len(c.uncertain) {
					t.Errorf("exceptions %v, want those of %v", got, c.uncertain)
				}
				var ids []ledger.MovementID
				for _, seq := range c.uncertain {
					if got[seq] != "other_history" {
						t.Errorf("movement %d: %q", seq, got[seq])
					}
					ids = append(ids, w.sender.Find(t, w.ledger, seq))
				}
				_, err := w.ledger.Release(t.Context(), decision{Movements: ids, Who: "ph", Why: "they are new", At: w.clock.now()})
				must(t, err)
				must(t, w.projector.CatchUp(t.Context()))
				w.settle()
				want := movement.Units(10)
				for _, n := range append(c.lost, c.anew...) {
					want += movement.Units(n)
				}
				must(t, w.master.Refresh(t.Context()))
				if got := w.dispensed(p); got != want {
					t.Errorf("%s left in Odoo, want %s; exceptions %v", got, want, w.exceptions())
				}
				// The next restore finds them by what they are.
				w.putBack(backup, night, 1)
				send(c.anew)
				w.settle()
				if got := w.dispensed(p); got != want {
					t.Errorf("after the next restore %s left, want %s", got, want)
				}
			})
		})
	}
}
