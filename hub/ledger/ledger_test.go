package ledger_test

import (
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"branchline/hub/ledger"
	"branchline/internal/movement"
	"branchline/internal/wire"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func open(t testing.TB) *ledger.Ledger {
	t.Helper()
	l, err := ledger.Open(t.Context(), ledger.Config{Path: filepath.Join(t.TempDir(), "ledger.db")}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// sender makes the batches of one stream.
type sender struct {
	ledger.Stream
	at     ledger.Cursor
	packer *wire.Packer
}

func newSender(branch, epoch string, lane movement.Lane) *sender {
	return &sender{Stream: ledger.Stream{Branch: branch, Epoch: epoch, Lane: lane},
		at: ledger.Cursor{Hash: movement.Genesis(branch, epoch, lane)}, packer: wire.NewPacker()}
}

func (s *sender) batch(t testing.TB, records ...[]byte) ledger.Arrival {
	t.Helper()
	b := wire.Batch{Header: wire.Header{Branch: s.Branch, Epoch: s.Epoch, Lane: s.Lane, First: s.at.Through + 1,
		Prev: s.at.Hash, Oldest: 1}, Records: records}
	chain := movement.NewChain(s.at.Hash)
	for _, r := range records {
		chain.Add(r)
	}
	b.Last = chain.Head()
	payload, err := s.packer.Pack(nil, &b)
	if err != nil {
		t.Fatal(err)
	}
	opened, err := wire.Open(payload)
	if err != nil {
		t.Fatal(err)
	}
	a := ledger.Arrival{Header: opened.Header, Payload: payload, After: s.at, From: opened.First, Prev: s.at.Hash, ReceivedAt: noon}
	s.at = ledger.Cursor{Through: opened.Through(), Hash: opened.Last}
	return a
}

func TestBatchAndCursorAreCommittedTogether(t *testing.T) {
	l := open(t)
	s := newSender("BR01", "aaaaaaaaaaaa", movement.Live)
	if c, err := l.Cursor(t.Context(), s.Stream); err != nil || c != s.at {
		t.Fatalf("cursor of a new stream %v, %v", c, err)
	}
	first, second := s.batch(t, []byte(`{"v":1}`), []byte(`{"v":2}`)), s.batch(t, []byte(`{"v":3}`))
	for _, a := range []ledger.Arrival{first, second} {
		if err := l.Commit(t.Context(), a); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Commit(t.Context(), first); err != ledger.ErrMoved {
		t.Fatalf("the same batch again: %v", err)
	}
	if c, err := l.Cursor(t.Context(), s.Stream); err != nil || c != s.at {
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
