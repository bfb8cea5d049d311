package reference

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"branchline/internal/feed"
	"branchline/internal/movement"
)

// hub answers what a store asks for, from one version of each kind.
type hub struct {
	packer *feed.Packer
	docs   map[feed.Kind]*feed.Document
	at     time.Time
}

func newHub() *hub {
	return &hub{packer: feed.NewPacker(), docs: map[feed.Kind]*feed.Document{}, at: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)}
}

// make builds the next version of a kind.
func (h *hub) make(t testing.TB, k feed.Kind, keys []string, rows []any) {
	t.Helper()
	branch := "BR01"
	if k.Shared() {
		branch = ""
	}
	b := feed.NewBuilder(k, branch, h.docs[k], h.packer)
	for i, row := range rows {
		if err := b.Add(keys[i], row); err != nil {
			t.Fatal(err)
		}
	}
	d, err := b.Done()
	if err != nil {
		t.Fatal(err)
	}
	h.docs[k] = d
}

func (h *hub) products(t testing.TB, list ...Product) {
	keys, rows := make([]string, len(list)), make([]any, len(list))
	for i, p := range list {
		keys[i], rows[i] = p.Key, p
	}
	h.make(t, feed.Catalogue, keys, rows)
}

func (h *hub) notices(t testing.TB) (list [][]byte) {
	t.Helper()
	for _, k := range feed.Kinds {
		if d := h.docs[k]; d != nil {
			n, err := h.packer.Notice(d, h.at)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, n)
		}
	}
	return list
}

func (h *hub) answer(t testing.TB, payload []byte) (list [][]byte) {
	t.Helper()
	w, err := feed.ParseWant(payload)
	if err != nil {
		t.Fatal(err)
	}
	d := h.docs[w.Kind]
	if d == nil || d.Version != w.Version {
		return nil
	}
	if len(w.Parts) == 0 {
		return [][]byte{d.Manifest}
	}
	for _, id := range w.Parts {
		if p, ok := d.Payload(id); ok {
			list = append(list, p)
		}
	}
	return list
}

// send brings a store up to date; after stop messages, if that is not 0, the
// line breaks.
func (h *hub) send(t testing.TB, s *Store, stop int) (messages, bytes int) {
	t.Helper()
	s.Begin()
	list := h.notices(t)
	for len(list) > 0 {
		if stop > 0 && messages+len(list) >= stop {
			s.take(list[:max(0, stop-messages)])
			return stop, bytes
		}
		for _, m := range list {
			messages++
			bytes += len(m)
		}
		s.take(list)
		list = nil
		if w := s.Next(false); w != nil {
			list = h.answer(t, w)
		}
	}
	return messages, bytes
}

func opened(t testing.TB, path string) *Store {
	t.Helper()
	s := Open(Config{Path: path, Branch: "BR01"}, slog.New(slog.DiscardHandler), nil)
	t.Cleanup(func() { s.Close() })
	return s
}

func gtin(code string) movement.Product {
	return movement.Product{Scheme: movement.GTIN, Code: code}
}

var someProducts = []Product{
	{Key: "1", Name: "Ibuprofène 400 mg", Reference: "IB-400", Barcode: "4006381333931", Tracking: feed.ByLot, Expires: true, Unit: "Units",
		Packs: []feed.Pack{{GTIN: "10000000000007", Units: movement.Units(12)}}},
	{Key: "2", Name: "Paracetamol 500", Reference: "PA", Barcode: "036000291452", Tracking: feed.ByQuantity, Unit: "Units",
		Aliases: []movement.Product{{Scheme: movement.PZN, Code: "01234567"}}},
	{Key: "3", Name: "Twin", Barcode: "0036000291452", Tracking: feed.ByQuantity, Unit: "Units"},
	{Key: "4", Name: "Old ibuprofen", Barcode: "4006381333931", Archived: true, Tracking: feed.ByLot, Unit: "Units"},
	{Key: "5", Name: "Syringe", Reference: "01234567", Tracking: feed.BySerial, Unit: "Units"},
}

// What the store answers is what the memory answers.
func TestQuestions(t *testing.T) {
	h := newHub()
	h.products(t, someProducts...)
	due := time.Date(2026, 3, 3, 8, 0, 0, 0, time.UTC)
	expected := []Delivery{{Key: "8", Name: "BR01/IN/00008", Order: "P00008", Due: due, Ready: true, Lines: []DeliveryLine{
		{Product: "1", Name: "Ibuprofène 400 mg", Code: gtin("04006381333931"), Ordered: movement.Units(20), Received: movement.Units(5), Unit: "Units"}}},
		{Key: "9", Name: "BR01/IN/00009", Order: "P00009", Due: due.AddDate(0, 0, -1), Lines: []DeliveryLine{}}}
	h.make(t, feed.Deliveries, []string{"8", "8", "9"}, []any{expected[0],
		Delivery{Key: "8", Lines: []DeliveryLine{{Product: "2", Ordered: movement.Units(1), Unit: "Units"}}}, expected[1]})
	expected[0].Lines = append(expected[0].Lines, DeliveryLine{Product: "2", Ordered: movement.Units(1), Unit: "Units"})
	stock := []feed.Stock{{Product: "1", Lots: []LotStock{{Lot: "L1", Expiry: movement.Date{Year: 2026, Month: 9, Day: 30}, Quantity: movement.Units(3)},
		{Lot: "L2", Quantity: -movement.Units(1)}}}}
	h.make(t, feed.OnHand, []string{"1"}, []any{stock[0]})
	h.make(t, feed.Outcomes, nil, nil)
	h.make(t, feed.Branches, []string{"BR01", "BR02", "BR03"}, []any{feed.Branch{Code: "BR01", Name: "Own"}, feed.Branch{Code: "BR02", Name: "North"}, feed.Branch{Code: "BR03"}})
	m := &Memory{Catalogue: someProducts, Expected: expected, OnHand: stock, Others: []feed.Branch{{Code: "BR02", Name: "North"}, {Code: "BR03"}}, At: h.at}

	path := filepath.Join(t.TempDir(), "reference.db")
	s := opened(t, path)
	if s.Deliveries() != nil || s.Search("ibu", 5) != nil || !s.AsOf(feed.Catalogue).IsZero() {
		t.Error("an empty store knows something")
	}
	h.send(t, s, 0)
	check := func(s *Store) {
		t.Helper()
		for _, code := range []movement.Product{gtin("04006381333931"), gtin("10000000000007"), gtin("00036000291452"), gtin("4006381333931"),
			{Scheme: movement.PZN, Code: "01234567"}, {Scheme: movement.NDC, Code: "01234567"}, {Scheme: movement.SKU, Code: "IB-400"},
			{Scheme: movement.SKU, Code: "ib-400"}, {Scheme: movement.SKU, Code: "4006381333931"}, {Scheme: movement.GTIN, Code: "IB-400"}, {}} {
			if diff := cmp.Diff(m.Matches(code), s.Matches(code)); diff != "" {
				t.Errorf("%v:\n%s", code, diff)
			}
		}
		for _, text := range []string{"ibu", "ibuprofene 400", "400 ibu", "paracetamol", "paracetamolx", "pa", "0123", "4006381333931", "100000", "z", "", "ib 400"} {
			if diff := cmp.Diff(names(m.Search(text, 3)), names(s.Search(text, 3))); diff != "" {
				t.Errorf("%q:\n%s", text, diff)
			}
		}
		for _, key := range []string{"1", "5", "7"} {
			p, ok := m.Product(key)
			got, gotOK := s.Product(key)
			if diff := cmp.Diff(p, got); diff != "" || ok != gotOK {
				t.Errorf("%s %v:\n%s", key, gotOK, diff)
			}
			if diff := cmp.Diff(m.Stock(key), s.Stock(key)); diff != "" {
				t.Errorf("stock of %s:\n%s", key, diff)
			}
		}
		if diff := cmp.Diff(m.Deliveries(), s.Deliveries()); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(m.Branches(), s.Branches()); diff != "" {
			t.Error(diff)
		}
		d, ok := s.Delivery(movement.Document{Type: "order", Ref: "P00008"})
		if diff := cmp.Diff(expected[0], d); !ok || diff != "" {
			t.Error(diff)
		}
		for _, k := range feed.Kinds {
			if !s.AsOf(k).Equal(h.at) {
				t.Errorf("%s is as of %v", k, s.AsOf(k))
			}
		}
	}
	check(s)
	if _, _, ok := s.Find(gtin("00036000291452")); ok {
		t.Error("a code of two products was decided")
	}
	if p, n, ok := s.Find(gtin("10000000000007")); !ok || p.Key != "1" || n != movement.Units(12) {
		t.Errorf("%v of %+v", n, p)
	}
	s.Close()
	check(opened(t, path))
}

func names(list []Product) (names []string) {
	for _, p := range list {
		names = append(names, p.Name)
	}
	return names
}

// The store follows any sequence of versions, line breaks and restarts, and is
// never between two versions.
func TestAVersionIsWholeOrNotThere(t *testing.T) {
	dir := t.TempDir()
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		path := filepath.Join(dir, fmt.Sprint(n))
		s := opened(t, path)
		h := newHub()
		shown := 0
		for v := 1; v <= rapid.IntRange(1, 4).Draw(rt, "versions"); v++ {
			size := rapid.IntRange(0, 1500).Draw(rt, "size")
			h.versioned(t, v, size)
			h.send(t, s, rapid.IntRange(0, 12).Draw(rt, "messages"))
			if rapid.Bool().Draw(rt, "restart") {
				s.Close()
				s = opened(t, path)
			}
			shown = oneVersion(rt, s, shown, v)
		}
		h.send(t, s, 0)
		if tb := s.tables[feed.Catalogue]; tb == nil || tb.version != h.docs[feed.Catalogue].Version || tb.rows != h.docs[feed.Catalogue].Rows {
			rt.Fatalf("the newest version is not there: %+v", s.State())
		}
		s.Close()
		os.Remove(path)
	})
}

// versioned makes a catalogue whose every tenth product, and the last, carries
// the version.
func (h *hub) versioned(t testing.TB, v, size int) {
	list := make([]Product, size)
	for i := range list {
		list[i] = Product{Key: fmt.Sprint(i + 1), Name: "same", Reference: fmt.Sprintf("R%d", i+1), Tracking: feed.ByLot, Unit: "Units"}
		if i%10 == 0 || i == size-1 {
			list[i].Name = fmt.Sprintf("version %d of %d", v, size)
		}
	}
	h.products(t, list...)
}

// oneVersion checks that all of the store is of one version, and no older than
// before.
func oneVersion(t interface{ Fatalf(string, ...any) }, s *Store, least, most int) int {
	p, _, ok := s.Find(movement.Product{Scheme: movement.SKU, Code: "R1"})
	if !ok {
		if rows := s.tables[feed.Catalogue]; rows != nil && rows.rows > 0 {
			t.Fatalf("%d rows, and the first is not found", rows.rows)
		}
		return least
	}
	v, size := 0, 0
	if _, err := fmt.Sscanf(p.Name, "version %d of %d", &v, &size); err != nil {
		t.Fatalf("%q: %v", p.Name, err)
	}
	if v < least || v > most {
		t.Fatalf("version %d, want %d to %d", v, least, most)
	}
	for i := 1; i <= size+1; i++ {
		q, _, ok := s.Find(movement.Product{Scheme: movement.SKU, Code: fmt.Sprintf("R%d", i)})
		if ok != (i <= size) {
			t.Fatalf("product %d of %d: %v", i, size, ok)
		}
		if ok && q.Name != p.Name && q.Name != "same" {
			t.Fatalf("%q beside %q", q.Name, p.Name)
		}
	}
	return v
}

func TestOnlyWhatIsMissingIsSent(t *testing.T) {
	h := newHub()
	list := catalogue(5000)
	h.products(t, list...)
	s := opened(t, filepath.Join(t.TempDir(), "reference.db"))
	full, size := h.send(t, s, 0)
	if n, _ := h.send(t, s, 0); n != 1 {
		t.Errorf("%d messages though nothing changed", n)
	}
	list[2500].Name = "changed"
	h.products(t, list...)
	n, bytes := h.send(t, s, 0)
	if n > 4 || bytes > size/5 {
		t.Errorf("%d messages of %d bytes for one changed product; all took %d of %d", n, bytes, full, size)
	}
	if p, ok := s.Product(list[2500].Key); !ok || p.Name != "changed" {
		t.Errorf("%+v", p)
	}
	// After a break, what has come is not sent again.
	s = opened(t, filepath.Join(t.TempDir(), "reference.db"))
	h.send(t, s, full/2)
	if rest, _ := h.send(t, s, 0); rest > full/2+4 {
		t.Errorf("%d more messages after %d of %d", rest, full/2, full)
	}
}

func TestAsOfMovesWithoutAChange(t *testing.T) {
	h := newHub()
	h.products(t, someProducts...)
	path := filepath.Join(t.TempDir(), "reference.db")
	s := opened(t, path)
	h.send(t, s, 0)
	h.at = h.at.Add(time.Hour)
	h.send(t, s, 0)
	if !s.AsOf(feed.Catalogue).Equal(h.at) {
		t.Error("the moment did not move")
	}
	s.Close()
	if s = opened(t, path); !s.AsOf(feed.Catalogue).Equal(h.at) {
		t.Error("the moment was not kept")
	}
}

// What comes by the line's own goroutine is taken in by Run.
func TestRunTakesInWhatIsHeard(t *testing.T) {
	h := newHub()
	h.products(t, catalogue(2000)...)
	s := opened(t, filepath.Join(t.TempDir(), "reference.db"))
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	s.Begin()
	for _, m := range h.notices(t) {
		s.Hear(feed.Catalogue.Channel(), m)
	}
	for s.AsOf(feed.Catalogue).IsZero() {
		<-s.Ready()
		if w := s.Next(true); w != nil {
			for _, m := range h.answer(t, w) {
				s.Hear(feed.Catalogue.Channel(), m)
			}
		}
	}
	stop()
	if err := <-done; err != nil || len(s.Search("product", 5)) != 5 {
		t.Errorf("%v", err)
	}
}

func catalogue(n int) []Product {
	list := make([]Product, n)
	kinds := []string{"tablets", "capsules", "syrup", "ointment", "drops", "film-coated tablets", "solution for injection"}
	makers := []string{"Hexal", "Ratiopharm", "Stada", "Sandoz", "Bayer", "Zentiva"}
	stems := []string{"ibupro", "parace", "amoxi", "metfor", "simva", "panto", "levothy", "bisop", "ramip", "clopid"}
	ends := []string{"fen", "tamol", "cillin", "min", "statin", "prazol", "roxin", "rolol", "ril", "grel"}
	for i := range list {
		x := i * 2654435761
		list[i] = Product{Key: fmt.Sprint(i + 40), Reference: fmt.Sprintf("A%06d", i), Barcode: fmt.Sprintf("4%012d", x%1_000_000_000_000),
			Name: fmt.Sprintf("Product %s%s %d mg %s %s N%d", stems[x>>3%10], ends[x>>7%10], x>>11%80*5, kinds[x>>5%7], makers[x>>9%6], x>>13%3+1),
			Unit: "Units", Tracking: feed.ByLot, Expires: true}
		if i%3 == 0 {
			list[i].Packs = []feed.Pack{{GTIN: "1" + list[i].Barcode, Units: movement.Units(10)}}
		}
	}
	return list
}
