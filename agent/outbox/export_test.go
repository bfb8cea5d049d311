package outbox

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"branchline/internal/movement"
)

// StoredBlock is a block as it lies in the file, for tests that damage files.
type StoredBlock struct {
	Epoch   string
	Lane    movement.Lane
	Value   []byte
	First   uint64
	Records [][]byte
}

// StoredBlocks reads all blocks of an open outbox.
func StoredBlocks(o *Outbox) (all []StoredBlock) {
	s, err := o.survey()
	if err != nil {
		panic(err)
	}
	for _, st := range s.streams {
		err := o.blocks(st.epoch, st.lane, func(_, v []byte) error {
			b, err := parseBlock(v)
			sb := StoredBlock{Epoch: st.epoch, Lane: st.lane, Value: v, First: b.first}
			b.entries(func(e entry) bool { sb.Records = append(sb.Records, e.record()); return true })
			all = append(all, sb)
			return err
		})
		if err != nil {
			panic(err)
		}
	}
	return all
}

// Tend does one round of housekeeping.
func Tend(o *Outbox) error {
	return o.job(func() error {
		o.tended = o.clock().AddDate(-1, 0, 0)
		o.tend()
		return nil
	})
}

// Fold writes the keys that wait in memory as a run.
func Fold(o *Outbox) error { return o.job(func() error { return o.foldKeys(allFolded) }) }

// KeyRuns is how many runs of keys there are, and how many keys wait.
func KeyRuns(o *Outbox) (runs, pending int) {
	_ = o.job(func() error { runs, pending = len(o.keys.runs), len(o.keys.pending); return nil })
	return runs, pending
}

// Tamper runs fn on the file of an outbox that is not open.
func Tamper(path string, fn func(*bolt.Tx) error) error {
	db, err := openDB(path, 0)
	if err != nil {
		return err
	}
	defer db.Close()
	return db.Update(fn)
}

// StreamName is the name of a stream's bucket.
func StreamName(epoch string, lane movement.Lane) []byte { return streamName(epoch, lane) }

// QueueRoom is how many more writes and jobs may wait.
func QueueRoom(o *Outbox) int { return cap(o.queue) - len(o.queue) - len(o.urgent) }

// Scanned makes it a moment ago that somebody scanned, and took how long the
// latest part of a file was.
func Scanned(o *Outbox, took time.Duration) {
	now := time.Now()
	o.scanned.Store(&now)
	o.partTook.Store(int64(took))
}

// Job runs fn in a turn.
func Job(o *Outbox, fn func()) error { return o.job(func() error { fn(); return nil }) }

// Hold has the turn while fn runs.
func Hold(o *Outbox, fn func()) {
	held, done := make(chan struct{}), make(chan struct{})
	ended := make(chan error)
	go func() { ended <- o.job(func() error { close(held); <-done; return nil }) }()
	<-held
	fn()
	close(done)
	if err := <-ended; err != nil {
		panic(err)
	}
}

// FailSyncs makes the next n commits fail in their last step, when whoever reads
// the file sees them already.
func FailSyncs(o *Outbox, n int, err error) {
	_ = o.job(func() error {
		update := o.transact
		o.transact = func(db *bolt.DB, fn func(*bolt.Tx) error) error {
			e := update(db, fn)
			if e != nil || n == 0 {
				return e
			}
			n--
			return err
		}
		return nil
	})
}

// SeqKey is the key of the block that begins with seq.
func SeqKey(seq uint64) []byte { return seqKey(seq) }

// smallFile is the content of an outbox with forty records.
func smallFile(t testing.TB) []byte {
	c := DefaultConfig()
	c.Path, c.Branch = filepath.Join(t.TempDir(), "outbox.db"), "BR01"
	o, err := Open(c, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		w := Write{Lane: movement.Live, Notes: []Note{{Space: "s", Key: "k", Value: []byte{byte(i)}}}}
		for j := range 2 {
			w.Movements = append(w.Movements, &movement.Movement{Kind: movement.Dispense, Quantity: movement.Units(1),
				Product:    movement.Product{Scheme: movement.SKU, Code: "A1"},
				OccurredAt: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), NaturalKey: fmt.Sprint(i, j)})
		}
		if _, err := o.Append(t.Context(), w); err != nil {
			t.Fatal(err)
		}
	}
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(c.Path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
