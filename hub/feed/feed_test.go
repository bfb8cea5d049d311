package feed_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"branchline/hub/catalogue"
	hubfeed "branchline/hub/feed"
	"branchline/hub/ledger"
	"branchline/internal/feed"
	"branchline/internal/movement"
	"branchline/internal/odoo"
	"branchline/internal/odoo/odootest"
	"branchline/internal/wire"
)

// world is a simulated Odoo, a hub that tells of it, and branches that listen as
// agents do.
type world struct {
	*testing.T
	odoo      *odootest.Server
	client    *odoo.Client
	catalogue *catalogue.Catalogue
	feed      *hubfeed.Feed

	mu      sync.Mutex
	changed chan struct{}
	copies  map[string]*copied // by branch and kind
	sent    int
}

// copied is what a branch has of a document.
type copied struct {
	version feed.ID
	asOf    time.Time
	target  feed.ID
	parts   map[feed.ID][]byte
	list    []feed.PartRef
	rows    []json.RawMessage
}

type aliases struct{ list []ledger.Alias }

func (a *aliases) Aliases(context.Context) ([]ledger.Alias, error) { return a.list, nil }

func (a *aliases) AliasGeneration(context.Context) (int64, error) { return 0, nil }

func open(t *testing.T, version int, branches []hubfeed.Branch, said ...ledger.Alias) *world {
	t.Helper()
	s, url := odootest.Start(t, odootest.Options{Version: version})
	o := s.Options()
	c, err := odoo.New(odoo.Config{URL: url, DB: o.DB, User: o.StockUser, Key: odoo.Key(o.StockKey)})
	must(t, err)
	w := &world{T: t, odoo: s, client: c, changed: make(chan struct{}), copies: map[string]*copied{}}
	cfg := catalogue.DefaultConfig()
	cfg.Path = ""
	w.catalogue = catalogue.New(cfg, c, &aliases{said}, quiet(), time.Now, nil)
	every := hubfeed.DefaultConfig()
	every.DeliveriesEvery, every.StockEvery, every.OutcomesEvery = 5*time.Millisecond, 5*time.Millisecond, 5*time.Millisecond
	every.CallsPerSecond, every.BytesPerSecond = 1000, 100<<20
	w.feed = hubfeed.New(every, branches, c, w.catalogue, w.publish, quiet(), time.Now, prometheus.NewRegistry())
	return w
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) start(branches ...string) {
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = w.feed.Run(ctx)
	}()
	w.Cleanup(func() { stop(); <-done; w.client.Close() })
	for _, b := range branches {
		w.report(b)
	}
}

// report is a branch that knows nothing, and says so.
func (w *world) report(branch string) {
	var docs []wire.DocumentState
	for _, k := range feed.Kinds {
		docs = append(docs, wire.DocumentState{Kind: k.Channel()})
	}
	w.feed.Heard(branch, docs)
}

func (w *world) refresh() {
	w.Helper()
	must(w.T, w.catalogue.Refresh(w.Context()))
	must(w.T, w.catalogue.Aliases(w.Context()))
}

// publish is a branch that hears something and asks for what it lacks.
func (w *world) publish(branch string, c wire.Channel, payload []byte) error {
	m, err := feed.Open(payload)
	if err != nil || m.Kind.Channel() != c || m.Branch != "" && m.Branch != branch {
		w.Errorf("%s heard in %s: %+v, %v", branch, c, m, err)
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sent++
	key := branch + " " + string(m.Kind)
	d := w.copies[key]
	if d == nil {
		d = &copied{parts: map[feed.ID][]byte{}}
		w.copies[key] = d
	}
	want := feed.Want{Kind: m.Kind}
	switch {
	case m.IsManifest && m.Version == d.target:
		d.list = append([]feed.PartRef{}, m.Parts...) // of none, too
		for _, p := range m.Parts {
			if d.parts[p.ID] == nil {
				want.Parts = append(want.Parts, p.ID)
			}
		}
		want.Version = d.target
	case !m.Part.IsZero():
		d.parts[m.Part] = bytes.Clone(m.Body)
	case m.Version != d.version:
		d.target, d.asOf, d.list = m.Version, m.AsOf, nil
		want.Version = m.Version
	default:
		d.asOf = m.AsOf
	}
	if want.Version != (feed.ID{}) && (len(want.Parts) > 0 || d.list == nil) {
		payload, err := want.Marshal()
		if err == nil {
			err = w.feed.Wanted(branch, payload)
		}
		if err != nil {
			w.Error(err)
		}
		return nil
	}
	d.adopt()
	close(w.changed)
	w.changed = make(chan struct{})
	return nil
}

func (d *copied) adopt() {
	var rows []json.RawMessage
	for _, p := range d.list {
		body := d.parts[p.ID]
		if body == nil {
			return
		}
		for row := range bytes.Lines(body) {
			rows = append(rows, bytes.TrimSpace(row))
		}
	}
	if d.list != nil || d.target == feed.VersionOf(nil) {
		d.version, d.rows = d.target, rows
	}
}

// until waits for a branch to know what is wanted.
func until[T any](w *world, branch string, k feed.Kind, what string, good func([]T) bool) []T {
	w.Helper()
	timeout, again := time.After(20*time.Second), time.NewTicker(100*time.Millisecond)
	defer again.Stop()
	for {
		w.mu.Lock()
		changed := w.changed
		var rows []T
		if d := w.copies[branch+" "+string(k)]; d != nil {
			for _, raw := range d.rows {
				var row T
				if err := json.Unmarshal(raw, &row); err != nil {
					w.Fatal(err)
				}
				rows = append(rows, row)
			}
		}
		w.mu.Unlock()
		if good(rows) {
			return rows
		}
		select {
		case <-changed:
		case <-again.C:
			w.report(branch) // it asked for two things at once, and was told of one
		case <-timeout:
			w.Fatalf("%s: %s knows %+v", what, branch, rows)
		}
	}
}

func eachVersion(t *testing.T, f func(t *testing.T, version int)) {
	for _, version := range []int{17, 18, 19} {
		t.Run(fmt.Sprint(version), func(t *testing.T) {
			t.Parallel()
			f(t, version)
		})
	}
}

func TestTheCatalogueComesToTheBranch(t *testing.T) {
	eachVersion(t, func(t *testing.T, version int) {
		w := open(t, version, []hubfeed.Branch{{Code: "BR01", Warehouse: "BR01"}},
			ledger.Alias{Product: movement.Product{Scheme: movement.PZN, Code: "01234567"}, ProductID: 1})
		tracked, err := w.odoo.AddProduct(odootest.Product{Name: "Ibuprofen 400", Code: "IBU", Barcode: "4006381333931", Tracking: "lot", Expires: true})
		must(t, err)
		must(t, w.odoo.AddPack(tracked, "10000000000007", 12))
		_, err = w.odoo.AddProduct(odootest.Product{Name: "Bandage"})
		must(t, err)
		w.refresh()
		w.start("BR01")
		products := until(w, "BR01", feed.Catalogue, "the catalogue", func(p []feed.Product) bool { return len(p) == 2 })
		want := feed.Product{Key: fmt.Sprint(tracked), Name: "Ibuprofen 400", Reference: "IBU", Barcode: "4006381333931", Tracking: feed.ByLot, Expires: true,
			Unit: "Units", Packs: []feed.Pack{{GTIN: "10000000000007", Units: movement.Units(12)}}}
		if tracked == 1 {
			want.Aliases = []movement.Product{{Scheme: movement.PZN, Code: "01234567"}}
		}
		if diff := cmp.Diff(want, products[0]); diff != "" {
			t.Error(diff)
		}
		_, err = w.odoo.AddProduct(odootest.Product{Name: "New", Code: "NEW"})
		must(t, err)
		w.refresh()
		until(w, "BR01", feed.Catalogue, "a new product", func(p []feed.Product) bool { return len(p) == 3 && p[2].Reference == "NEW" })
	})
}

func TestTheListOfBranchesComesToTheBranch(t *testing.T) {
	eachVersion(t, func(t *testing.T, version int) {
		w := open(t, version, []hubfeed.Branch{{Code: "SOUTH", Warehouse: "BR02"}, {Code: "NORTH", Warehouse: "BR01"}, {Code: "WEST", Warehouse: "NONE"}})
		_, err := w.odoo.AddBranch("BR01", "Northgate")
		must(t, err)
		_, err = w.odoo.AddBranch("BR02", "South Street")
		must(t, err)
		w.refresh()
		w.start("NORTH", "SOUTH")
		for _, to := range []string{"NORTH", "SOUTH"} {
			got := until(w, to, feed.Branches, "the branches", func(b []feed.Branch) bool { return len(b) == 2 })
			if diff := cmp.Diff([]feed.Branch{{Code: "NORTH", Name: "Northgate"}, {Code: "SOUTH", Name: "South Street"}}, got); diff != "" {
				t.Error(diff)
			}
		}
	})
}

func TestExpectedDeliveriesComeToTheBranch(t *testing.T) {
	eachVersion(t, func(t *testing.T, version int) {
		w := open(t, version, []hubfeed.Branch{{Code: "NORTH", Warehouse: "BR01"}, {Code: "SOUTH", Warehouse: "BR02"}})
		tracked, err := w.odoo.AddProduct(odootest.Product{Name: "Ibuprofen 400", Code: "IBU", Barcode: "4006381333931", Tracking: "lot", Expires: true})
		must(t, err)
		plain, err := w.odoo.AddProduct(odootest.Product{Name: "Bandage", Code: "BND"})
		must(t, err)
		north, err := w.odoo.AddBranch("BR01", "North")
		must(t, err)
		_, err = w.odoo.AddBranch("BR02", "South")
		must(t, err)
		w.refresh()
		w.start("NORTH", "SOUTH")
		order, err := w.odoo.AddPurchase(north, "Wholesaler", odootest.OrderLine{ProductID: tracked, Quantity: 10}, odootest.OrderLine{ProductID: plain, Quantity: 5},
			odootest.OrderLine{ProductID: tracked, Quantity: 2})
		must(t, err)
		list := until(w, "NORTH", feed.Deliveries, "the order", func(d []feed.Delivery) bool { return len(d) == 1 && len(d[0].Lines) == 2 })
		d := list[0]
		want := []feed.DeliveryLine{
			{Product: fmt.Sprint(tracked), Name: "Ibuprofen 400", Code: movement.Product{Scheme: movement.GTIN, Code: "04006381333931"}, Ordered: movement.Units(12), Unit: "Units"},
			{Product: fmt.Sprint(plain), Name: "Bandage", Code: movement.Product{Scheme: movement.SKU, Code: "BND"}, Ordered: movement.Units(5), Unit: "Units"}}
		if diff := cmp.Diff(want, d.Lines); diff != "" || d.Order != order || d.Partner != "Wholesaler" || !d.Ready || d.Name == "" {
			t.Errorf("%+v\n%s", d, diff)
		}

		// A part of it comes: what is left is another delivery of the same order.
		id := w.receive(t, order, tracked, 4)
		list = until(w, "NORTH", feed.Deliveries, "the rest", func(d []feed.Delivery) bool {
			return len(d) == 1 && d[0].Key != id && len(d[0].Lines) == 2 && d[0].Lines[0].Received+d[0].Lines[1].Received != 0
		})
		for _, l := range list[0].Lines {
			switch {
			case l.Product == fmt.Sprint(tracked) && l.Ordered == movement.Units(12) && l.Received == movement.Units(4) && l.Open() == movement.Units(8):
			case l.Product == fmt.Sprint(plain) && l.Received == 0 && l.Open() == movement.Units(5):
			default:
				t.Errorf("left of it is %+v", l)
			}
		}
		until(w, "SOUTH", feed.Deliveries, "nothing", func(d []feed.Delivery) bool { return len(d) == 0 })
	})
}

// receive receives a part of an order's first product, and gives the key of
// the delivery.
func (w *world) receive(t *testing.T, order string, product int64, n float64) string {
	t.Helper()
	site, _, ok := w.catalogue.Site("BR01")
	if !ok {
		t.Fatal("no warehouse")
	}
	open, err := w.client.OpenReceipts(t.Context(), site)
	must(t, err)
	for _, r := range open {
		if r.Origin != order {
			continue
		}
		var replace []int64
		for _, m := range r.Moves {
			replace = append(replace, m.Lines...)
		}
		m := r.Moves[slices.IndexFunc(r.Moves, func(m odoo.ReceiptMove) bool { return m.ProductID == product })]
		must(t, w.client.WriteReceipt(t.Context(), r.ID, replace, []odoo.ReceiptLine{{MoveID: m.ID, ProductID: product, LotName: "L1",
			Expires: time.Date(2027, 5, 31, 12, 0, 0, 0, time.UTC), Quantity: n, FromID: m.FromID, ToID: m.ToID}}, ""))
		v, err := w.client.Validate(t.Context(), r.ID, odoo.Confirm{Backorder: true})
		must(t, err)
		if !v.Done() {
			t.Fatalf("%+v", v)
		}
		return fmt.Sprint(r.ID)
	}
	t.Fatalf("%s is not expected", order)
	return ""
}

func TestStockComesToTheBranch(t *testing.T) {
	eachVersion(t, func(t *testing.T, version int) {
		zone, err := time.LoadLocation("America/New_York")
		must(t, err)
		w := open(t, version, []hubfeed.Branch{{Code: "BR01", Warehouse: "BR01", Zone: zone}})
		tracked, err := w.odoo.AddProduct(odootest.Product{Name: "Ibuprofen 400", Tracking: "lot", Expires: true})
		must(t, err)
		plain, err := w.odoo.AddProduct(odootest.Product{Name: "Bandage"})
		must(t, err)
		north, err := w.odoo.AddBranch("BR01", "North")
		must(t, err)
		must(t, w.odoo.SetStock(north, plain, "", 7))
		must(t, w.odoo.SetStock(north, tracked, "L0", 1))
		w.refresh()
		w.start("BR01")
		until(w, "BR01", feed.OnHand, "what is there", func(s []feed.Stock) bool { return len(s) == 2 })

		// A receipt brings a lot with its expiry, also where the hub reads of the
		// lot only after the stock.
		order, err := w.odoo.AddPurchase(north, "Wholesaler", odootest.OrderLine{ProductID: tracked, Quantity: 3})
		must(t, err)
		w.receive(t, order, tracked, 3)
		until(w, "BR01", feed.OnHand, "what came", func(s []feed.Stock) bool { return len(s) == 2 && len(s[0].Lots) == 2 })
		w.refresh()
		rows := until(w, "BR01", feed.OnHand, "its expiry", func(s []feed.Stock) bool {
			return len(s) == 2 && len(s[0].Lots) == 2 && !s[0].Lots[1].Expiry.IsZero()
		})
		// Odoo has given the lot that was counted an expiry of its own, today.
		want := []feed.Stock{{Product: fmt.Sprint(tracked), Lots: []feed.LotStock{{Lot: "L0", Expiry: rows[0].Lots[0].Expiry, Quantity: movement.Units(1)},
			{Lot: "L1", Expiry: movement.Date{Year: 2027, Month: 5, Day: 31}, Quantity: movement.Units(3)}}},
			{Product: fmt.Sprint(plain), Lots: []feed.LotStock{{Quantity: movement.Units(7)}}}}
		if diff := cmp.Diff(want, rows); diff != "" {
			t.Error(diff)
		}

		// What is dispensed to the last vanishes, and the rest stays.
		site, places, _ := w.catalogue.Site("BR01")
		id, err := w.client.CreateDocument(t.Context(), odoo.NewPicking{Name: "BL/1", TypeID: site.OutTypeID, FromID: site.StockID, ToID: places.Customers},
			[]odoo.NewMove{{ProductID: plain, Quantity: 7}})
		must(t, err)
		v, err := w.client.Validate(t.Context(), id, odoo.Confirm{})
		must(t, err)
		if !v.Done() {
			t.Fatalf("%+v", v)
		}
		until(w, "BR01", feed.OnHand, "what is left", func(s []feed.Stock) bool { return len(s) == 1 && cmp.Equal(s[0], want[0]) })
	})
}

// An agent that does not tell of its copies, an older one, is left alone.
func TestAnAgentThatDoesNotListenIsLeftAlone(t *testing.T) {
	w := open(t, 19, []hubfeed.Branch{{Code: "BR01", Warehouse: "BR01"}, {Code: "BR02", Warehouse: "BR02"}})
	_, err := w.odoo.AddProduct(odootest.Product{Name: "Bandage", Code: "B"})
	must(t, err)
	w.refresh()
	w.start("BR02")
	w.feed.Heard("BR01", nil)
	until(w, "BR02", feed.Catalogue, "the catalogue", func(p []feed.Product) bool { return len(p) == 1 })
	w.mu.Lock()
	defer w.mu.Unlock()
	for key := range w.copies {
		if key[:4] == "BR01" {
			t.Errorf("an agent that does not listen was told of %s", key)
		}
	}
}
