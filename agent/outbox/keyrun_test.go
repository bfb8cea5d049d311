package outbox

import (
	"encoding/binary"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"branchline/internal/movement"
)

// written is a run as [putRun] stores it; without prints, as earlier versions did.
func written(t *testing.T, d *runDraft, prints bool) []byte {
	t.Helper()
	db, err := bolt.Open(filepath.Join(t.TempDir(), "runs.db"), 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var v []byte
	err = db.Update(func(tx *bolt.Tx) error {
		for _, b := range [][]byte{keysBucket, stateBucket} {
			if _, err := tx.CreateBucket(b); err != nil {
				return err
			}
		}
		if err := putRun(tx, 1, d); err != nil {
			return err
		}
		v = slices.Clone(tx.Bucket(keysBucket).Get(seqKey(1)))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if prints {
		return v
	}
	c := v[envelopeHead:]
	old := append([]byte(nil), c[:runHead+len(d.streams)]...)
	binary.BigEndian.PutUint16(old[8:], uint16(len(d.streams)/runStream))
	for rest := c[len(old):]; len(rest) > 0; rest = rest[runItem+runPrint:] {
		old = append(old, rest[:runItem]...)
	}
	return enclose(kindKeys, seqKey(1), 1, old)
}

func draftOf(newest time.Time, from, to int) *runDraft {
	d := &runDraft{newest: newest}
	i := d.stream("aaaabbbbcccc", movement.Bulk)
	for n := from; n < to; n++ {
		e := newRunEntry(hashKey(fmt.Sprint(n)))
		e.stream, e.seq, e.print = i, uint64(n), uint64(n)*7
		d.entries = append(d.entries, e)
	}
	slices.SortFunc(d.entries, compareEntries)
	return d
}

// Runs of an earlier version have no prints; merged with newer ones they stay
// known, with a print of 0.
func TestRunsWithoutPrintsAreReadAndMerged(t *testing.T) {
	early, late := time.UnixMilli(1_700_000_000_000), time.UnixMilli(1_790_000_000_000)
	var runs []keyRun
	for _, v := range [][]byte{written(t, draftOf(early, 0, 50), false), written(t, draftOf(late, 50, 100), true)} {
		if !intactRun(seqKey(1), v) {
			t.Fatal("not whole")
		}
		r, err := parseRun(v)
		if err != nil || r.count != 50 {
			t.Fatal(r.count, err)
		}
		runs = append(runs, r)
	}
	merged, err := parseRun(written(t, merge(runs), true))
	if err != nil {
		t.Fatal(err)
	}
	for n := range 100 {
		for _, r := range []keyRun{runs[n/50], merged} {
			p, ok := r.find(hashKey(fmt.Sprint(n)))
			want := uint64(n) * 7
			if n < 50 {
				want = 0
			}
			if !ok || p.Seq != uint64(n) || p.Print != want || !p.By.Equal(r.newest) {
				t.Errorf("%d is at %+v", n, p)
			}
		}
	}
}

// A run that does not fit into an envelope would be forgotten as damaged.
func TestMergedRunsFitIntoAnEnvelope(t *testing.T) {
	if n := runHead + 16*runStream + maxRun*(runItem+runPrint); n > maxContent {
		t.Errorf("a run of %d keys can have %d bytes", maxRun, n)
	}
	m := newKeyMemory()
	for id := range uint64(2 * mergeRuns) {
		m.runs, m.sizes[id] = append(m.runs, id), mergeBelow-1
	}
	ids := m.mergeable()
	if n := len(ids) * (mergeBelow - 1); len(ids) < 2 || n > maxRun {
		t.Errorf("%d runs of %d keys together become one", len(ids), n)
	}
}

// What a key said is known for as long as the key is.
func TestThePrintOfAKeyIsKeptWithIt(t *testing.T) {
	c := DefaultConfig()
	c.Path, c.Branch = filepath.Join(t.TempDir(), "outbox.db"), "BR01"
	now := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	m := &movement.Movement{Kind: movement.Dispense, Quantity: movement.Units(1), Product: movement.Product{Scheme: movement.SKU, Code: "A1"},
		OccurredAt: now, NaturalKey: "till/1"}
	append1 := func(o *Outbox) Place {
		t.Helper()
		p, err := o.Append(t.Context(), Write{Lane: movement.Bulk, Movements: []*movement.Movement{m}})
		if err != nil {
			t.Fatal(err)
		}
		return p[0]
	}
	reopen := func(o *Outbox) *Outbox {
		t.Helper()
		if o != nil {
			if err := o.Close(); err != nil {
				t.Fatal(err)
			}
		}
		o, err := Open(c, slog.New(slog.DiscardHandler), nil)
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	o := reopen(nil)
	defer func() { o.Close() }()
	if p := append1(o); p.Known || p.Print != 0 {
		t.Errorf("%+v", p)
	}
	for _, then := range []func(){func() {}, func() { o = reopen(o) }, func() {
		if err := Fold(o); err != nil {
			t.Fatal(err)
		}
	}, func() { o = reopen(o) }} {
		then()
		if p := append1(o); !p.Known || p.Print != m.Print() {
			t.Errorf("the key is at %+v, want print %d", p, m.Print())
		}
	}
}
