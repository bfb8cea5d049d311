package catalogue_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"branchline/hub/catalogue"
	"branchline/hub/ledger"
	"branchline/internal/movement"
	"branchline/internal/odoo"
)

// server is an Odoo of a few records.
type server struct {
	products []odoo.Product
	packs    []odoo.Pack
	lots     []odoo.Lot
	since    []time.Time
	err      error

	rules      []odoo.OrderPoint
	rulesSince []time.Time
	rulesErr   error
}

func (s *server) Products(_ context.Context, since time.Time) ([]odoo.Product, error) {
	s.since = append(s.since, since)
	return s.products, s.err
}
func (s *server) Packs(context.Context) ([]odoo.Pack, error) { return s.packs, nil }
func (s *server) UoMs(context.Context) ([]odoo.UoM, error) {
	return []odoo.UoM{{ID: 1, Name: "Units", Ratio: 1, Family: 1, Active: true}, {ID: 2, Name: "Pack of 6", Ratio: 6, Family: 1, Active: true},
		{ID: 3, Name: "kg", Ratio: 1, Family: 2, Active: true}}, nil
}
func (s *server) LotsChanged(context.Context, time.Time) ([]odoo.Lot, error) { return s.lots, nil }
func (s *server) OrderPoints(_ context.Context, since time.Time) ([]odoo.OrderPoint, error) {
	s.rulesSince = append(s.rulesSince, since)
	if s.rulesErr != nil {
		return nil, s.rulesErr
	}
	return s.rules, nil
}
func (s *server) Warehouses(context.Context) ([]odoo.Warehouse, error) {
	return []odoo.Warehouse{{ID: 1, Code: "BR01", CompanyID: 1}, {ID: 2, Code: "BR02", CompanyID: 1}}, nil
}
func (s *server) Places(_ context.Context, company int64) (odoo.Places, error) {
	return odoo.Places{Customers: 10 + company}, nil
}

type aliases []ledger.Alias

func (a *aliases) Aliases(context.Context) ([]ledger.Alias, error) { return *a, nil }

func (a *aliases) AliasGeneration(context.Context) (int64, error) { return int64(len(*a)), nil }

type world struct {
	*catalogue.Catalogue
	server  *server
	aliases *aliases
	now     time.Time
	path    string
}

func open(t *testing.T) *world {
	t.Helper()
	w := &world{server: &server{}, aliases: &aliases{}, now: time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC), path: filepath.Join(t.TempDir(), "catalogue")}
	w.again()
	return w
}

func (w *world) again() {
	c := catalogue.DefaultConfig()
	c.Path = w.path
	w.Catalogue = catalogue.New(c, w.server, w.aliases, slog.New(slog.DiscardHandler), func() time.Time { return w.now }, nil)
}

func (w *world) refresh(t *testing.T) {
	t.Helper()
	w.now = w.now.Add(time.Minute)
	if err := w.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func product(id int64, code, barcode string) odoo.Product {
	return odoo.Product{ID: id, Name: code, Code: code, Barcode: barcode, UoM: odoo.Ref{ID: 1}, Active: true, Storable: true}
}

func TestCodesAreComparedWhole(t *testing.T) {
	w := open(t)
	archived := product(6, "F", "4006381333931")
	archived.Active = false
	w.server.products = []odoo.Product{
		product(1, "A", "4006381333931"), product(2, "B", "036000291452"), product(3, "C", "0036000291452"),
		product(4, "12345678", "PZN-04321"), product(5, "E", "96385074"), archived, product(7, "G", ""),
	}
	w.server.packs = []odoo.Pack{{ID: 1, ProductID: 5, Barcode: "10000000000007", Quantity: 12}, {ID: 2, ProductID: 5, Barcode: "20000000000004", UoM: odoo.Ref{ID: 2}},
		{ID: 3, ProductID: 5, Barcode: "30000000000001", UoM: odoo.Ref{ID: 3}}}
	w.refresh(t)
	cases := []struct {
		name   string
		scheme movement.Scheme
		code   string
		want   []int64
		per    movement.Quantity
	}{
		{"an EAN-13 as a GTIN", movement.GTIN, "04006381333931", []int64{1}, movement.QuantityScale},
		{"a UPC and the same as an EAN are two products", movement.GTIN, "00036000291452", []int64{2, 3}, movement.QuantityScale},
		{"an EAN-8", movement.GTIN, "00000096385074", []int64{5}, movement.QuantityScale},
		{"a pack by its quantity", movement.GTIN, "10000000000007", []int64{5}, movement.Units(12)},
		{"a pack by its unit", movement.GTIN, "20000000000004", []int64{5}, movement.Units(6)},
		{"a pack in a unit that does not convert", movement.GTIN, "30000000000001", nil, 0},
		{"a part of a code", movement.GTIN, "00000006381333", nil, 0},
		{"an internal reference", movement.PZN, "12345678", []int64{4}, movement.QuantityScale},
		{"a barcode that is no GTIN", movement.PZN, "PZN-04321", []int64{4}, movement.QuantityScale},
		{"case matters", movement.SKU, "a", nil, 0},
		{"nothing", movement.SKU, "", nil, 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			found, per := w.Find(movement.Product{Scheme: c.scheme, Code: c.code})
			ids := map[int64]bool{}
			for _, p := range found {
				ids[p.ID] = true
			}
			if len(found) != len(c.want) {
				t.Fatalf("found %v, want %v", found, c.want)
			}
			for i, id := range c.want {
				if !ids[id] || per[i] != c.per {
					t.Errorf("found %v of %v, want %v of %v", found, per, c.want, c.per)
				}
			}
		})
	}
}

func TestAnAliasComesFirst(t *testing.T) {
	w := open(t)
	w.server.products = []odoo.Product{product(1, "A", ""), product(2, "B", "")}
	w.refresh(t)
	code := movement.Product{Scheme: movement.SKU, Code: "A"}
	*w.aliases = aliases{{Product: code, ProductID: 2}}
	if err := w.Aliases(t.Context()); err != nil {
		t.Fatal(err)
	}
	if found, _ := w.Find(code); len(found) != 1 || found[0].ID != 2 {
		t.Errorf("found %v", found)
	}
	if found, _ := w.Find(movement.Product{Scheme: movement.NDC, Code: "A"}); len(found) != 1 || found[0].ID != 1 {
		t.Errorf("the alias of another scheme was used: %v", found)
	}
	if found, per := w.Known(code); len(found) != 1 || found[0].ID != 1 || len(per) != 1 {
		t.Errorf("Odoo itself knows %v, %v", found, per)
	}
}

func TestLotsOfTheCompanyBeforeSharedOnes(t *testing.T) {
	w := open(t)
	w.server.lots = []odoo.Lot{{ID: 9, ProductID: 1, Name: "L", CompanyID: 1}, {ID: 5, ProductID: 1, Name: "L"}, {ID: 7, ProductID: 1, Name: "L", CompanyID: 1},
		{ID: 6, ProductID: 1, Name: "M"}, {ID: 4, ProductID: 2, Name: "L", CompanyID: 1}}
	w.refresh(t)
	for name, c := range map[string]struct {
		company int64
		lot     string
		want    int64
	}{"own, the oldest": {1, "L", 7}, "shared for another company": {2, "L", 5}, "shared": {1, "M", 6}, "none": {1, "X", 0}, "case": {1, "l", 0}} {
		if got, ok := w.Lot(1, c.company, c.lot); got.ID != c.want || ok != (c.want != 0) {
			t.Errorf("%s: lot %d, want %d", name, got.ID, c.want)
		}
	}
}

func TestChangesAreReadAndKept(t *testing.T) {
	w := open(t)
	w.server.products = []odoo.Product{product(1, "A", "")}
	w.server.lots = []odoo.Lot{{ID: 1, ProductID: 1, Name: "L", CompanyID: 1}}
	w.refresh(t)
	first := w.now
	w.server.products = []odoo.Product{product(2, "B", "")}
	w.server.lots = []odoo.Lot{{ID: 1, ProductID: 1, Name: "L2", CompanyID: 1}}
	w.refresh(t)
	if !w.server.since[0].IsZero() || !w.server.since[1].Before(first) {
		t.Errorf("read since %v", w.server.since)
	}
	check := func(w *world) {
		t.Helper()
		for _, code := range []string{"A", "B"} {
			if found, _ := w.Find(movement.Product{Scheme: movement.SKU, Code: code}); len(found) != 1 {
				t.Errorf("%s is not known", code)
			}
		}
		if _, ok := w.Lot(1, 1, "L2"); !ok {
			t.Error("the lot's new name is not known")
		}
		if _, ok := w.Lot(1, 1, "L"); ok {
			t.Error("the lot's old name is still known")
		}
		if _, places, ok := w.Site("BR02"); !ok || places.Customers != 11 {
			t.Error("the branch is not known")
		}
	}
	check(w)
	// Odoo is away when the hub starts again.
	w.server.err = errors.New("connection refused")
	w.again()
	check(w)
	if w.AsOf().IsZero() {
		t.Error("the kept catalogue has no age")
	}
	if err := w.Refresh(t.Context()); err == nil || w.Failed() == nil {
		t.Error("the failure is not told")
	}
	check(w)
	// What is gone in Odoo goes with the next full reading.
	w.server.err, w.server.products = nil, []odoo.Product{product(2, "B", "")}
	w.now = w.now.Add(25 * time.Hour)
	w.refresh(t)
	if found, _ := w.Find(movement.Product{Scheme: movement.SKU, Code: "A"}); len(found) != 0 {
		t.Error("a deleted product is still known")
	}
}

// A clock that was ahead when the catalogue was read keeps it neither from being
// read again nor from being asked for all of it, in this process and in the next.
func TestACatalogueReadByAClockThatWasAheadIsReadAnew(t *testing.T) {
	for _, again := range []bool{false, true} {
		w := open(t)
		w.server.products = []odoo.Product{product(1, "A", "")}
		w.now = w.now.Add(30 * 24 * time.Hour)
		w.refresh(t)
		w.now = w.now.Add(-30 * 24 * time.Hour)
		if again {
			w.again()
			if w.AsOf().IsZero() || w.AsOf().After(w.now) {
				t.Errorf("it is said to be read %s", w.AsOf())
			}
			if found, _ := w.Find(movement.Product{Scheme: movement.SKU, Code: "A"}); len(found) != 1 {
				t.Error("what was kept is not used")
			}
		}
		w.server.products = append(w.server.products, product(2, "B", ""))
		w.refresh(t)
		if n := len(w.server.since); n != 2 || !w.server.since[n-1].IsZero() {
			t.Errorf("again %t: read since %v", again, w.server.since)
		}
	}
}

func TestADamagedFileIsReadAnew(t *testing.T) {
	w := open(t)
	if err := os.WriteFile(w.path, []byte("this is no catalogue"), 0o600); err != nil {
		t.Fatal(err)
	}
	w.again()
	if !w.AsOf().IsZero() {
		t.Error("garbage has an age")
	}
	w.server.products = []odoo.Product{product(1, "A", "")}
	w.refresh(t)
	if found, _ := w.Find(movement.Product{Scheme: movement.SKU, Code: "A"}); len(found) != 1 {
		t.Error("not read anew")
	}
}
