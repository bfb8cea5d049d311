package outbox_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"branchline/agent/outbox"
	"branchline/internal/movement"
)

// original is an outbox's file, and what it held.
type original struct {
	cfg    outbox.Config
	file   []byte
	blocks []outbox.StoredBlock
	notes  map[string]string
}

// seq names a record's place.
type place struct {
	epoch string
	lane  movement.Lane
	seq   uint64
}

func (b *original) records() map[place]string {
	all := make(map[place]string)
	for _, s := range b.blocks {
		for i, r := range s.Records {
			all[place{s.Epoch, s.Lane, s.First + uint64(i)}] = string(r)
		}
	}
	return all
}

// makeOriginal fills an outbox as a day does: scans one by one, a file in
// between, notes that come and go, half of it acknowledged.
func makeOriginal(t testing.TB) *original {
	o := &original{cfg: config(t), notes: make(map[string]string)}
	box := open(t, o.cfg)
	put := func(w outbox.Write) {
		if _, err := box.Append(t.Context(), w); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 60 {
		key := fmt.Sprint("session-", i%7)
		put(outbox.Write{Lane: movement.Live, Movements: []*movement.Movement{dispensed(i)},
			Notes: []outbox.Note{{Space: "receiving", Key: key, Value: []byte(fmt.Sprint("line ", i))}}})
		o.notes[key] = fmt.Sprint("line ", i)
		if i%20 == 5 {
			var many []*movement.Movement
			for j := range 120 {
				many = append(many, keyed(1000*i+j, fmt.Sprintf("rx-%d-%d", i, j)))
			}
			put(outbox.Write{Lane: movement.Bulk, Movements: many})
		}
	}
	put(outbox.Write{Notes: []outbox.Note{{Space: "receiving", Key: "session-3"}}})
	delete(o.notes, "session-3")
	s := box.Streams()
	if err := box.Ack(s[0].Epoch, s[0].Lane, 20); err != nil {
		t.Fatal(err)
	}
	if err := outbox.Fold(box); err != nil {
		t.Fatal(err)
	}
	o.blocks = outbox.StoredBlocks(box)
	if err := box.Close(); err != nil {
		t.Fatal(err)
	}
	var err error
	if o.file, err = os.ReadFile(o.cfg.Path); err != nil {
		t.Fatal(err)
	}
	o.file = slices.Clip(bytes.TrimRight(o.file, "\x00"))
	o.file = append(o.file, make([]byte, (4096-len(o.file)%4096)%4096)...)
	return o
}

// check opens a damaged copy and holds it against the original.
func (b *original) check(t *testing.T, damaged []byte) (salvaged bool) {
	t.Helper()
	cfg := b.cfg
	cfg.Path = filepath.Join(t.TempDir(), "outbox.db")
	if err := os.WriteFile(cfg.Path, damaged, 0o600); err != nil {
		t.Fatal(err)
	}
	box := open(t, cfg)
	defer box.Close()
	st, err := box.Stats()
	if err != nil {
		t.Fatal(err)
	}
	salvaged = len(st.Alarms) > 0
	want := b.records()
	if salvaged {
		for _, s := range b.blocks {
			if !bytes.Contains(damaged, s.Value) {
				for i := range s.Records {
					delete(want, place{s.Epoch, s.Lane, s.First + uint64(i)})
				}
			}
		}
		aside, _ := filepath.Glob(cfg.Path + ".damaged-*")
		if len(aside) != 1 || !strings.Contains(st.Alarms[0].Text, filepath.Base(aside[0])) {
			t.Fatalf("set aside %v, the alarm says %q", aside, st.Alarms[0].Text)
		}
		if kept, err := os.ReadFile(aside[0]); err != nil || !bytes.Equal(kept, damaged) {
			t.Fatal("the damaged file was not kept as it was")
		}
	}
	all := b.records()
	old := make(map[string]bool)
	for _, s := range b.blocks {
		old[s.Epoch] = true
	}
	grows := newest(t, box)
	for _, s := range box.Streams() {
		for from := uint64(1); ; {
			batch, err := box.Read(s.Epoch, s.Lane, from, 50, 1<<20)
			if err != nil {
				t.Fatal(err)
			}
			if batch == nil {
				break
			}
			if batch.First != from && (batch.Gone == 0 || batch.First-batch.Gone > from) {
				t.Fatalf("%s/%s: asked for %d, got %d with %d gone", s.Epoch, s.Lane, from, batch.First, batch.Gone)
			}
			for i, r := range batch.Records {
				p := place{s.Epoch, s.Lane, batch.First + uint64(i)}
				if old[s.Epoch] && all[p] != string(r) {
					t.Fatalf("%v has become %s", p, r)
				}
				if salvaged && old[s.Epoch] == (s.Epoch == grows) {
					t.Fatal("an old stream goes on")
				}
				delete(want, p)
			}
			from = batch.Through() + 1
		}
	}
	for p := range want {
		t.Fatalf("%v was readable and is lost (%d altogether) %+v", p, len(want), st)
	}
	if _, err := box.Append(t.Context(), outbox.Write{Lane: movement.Live, Movements: []*movement.Movement{dispensed(7)}}); err != nil {
		t.Fatal(err)
	}
	if err := box.Close(); err != nil {
		t.Fatal(err)
	}
	again := open(t, cfg)
	defer again.Close()
	if aside, _ := filepath.Glob(cfg.Path + ".damaged-*"); len(aside) > 1 {
		st, _ := again.Stats()
		t.Fatalf("salvaged again: %v", st.Alarms)
	}
	return salvaged
}

// newest is the epoch of the live stream that grows.
func newest(t *testing.T, o *outbox.Outbox) string {
	v, err := outbox.Inspect(o)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range v.Streams {
		if s.Grows && s.Lane == movement.Live {
			return s.Epoch
		}
	}
	return ""
}

func TestTruncatedFileIsSalvaged(t *testing.T) {
	b := makeOriginal(t)
	for at := 0; at < len(b.file); at += 4096 {
		if !b.check(t, b.file[:at]) {
			t.Errorf("cut at %d of %d: nobody noticed", at, len(b.file))
		}
		if t.Failed() {
			break
		}
	}
}

func TestDamagedFileIsSalvaged(t *testing.T) {
	b := makeOriginal(t)
	zero := func(f []byte, from, to int) []byte { clear(f[from:to]); return f }
	cases := map[string]struct {
		damage func(f []byte) []byte
		all    bool // every record survives
	}{
		"both metas zeroed":      {func(f []byte) []byte { return zero(f, 0, 8192) }, true},
		"first meta zeroed":      {func(f []byte) []byte { return zero(f, 0, 4096) }, true},
		"second meta zeroed":     {func(f []byte) []byte { return zero(f, 4096, 8192) }, true},
		"nothing but zeros":      {func(f []byte) []byte { return zero(f, 0, len(f)) }, false},
		"a file of something":    {func(f []byte) []byte { return []byte(strings.Repeat("this is not an outbox\n", 999)) }, false},
		"an empty file":          {func(f []byte) []byte { return nil }, false},
		"every branch page gone": {func(f []byte) []byte { return eachPage(f, 0x01, func(p []byte) { clear(p) }) }, true},
		"every page head gone":   {func(f []byte) []byte { return eachPage(f, 0, func(p []byte) { clear(p[:16]) }) }, true},
		"half of it rotten": {func(f []byte) []byte {
			r := rand.New(rand.NewPCG(1, 2))
			for i := 0; i < len(f); i += 8192 {
				for j := range min(4096, len(f)-i) {
					f[i+j] = byte(r.Uint32())
				}
			}
			return f
		}, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			damaged := c.damage(slices.Clone(b.file))
			if c.all {
				for _, s := range b.blocks {
					if !bytes.Contains(damaged, s.Value) {
						t.Fatal("the case destroys records")
					}
				}
			}
			if !b.check(t, damaged) {
				t.Error("nobody noticed")
			}
		})
	}
}

// eachPage applies fn to the pages of a kind, 0 for all, and passes over their
// overflow.
func eachPage(f []byte, flags uint16, fn func([]byte)) []byte {
	for i := 0; i+4096 <= len(f); i += 4096 {
		p := f[i : i+4096]
		if binary.NativeEndian.Uint64(p) != uint64(i/4096) {
			continue
		}
		i += 4096 * int(binary.NativeEndian.Uint32(p[12:]))
		if flags == 0 || binary.NativeEndian.Uint16(p[8:]) == flags {
			fn(p)
		}
	}
	return f
}

func TestNoFlippedByteLosesMoreThanItsBlock(t *testing.T) {
	b := makeOriginal(t)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	noticed := 0
	for range 80 {
		damaged := slices.Clone(b.file)
		for range 1 + r.IntN(6) {
			damaged[r.IntN(len(damaged))] ^= byte(1 + r.IntN(255))
		}
		if b.check(t, damaged) {
			noticed++
		}
		if t.Failed() {
			return
		}
	}
	if noticed == 0 {
		t.Error("no damage was ever noticed")
	}
}
