package ledger_test

import (
	"testing"

	"branchline/hub/ledger"
	"branchline/hub/ledger/ledgertest"
	"branchline/internal/movement"
)

const epoch = "aaaaaaaaaaaa"

func TestBatchAndCursorAreCommittedTogether(t *testing.T) {
	l := ledgertest.Open(t)
	s := ledgertest.NewSender("BR01", epoch, movement.Live)
	if c, err := l.Cursor(t.Context(), s.Stream); err != nil || c != s.At {
		t.Fatalf("cursor of a new stream %v, %v", c, err)
	}
	first := s.Batch(t, []byte(`{"v":1}`), []byte(`{"v":2}`))
	second := s.Batch(t, []byte(`{"v":3}`))
	if err := l.Commit(t.Context(), second); err != ledger.ErrMoved {
		t.Fatalf("a batch before its time: %v", err)
	}
	for _, a := range []ledger.Arrival{first, second} {
		if err := l.Commit(t.Context(), a); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Commit(t.Context(), first); err != ledger.ErrMoved {
		t.Fatalf("the same batch again: %v", err)
	}
	if c, err := l.Cursor(t.Context(), s.Stream); err != nil || c != s.At {
		t.Fatalf("cursor %v, %v", c, err)
	}
	var seen []string
	for b, err := range l.Covering(t.Context(), s.Stream, 2, 3) {
		if err != nil {
			t.Fatal(err)
		}
		records, err := b.Records()
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range records {
			seen = append(seen, string(r))
		}
	}
	if len(seen) != 3 || seen[2] != `{"v":3}` {
		t.Fatalf("stored %q", seen)
	}
}
