package ledger_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"branchline/hub/ledger"
	"branchline/hub/ledger/ledgertest"
	"branchline/hub/projection"
	"branchline/internal/fault"
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

// A program that follows the feed misses nothing when the ledger is put back from a
// backup and the branches send again, in another order: it is told that its place is no
// longer one. A place from before the backup holds.
func TestTheFeedAfterARestore(t *testing.T) {
	if os.Getenv(ledgertest.PostgresVariable) != "" {
		t.Skip("a copy of the ledger is made of a file")
	}
	l, r := ledgertest.Open(t), ledgertest.Record(movement.Dispense, 1)
	came := func(l *ledger.Ledger, branches ...string) {
		t.Helper()
		for _, b := range branches {
			ledgertest.NewSender(b, "abcdefghijkl", movement.Live).Commit(t, l, r)
		}
		if err := projection.New(l, slog.New(slog.DiscardHandler), nil).CatchUp(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	last := func(l *ledger.Ledger) ledger.Arrived {
		t.Helper()
		all, err := l.MovementsAfter(t.Context(), ledger.Arrived{}, 10)
		if err != nil || len(all) == 0 {
			t.Fatal(all, err)
		}
		return all[len(all)-1].Place
	}
	came(l, "BR01")
	night := last(l)
	backup := filepath.Join(t.TempDir(), "backup.db")
	if err := l.Backup(t.Context(), backup); err != nil {
		t.Fatal(err)
	}
	came(l, "BR02", "BR04")
	day := last(l)
	if _, err := l.MovementsAfter(t.Context(), day, 10); err != nil {
		t.Errorf("before the restore: %v", err)
	}
	l = ledgertest.OpenAt(t, backup)
	refused := func(when string) {
		t.Helper()
		if _, err := l.MovementsAfter(t.Context(), day, 10); fault.CodeOf(err) != ledger.CodeOtherArrivals {
			t.Errorf("%s: %v", when, err)
		}
	}
	refused("before anything came again")
	came(l, "BR03", "BR02")
	refused("when as much came again")
	all, err := l.MovementsAfter(t.Context(), night, 10)
	if err != nil || len(all) != 2 || all[0].Identity.Branch != "BR03" {
		t.Errorf("from the night on: %+v, %v", all, err)
	}
}
