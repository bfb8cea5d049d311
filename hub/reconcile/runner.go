package reconcile

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"branchline/hub/ledger"
	"branchline/internal/fault"
	"branchline/internal/movement"
	"branchline/internal/odoo"
)

// Ledger is what is asked of the ledger.
type Ledger interface {
	BranchTotals(ctx context.Context, branch string) (ledger.BranchTotals, error)
	BranchGaps(ctx context.Context, branch string) ([]ledger.BranchGap, error)
	DayCounts(ctx context.Context, branch string, from movement.Date) ([]ledger.DayCount, error)
	Streams(ctx context.Context, branch string) ([]ledger.StreamOverview, error)
	Posting(ctx context.Context, id int64) (ledger.Posting, error)
	Postings(ctx context.Context, f ledger.PostingFilter) ([]ledger.Posting, error)
	PostingMovements(ctx context.Context, id int64) ([]ledger.Movement, error)
	PostingRuns(ctx context.Context, id int64) ([]ledger.Run, error)
	PostingsOfDocuments(ctx context.Context, branch string, ids []int64) (map[int64]bool, error)
	PostedSign(ctx context.Context, branch string) ([2]int64, error)
	Unadopted(ctx context.Context) ([]ledger.Unadopted, error)
	BranchStock(ctx context.Context, branch string) ([]ledger.Stock, error)
	Unposted(ctx context.Context, branch string) ([]ledger.Stock, error)
	StockStart(ctx context.Context, branch string) (*ledger.StockStart, error)
	Reconciliation(ctx context.Context, branch string) (ledger.Reconciled, bool, error)
	AcceptedDifferences(ctx context.Context, branch string) ([]ledger.Accepted, error)
	SaveReconciled(ctx context.Context, c ledger.Reconciled, start *ledger.StockStart) error
	ReconcileQueue(ctx context.Context) ([]ledger.ToReconcile, error)
	ForgetReconcile(ctx context.Context, branch string) error
	ReconcileScheduled(ctx context.Context) (time.Time, error)
	ScheduleReconcile(ctx context.Context, branches []string, at time.Time) error
	Watch(events ledger.Event) (changed <-chan struct{}, stop func())
}

var _ Ledger = (*ledger.Ledger)(nil)

// Odoo is what is asked of Odoo, by one goroutine.
type Odoo interface {
	PickingsByID(ctx context.Context, ids []int64) ([]odoo.Picking, error)
	LinesOf(ctx context.Context, pickingIDs []int64) (map[int64][]odoo.Line, error)
	PickingsWritten(ctx context.Context, locationID int64, since time.Time) (map[int64]bool, error)
	Stock(ctx context.Context, locationID int64) ([]odoo.OnHand, error)
	StockMovesSince(ctx context.Context, locationID int64, productIDs []int64, since time.Time, limit int) ([]odoo.StockMove, bool, error)
}

var _ Odoo = (*odoo.Client)(nil)

// Products is the copy of Odoo's master data.
type Products interface {
	Product(id int64) (odoo.Product, bool)
	Unit(id int64) (odoo.UoM, bool)
	Site(code string) (odoo.Warehouse, odoo.Places, bool)
}

// Meaning tells what movements are in a document of Odoo, by product and lot; false
// while that cannot be told of some. A part of a tracked product without a lot is
// Chosen.
type Meaning interface {
	Meant(ctx context.Context, all []ledger.Movement) (lines []ledger.PostingLine, ok bool, err error)
}

// Branch is one that is compared.
type Branch struct {
	Code, Warehouse string
	Zone            *time.Location
}

// Parts are what a comparison is made of.
type Parts struct {
	Config   Config
	Branches []Branch
	Ledger   Ledger
	Odoo     Odoo
	Products Products
	Meaning  Meaning
	// Reported is what a branch last said of its outbox; false for nothing yet.
	Reported func(branch string) (Report, bool)
	// Away tells that Odoo is known not to answer, so that it is not asked; empty
	// while it does.
	Away  func() string
	Log   *slog.Logger
	Clock func() time.Time
}

// Runner compares one branch after the other.
type Runner struct {
	cfg      Config
	branches []Branch
	ledger   Ledger
	odoo     Odoo
	products Products
	meaning  Meaning
	reported func(string) (Report, bool)
	away     func() string
	log      *slog.Logger
	clock    func() time.Time
	limit    *rate.Limiter
	// half is what was looked at of a branch that could not be finished; rests are
	// branches that failed by themselves, and until when they rest. Both belong to who
	// compares.
	half  half
	rests map[string]time.Time
	// unstarted tells that what was compared last is to be a start, and could not be.
	unstarted bool

	mu     sync.Mutex
	status Status
}

// Status is what goes on now.
type Status struct {
	// Branch is being compared since Since; empty for none.
	Branch string
	Since  time.Time
	// Documents counts those that were looked at so far, Of all of them.
	Documents, Of int
	// Waiting says why it does not go on, since WaitingSince; empty while it does.
	Waiting      string
	WaitingSince time.Time
}

type half struct {
	branch string
	// whole tells that the lines of all documents are read.
	whole bool
	began time.Time
	known map[int64]verdict
}

// halfLasts is for how long documents that were looked at are not asked for again.
const halfLasts = time.Hour

// Pauses: while Odoo is away, the longest one; after a failure of one branch; and how
// often the schedule is looked at.
const (
	firstPause = 2 * time.Second
	longPause  = time.Minute
	branchRest = 10 * time.Minute
	lookEvery  = 30 * time.Second
)

const limitBurst = 10

// New makes a runner; nothing runs yet.
func New(p Parts) *Runner {
	return &Runner{cfg: p.Config, branches: p.Branches, ledger: p.Ledger, odoo: p.Odoo, products: p.Products, meaning: p.Meaning, reported: p.Reported,
		away: p.Away, log: p.Log, clock: p.Clock, limit: rate.NewLimiter(rate.Limit(p.Config.CallsPerSecond), limitBurst), rests: map[string]time.Time{}}
}

// Status may be asked at any time.
func (r *Runner) Status() Status {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.status
}

// now is the time as the ledger keeps it.
func (r *Runner) now() time.Time { return r.clock().UTC().Truncate(time.Millisecond) }

func (r *Runner) tell(f func(s *Status)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f(&r.status)
}

// errAway says that Odoo was not asked since it is known to be away.
func errAway(why string) error {
	return fault.New(fault.Transient, "odoo_held_back", "Odoo is not asked now: %s", why)
}

// ask makes a call that costs so many calls to Odoo.
func ask[T any](ctx context.Context, r *Runner, cost int, call func(ctx context.Context) (T, error)) (T, error) {
	var zero T
	if why := r.away(); why != "" {
		return zero, errAway(why)
	}
	if err := r.limit.WaitN(ctx, cost); err != nil {
		return zero, err
	}
	return call(ctx)
}

// Run compares what is asked for, and asks by the schedule, until ctx ends.
func (r *Runner) Run(ctx context.Context) error {
	changed, stop := r.ledger.Watch(ledger.ReconciliationChanged)
	defer stop()
	pause := firstPause
	for {
		wait := lookEvery
		err := r.schedule(ctx)
		more := false
		if err == nil {
			more, err = r.next(ctx)
		}
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			r.waits(err)
			wait, pause = pause, min(2*pause, longPause)
		default:
			pause = firstPause
			r.tell(func(s *Status) { s.Waiting, s.WaitingSince = "", time.Time{} })
			if more {
				continue
			}
		}
		t := time.NewTimer(wait)
		hears := changed
		if err != nil {
			hears = nil // it is Odoo that is waited for
		}
		select {
		case <-ctx.Done():
		case <-hears:
		case <-t.C:
		}
		t.Stop()
	}
}

// waits notes why it does not go on, once for each outage.
func (r *Runner) waits(err error) {
	first := false
	r.tell(func(s *Status) {
		if first = s.Waiting == ""; first {
			s.WaitingSince = r.clock()
		}
		s.Waiting = err.Error()
	})
	if first {
		r.log.Warn("the reconciliation waits and goes on by itself", "err", err)
	}
}

// schedule asks for all branches when it is time. A hub that was down then does it
// when it is up again; a new one waits for the next night.
func (r *Runner) schedule(ctx context.Context) error {
	due, ok := r.cfg.due(r.clock())
	if !ok {
		return nil
	}
	last, err := r.ledger.ReconcileScheduled(ctx)
	if err != nil || !last.Before(due) {
		return err
	}
	var codes []string
	if !last.IsZero() {
		for _, b := range r.branches {
			codes = append(codes, b.Code)
		}
	}
	return r.ledger.ScheduleReconcile(ctx, codes, r.clock())
}

// next compares the branch whose turn it is; false where there is none. An error is
// not about one branch alone.
func (r *Runner) next(ctx context.Context) (bool, error) {
	queue, err := r.ledger.ReconcileQueue(ctx)
	if err != nil {
		return false, err
	}
	for _, q := range queue {
		if r.clock().Before(r.rests[q.Branch]) {
			continue
		}
		i := slices.IndexFunc(r.branches, func(b Branch) bool { return b.Code == q.Branch })
		if i < 0 { // no longer configured
			return true, r.ledger.ForgetReconcile(ctx, q.Branch)
		}
		err := r.One(ctx, q, r.branches[i])
		class := fault.ClassOf(err)
		if err != nil && (ctx.Err() != nil || class == fault.Transient || class == fault.Setup) {
			return false, err
		}
		if err != nil { // the others do not wait behind it
			r.rests[q.Branch] = r.clock().Add(branchRest)
			r.log.Error("a branch cannot be reconciled; it is tried again later", "branch", q.Branch, "err", err)
			r.tell(func(s *Status) { s.Branch = "" })
		} else if r.unstarted {
			r.rests[q.Branch] = r.clock().Add(branchRest)
		} else {
			delete(r.rests, q.Branch)
		}
		return true, nil
	}
	return false, nil
}

// One compares a branch and keeps what it found. What Odoo was asked for is not asked
// again when it is called again soon after an error. One at a time.
func (r *Runner) One(ctx context.Context, q ledger.ToReconcile, branch Branch) error {
	began := r.now()
	r.tell(func(s *Status) {
		if s.Branch != branch.Code {
			s.Branch, s.Since, s.Documents, s.Of = branch.Code, began, 0, 0
		}
	})
	whole := q.Who != ledger.Schedule
	if r.half.branch != branch.Code || r.half.whole != whole || began.Sub(r.half.began) > halfLasts || began.Before(r.half.began) {
		r.half = half{branch: branch.Code, whole: whole, began: began, known: map[int64]verdict{}}
	}
	today := movement.DateOf(began.In(branch.Zone))
	result := &ledger.ReconciledResult{From: movement.DateOf(began.In(branch.Zone).AddDate(0, 0, 1-r.cfg.Days))}
	before, known, err := r.ledger.Reconciliation(ctx, branch.Code)
	if err != nil {
		return err
	}
	var said []ledger.ReconciledStream
	if known {
		said = before.Result.Streams
	}
	b := &book{days: map[movement.Date]*ledger.Buckets{}}
	if b.known, err = r.ledger.AcceptedDifferences(ctx, branch.Code); err != nil {
		return err
	}
	if result.Streams, err = r.streams(ctx, b, branch.Code, said, today); err != nil {
		return err
	}
	all, err := r.count(ctx, b, branch.Code, result.From, today)
	if err != nil {
		return err
	}
	r.tell(func(s *Status) { s.Documents, s.Of = len(r.half.known), len(all) })
	alike := alike{}
	if known && !whole {
		if alike, err = r.lookedAt(ctx, branch, &before); err != nil {
			return err
		}
	}
	if err := r.documents(ctx, b, all, r.half.known, alike); err != nil {
		return err
	}
	if err := r.unknown(ctx, b, branch.Code); err != nil {
		return err
	}
	changed := b.records
	for _, d := range b.agreed {
		changed = append(changed, d.RecordDifference)
	}
	stock, start, err := r.stock(ctx, q, branch, changed)
	if err != nil {
		return err
	}
	result.Stock = stock
	c := ledger.Reconciled{Branch: branch.Code, BeganAt: began, At: r.now(), Who: q.Who, Result: result}
	if began.Before(q.AskedAt) { // the clock was set back
		c.BeganAt = q.AskedAt
	}
	result.Days, c.Summary.All = b.sorted()
	result.Records, result.RecordsLeft, result.Accepted = b.records, b.left, b.agreed
	c.Summary.Unsent, c.Summary.Heard = unsent(result.Streams)
	c.Summary.Records = int64(len(b.records)) + b.left
	c.Summary.Stock, c.Summary.NoStock = int64(len(stock.Differences))+stock.More, stock.Why
	c.Differences = c.Summary.Records + c.Summary.Stock
	if err := r.ledger.SaveReconciled(ctx, c, start); err != nil {
		return err
	}
	r.unstarted = q.StartWhy != "" && start == nil
	r.half = half{}
	r.tell(func(s *Status) { s.Branch, s.Documents, s.Of = "", 0, 0 })
	if c.Differences > 0 {
		r.log.Warn("the branch and Odoo are not equal", "branch", branch.Code, "records", c.Summary.Records, "stock", c.Summary.Stock)
	}
	return nil
}
