package ledger_test

import (
	"slices"
	"testing"

	"branchline/hub/ledger"
	"branchline/hub/ledger/ledgertest"
	"branchline/internal/movement"
)

// A watch tells of each branch once, whatever happened to how many of its
// movements, and of nothing that was undone.
func TestABranchThatWasStirredIsTold(t *testing.T) {
	l := ledgertest.Open(t)
	var ids []ledger.MovementID
	for _, branch := range []string{"BR01", "BR02"} {
		s := ledgertest.NewSender(branch, epoch, movement.Live)
		s.Commit(t, l, []byte(`{"v":1}`), []byte(`{"v":2}`))
		ids = append(ids, s.Find(t, l, 1), s.Find(t, l, 2))
	}
	w := l.WatchBranches()
	defer w.Stop()
	stir := func(err error, ids ...ledger.MovementID) {
		if got := l.Write(t.Context(), func(tx *ledger.Tx) error {
			for _, id := range ids {
				tx.Stir(id)
			}
			return err
		}); (got == nil) != (err == nil) {
			t.Fatal(got)
		}
	}
	told := func(want ...string) {
		t.Helper()
		got, err := w.Take(t.Context())
		slices.Sort(got)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("told %q, %v, want %q", got, err, want)
		}
	}
	told()
	stir(nil, ids...)
	stir(nil, ids[0])
	told("BR01", "BR02")
	stir(ledger.ErrMoved, ids[0])
	stir(nil, ids[3])
	told("BR02")
	told()
}
