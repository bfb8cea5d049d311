package catalogue

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"branchline/hub/ledger"
	"branchline/internal/movement"
	"branchline/internal/odoo"
)

// Odoo is where the master data is read.
type Odoo interface {
	Products(ctx context.Context, since time.Time) ([]odoo.Product, error)
	Packs(ctx context.Context) ([]odoo.Pack, error)
	UoMs(ctx context.Context) ([]odoo.UoM, error)
	LotsChanged(ctx context.Context, since time.Time) ([]odoo.Lot, error)
	OrderPoints(ctx context.Context, since time.Time) ([]odoo.OrderPoint, error)
	Warehouses(ctx context.Context) ([]odoo.Warehouse, error)
	Places(ctx context.Context, companyID int64) (odoo.Places, error)
}

var _ Odoo = (*odoo.Client)(nil)

// Ledger is where aliases are kept.
type Ledger interface {
	Aliases(ctx context.Context) ([]ledger.Alias, error)
	// AliasGeneration counts their changes.
	AliasGeneration(ctx context.Context) (int64, error)
}

// Config says how fresh the catalogue is.
type Config struct {
	// Path is the file it is kept in; empty keeps none.
	Path string `yaml:"path"`
	// Every is how often changes are read, FullEvery everything.
	Every     time.Duration `yaml:"every"`
	FullEvery time.Duration `yaml:"full_every"`
}

// DefaultConfig reads changes every five minutes and everything once a day.
func DefaultConfig() Config {
	return Config{Path: "catalogue.json.zst", Every: 5 * time.Minute, FullEvery: 24 * time.Hour}
}

// Validate names the field and its value.
func (c *Config) Validate() error {
	if c.Every < time.Second {
		return fmt.Errorf("every: %s is less than 1s", c.Every)
	}
	if c.FullEvery < c.Every {
		return fmt.Errorf("full_every: %s is less than every, %s", c.FullEvery, c.Every)
	}
	return nil
}

// Catalogue may be asked from any goroutine, also while it is read anew.
type Catalogue struct {
	cfg     Config
	odoo    Odoo
	ledger  Ledger
	log     *slog.Logger
	clock   func() time.Time
	metrics *metrics

	reading sync.Mutex   // held by the one who reads Odoo
	begun   atomic.Int64 // counts the readings
	done    int64        // the last that succeeded; held by reading

	mu      sync.RWMutex
	data    data
	index   index
	aliases map[movement.Product]int64
	made    int64                     // the aliases' generation, or an older one
	held    map[movement.Product]bool // aliases that wait for a person
	failed  error                     // the newest reading's
}

// data is what is kept in the file.
type data struct {
	Form int       `json:"form"`
	AsOf time.Time `json:"as_of"`
	Full time.Time `json:"full"`

	Products   map[int64]odoo.Product `json:"products"`
	Packs      []odoo.Pack            `json:"packs"`
	UoMs       []odoo.UoM             `json:"uoms"`
	Warehouses []odoo.Warehouse       `json:"warehouses"`
	Places     map[int64]odoo.Places  `json:"places"` // by company
	Lots       map[int64][]odoo.Lot   `json:"lots"`   // by product, in the order of ids

	OrderPoints map[int64]odoo.OrderPoint `json:"order_points"`
	// NoOrderPoints says why they could not be read when all else was.
	NoOrderPoints string `json:"no_order_points,omitempty"`
}

// index finds things by their codes.
type index struct {
	gtin  map[string][]hit
	code  map[string][]int64 // internal reference or barcode, to the letter
	uoms  map[int64]odoo.UoM
	named map[string][]odoo.UoM
	sites map[string]odoo.Warehouse
	// rules are the order points by warehouse, archived ones left out.
	rules map[int64][]odoo.OrderPoint
}

// hit is a product, and how many of its unit one item of the code is.
type hit struct {
	product int64
	per     movement.Quantity
}

// New makes a catalogue from its file, if there is one. reg may be nil.
func New(cfg Config, o Odoo, l Ledger, log *slog.Logger, clock func() time.Time, reg prometheus.Registerer) *Catalogue {
	c := &Catalogue{cfg: cfg, odoo: o, ledger: l, log: log, clock: clock, metrics: newMetrics(reg), data: newData()}
	if cfg.Path != "" {
		if d, err := load(cfg.Path); err != nil {
			log.Warn("the kept catalogue cannot be used; it is read anew from Odoo", "file", cfg.Path, "err", err)
		} else if d != nil {
			c.data = *d
			if d.AsOf.After(clock()) {
				// Told by a clock that was ahead: it is used, and all of it read
				// anew at once.
				c.data.AsOf, c.data.Full = time.Unix(0, 0), time.Time{}
			}
		}
	}
	c.index = c.data.index()
	c.metrics.size(&c.data)
	return c
}

func newData() data {
	return data{Products: map[int64]odoo.Product{}, Places: map[int64]odoo.Places{}, Lots: map[int64][]odoo.Lot{}}
}

// Run reads changes until ctx ends.
func (c *Catalogue) Run(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
		if wait := c.AsOf().Add(c.cfg.Every).Sub(c.clock()); wait > 0 && !c.AsOf().IsZero() {
			timer.Reset(min(wait, c.cfg.Every))
			continue
		}
		pause := c.cfg.Every
		if err := c.Refresh(ctx); err != nil && ctx.Err() == nil {
			c.log.Warn("the catalogue cannot be read from Odoo", "err", err)
			pause = min(pause, 30*time.Second)
		}
		timer.Reset(pause)
	}
}

// AsOf is when the catalogue was last read, zero for never.
func (c *Catalogue) AsOf() time.Time {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.data.AsOf
}

// Failed is why the newest reading failed; nil if it did not.
func (c *Catalogue) Failed() error {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.failed
}

// Find gives the products that a code names: what people have said it means, or
// what Odoo knows by it. An archived product is found only when no other has the
// code. per is how many of the product's own unit one item is.
func (c *Catalogue) Find(code movement.Product) (found []odoo.Product, per []movement.Quantity) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if id, ok := c.aliases[code]; ok {
		p, ok := c.data.Products[id]
		if !ok {
			return nil, nil
		}
		return []odoo.Product{p}, []movement.Quantity{movement.QuantityScale}
	}
	return c.odooKnows(code)
}

// Held tells whether what people have said of a code waits for one of them, who
// says that it still holds.
func (c *Catalogue) Held(code movement.Product) bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.held[code]
}

// Known is [Catalogue.Find] without what people have said: what Odoo itself
// knows by the code.
func (c *Catalogue) Known(code movement.Product) (found []odoo.Product, per []movement.Quantity) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.odooKnows(code)
}

// odooKnows looks in the index; the caller holds c.mu.
func (c *Catalogue) odooKnows(code movement.Product) (found []odoo.Product, per []movement.Quantity) {
	var hits []hit
	if code.Scheme == movement.GTIN {
		hits = c.index.gtin[gtin14(code.Code)]
	} else {
		for _, id := range c.index.code[code.Code] {
			hits = append(hits, hit{id, movement.QuantityScale})
		}
	}
	for _, active := range []bool{true, false} {
		for _, h := range hits {
			if p := c.data.Products[h.product]; p.ID != 0 && p.Active == active {
				found, per = append(found, p), append(per, h.per)
			}
		}
		if len(found) > 0 {
			break
		}
	}
	return found, per
}

// Product gives a product by its id in Odoo.
func (c *Catalogue) Product(id int64) (odoo.Product, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	p, ok := c.data.Products[id]
	return p, ok
}

// Unit gives a unit of measure.
func (c *Catalogue) Unit(id int64) (odoo.UoM, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	u, ok := c.index.uoms[id]
	return u, ok
}

// Units gives the units of a name, to the letter.
func (c *Catalogue) Units(name string) []odoo.UoM {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.index.named[name]
}

// Lot finds a lot that a company can use: its own before one that all share,
// and of doubled ones the oldest.
func (c *Catalogue) Lot(productID, companyID int64, name string) (odoo.Lot, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	var shared odoo.Lot
	for _, l := range c.data.Lots[productID] {
		switch {
		case l.Name != name:
		case l.CompanyID == companyID:
			return l, true
		case l.CompanyID == 0 && shared.ID == 0:
			shared = l
		}
	}
	return shared, shared.ID != 0
}

// Site gives a warehouse by its code and its company's places.
func (c *Catalogue) Site(code string) (odoo.Warehouse, odoo.Places, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	w, ok := c.index.sites[code]
	return w, c.data.Places[w.CompanyID], ok
}

// Aliases reads what people have said that codes mean.
func (c *Catalogue) Aliases(ctx context.Context) error {
	made, err := c.ledger.AliasGeneration(ctx) // first, so that it is never newer than they are
	if err != nil {
		return err
	}
	all, err := c.ledger.Aliases(ctx)
	if err != nil {
		return err
	}
	aliases, held := make(map[movement.Product]int64, len(all)), map[movement.Product]bool{}
	for _, a := range all {
		aliases[a.Product] = a.ProductID
		if a.Held {
			held[a.Product] = true
		}
	}
	c.mu.Lock()
	c.aliases, c.held, c.made = aliases, held, made
	c.mu.Unlock()
	return nil
}

// AliasGeneration is that of the aliases that were read last.
func (c *Catalogue) AliasGeneration() int64 {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.made
}

// gtin14 pads a barcode that can be a GTIN to 14 digits; "" for any other.
func gtin14(code string) string {
	switch len(code) {
	case 8, 12, 13, 14:
	default:
		return ""
	}
	for _, r := range code {
		if r < '0' || r > '9' {
			return ""
		}
	}
	return "00000000000000"[len(code):] + code
}

// index makes the index of all there is.
func (d *data) index() index {
	x := index{gtin: map[string][]hit{}, code: map[string][]int64{}, uoms: map[int64]odoo.UoM{}, named: map[string][]odoo.UoM{},
		sites: map[string]odoo.Warehouse{}, rules: map[int64][]odoo.OrderPoint{}}
	for _, id := range slices.Sorted(maps.Keys(d.OrderPoints)) {
		if o := d.OrderPoints[id]; o.Active {
			x.rules[o.WarehouseID] = append(x.rules[o.WarehouseID], o)
		}
	}
	for _, u := range d.UoMs {
		x.uoms[u.ID] = u
		x.named[u.Name] = append(x.named[u.Name], u)
	}
	for id, p := range d.Products {
		if g := gtin14(p.Barcode); g != "" {
			x.add(g, hit{id, movement.QuantityScale})
		}
		if p.Code != "" {
			x.code[p.Code] = append(x.code[p.Code], id)
		}
		if p.Barcode != "" && p.Barcode != p.Code {
			x.code[p.Barcode] = append(x.code[p.Barcode], id)
		}
	}
	for _, pack := range d.Packs {
		g := gtin14(pack.Barcode)
		per, ok := d.perPack(&pack, x.uoms)
		if g == "" || !ok {
			continue
		}
		x.add(g, hit{pack.ProductID, per})
	}
	for _, w := range d.Warehouses {
		x.sites[w.Code] = w
	}
	return x
}

// add keeps a product once for a code with one amount.
func (x *index) add(code string, h hit) {
	for _, have := range x.gtin[code] {
		if have == h {
			return
		}
	}
	x.gtin[code] = append(x.gtin[code], h)
}

// perPack is how many of the product's own unit are in a pack.
func (d *data) perPack(p *odoo.Pack, uoms map[int64]odoo.UoM) (movement.Quantity, bool) {
	n := p.Quantity
	if n == 0 {
		pack, own := uoms[p.UoM.ID], uoms[d.Products[p.ProductID].UoM.ID]
		if own.Ratio == 0 || pack.Family != own.Family {
			return 0, false
		}
		n = pack.Ratio / own.Ratio
	}
	q, err := movement.QuantityFromFloat(n)
	if err != nil || q <= 0 || math.Abs(q.Float()-n) > 1e-9*n {
		return 0, false
	}
	return q, true
}
