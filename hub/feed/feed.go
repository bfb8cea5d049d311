package feed

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/time/rate"

	"branchline/internal/feed"
	"branchline/internal/odoo"
	"branchline/internal/wire"
)

// Odoo is where deliveries and stock are read. One goroutine of each calls it.
type Odoo interface {
	Expected(ctx context.Context, typeIDs []int64) ([]odoo.Expected, error)
	ExpectedChanged(ctx context.Context, typeIDs []int64, since time.Time) ([]int64, error)
	ExpectedMoves(ctx context.Context, pickingIDs []int64) ([]odoo.ExpectedMove, error)
	OrderLines(ctx context.Context, ids []int64) ([]odoo.OrderLine, error)
	MovedSince(ctx context.Context, since time.Time) ([]odoo.MovedLine, error)
	LocationsUnder(ctx context.Context, roots []int64) (map[int64]int64, error)
	Stock(ctx context.Context, locationID int64) ([]odoo.OnHand, error)
	StockOf(ctx context.Context, locationID int64, productIDs []int64) ([]odoo.OnHand, error)
}

// Catalogue is the hub's own copy of Odoo's master data.
type Catalogue interface {
	AsOf() time.Time
	Goods() []feed.Product
	Product(id int64) (odoo.Product, bool)
	Unit(id int64) (odoo.UoM, bool)
	LotOf(productID, lotID int64) (odoo.Lot, bool)
	Site(code string) (odoo.Warehouse, odoo.Places, bool)
}

var _ Odoo = (*odoo.Client)(nil)

// Publish says something to a branch; an error means that it was not sent. It is
// called by one goroutine.
type Publish func(branch string, c wire.Channel, payload []byte) error

// Branch is a branch that is told.
type Branch struct {
	Code string
	// Warehouse is the code of its warehouse in Odoo.
	Warehouse string
	// Zone is where expiry dates are meant; nil is UTC.
	Zone *time.Location
}

// Feed makes the documents and answers the branches. [Feed.Run] is called once;
// Heard and Wanted at any time, also before it.
type Feed struct {
	// Ledger is set before Run; nil tells the branches nothing of their movements.
	Ledger Ledger

	cfg       Config
	branches  []Branch
	odoo      Odoo
	catalogue Catalogue
	publish   Publish
	log       *slog.Logger
	clock     func() time.Time
	metrics   *metrics
	calls     *rate.Limiter
	line      *rate.Limiter

	work chan struct{} // has a value when the sender has something to do

	mu      sync.Mutex
	packer  *feed.Packer // for notices
	current map[docKey]*current
	pending map[string]*pending // by branch, until it is sent
	turns   []string            // branches with something pending, in the order of their turns
	heard   map[string][]wire.DocumentState
	since   map[string]time.Time // when a branch was first heard
}

// docKey is a document's kind, and its branch unless all share it.
type docKey struct {
	kind   feed.Kind
	branch string
}

func keyOf(k feed.Kind, branch string) docKey {
	if k.Shared() {
		branch = ""
	}
	return docKey{k, branch}
}

// current is the version that branches should have.
type current struct {
	doc  *feed.Document
	asOf time.Time
}

// pending is what is to be said to one branch.
type pending struct {
	notices map[feed.Kind]bool
	want    *feed.Want
}

// New makes a Feed. reg may be nil.
func New(cfg Config, branches []Branch, o Odoo, c Catalogue, publish Publish, log *slog.Logger, clock func() time.Time, reg prometheus.Registerer) *Feed {
	f := &Feed{cfg: cfg, branches: branches, odoo: o, catalogue: c, publish: publish, log: log, clock: clock,
		calls: rate.NewLimiter(rate.Limit(cfg.CallsPerSecond), 1),
		line:  rate.NewLimiter(rate.Limit(cfg.BytesPerSecond), max(cfg.BytesPerSecond/4, feed.MaxPayload)),
		work:  make(chan struct{}, 1), packer: feed.NewPacker(),
		current: map[docKey]*current{}, pending: map[string]*pending{}, heard: map[string][]wire.DocumentState{}, since: map[string]time.Time{}}
	f.metrics = newMetrics(reg, f)
	return f
}

// Run reads and sends until ctx ends.
func (f *Feed) Run(ctx context.Context) error {
	var g sync.WaitGroup
	g.Go(func() { f.send(ctx) })
	g.Go(func() { f.repeat(ctx, feed.Catalogue, time.Second, f.readCatalogue()) })
	g.Go(func() { f.repeat(ctx, feed.Branches, branchesEvery, newBranches(f).read) })
	g.Go(func() { f.repeat(ctx, feed.Deliveries, f.cfg.DeliveriesEvery, newDeliveries(f).read) })
	g.Go(func() { f.repeat(ctx, feed.OnHand, f.cfg.StockEvery, newStock(f).read) })
	if f.Ledger != nil {
		g.Go(func() { f.followOutcomes(ctx) })
	}
	g.Wait()
	return nil
}

// errAgain is how soon a reading is tried again that failed.
const errAgain = 30 * time.Second

// repeat reads now and then, once the catalogue is known.
func (f *Feed) repeat(ctx context.Context, k feed.Kind, every time.Duration, read func(context.Context) error) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		pause := every
		if f.catalogue.AsOf().IsZero() {
			pause = min(every, time.Second)
		} else if err := read(ctx); err != nil && ctx.Err() == nil {
			f.metrics.readings.WithLabelValues(string(k), "failed").Inc()
			f.log.Warn("what the branches should know cannot be read from Odoo", "document", string(k), "err", err)
			pause = min(every, errAgain)
		} else if k != feed.Catalogue {
			f.metrics.readings.WithLabelValues(string(k), "ok").Inc()
		}
		timer.Reset(pause)
	}
}

// set makes a document current, and gives notice to those who have told that
// they listen.
func (f *Feed) set(d *feed.Document, asOf time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	k := docKey{d.Kind, d.Branch}
	before := f.current[k]
	if before != nil && before.doc.Version == d.Version {
		if d = before.doc; before.asOf.Equal(asOf) {
			return
		}
	} else {
		f.metrics.versions.WithLabelValues(string(d.Kind)).Inc()
	}
	f.current[k] = &current{d, asOf}
	for branch := range f.heard {
		if d.Branch == "" || d.Branch == branch {
			f.notice(branch, d.Kind)
		}
	}
}

// document gives what is current; nil for nothing yet.
func (f *Feed) document(k feed.Kind, branch string) *feed.Document {
	f.mu.Lock()
	defer f.mu.Unlock()
	if c := f.current[keyOf(k, branch)]; c != nil {
		return c.doc
	}
	return nil
}

// site gives a branch's warehouse; ok is false while the hub does not know it.
func (f *Feed) site(b *Branch) (w odoo.Warehouse, ok bool) {
	w, _, ok = f.catalogue.Site(b.Warehouse)
	return w, ok
}
