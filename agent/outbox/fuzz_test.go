package outbox

import (
	"bytes"
	"encoding/binary"
	"testing"
	"time"

	"branchline/internal/movement"
)

func sampleBlock(records ...string) []byte {
	d := newDraft(64)
	for _, r := range records {
		d.addRecord([]byte(r))
	}
	v, _ := d.seal("abcdefghijkl", movement.Bulk, 7, time.UnixMilli(99), movement.Genesis("BR01", "abcdefghijkl", movement.Bulk))
	return v
}

func FuzzParseBlock(f *testing.F) {
	f.Add(sampleBlock(`{"v":1}`, `{"v":1,"kind":"dispense"}`))
	f.Add(sampleBlock("x"))
	f.Add([]byte(blockMagic))
	f.Fuzz(func(t *testing.T, v []byte) {
		b, err := parseBlock(v)
		if err != nil {
			return
		}
		n, sound := 0, true
		d := newDraft(len(v))
		var before movement.Hash
		b.entries(func(e entry) bool {
			if n == 0 {
				before = e.before()
			}
			if e.seq != b.first+uint64(n) || len(e.record()) == 0 || len(e.record()) > movement.MaxRecord {
				t.Fatalf("entry %d is %+v", n, e)
			}
			n++
			sound = sound && e.sound()
			d.addRecord(e.record())
			return true
		})
		if n != b.count || b.last() != b.first+uint64(n)-1 {
			t.Fatalf("%d entries of %d", n, b.count)
		}
		again, head := d.seal(b.epoch, b.lane, b.first, b.at, before)
		if sound != (bytes.Equal(again, v) && head == b.head()) {
			t.Errorf("sound %v, but made again it is %x", sound, again)
		}
	})
}

func FuzzEnvelope(f *testing.F) {
	f.Add([]byte("key"), enclose(kindNote, []byte("key"), 5, []byte("value")))
	f.Add([]byte("k"), []byte(envelopeMagic))
	f.Fuzz(func(t *testing.T, key, v []byte) {
		for _, kind := range []byte{kindState, kindNote, kindKeys} {
			if e, ok := disclose(kind, key, v); ok && !bytes.Equal(enclose(kind, key, e.commit, e.content), v) {
				t.Error("another envelope has the same content")
			}
		}
		if r, err := parseRun(v); err == nil {
			for i := range r.count {
				if intactRun(key, v) {
					r.place(r.entry(i))
				}
			}
			r.find(keyHash{1})
		}
	})
}

// FuzzFile changes the pages of a small file; whatever comes out, reading it
// neither panics nor goes on for ever.
func FuzzFile(f *testing.F) {
	whole := smallFile(f)
	f.Add(uint32(0), []byte{1})
	f.Add(uint32(3*4096+8), []byte{1, 0})
	for id := range uint32(len(whole) / 4096) {
		for _, at := range []uint32{0, 8, 10, 12, 16, 20, 24, 28} {
			f.Add(id*4096+at, []byte{0xff, 0xff, 0xff, 0xff})
		}
	}
	f.Fuzz(func(t *testing.T, at uint32, change []byte) {
		file := bytes.Clone(whole)
		copy(file[int(at)%len(file):], change)
		r := bytes.NewReader(file)
		c := checkFile(r, int64(len(file)))
		rs := newRescue(r, int64(len(file)))
		rs.gather("BR01")
		n := uint64(0)
		for _, s := range rs.sorted() {
			for _, cl := range rs.claims(s, "BR01") {
				if _, err := rs.value(cl); err != nil {
					t.Fatal(err)
				}
				n += cl.last - cl.first + 1
			}
		}
		if c.sound() && n != 40 {
			t.Errorf("a sound file has %d records", n)
		}
	})
}

func FuzzItems(f *testing.F) {
	page := make([]byte, 4096)
	binary.NativeEndian.PutUint16(page[10:], 2)
	f.Add(page)
	f.Fuzz(func(t *testing.T, page []byte) {
		if len(page) < pageHead {
			return
		}
		list, _ := items(page)
		for _, it := range list {
			if len(it.key) == 0 {
				t.Error("an element without a key")
			}
		}
	})
}
