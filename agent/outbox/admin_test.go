package outbox_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"branchline/agent/outbox"
	"branchline/internal/fault"
	"branchline/internal/movement"
)

// block changes the stored block that begins with first.
func alterBlock(c outbox.Config, epoch string, first uint64, fn func(v []byte) []byte) error {
	return outbox.Tamper(c.Path, func(tx *bolt.Tx) error {
		b := tx.Bucket(outbox.StreamName(epoch, movement.Live))
		return b.Put(outbox.SeqKey(first), fn(append([]byte{}, b.Get(outbox.SeqKey(first))...)))
	})
}

// The places within a block are those of block.go.
const (
	blockHead = 37
	countAt   = 25
)

// recordAt gives the i-th record with its length and the hash before it.
func recordAt(v []byte, i int) []byte {
	off := blockHead
	for ; ; i-- {
		size := 36 + int(binary.BigEndian.Uint32(v[off:]))
		if i == 0 {
			return v[off : off+size]
		}
		off += size
	}
}

func TestVerifyNamesTheRecord(t *testing.T) {
	cases := map[string]struct {
		tamper func(c outbox.Config, epoch string) error
		want   []string
	}{
		"nothing": {func(outbox.Config, string) error { return nil }, nil},
		"a quantity altered": {func(c outbox.Config, epoch string) error {
			return alterBlock(c, epoch, 31, func(v []byte) []byte {
				return bytes.Replace(v, []byte(`"ref":"RX-000034"`), []byte(`"ref":"RX-999999"`), 1)
			})
		}, []string{"35-35 altered"}},
		"the first record altered": {func(c outbox.Config, epoch string) error {
			return alterBlock(c, epoch, 1, func(v []byte) []byte { v[blockHead+36+5]++; return v })
		}, []string{"1-1 altered"}},
		"the last record altered": {func(c outbox.Config, epoch string) error {
			return alterBlock(c, epoch, 91, func(v []byte) []byte { v[len(v)-33]++; return v })
		}, []string{"100-100 altered"}},
		"a block taken out": {func(c outbox.Config, epoch string) error {
			return outbox.Tamper(c.Path, func(tx *bolt.Tx) error {
				return tx.Bucket(outbox.StreamName(epoch, movement.Live)).Delete(outbox.SeqKey(41))
			})
		}, []string{"41-50 missing"}},
		"the newest block taken out": {func(c outbox.Config, epoch string) error {
			return outbox.Tamper(c.Path, func(tx *bolt.Tx) error {
				return tx.Bucket(outbox.StreamName(epoch, movement.Live)).Delete(outbox.SeqKey(91))
			})
		}, []string{"91-100 missing"}},
		"the oldest block taken out, which the hub has not confirmed": {func(c outbox.Config, epoch string) error {
			return outbox.Tamper(c.Path, func(tx *bolt.Tx) error {
				return tx.Bucket(outbox.StreamName(epoch, movement.Live)).Delete(outbox.SeqKey(1))
			})
		}, []string{"1-10 missing"}},
		"a record put in behind the last one": {func(c outbox.Config, epoch string) error {
			return alterBlock(c, epoch, 91, func(v []byte) []byte {
				extra := append([]byte{}, recordAt(v, 4)...)
				last := append([]byte{}, v[len(v)-32:]...)
				copy(extra[4:], last)
				binary.BigEndian.PutUint32(v[countAt:], 11)
				return append(append(v[:len(v)-32], extra...), last...)
			})
		}, []string{"101-101 inserted"}},
		"a record put in between two": {func(c outbox.Config, epoch string) error {
			return alterBlock(c, epoch, 91, func(v []byte) []byte {
				third := recordAt(v, 3)
				extra := append([]byte{}, third...)
				extra[40]++
				binary.BigEndian.PutUint32(v[countAt:], 11)
				at := len(v) - len(v[bytes.Index(v, third):])
				return append(v[:at], append(extra, v[at:]...)...)
			})
		}, []string{"94-94 inserted"}},
		"a block of another place": {func(c outbox.Config, epoch string) error {
			return outbox.Tamper(c.Path, func(tx *bolt.Tx) error {
				b := tx.Bucket(outbox.StreamName(epoch, movement.Live))
				return b.Put(outbox.SeqKey(101), append([]byte{}, b.Get(outbox.SeqKey(51))...))
			})
		}, []string{"101-101 inserted"}},
		"something that is no block": {func(c outbox.Config, epoch string) error {
			return outbox.Tamper(c.Path, func(tx *bolt.Tx) error {
				return tx.Bucket(outbox.StreamName(epoch, movement.Live)).Put(outbox.SeqKey(51), []byte("rubbish"))
			})
		}, []string{"51-51 unreadable", "51-60 missing"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			c, s := tenBlocks(t)
			if err := tc.tamper(c, s.Epoch); err != nil {
				t.Fatal(err)
			}
			f, err := outbox.OpenFile(c.Path)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			rep, err := outbox.Verify(t.Context(), f)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, x := range rep.Findings {
				got = append(got, fmt.Sprintf("%d-%d %s", x.First, x.Last, x.What))
			}
			if fmt.Sprint(got) != fmt.Sprint(tc.want) || rep.Sound() != (tc.want == nil) {
				t.Errorf("found %v, want %v (%+v)", got, tc.want, rep)
			}
		})
	}
}

func TestExportAndInspectAgreeWithWhatIsThere(t *testing.T) {
	b := makeOriginal(t)
	running := open(t, b.cfg)
	sources := map[string]outbox.Source{"running": running}
	copied := filepath.Join(t.TempDir(), "outbox.db")
	if err := os.WriteFile(copied, b.file, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := outbox.OpenFile(copied)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	sources["file"] = f
	for name, src := range sources {
		t.Run(name, func(t *testing.T) {
			var buf bytes.Buffer
			want := b.records()
			n, err := outbox.Export(t.Context(), src, &buf)
			if err != nil || n != len(want) {
				t.Fatalf("exported %d of %d, %v", n, len(want), err)
			}
			heads := make(map[string]movement.Hash)
			for line := range strings.Lines(buf.String()) {
				var x struct {
					ID, Epoch string
					Lane      movement.Lane
					Seq       uint64
					Hash      movement.Hash
					Sound     bool
					Acked     bool
					Record    json.RawMessage
				}
				if err := json.Unmarshal([]byte(line), &x); err != nil {
					t.Fatal(err)
				}
				id, err := movement.ParseID(x.ID)
				if err != nil || id != (movement.ID{Branch: "BR01", Epoch: x.Epoch, Lane: x.Lane, Seq: x.Seq}) {
					t.Fatalf("identity %v, %v", id, err)
				}
				stream := x.Epoch + x.Lane.String()
				if x.Seq == 1 {
					heads[stream] = movement.Genesis("BR01", x.Epoch, x.Lane)
				}
				heads[stream] = heads[stream].Next(x.Record)
				if heads[stream] != x.Hash || !x.Sound || x.Acked != (x.Lane == movement.Live && x.Seq <= 20) {
					t.Fatalf("line %s", line)
				}
				if want[place{x.Epoch, x.Lane, x.Seq}] != string(x.Record) {
					t.Fatalf("%s is %s", x.ID, x.Record)
				}
			}
			v, err := outbox.Inspect(src)
			if err != nil || v.Branch != "BR01" || len(v.Streams) != 2 || len(v.Damage) > 0 || v.Notes["receiving"] != len(b.notes) || v.Keys != 360 {
				t.Fatalf("%+v, %v", v, err)
			}
			if s := v.Streams[0]; !s.Grows || s.Records != 60 || s.First != 1 || s.Last != 60 || s.Acked != 20 || !s.From.Equal(start) {
				t.Errorf("%+v", s)
			}
		})
	}
}

// However the records lie in blocks, the last recorded one is told, and not when
// its block was begun.
func TestInspectTellsTheLastRecord(t *testing.T) {
	c, now := config(t), start
	o, err := outbox.Open(c, slog.New(slog.DiscardHandler), func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	look := func(src outbox.Source) {
		t.Helper()
		v, err := outbox.Inspect(src)
		if err != nil {
			t.Fatal(err)
		}
		if s := v.Streams[0]; !s.From.Equal(start) || !s.To.Equal(now) {
			t.Fatalf("%d records from %s to %s, want %s to %s", s.Records, s.From, s.To, start, now)
		}
	}
	for n := range 60 {
		now = start.Add(time.Duration(n) * time.Minute)
		if _, err := o.Append(t.Context(), outbox.Write{Lane: movement.Live, Movements: []*movement.Movement{dispensed(n)}}); err != nil {
			t.Fatal(err)
		}
		look(o)
	}
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := outbox.OpenFile(c.Path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	look(f)
}

func TestOpenFileRefuses(t *testing.T) {
	held := config(t)
	open(t, held)
	rubbish := filepath.Join(t.TempDir(), "outbox.db")
	if err := os.WriteFile(rubbish, bytes.Repeat([]byte("rubbish"), 9999), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, code := range map[string]string{
		held.Path: "outbox_locked", rubbish: "outbox_damaged", filepath.Join(t.TempDir(), "none"): "outbox_unreadable"} {
		f, err := outbox.OpenFile(path)
		if err == nil {
			f.Close()
		}
		if fault.CodeOf(err) != code {
			t.Errorf("%s: error %v, want %s", path, err, code)
		}
	}
}

func TestAReplacementThatACrashInterruptedIsFinished(t *testing.T) {
	b := makeOriginal(t)
	n := len(b.records())
	cases := map[string]struct {
		path, rebuilt, fresh []byte
		records              int
	}{
		"before the old file was set aside": {b.file, []byte("of no use"), nil, n},
		"after that":                        {nil, b.file, nil, n},
		"while the new one was written":     {b.file, nil, []byte("half a fi"), n},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			cfg := b.cfg
			cfg.Path = filepath.Join(t.TempDir(), "outbox.db")
			for suffix, content := range map[string][]byte{"": c.path, ".rebuilt": c.rebuilt, ".new": c.fresh} {
				if content != nil {
					if err := os.WriteFile(cfg.Path+suffix, content, 0o600); err != nil {
						t.Fatal(err)
					}
				}
			}
			o := open(t, cfg)
			if got := len(drain(t, o)); got != c.records {
				t.Errorf("%d records, want %d", got, c.records)
			}
			left, _ := filepath.Glob(cfg.Path + ".*")
			if len(left) != 1 { // the lock
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

func TestAlarmsStayUntilTheyAreDismissed(t *testing.T) {
	c := config(t)
	if err := os.WriteFile(c.Path, []byte("rubbish"), 0o600); err != nil {
		t.Fatal(err)
	}
	o := open(t, c)
	for range 2 {
		st, err := o.Stats()
		if err != nil || len(st.Alarms) != 1 || st.Alarms[0].Code != "outbox_salvaged" || st.Unsent != 1 {
			t.Fatalf("%+v, %v", st, err)
		}
		o.Close()
		o = open(t, c)
	}
	records := drain(t, o)
	if len(records) != 1 || !strings.Contains(records[0], `"problem":{"code":"outbox_salvaged"`) {
		t.Errorf("the hub is told %v", records)
	}
	if err := o.DismissAlarms(start); err != nil {
		t.Fatal(err)
	}
	o.Close()
	if st, err := open(t, c).Stats(); err != nil || len(st.Alarms) != 0 {
		t.Errorf("%+v, %v", st, err)
	}
}
