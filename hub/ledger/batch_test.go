package ledger_test

import (
	"bytes"
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"branchline/hub/ledger"
	"branchline/hub/ledger/ledgertest"
	"branchline/internal/fault"
	"branchline/internal/movement"
)

func TestArrivalsThatDoNotFollowAreRefused(t *testing.T) {
	l := ledgertest.Open(t)
	cases := map[string]func(a *ledger.Arrival){
		"a gap that nobody allowed": func(a *ledger.Arrival) { a.Header.First, a.From = 4, 4 },
		"before the cursor":         func(a *ledger.Arrival) { a.From = 2 },
		"before its first":          func(a *ledger.Arrival) { a.Header.First = 4 },
		"after its last":            func(a *ledger.Arrival) { a.From = 9 },
		"another chain":             func(a *ledger.Arrival) { a.Prev[0]++ },
		"a seq out of this world":   func(a *ledger.Arrival) { a.Header.First, a.From, a.Lost = 1<<60, 1<<60, true },
	}
	for name, spoil := range cases {
		t.Run(name, func(t *testing.T) {
			s := ledgertest.NewSender("BR01", movement.NewEpoch(), movement.Live)
			s.Commit(t, l, []byte("1"), []byte("2"))
			before := s.At
			a := s.Batch(t, []byte("3"))
			spoil(&a)
			if err := l.Commit(t.Context(), a); err == nil {
				t.Error("taken")
			}
			if c, err := l.Cursor(t.Context(), s.Stream); err != nil || c != before {
				t.Errorf("cursor %v, %v", c, err)
			}
		})
	}
}

func TestOverlapTakesTheRestOnly(t *testing.T) {
	l := ledgertest.Open(t)
	s := ledgertest.NewSender("BR01", epoch, movement.Live)
	again := ledgertest.NewSender("BR01", epoch, movement.Live)
	s.Commit(t, l, []byte("1"), []byte("2"))
	a := again.Batch(t, []byte("1"), []byte("2"), []byte("3"), []byte("4"))
	a.From, a.After, a.Prev = 3, s.At, s.At.Hash
	if err := l.Commit(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	for seq := range uint64(4) {
		r, err := l.Record(t.Context(), s.Find(t, l, seq+1))
		if err != nil || string(r.Bytes) != fmt.Sprint(seq+1) || r.ID != s.ID(seq+1) || !r.ReceivedAt.Equal(ledgertest.Noon) {
			t.Errorf("record %d: %+v, %v", seq+1, r, err)
		}
	}
	if r, err := l.Record(t.Context(), s.Find(t, l, 4)); err != nil || r.Hash != again.At.Hash {
		t.Errorf("hash of the last record %v, %v, want %v", r.Hash, err, again.At.Hash)
	}
	if _, err := l.Record(t.Context(), s.Find(t, l, 5)); fault.CodeOf(err) != "unknown_movement" {
		t.Errorf("a record that never came: %v", err)
	}
	if n, err := l.Check(t.Context()); n != 2 || err != nil {
		t.Errorf("check: %d, %v", n, err)
	}
}

// Many branches commit at once; each keeps its order, and one that fails takes
// none of the others with it.
func TestConcurrentCommits(t *testing.T) {
	l := ledgertest.Open(t)
	const branches, each = 20, 30
	var wg sync.WaitGroup
	errs := make(chan error, branches*each)
	for b := range branches {
		s := ledgertest.NewSender(fmt.Sprintf("BR%02d", b), epoch, movement.Bulk)
		var arrivals []ledger.Arrival
		for i := range each {
			arrivals = append(arrivals, s.Batch(t, fmt.Appendf(nil, "%d", i)))
		}
		wg.Go(func() {
			for _, a := range arrivals {
				errs <- l.Commit(t.Context(), a)
				if err := l.Commit(t.Context(), a); err != ledger.ErrMoved {
					errs <- fmt.Errorf("again: %v", err)
				}
				if err := l.Write(t.Context(), func(*ledger.Tx) error { return fault.New(fault.Data, "no", "no") }); err == nil {
					errs <- fmt.Errorf("a failing write succeeded")
				}
			}
		})
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			t.Error(err)
		}
	}
	if n, err := l.Check(t.Context()); n != branches*each || err != nil {
		t.Errorf("%d batches, %v", n, err)
	}
}

func TestAnAlteredBatchShows(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	l := ledgertest.OpenAt(t, path)
	s := ledgertest.NewSender("BR01", epoch, movement.Live)
	s.Commit(t, l, bytes.Repeat([]byte("1"), 100))
	other := ledgertest.NewSender("BR01", epoch, movement.Live).Batch(t, bytes.Repeat([]byte("2"), 100))
	s.Commit(t, l, bytes.Repeat([]byte("3"), 100))
	alter(t, path, fmt.Sprintf(`UPDATE batches SET payload = x'%x' WHERE id = 1`, other.Payload))
	if _, err := l.Check(t.Context()); fault.CodeOf(err) != "ledger_damaged" {
		t.Errorf("a payload of another chain: %v", err)
	}
	// Even with its hash set right the next one no longer follows.
	alter(t, path, fmt.Sprintf(`UPDATE batches SET last_hash = x'%x' WHERE id = 1`, other.Header.Last[:]))
	if n, err := l.Check(t.Context()); n != 1 || fault.CodeOf(err) != "ledger_damaged" {
		t.Errorf("after %d: %v", n, err)
	}
}
