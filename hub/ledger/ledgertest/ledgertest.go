// Package ledgertest makes ledgers and what branches send, for tests.
package ledgertest

import (
	"bytes"
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"branchline/hub/ledger"
	"branchline/internal/movement"
	"branchline/internal/wire"
)

// Noon is when everything happens unless a test says otherwise.
var Noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// Open makes an empty ledger that is closed when the test ends, in PostgreSQL
// when [PostgresVariable] names one. It does not wait for the disk.
func Open(t testing.TB) *ledger.Ledger {
	t.Helper()
	return open(t, ledger.Config{Path: Address(t), NoSync: true})
}

// Address is where a ledger of the test's own can be made.
func Address(t testing.TB) string {
	t.Helper()
	if address, ok := Postgres(t); ok {
		return address
	}
	return filepath.Join(t.TempDir(), "ledger.db")
}

// OpenAt opens the ledger at a path or address.
func OpenAt(t testing.TB, path string) *ledger.Ledger {
	t.Helper()
	return open(t, ledger.Config{Path: path})
}

func open(t testing.TB, c ledger.Config) *ledger.Ledger {
	t.Helper()
	l, err := ledger.Open(context.Background(), c, slog.New(slog.DiscardHandler))
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

// T is what is needed of a test; rapid's has it too.
type T interface {
	Helper()
	Fatal(args ...any)
}

// Sender makes the batches of one stream, one after the other.
type Sender struct {
	ledger.Stream
	// At is the cursor after the last batch made.
	At     ledger.Cursor
	packer *wire.Packer
}

// NewSender begins a stream.
func NewSender(branch, epoch string, lane movement.Lane) *Sender {
	return &Sender{Stream: ledger.Stream{Branch: branch, Epoch: epoch, Lane: lane},
		At: ledger.Cursor{Hash: movement.Genesis(branch, epoch, lane)}, packer: wire.NewPacker()}
}

// Batch makes the next batch.
func (s *Sender) Batch(t T, records ...[]byte) ledger.Arrival {
	t.Helper()
	b := wire.Batch{Records: records, Header: wire.Header{V: wire.BatchVersion, Branch: s.Branch, Epoch: s.Epoch,
		Lane: s.Lane, First: s.At.Through + 1, Count: len(records), Prev: s.At.Hash, Oldest: 1}}
	chain := movement.NewChain(s.At.Hash)
	for _, r := range records {
		chain.Add(r)
	}
	b.Last = chain.Head()
	payload, err := s.packer.Pack(nil, &b)
	if err != nil {
		t.Fatal(err)
	}
	a := ledger.Arrival{Header: b.Header, Payload: payload, After: s.At, From: b.First, Prev: s.At.Hash, ReceivedAt: Noon}
	s.At = ledger.Cursor{Through: b.Through(), Hash: b.Last}
	return a
}

// Commit makes the next batch and commits it.
func (s *Sender) Commit(t T, l *ledger.Ledger, records ...[]byte) {
	t.Helper()
	if err := l.Commit(context.Background(), s.Batch(t, records...)); err != nil {
		t.Fatal(err)
	}
}

// ID is the name of the stream's movement with a seq.
func (s *Sender) ID(seq uint64) movement.ID {
	return movement.ID{Branch: s.Branch, Epoch: s.Epoch, Lane: s.Lane, Seq: seq}
}

// Find gives a movement's number.
func (s *Sender) Find(t T, l *ledger.Ledger, seq uint64) ledger.MovementID {
	t.Helper()
	id, err := l.Find(context.Background(), s.ID(seq))
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// Movement makes a valid movement of n units, which change may alter.
func Movement(kind movement.Kind, n int64, change ...func(*movement.Movement)) *movement.Movement {
	m := &movement.Movement{Kind: kind, Product: movement.Product{Scheme: movement.GTIN, Code: "04012345678901"},
		Quantity: movement.Units(n), OccurredAt: Noon, RecordedAt: Noon}
	if kind == movement.TransferIn || kind == movement.TransferOut {
		m.Counterpart = "BR99"
	}
	for _, f := range change {
		f(m)
	}
	return m
}

// Record is the bytes of [Movement].
func Record(kind movement.Kind, n int64, change ...func(*movement.Movement)) []byte {
	return Movement(kind, n, change...).AppendJSON(nil)
}

// Dump gives the derived tables as text.
func Dump(t T, l *ledger.Ledger) string {
	t.Helper()
	var b bytes.Buffer
	if err := l.DumpDerived(context.Background(), &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
