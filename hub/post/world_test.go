package post_test

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"branchline/hub/catalogue"
	"branchline/hub/ledger"
	"branchline/hub/ledger/ledgertest"
	"branchline/hub/plan"
	"branchline/hub/post"
	"branchline/hub/projection"
	"branchline/internal/movement"
	"branchline/internal/odoo"
	"branchline/internal/odoo/odootest"
)

// world is one Odoo, simulated or real, with a branch of its own, and a hub
// from the ledger to the poster.
type world struct {
	t     testing.TB
	sim   *odootest.Server // nil for a real one
	admin *odoo.Client
	user  *odoo.Client
	// theirs is the hub's client; user is the same user for the test, patient.
	theirs *odoo.Client
	cfg    odoo.Config

	branch odoo.Warehouse
	places odoo.Places
	clock  *clock
	path   string
	hub
	closed *ledger.Ledger // by a test
	sender *ledgertest.Sender
	sent   []movement.Movement
	posts  post.Config
	plans  plan.Config
	// between, if not nil, stand between the poster and what it uses.
	betweenOdoo   func(post.Odoo) post.Odoo
	betweenLedger func(post.Ledger) post.Ledger
}

// hub is what a restart makes anew.
type hub struct {
	ledger    *ledger.Ledger
	projector *projection.Projector
	master    *catalogue.Catalogue
	planner   *plan.Runner
	planning  sync.Mutex
	poster    *post.Poster
}

// clock is the time of day, set forward by a test.
type clock struct {
	mu    sync.Mutex
	ahead time.Duration
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.ahead)
}

func (c *clock) forward(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += d
}

var serial atomic.Int64

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// everywhere runs f against the simulation of each version, and against a real
// Odoo if ODOO_URL, ODOO_DB, ODOO_USER and ODOO_KEY are set.
func everywhere(t *testing.T, f func(t *testing.T, w *world)) {
	for _, version := range []int{17, 19} {
		t.Run(fmt.Sprintf("simulated %d", version), func(t *testing.T) {
			t.Parallel()
			f(t, simulated(t, version))
		})
	}
	t.Run("real", func(t *testing.T) {
		if os.Getenv("ODOO_URL") == "" {
			t.Skip("ODOO_URL, ODOO_DB, ODOO_USER and ODOO_KEY are not set: no real Odoo to post to")
		}
		cfg := odoo.Config{URL: os.Getenv("ODOO_URL"), DB: os.Getenv("ODOO_DB"), User: os.Getenv("ODOO_USER"), Key: odoo.Key(os.Getenv("ODOO_KEY"))}
		f(t, newWorld(t, nil, cfg, os.Getenv("ODOO_STOCK_USER"), os.Getenv("ODOO_STOCK_KEY")))
	})
}

func simulated(t testing.TB, version int) *world {
	s, url := odootest.Start(t, odootest.Options{Version: version, Costs: odootest.MeasuredCosts()})
	o := s.Options()
	cfg := odoo.Config{URL: url, DB: o.DB, User: o.User, Key: odoo.Key(o.Key)}
	return newWorld(t, s, cfg, o.StockUser, o.StockKey)
}

func newWorld(t testing.TB, sim *odootest.Server, cfg odoo.Config, stockUser, stockKey string) *world {
	t.Helper()
	w := &world{t: t, sim: sim, admin: clientOf(t, cfg), clock: &clock{}, path: filepath.Join(t.TempDir(), "ledger.db"),
		posts: post.DefaultConfig(), plans: plan.DefaultConfig()}
	w.user = w.admin
	if stockUser != "" {
		cfg.User, cfg.Key = stockUser, odoo.Key(stockKey)
		w.user = clientOf(t, cfg)
	}
	w.cfg, w.theirs = cfg, w.user
	w.posts.RetryFirst, w.posts.RetryMost, w.posts.BreakFor = time.Millisecond, 5*time.Millisecond, time.Millisecond
	w.posts.SetupPause, w.posts.DefectPause = time.Millisecond, time.Millisecond
	w.posts.CallsPerSecond, w.posts.Burst = 10_000, 1000
	w.plans.Every, w.plans.Timezone, w.plans.MissInterval = 0, "UTC", 10*time.Millisecond
	w.plans.Recheck = 10 * time.Millisecond
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
	w.places, err = w.user.Places(t.Context(), w.branch.CompanyID)
	must(t, err)
	w.posts.Branches = []string{code} // others may test on the same Odoo
	w.sender = ledgertest.NewSender(code, movement.NewEpoch(), movement.Live)
	w.start()
	return w
}

func clientOf(t testing.TB, cfg odoo.Config) *odoo.Client {
	c, err := odoo.New(cfg)
	must(t, err)
	t.Cleanup(c.Close)
	return c
}

// hurry gives the hub a client that does not wait for long.
func (w *world) hurry(limit time.Duration) {
	w.cfg.Timeout = limit
	w.theirs = clientOf(w.t, w.cfg)
	w.on(w.ledger)
}

func (w *world) unique() string {
	return fmt.Sprintf("%X-%d", time.Now().UnixNano()&0xFFFFFFFFFF, serial.Add(1))
}

// start makes a hub on the ledger's file.
func (w *world) start() {
	l, err := ledger.Open(context.Background(), ledger.Config{Path: w.path}, slog.New(slog.DiscardHandler))
	must(w.t, err)
	w.t.Cleanup(func() {
		if w.closed != l {
			must(w.t, l.Close())
		}
	})
	w.on(l)
}

// on makes the stages anew on an open ledger.
func (w *world) on(l *ledger.Ledger) {
	log := slog.New(slog.DiscardHandler)
	if testing.Verbose() {
		log = slog.New(slog.NewTextHandler(w.t.Output(), &slog.HandlerOptions{Level: slog.LevelInfo}))
	}
	var facts post.Ledger = l
	if w.betweenLedger != nil {
		facts = w.betweenLedger(l)
	}
	var to post.Odoo = w.theirs
	if w.betweenOdoo != nil {
		to = w.betweenOdoo(w.theirs)
	}
	m := catalogue.New(catalogue.Config{Every: time.Minute, FullEvery: time.Hour}, w.theirs, l, log, w.clock.now, nil)
	planner := plan.NewRunner(w.plans, l, m, w.theirs, log, w.clock.now, nil)
	w.hub = hub{ledger: l, projector: projection.New(l, log, nil), master: m, planner: planner,
		poster: post.New(w.posts, facts, to, planner, log, w.clock.now, nil)}
}

// product makes a storable product; tracked ones have expiry.
func (w *world) product(tracking odoo.Tracking) odoo.Product {
	w.t.Helper()
	return w.products(tracking, 1)[0]
}

func (w *world) products(tracking odoo.Tracking, n int) []odoo.Product {
	w.t.Helper()
	has, err := w.admin.Fields(w.t.Context(), "product.product")
	must(w.t, err)
	var list []map[string]any
	for range n {
		vals := map[string]any{"name": "Ibuprofen " + w.unique(), "default_code": "C" + w.unique(), "tracking": string(tracking)}
		if tracking != odoo.ByQuantity {
			vals["use_expiration_date"] = true
		}
		if has.Has("is_storable") {
			vals["type"], vals["is_storable"] = "consu", true
		} else {
			vals["detailed_type"] = "product"
		}
		list = append(list, vals)
	}
	ids, err := w.admin.Create(w.t.Context(), "product.product", list...)
	must(w.t, err)
	all, err := w.user.ProductsByID(w.t.Context(), ids)
	must(w.t, err)
	return all
}

func (w *world) lot(p odoo.Product, name string) {
	w.t.Helper()
	_, err := w.user.EnsureLot(w.t.Context(), p.ID, w.branch.CompanyID, name, w.clock.now().AddDate(2, 0, 0))
	must(w.t, err)
}

// order makes a confirmed purchase order for the branch and gives its number.
func (w *world) order(quantities map[int64]float64) string {
	w.t.Helper()
	partner, err := w.admin.Create(w.t.Context(), "res.partner", map[string]any{"name": "Wholesaler " + w.unique()})
	must(w.t, err)
	var lines []any
	for id, q := range quantities {
		lines = append(lines, []any{0, 0, map[string]any{"product_id": id, "product_qty": q, "price_unit": 1.0, "name": "x"}})
	}
	ids, err := w.admin.Create(w.t.Context(), "purchase.order", map[string]any{"partner_id": partner[0], "picking_type_id": w.branch.InTypeID, "order_line": lines})
	must(w.t, err)
	_, err = w.admin.Call(w.t.Context(), "purchase.order", "button_confirm", odoo.Args{IDs: ids})
	must(w.t, err)
	rows, err := w.admin.Read(w.t.Context(), "purchase.order", ids, "name")
	must(w.t, err)
	return rows[0].String("name")
}

// moved is a movement of whole units of a product.
func (w *world) moved(kind movement.Kind, p odoo.Product, n int64, change ...func(*movement.Movement)) movement.Movement {
	m := movement.Movement{Kind: kind, Product: movement.Product{Scheme: movement.SKU, Code: p.Code}, Quantity: movement.Units(n),
		OccurredAt: w.clock.now().UTC(), RecordedAt: w.clock.now().UTC()}
	if kind == movement.TransferIn || kind == movement.TransferOut {
		m.Counterpart = "OTHER"
	}
	for _, f := range change {
		f(&m)
	}
	return m
}

func lot(name string) func(*movement.Movement) { return func(m *movement.Movement) { m.Lot = name } }

func forOrder(ref string) func(*movement.Movement) {
	return func(m *movement.Movement) { m.Document = movement.Document{Type: "order", Ref: ref} }
}

func group(id string, size int) func(*movement.Movement) {
	return func(m *movement.Movement) { m.Group = movement.Group{ID: id, Size: size} }
}

func (w *world) expiring(months int) func(*movement.Movement) {
	return func(m *movement.Movement) { m.Expiry = movement.DateOf(w.clock.now().UTC().AddDate(0, months, 0)) }
}

// send commits movements in one batch and projects them.
func (w *world) send(all ...movement.Movement) {
	w.t.Helper()
	records := make([][]byte, len(all))
	for i := range all {
		must(w.t, all[i].Validate())
		records[i] = all[i].AppendJSON(nil)
	}
	w.sent = append(w.sent, all...)
	w.sender.Commit(w.t, w.ledger, records...)
	must(w.t, w.projector.CatchUp(w.t.Context()))
}

// settle plans and posts until nothing waits any more.
func (w *world) settle() {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 2*time.Minute)
	defer cancel()
	if !w.until(ctx, func() bool { return w.rest(ctx) }) {
		w.t.Fatalf("it does not come to rest: %s", w.describe())
	}
}

// rest tells that nothing waits, nor is to be looked at again. What the poster gives back to the planner between
// the two looks is seen by the second; nothing is planned meanwhile.
func (w *world) rest(ctx context.Context) bool {
	w.planning.Lock()
	defer w.planning.Unlock()
	open, err := w.ledger.BranchesWithPostings(ctx)
	must(w.t, err)
	work, err := w.ledger.PendingWork(ctx)
	must(w.t, err)
	again, err := w.ledger.Reconsider(ctx, 1) // what was adopted meanwhile
	must(w.t, err)
	return len(work)+len(open)+len(again) == 0
}

// until runs the poster, planning whenever something has changed, until enough.
func (w *world) until(ctx context.Context, enough func() bool) bool {
	w.t.Helper()
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- w.poster.Run(ctx) }()
	defer func() {
		cancel()
		must(w.t, <-ended)
	}()
	changed, stop := w.ledger.Watch(ledger.PostingsChanged | ledger.Ruled | ledger.Projected)
	defer stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		if err := w.plan(ctx); err != nil && ctx.Err() == nil {
			w.t.Fatal(err)
		}
		if enough() {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-changed:
		case <-tick.C:
		}
	}
}

// plan projects and plans once; it may be called while until runs.
func (w *world) plan(ctx context.Context) error {
	w.planning.Lock()
	defer w.planning.Unlock()
	if err := w.projector.CatchUp(ctx); err != nil {
		return err
	}
	_, err := w.planner.Once(ctx)
	return err
}

func (w *world) describe() string {
	var b strings.Builder
	all, _ := w.ledger.OpenPostings(context.Background(), w.sender.Branch, time.Time{}, 20)
	for _, p := range all {
		fmt.Fprintf(&b, "\n%s %s step %q attempts %d: %s", p.Name, p.State, p.Step, p.Attempts, p.Fault.Text)
	}
	work, _ := w.ledger.PendingWork(context.Background())
	fmt.Fprintf(&b, "\npending %+v, alarms %v, status %+v", work, w.planner.Alarms(), w.poster.Status())
	return b.String()
}

// attempts counts the tries of all open postings.
func (w *world) attempts() (n int64) {
	all, err := w.ledger.OpenPostings(w.t.Context(), w.sender.Branch, time.Time{}, 100)
	must(w.t, err)
	for _, p := range all {
		n += p.Attempts
	}
	return n
}

// stock is what lies at the branch by product code and lot.
func (w *world) stock() map[string]movement.Quantity {
	w.t.Helper()
	rows, err := w.user.Stock(w.t.Context(), w.branch.StockID)
	must(w.t, err)
	out := map[string]movement.Quantity{}
	for _, r := range rows {
		p, ok := w.master.Product(r.ProductID)
		if !ok {
			w.t.Fatalf("product %d in the stock is not in the catalogue", r.ProductID)
		}
		q := movement.Quantity(math.Round(r.Quantity * movement.QuantityScale))
		if q != 0 {
			out[p.Code+"/"+r.LotName] += q
		}
	}
	for k, q := range out {
		if q == 0 {
			delete(out, k)
		}
	}
	return out
}

// implied is what the movements that are posted make of the stock.
func (w *world) implied() map[string]movement.Quantity {
	w.t.Helper()
	out := map[string]movement.Quantity{}
	for i, m := range w.sent {
		state := w.state(uint64(i + 1))
		if state != ledger.Posted {
			continue
		}
		q := m.Quantity
		switch m.Kind {
		case movement.Dispense, movement.Wastage, movement.TransferOut:
			q = -q
		}
		out[m.Product.Code+"/"+m.Lot+m.Serial] += q
	}
	for k, q := range out {
		if q == 0 {
			delete(out, k)
		}
	}
	return out
}

func (w *world) state(seq uint64) ledger.State {
	w.t.Helper()
	m, err := w.ledger.Movement(w.t.Context(), w.sender.Find(w.t, w.ledger, seq))
	must(w.t, err)
	return m.State
}

// exceptions are the open ones' reasons by seq.
func (w *world) exceptions() map[uint64]string {
	w.t.Helper()
	all, err := w.ledger.Exceptions(w.t.Context(), ledger.ExceptionFilter{Limit: 1000})
	must(w.t, err)
	out := map[uint64]string{}
	for _, e := range all {
		out[e.Identity.Seq] = e.Reason
	}
	return out
}

// check holds Odoo's stock against the movements.
func (w *world) check() {
	w.t.Helper()
	must(w.t, w.master.Refresh(w.t.Context()))
	got, want := w.stock(), w.implied()
	for k, q := range want {
		if got[k] != q {
			w.t.Errorf("%s: %s in Odoo, the posted movements make %s", k, got[k], q)
		}
	}
	for k, q := range got {
		if _, ok := want[k]; !ok {
			w.t.Errorf("%s: %s in Odoo, and no posted movement", k, q)
		}
	}
}

type decision = ledger.Decision

func aliasFor(w *world, code string, p odoo.Product) ledger.Alias {
	return ledger.Alias{Product: movement.Product{Scheme: movement.SKU, Code: code}, ProductID: p.ID, ProductName: p.Name,
		Who: "ph", Why: "the supplier's new number", At: w.clock.now()}
}

func lotName(i, j int) string { return fmt.Sprintf("LOT%d.%d", i, j) }
