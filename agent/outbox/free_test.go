package outbox

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"branchline/internal/movement"
)

// freeConfig is of an outbox whose file has free pages all over, as retention
// leaves it.
func freeConfig(t *testing.T) Config {
	c := DefaultConfig()
	c.Path, c.Branch, c.Retention = filepath.Join(t.TempDir(), "outbox.db"), "BR01", 0
	now := time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC)
	o, err := Open(c, slog.New(slog.DiscardHandler), func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	for i := range 60 {
		w := Write{Lane: movement.Lanes[i%2]}
		for j := range 40 {
			w.Movements = append(w.Movements, &movement.Movement{Kind: movement.Dispense, Quantity: movement.Units(1),
				Product: movement.Product{Scheme: movement.SKU, Code: "A1"}, OccurredAt: now, NaturalKey: fmt.Sprint(i, j)})
		}
		if _, err := o.Append(t.Context(), w); err != nil {
			t.Fatal(err)
		}
	}
	s := o.Streams()[0]
	if err := o.Ack(s.Epoch, s.Lane, s.Last/2); err != nil {
		t.Fatal(err)
	}
	if err := Tend(o); err != nil {
		t.Fatal(err)
	}
	now = now.Add(3 * time.Hour)
	if err := Tend(o); err != nil {
		t.Fatal(err)
	}
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	return c
}

func checked(t *testing.T, path string) checkup {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	c := checkFile(f, info.Size())
	if !c.sound() {
		t.Fatal(c.wrong)
	}
	return c
}

// freePages opens a file with bbolt, has it compare its list with what the tree
// uses, and tells how many pages are free.
func freePages(t *testing.T, path string) int {
	t.Helper()
	db, err := openDB(path, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.View(func(tx *bolt.Tx) error {
		for err := range tx.Check() {
			t.Error(err)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return db.Stats().FreePageN
}

func TestTheListOfFreePagesIsWhatBboltFindsItself(t *testing.T) {
	cases := map[string]func(t *testing.T, f *os.File, c *checkup){
		"free pages in the middle": func(*testing.T, *os.File, *checkup) {},
		"more than a page's count can say": func(t *testing.T, f *os.File, c *checkup) {
			c.pages = 70_000
			c.meta.pages = c.pages
			c.seen = append(c.seen, make([]uint64, 70_000/64+1)...)
			if err := f.Truncate(int64(c.pages) * int64(c.pageSize)); err != nil {
				t.Fatal(err)
			}
		},
		"no free page": func(t *testing.T, f *os.File, c *checkup) {
			fresh := f.Name() + ".packed"
			info, err := f.Stat()
			if err != nil {
				t.Fatal(err)
			}
			if err := compactTo(fresh, readRaw(f, info.Size())); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(fresh, f.Name()); err != nil {
				t.Fatal(err)
			}
			*c = checked(t, f.Name())
		},
	}
	for name, arrange := range cases {
		t.Run(name, func(t *testing.T) {
			path := freeConfig(t).Path
			c := checked(t, path)
			f, err := os.OpenFile(path, os.O_RDWR, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			arrange(t, f, &c)
			want := len(c.free())
			if err := noteFree(path, &c); err != nil {
				t.Fatal(err)
			}
			listed := checked(t, path)
			if listed.meta.freelist == noFreelist || listed.meta.txid != c.meta.txid+1 {
				t.Fatalf("the file says %+v, before %+v", listed.meta, c.meta)
			}
			own := want + int(listed.pages-c.pages) - freePages(t, path) // pages of the list itself
			if size := uint64(own) * uint64(c.pageSize); size < 8*uint64(want) || size > 8*uint64(want)+2*uint64(c.pageSize) {
				t.Errorf("%d pages list %d", own, want)
			}
			before, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := noteFree(path, &listed); err != nil {
				t.Fatal(err)
			}
			if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
				t.Errorf("a list that is right was written again, %v", err)
			}
		})
	}
}

// A crash may come between list and meta; what lies in a list may rot.
func TestAListOfFreePagesIsNeverTrusted(t *testing.T) {
	cases := map[string]func(file []byte, listed, before checkup, original []byte){
		"nothing happened": func([]byte, checkup, checkup, []byte) {},
		"a crash before the meta was written": func(file []byte, listed, before checkup, original []byte) {
			slot := int(listed.meta.txid%2) * listed.pageSize
			copy(file[slot:slot+listed.pageSize], original[slot:])
		},
		"it names pages that are in use": func(file []byte, listed, before checkup, original []byte) {
			at := int(listed.meta.freelist)*listed.pageSize + pageHead
			order.PutUint64(file[at:], listed.meta.root)
		},
		"it is no list": func(file []byte, listed, before checkup, original []byte) {
			at := int(listed.meta.freelist) * listed.pageSize
			clear(file[at : at+listed.pageSize])
		},
	}
	for name, damage := range cases {
		t.Run(name, func(t *testing.T) {
			cfg := freeConfig(t)
			original, err := os.ReadFile(cfg.Path)
			if err != nil {
				t.Fatal(err)
			}
			before := checked(t, cfg.Path)
			if err := noteFree(cfg.Path, &before); err != nil {
				t.Fatal(err)
			}
			file, err := os.ReadFile(cfg.Path)
			if err != nil {
				t.Fatal(err)
			}
			damage(file, checked(t, cfg.Path), before, original)
			if err := os.WriteFile(cfg.Path, file, 0o600); err != nil {
				t.Fatal(err)
			}
			o, err := Open(cfg, slog.New(slog.DiscardHandler), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer o.Close()
			if len(o.alarms) > 0 {
				t.Errorf("alarms %v", o.alarms)
			}
			if checked(t, cfg.Path).meta.freelist == noFreelist {
				t.Error("bbolt has had to look through the file")
			}
			if err := o.Close(); err != nil {
				t.Fatal(err)
			}
			freePages(t, cfg.Path)
		})
	}
}
