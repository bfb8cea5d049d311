package ledger_test

import (
	"log/slog"
	"testing"

	"branchline/hub/ledger"
	"branchline/hub/ledger/ledgertest"
	"branchline/hub/projection"
	"branchline/internal/movement"
)

// A batch that no longer opens does not keep the feed from what came after it.
func TestTheFeedGoesOnBehindADamagedBatch(t *testing.T) {
	l := ledgertest.Open(t)
	s := ledgertest.NewSender("BR01", "abcdefghijkl", movement.Live)
	r := ledgertest.Record(movement.Dispense, 1)
	a := s.Batch(t, r, r, r)
	a.Payload = []byte("not what was judged")
	if err := l.Commit(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	s.Commit(t, l, r)
	if err := projection.New(l, slog.New(slog.DiscardHandler), nil).CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, limit := range []int{1, 2, 3, 4} {
		all, err := l.MovementsAfter(t.Context(), ledger.Arrived{}, limit)
		if err != nil || len(all) != 1 {
			t.Errorf("limit %d: %d movements, %v", limit, len(all), err)
		}
	}
}
