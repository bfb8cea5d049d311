package reference

import (
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"branchline/internal/feed"
	"branchline/internal/movement"
)

// A damaged file, another branch's, or one of an older form is thrown away.
func TestAFileThatCannotBeUsedIsMadeAnew(t *testing.T) {
	h := newHub()
	h.products(t, catalogue(3000)...)
	make := func(t *testing.T) string {
		path := filepath.Join(t.TempDir(), "reference.db")
		s := opened(t, path)
		h.send(t, s, 0)
		s.Close()
		return path
	}
	for name, spoil := range map[string]func(b []byte) []byte{
		"no bbolt":   func([]byte) []byte { return []byte(strings.Repeat("x", 10_000)) },
		"empty":      func([]byte) []byte { return nil },
		"half of it": func(b []byte) []byte { return b[:len(b)/2] },
		"zeros":      func(b []byte) []byte { clear(b[8192:]); return b },
		"a changed row": func(b []byte) []byte {
			for i := 0; i+7 < len(b); i++ { // everywhere, pages that are free too
				if string(b[i:i+7]) == "Product" {
					b[i] = 'X'
				}
			}
			return b
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := make(t)
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, spoil(b), 0o600); err != nil {
				t.Fatal(err)
			}
			s := opened(t, path)
			s.verify()
			select {
			case err := <-s.broken:
				s.startAgain(err)
			default:
			}
			if got := s.Search("product", 3); got != nil {
				t.Errorf("found %v in it", got)
			}
			h.send(t, s, 0)
			if got := s.Search("product", 3); len(got) != 3 {
				t.Errorf("found %v once it was sent again", got)
			}
		})
	}
	t.Run("another branch's", func(t *testing.T) {
		s := Open(Config{Path: make(t), Branch: "BR02"}, slog.New(slog.DiscardHandler), nil)
		defer s.Close()
		if s.Search("product", 3) != nil {
			t.Error("another branch's copy is used")
		}
	})
}

// A store that can keep nothing answers, and comes back when it can.
func TestAStoreWithoutAFile(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "later")
	s := opened(t, filepath.Join(folder, "reference.db"))
	h := newHub()
	h.products(t, someProducts...)
	h.send(t, s, 3)
	if s.Search("ibu", 3) != nil || s.Deliveries() != nil {
		t.Error("something is known")
	}
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	s.startAgain(os.ErrNotExist)
	if h.send(t, s, 0); s.Search("ibu", 3) == nil {
		t.Error("nothing is known")
	}
}

func TestWhatIsForAnotherBranchIsNotTaken(t *testing.T) {
	h := newHub()
	b := feed.NewBuilder(feed.OnHand, "BR02", nil, h.packer)
	if err := b.Add("1", feed.Stock{Product: "1", Lots: []LotStock{{Quantity: movement.Units(1)}}}); err != nil {
		t.Fatal(err)
	}
	d, err := b.Done()
	if err != nil {
		t.Fatal(err)
	}
	h.docs[feed.OnHand] = d
	s := opened(t, filepath.Join(t.TempDir(), "reference.db"))
	if n, _ := h.send(t, s, 0); n != 1 || s.Stock("1") != nil {
		t.Error("another branch's stock was taken")
	}
}

// Rows that are no rows are not taken, and are not asked for over and over.
func TestAVersionThatCannotBeUsedRests(t *testing.T) {
	h := newHub()
	h.make(t, feed.Catalogue, []string{"1", "2"}, []any{someProducts[0], map[string]any{"k": 7}})
	s := opened(t, filepath.Join(t.TempDir(), "reference.db"))
	if n, _ := h.send(t, s, 0); n != 3 {
		t.Errorf("%d messages", n)
	}
	if s.Search("ibu", 1) != nil {
		t.Error("half a version is used")
	}
	h.products(t, someProducts...)
	h.send(t, s, 0)
	if s.Search("ibu", 1) == nil {
		t.Error("the next version is not used")
	}
}

func FuzzHear(f *testing.F) {
	h := newHub()
	h.products(f, someProducts...)
	f.Add(h.docs[feed.Catalogue].Manifest)
	f.Add(h.docs[feed.Catalogue].Parts[0].Payload)
	s := opened(f, filepath.Join(f.TempDir(), "reference.db"))
	f.Fuzz(func(t *testing.T, payload []byte) {
		s.take(append(h.notices(t), h.docs[feed.Catalogue].Manifest, payload))
		s.Search("ibu", 1)
	})
}

// FuzzRows goes past hashes and compression, where chance never gets.
func FuzzRows(f *testing.F) {
	row, _ := json.Marshal(someProducts[0])
	f.Add(row)
	f.Add([]byte(`{"k":"1","l":[{"q":"3"}]}`))
	s := opened(f, filepath.Join(f.TempDir(), "reference.db"))
	f.Fuzz(func(t *testing.T, row []byte) {
		if slices.Contains(row, '\n') || len(row) > feed.MaxRow || len(row) == 0 {
			return
		}
		for _, k := range feed.Kinds {
			branch := "BR01"
			if k.Shared() {
				branch = ""
			}
			h := newHub()
			b := feed.NewBuilder(k, branch, nil, h.packer)
			if err := b.AddRaw("1", row); err != nil {
				return
			}
			d, err := b.Done()
			if err != nil {
				t.Fatal(err)
			}
			h.docs[k] = d
			h.send(t, s, 0)
		}
		s.Search("a", 3)
		s.Deliveries()
		s.Stock("1")
	})
}
