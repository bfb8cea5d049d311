package feed

import (
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"branchline/internal/fault"
	"branchline/internal/feed"
	"branchline/internal/movement"
	"branchline/internal/odoo"
	"branchline/internal/wire"
)

// shelf is a catalogue of a few products.
type shelf struct {
	list  []feed.Product
	at    time.Time
	known map[int64]odoo.Product
	units map[int64]odoo.UoM
}

func (s *shelf) AsOf() time.Time       { return s.at }
func (s *shelf) Goods() []feed.Product { return s.list }
func (s *shelf) Product(id int64) (odoo.Product, bool) {
	p, ok := s.known[id]
	return p, ok
}
func (s *shelf) Unit(id int64) (odoo.UoM, bool) {
	u, ok := s.units[id]
	return u, ok
}
func (s *shelf) LotOf(int64, int64) (l odoo.Lot, ok bool)               { return l, false }
func (s *shelf) Site(string) (w odoo.Warehouse, p odoo.Places, ok bool) { return w, p, false }
func (s *shelf) add(n int)                                              { s.list = append(s.list, products(n)...) }
func (s *shelf) made(t *testing.T, f *Feed) error                       { t.Helper(); return f.readCatalogue()(t.Context()) }
func states(version string, asOf time.Time) (list []wire.DocumentState) {
	for _, k := range feed.Kinds {
		list = append(list, wire.DocumentState{Kind: k.Channel(), Version: version, AsOf: asOf})
	}
	return list
}

func products(n int) (list []feed.Product) {
	for i := range n {
		list = append(list, feed.Product{Key: fmt.Sprint(i + 1), Name: fmt.Sprint("Product ", i), Tracking: feed.ByLot, Unit: "Units"})
	}
	return list
}

func newFeed(s *shelf, now *time.Time) *Feed {
	return New(DefaultConfig(), nil, nil, s, func(string, wire.Channel, []byte) error { return nil }, slog.New(slog.DiscardHandler),
		func() time.Time { return *now }, prometheus.NewRegistry())
}

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// Each branch gets one part before any gets its second, and notices come first.
func TestBranchesTakeTurns(t *testing.T) {
	now := noon
	s := &shelf{at: noon}
	s.add(3000)
	f := newFeed(s, &now)
	if err := s.made(t, f); err != nil {
		t.Fatal(err)
	}
	d := f.document(feed.Catalogue, "")
	for _, b := range []string{"A", "B", "C"} {
		w := feed.Want{Kind: feed.Catalogue, Version: d.Version}
		for _, p := range d.Parts[:3] {
			w.Parts = append(w.Parts, p.ID)
		}
		payload, err := w.Marshal()
		if err == nil {
			err = f.Wanted(b, payload)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	f.Heard("C", states("", time.Time{}))
	var got []string
	for {
		b, _, payload := f.next()
		if payload == nil {
			break
		}
		m, err := feed.Open(payload)
		if err != nil {
			t.Fatal(err)
		}
		what := fmt.Sprint(slices.IndexFunc(d.Parts, func(p feed.Part) bool { return p.ID == m.Part }))
		if m.Part.IsZero() {
			what = "notice"
		}
		got = append(got, b+" "+what)
	}
	want := []string{"A 0", "B 0", "C notice", "A 1", "B 1", "C 0", "A 2", "B 2", "C 1", "C 2"}
	if !slices.Equal(got, want) {
		t.Errorf("said %q, want %q", got, want)
	}
	if len(f.pending) != 0 || len(f.turns) != 0 {
		t.Error("something is still pending")
	}
}

func TestWhatCannotBeGivenIsAnsweredByTheVersionThatIsCurrent(t *testing.T) {
	now := noon
	s := &shelf{at: noon}
	f := newFeed(s, &now)
	ask := func(w feed.Want) *feed.Message {
		t.Helper()
		payload, err := w.Marshal()
		if err == nil {
			err = f.Wanted("A", payload)
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, _, payload = f.next(); payload == nil {
			return nil
		}
		m, err := feed.Open(payload)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	if m := ask(feed.Want{Kind: feed.Catalogue, Version: feed.ID{1}}); m != nil {
		t.Errorf("%+v is said before Odoo was read", m)
	}
	s.add(10)
	if err := s.made(t, f); err != nil {
		t.Fatal(err)
	}
	d := f.document(feed.Catalogue, "")
	if m := ask(feed.Want{Kind: feed.Catalogue, Version: feed.ID{1}, Parts: []feed.ID{{2}}}); m == nil || m.Version != d.Version || m.IsManifest {
		t.Errorf("%+v", m)
	}
	if m := ask(feed.Want{Kind: feed.Catalogue, Version: d.Version, Parts: []feed.ID{{2}}}); m != nil {
		t.Errorf("%+v is said for a part that there is not", m)
	}
	if m := ask(feed.Want{Kind: feed.Catalogue, Version: d.Version}); m == nil || !m.IsManifest {
		t.Errorf("%+v", m)
	}
	if m := ask(feed.Want{Kind: feed.OnHand, Version: d.Version}); m != nil {
		t.Errorf("%+v is said of stock that was never read", m)
	}
	if err := f.Wanted("A", []byte("{")); fault.ClassOf(err) != fault.Data {
		t.Error(err)
	}
}

func TestACatalogueThatBecomesEmptyIsNotSent(t *testing.T) {
	now := noon
	s := &shelf{at: noon}
	s.add(10)
	f := newFeed(s, &now)
	if err := s.made(t, f); err != nil {
		t.Fatal(err)
	}
	s.list, s.at = nil, noon.Add(time.Hour)
	if err := s.made(t, f); err == nil || f.document(feed.Catalogue, "").Rows != 10 {
		t.Errorf("%v", err)
	}
}

func TestOldCopiesAreTold(t *testing.T) {
	now := noon
	s := &shelf{at: noon}
	s.add(10)
	f := newFeed(s, &now)
	if err := s.made(t, f); err != nil {
		t.Fatal(err)
	}
	version := f.document(feed.Catalogue, "").Version.String()
	f.Heard("A", states(version, noon))
	f.Heard("B", states("", time.Time{}))
	f.Heard("C", states(version, noon.Add(-25*time.Hour)))
	if old := f.Old(); !slices.Equal(old, []Old{{"C", feed.Catalogue, noon.Add(-25 * time.Hour)}}) {
		t.Errorf("%+v", old)
	}
	now = noon.Add(time.Hour) // B is no longer new
	if old := f.Old(); len(old) != 2 || old[0].Branch != "B" || !old[0].AsOf.IsZero() {
		t.Errorf("%+v", old)
	}
	now = noon.Add(30 * time.Hour) // the hub itself has not read Odoo for so long
	if old := f.Old(); len(old) != 1 || old[0] != (Old{"", feed.Catalogue, noon}) {
		t.Errorf("%+v", old)
	}
}

// Quantities are told in the product's own unit, each product once.
func TestADeliveryInOtherUnits(t *testing.T) {
	now := noon
	s := &shelf{at: noon, known: map[int64]odoo.Product{7: {ID: 7, Name: "Ibuprofen", Barcode: "4006381333931", UoM: odoo.Ref{ID: 1}}},
		units: map[int64]odoo.UoM{1: {ID: 1, Name: "Units", Ratio: 1, Family: 1}, 2: {ID: 2, Name: "Dozen", Ratio: 12, Family: 1}, 3: {ID: 3, Name: "kg", Ratio: 1, Family: 2}}}
	f := newFeed(s, &now)
	order := map[int64]*odoo.OrderLine{5: {ID: 5, Received: 0.5, UoM: odoo.Ref{ID: 2}, Reference: "LS-1"}}
	d := f.delivery(&odoo.Expected{ID: 3, Name: "IN/3", Origin: "P3", State: odoo.Confirmed}, []odoo.ExpectedMove{
		{ID: 1, Product: odoo.Ref{ID: 7}, Quantity: 2, UoM: odoo.Ref{ID: 2, Name: "Dozen"}, OrderLine: 5},
		{ID: 2, Product: odoo.Ref{ID: 7}, Quantity: 3, UoM: odoo.Ref{ID: 1, Name: "Units"}, OrderLine: 5},
		{ID: 3, Product: odoo.Ref{ID: 8, Name: "Unheard of"}, Quantity: 1.5, UoM: odoo.Ref{ID: 3, Name: "kg"}}}, order)
	if len(d.Lines) != 2 || d.Reference != "LS-1" || d.Ready {
		t.Fatalf("%+v", d)
	}
	if l := d.Lines[0]; l.Received != movement.Units(6) || l.Open() != movement.Units(27) || l.Unit != "Units" || l.Code.Code != "04006381333931" {
		t.Errorf("%+v", l)
	}
	if l := d.Lines[1]; l.Ordered != 1_500_000 || l.Unit != "kg" || l.Name != "Unheard of" || l.Product != "8" {
		t.Errorf("%+v", l)
	}
}

// A delivery of thousands of lines comes in several rows, under one key.
func TestADeliveryOfManyLines(t *testing.T) {
	now := noon
	f := newFeed(&shelf{at: noon}, &now)
	o := &open{Delivery: feed.Delivery{Key: "9", Name: "IN/9"}}
	for i := range 1001 {
		o.Lines = append(o.Lines, feed.DeliveryLine{Product: fmt.Sprint(i), Name: "A product with a name", Ordered: movement.Units(1), Unit: "Units"})
	}
	doc, err := newDeliveries(f).build("BR01", []*open{o, {Delivery: feed.Delivery{Key: "10", Lines: []feed.DeliveryLine{}}}})
	if err != nil || doc.Rows != 7 {
		t.Fatalf("%v, %d rows", err, doc.Rows)
	}
}

func TestSettingsAreNamed(t *testing.T) {
	for field, change := range map[string]func(*Config){
		"deliveries_every: 0s": func(c *Config) { c.DeliveriesEvery = 0 }, "stock_every: 0s": func(c *Config) { c.StockEvery = 0 },
		"full_every: 1s": func(c *Config) { c.FullEvery = time.Second }, "calls_per_second: 0": func(c *Config) { c.CallsPerSecond = 0 },
		"bytes_per_second: 1": func(c *Config) { c.BytesPerSecond = 1 }, "old_after: 1s": func(c *Config) { c.OldAfter = time.Second },
	} {
		c := DefaultConfig()
		if err := c.Validate(); err != nil {
			t.Fatal(err)
		}
		change(&c)
		if err := c.Validate(); err == nil || err.Error()[:len(field)] != field {
			t.Errorf("%v, want %s", err, field)
		}
	}
}

func TestOldCopiesInWords(t *testing.T) {
	for want, o := range map[string]Old{
		"Branch BR01 knows Odoo's catalogue not at all.":                        {"BR01", feed.Catalogue, time.Time{}},
		"Branch BR01 knows what became of its movements as it was 1 d 2 h ago.": {"BR01", feed.Outcomes, noon.Add(-26 * time.Hour)},
		"The hub knows Odoo's stock as it was 1 d 0 h ago.":                     {"", feed.OnHand, noon.Add(-24 * time.Hour)},
	} {
		if got := o.Words(noon); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
