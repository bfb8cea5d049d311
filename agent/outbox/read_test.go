package outbox_test

import (
	"fmt"
	"testing"

	bolt "go.etcd.io/bbolt"

	"branchline/agent/outbox"
	"branchline/internal/fault"
	"branchline/internal/movement"
	"branchline/internal/wire"
)

// tenBlocks is an outbox of ten blocks of ten records.
func tenBlocks(t *testing.T) (outbox.Config, wire.Stream) {
	c := config(t)
	o := open(t, c)
	for i := range 10 {
		var ms []*movement.Movement
		for j := range 10 {
			ms = append(ms, dispensed(10*i+j))
		}
		appendAll(t, o, movement.Live, ms...)
	}
	s := o.Streams()[0]
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	return c, s
}

func TestRead(t *testing.T) {
	c, s := tenBlocks(t)
	o := open(t, c)
	size := 0
	all, err := o.Read(s.Epoch, s.Lane, 1, 1000, wire.MaxBatchBytes)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range all.Records[:7] {
		size += len(r) + 1
	}
	cases := map[string]struct {
		from        uint64
		records     int
		bytes       int
		first, last uint64 // 0 for nothing
	}{
		"everything":                 {1, 1000, 1 << 20, 1, 100},
		"from zero":                  {0, 1000, 1 << 20, 1, 100},
		"within a block":             {15, 3, 1 << 20, 15, 17},
		"across blocks":              {15, 20, 1 << 20, 15, 34},
		"up to the bytes":            {1, 1000, size, 1, 7},
		"at least one record":        {5, 1000, 1, 5, 5},
		"at least one, of no number": {5, 0, 0, 5, 5},
		"the last one":               {100, 10, 1 << 20, 100, 100},
		"past the last one":          {101, 10, 1 << 20, 0, 0},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			b, err := o.Read(s.Epoch, s.Lane, c.from, c.records, c.bytes)
			if err != nil {
				t.Fatal(err)
			}
			if b == nil || c.first == 0 {
				if b != nil || c.first != 0 {
					t.Fatalf("got %v", b)
				}
				return
			}
			if b.First != c.first || b.Through() != c.last || b.Gone != 0 || b.Oldest != 1 || b.Branch != "BR01" {
				t.Errorf("header %+v", b.Header)
			}
			payload, err := wire.NewPacker().Pack(nil, b)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := wire.Open(payload); err != nil {
				t.Error(err)
			}
		})
	}
	if _, err := o.Read("aaaaaaaaaaaa", movement.Live, 1, 1, 1); fault.CodeOf(err) != "unknown_stream" {
		t.Errorf("an unknown stream: %v", err)
	}
}

// TestReadJumpsOverWhatIsMissing holds Read against the hub's rule: whatever
// the hub has, it gets every record that is there, and a gap is named only for
// what is not.
func TestReadJumpsOverWhatIsMissing(t *testing.T) {
	for _, gone := range [][]uint64{{11}, {1}, {1, 11}, {21, 31, 51}, {91}, {1, 91}} {
		t.Run(fmt.Sprint(gone), func(t *testing.T) {
			c, s := tenBlocks(t)
			there := make(map[uint64]bool)
			for i := range uint64(100) {
				there[i+1] = true
			}
			err := outbox.Tamper(c.Path, func(tx *bolt.Tx) error {
				for _, first := range gone {
					if err := tx.Bucket(outbox.StreamName(s.Epoch, s.Lane)).Delete(outbox.SeqKey(first)); err != nil {
						return err
					}
					for i := range uint64(10) {
						delete(there, first+i)
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			o := open(t, c)
			for have := range uint64(101) { // the hub's cursor
				cursor, got, lost := have, map[uint64]bool{}, map[uint64]bool{}
				for from := have/2 + 1; ; { // the agent sends from where it thinks
					b, err := o.Read(s.Epoch, s.Lane, from, 7, 1<<20)
					if err != nil {
						t.Fatal(err)
					}
					if b == nil {
						break
					}
					from = b.Through() + 1
					switch {
					case b.First > cursor+1 && b.First-b.Gone > cursor+1:
						t.Fatalf("the hub at %d would ask again for what lies before %d, %d gone", cursor, b.First, b.Gone)
					case b.First > cursor+1:
						for seq := cursor + 1; seq < b.First; seq++ {
							lost[seq] = true
						}
					}
					for seq := b.First; seq <= b.Through(); seq++ {
						got[seq] = true
					}
					cursor = max(cursor, b.Through())
				}
				for seq := have + 1; seq <= 100; seq++ {
					if there[seq] && !got[seq] || lost[seq] && there[seq] {
						t.Fatalf("hub at %d: %d is there %v, got %v, noted as lost %v", have, seq, there[seq], got[seq], lost[seq])
					}
				}
			}
			// A hub that was restored knows less than what lies before the hole.
			for have := range uint64(101) {
				for from := have + 1; from <= 100; from++ {
					b, err := o.Read(s.Epoch, s.Lane, from, 1, 1)
					if err != nil {
						t.Fatal(err)
					}
					if b == nil || b.First <= have+1 || b.First-b.Gone > have+1 {
						continue // taken, or asked for again
					}
					for seq := have + 1; seq < b.First; seq++ {
						if there[seq] {
							t.Fatalf("hub at %d: the batch from %d with %d gone hides %d", have, b.First, b.Gone, seq)
						}
					}
				}
			}
		})
	}
}
