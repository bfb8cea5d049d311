package reconcile_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"branchline/hub/catalogue"
	"branchline/hub/ledger"
	"branchline/hub/ledger/ledgertest"
	"branchline/hub/plan"
	"branchline/hub/post"
	"branchline/hub/projection"
	"branchline/hub/reconcile"
	"branchline/internal/movement"
	"branchline/internal/odoo"
	"branchline/internal/odoo/odootest"
	"branchline/internal/wire"
)

// world is an Odoo, simulated or real, with a branch, and a hub from the ledger to
// the reconciliation.
type world struct {
	t           testing.TB
	sim         *odootest.Server // nil for a real one
	admin, user *odoo.Client
	branch      odoo.Warehouse
	ledger      *ledger.Ledger
	projector   *projection.Projector
	master      *catalogue.Catalogue
	planner     *plan.Runner
	poster      *post.Poster
	runner      *reconcile.Runner
	parts       reconcile.Parts
	sender      *ledgertest.Sender
	report      *reconcile.Report
	away        string
	// ahead is by how much the hub's clock, and a simulated Odoo's, was set forward.
	ahead *atomic.Int64
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// everywhere runs f against simulations, and against a real Odoo if ODOO_URL,
// ODOO_DB, ODOO_USER and ODOO_KEY are set.
func everywhere(t *testing.T, f func(t *testing.T, w *world)) {
	for _, version := range []int{17, 19} {
		t.Run(fmt.Sprintf("simulated %d", version), func(t *testing.T) {
			t.Parallel()
			f(t, simulated(t, version))
		})
	}
	t.Run("real", func(t *testing.T) {
		if os.Getenv("ODOO_URL") == "" {
			t.Skip("ODOO_URL, ODOO_DB, ODOO_USER and ODOO_KEY are not set: no real Odoo to compare with")
		}
		cfg := odoo.Config{URL: os.Getenv("ODOO_URL"), DB: os.Getenv("ODOO_DB"), User: os.Getenv("ODOO_USER"), Key: odoo.Key(os.Getenv("ODOO_KEY"))}
		f(t, newWorld(t, nil, new(atomic.Int64), cfg, os.Getenv("ODOO_STOCK_USER"), os.Getenv("ODOO_STOCK_KEY")))
	})
}

func simulated(t testing.TB, version int) *world {
	ahead := new(atomic.Int64)
	s, url := odootest.Start(t, odootest.Options{Version: version, Clock: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }})
	o := s.Options()
	return newWorld(t, s, ahead, odoo.Config{URL: url, DB: o.DB, User: o.User, Key: odoo.Key(o.Key)}, o.StockUser, o.StockKey)
}

var serial atomic.Int64

func newWorld(t testing.TB, sim *odootest.Server, ahead *atomic.Int64, cfg odoo.Config, stockUser, stockKey string) *world {
	t.Helper()
	client := func(cfg odoo.Config) *odoo.Client {
		c, err := odoo.New(cfg)
		must(t, err)
		t.Cleanup(c.Close)
		return c
	}
	w := &world{t: t, sim: sim, ahead: ahead, admin: client(cfg), ledger: ledgertest.Open(t)}
	w.user = w.admin
	if stockUser != "" {
		cfg.User, cfg.Key = stockUser, odoo.Key(stockKey)
		w.user = client(cfg)
	}
	code := fmt.Sprintf("%c%04X", 'A'+rune(serial.Add(1)%26), (time.Now().UnixNano()/1000+serial.Add(1))&0xFFFF)
	ids, err := w.admin.Create(t.Context(), "stock.warehouse", map[string]any{"name": "Branch " + w.unique(), "code": code})
	must(t, err)
	all, err := w.user.Warehouses(t.Context())
	must(t, err)
	for _, b := range all {
		if b.ID == ids[0] {
			w.branch = b
		}
	}
	log := slog.New(slog.DiscardHandler)
	posts, plans := post.DefaultConfig(), plan.DefaultConfig()
	posts.Branches, posts.CallsPerSecond, posts.Burst = []string{code}, 10_000, 1000
	plans.Every, plans.Timezone, plans.MissInterval, plans.Recheck = 0, "UTC", 10*time.Millisecond, 10*time.Millisecond
	w.master = catalogue.New(catalogue.Config{Every: time.Minute, FullEvery: time.Hour}, w.user, w.ledger, log, w.clock, nil)
	w.planner = plan.NewRunner(plans, w.ledger, w.master, w.user, log, w.clock, nil)
	w.poster = post.New(posts, w.ledger, w.user, w.planner, log, w.clock, nil)
	w.projector = projection.New(w.ledger, log, nil)
	w.sender = ledgertest.NewSender(code, movement.NewEpoch(), movement.Live)
	c := reconcile.DefaultConfig()
	c.CallsPerSecond = 1000
	w.parts = reconcile.Parts{Config: c, Branches: []reconcile.Branch{{Code: code, Warehouse: code, Zone: time.UTC}}, Ledger: w.ledger, Odoo: w.user,
		Products: w.master, Meaning: w.planner, Log: log, Clock: w.clock, Away: func() string { return w.away },
		Reported: func(string) (reconcile.Report, bool) {
			if w.report == nil {
				return reconcile.Report{}, false
			}
			return *w.report, true
		}}
	w.runner = reconcile.New(w.parts)
	return w
}

func (w *world) clock() time.Time { return time.Now().Add(time.Duration(w.ahead.Load())) }

func (w *world) forward(d time.Duration) { w.ahead.Add(int64(d)) }

func (w *world) unique() string {
	return fmt.Sprintf("%X-%d", time.Now().UnixNano()&0xFFFFFFFFFF, serial.Add(1))
}

func (w *world) product(tracking odoo.Tracking) odoo.Product {
	w.t.Helper()
	has, err := w.admin.Fields(w.t.Context(), "product.product")
	must(w.t, err)
	vals := map[string]any{"name": "Ibuprofen " + w.unique(), "default_code": "C" + w.unique(), "tracking": string(tracking)}
	if has.Has("is_storable") {
		vals["type"], vals["is_storable"] = "consu", true
	} else {
		vals["detailed_type"] = "product"
	}
	ids, err := w.admin.Create(w.t.Context(), "product.product", vals)
	must(w.t, err)
	all, err := w.user.ProductsByID(w.t.Context(), ids)
	must(w.t, err)
	return all[0]
}

// opening is stock that was there before the branch began.
func (w *world) opening(p odoo.Product, lot string, n float64) {
	w.t.Helper()
	w.counted(p, lot, n)
}

// counted makes what lies of a product and lot at the branch equal to n, as a person
// does in Odoo who has counted it.
func (w *world) counted(p odoo.Product, lot string, n float64) {
	w.t.Helper()
	vals := map[string]any{"product_id": p.ID, "location_id": w.branch.StockID, "inventory_quantity": n}
	if lot != "" {
		l, err := w.admin.EnsureLot(w.t.Context(), p.ID, w.branch.CompanyID, lot, time.Time{})
		must(w.t, err)
		vals["lot_id"] = l.ID
	}
	v, err := w.admin.Call(w.t.Context(), "stock.quant", "create", odoo.Args{Named: map[string]any{"vals_list": []any{vals}}, Context: map[string]any{"inventory_mode": true}})
	must(w.t, err)
	_, err = w.admin.Call(w.t.Context(), "stock.quant", "action_apply_inventory", odoo.Args{IDs: odoo.IDs(v)})
	must(w.t, err)
}

func (w *world) moved(kind movement.Kind, p odoo.Product, n int64, change ...func(*movement.Movement)) movement.Movement {
	m := movement.Movement{Kind: kind, Product: movement.Product{Scheme: movement.SKU, Code: p.Code}, Quantity: movement.Units(n),
		OccurredAt: w.clock().UTC(), RecordedAt: w.clock().UTC()}
	for _, f := range change {
		f(&m)
	}
	return m
}

func lot(name string) func(*movement.Movement) { return func(m *movement.Movement) { m.Lot = name } }

func ago(d time.Duration) func(*movement.Movement) {
	return func(m *movement.Movement) { m.OccurredAt = m.OccurredAt.Add(-d) }
}

// send commits movements in one batch and projects them.
func (w *world) send(all ...movement.Movement) {
	w.t.Helper()
	records := make([][]byte, len(all))
	for i := range all {
		must(w.t, all[i].Validate())
		records[i] = all[i].AppendJSON(nil)
	}
	w.sender.Commit(w.t, w.ledger, records...)
	must(w.t, w.projector.CatchUp(w.t.Context()))
}

// post plans and posts until nothing waits any more.
func (w *world) post() {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 2*time.Minute)
	ended := make(chan error, 1)
	go func() { ended <- w.poster.Run(ctx) }()
	changed, stop := w.ledger.Watch(ledger.PostingsChanged | ledger.Ruled | ledger.Projected)
	defer func() {
		stop()
		cancel()
		<-ended
	}()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		must(w.t, w.projector.CatchUp(ctx))
		_, err := w.planner.Once(ctx)
		must(w.t, err)
		open, err := w.ledger.BranchesWithPostings(ctx)
		must(w.t, err)
		work, err := w.ledger.PendingWork(ctx)
		must(w.t, err)
		if len(open)+len(work) == 0 {
			return
		}
		select {
		case <-ctx.Done():
			w.t.Fatal("it does not come to rest")
		case <-changed:
		case <-tick.C:
		}
	}
}

// check compares the branch and gives what is kept of it.
func (w *world) check() ledger.Reconciled {
	w.t.Helper()
	must(w.t, w.master.Refresh(w.t.Context()))
	must(w.t, w.runner.One(w.t.Context(), ledger.ToReconcile{Branch: w.sender.Branch, AskedAt: w.clock(), Who: "ann"}, w.parts.Branches[0]))
	c, found, err := w.ledger.Reconciliation(w.t.Context(), w.sender.Branch)
	must(w.t, err)
	if !found {
		w.t.Fatal("nothing is kept")
	}
	for _, d := range c.Result.Days {
		if d.Unplaced() != 0 || d.Posted != d.Found+d.Changed+d.Missing+d.Accepted || d.Captured != d.Received+d.Lost {
			w.t.Errorf("%s does not add up: %+v", d.Day, d.Buckets)
		}
	}
	return c
}

// equal checks that nothing is otherwise.
func (w *world) equal() ledger.Reconciled {
	w.t.Helper()
	c := w.check()
	if c.Differences != 0 || !c.Since.IsZero() || c.Summary.NoStock != "" {
		w.t.Fatalf("%d differences since %s, %q: %+v", c.Differences, c.Since, c.Summary.NoStock, c.Result)
	}
	return c
}

// document gives the newest posting that is done.
func (w *world) document() ledger.Posting {
	w.t.Helper()
	all, err := w.ledger.Postings(w.t.Context(), ledger.PostingFilter{Branch: w.sender.Branch, State: ledger.PostingDone, Limit: 1})
	must(w.t, err)
	if len(all) != 1 {
		w.t.Fatal("no document is posted")
	}
	return all[0]
}

// said has the branch report its stream.
func (w *world) said(last, acked uint64) {
	w.report = &reconcile.Report{At: time.Now(),
		Streams: []wire.StreamState{{Epoch: w.sender.Epoch, Lane: w.sender.Lane, Oldest: 1, Last: last, Acked: acked}}}
}

// poll waits until something is so.
func poll(t *testing.T, so func() bool) {
	t.Helper()
	late := time.NewTimer(30 * time.Second)
	defer late.Stop()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !so() {
		select {
		case <-tick.C:
		case <-late.C:
			t.Fatal("it never is so")
		}
	}
}
