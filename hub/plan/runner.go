package plan

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"branchline/hub/ledger"
	"branchline/internal/fault"
	"branchline/internal/movement"
	"branchline/internal/odoo"
)

// Ledger is what the runner asks and writes. It is called from several
// goroutines, for one branch by one at a time.
type Ledger interface {
	PendingWork(ctx context.Context) ([]ledger.PendingWork, error)
	PendingLoose(ctx context.Context, branch string, kind movement.Kind, after ledger.MovementID, limit int) ([]ledger.Movement, error)
	DueGroups(ctx context.Context, branch string, quiet, latest time.Time, after int64, limit int) ([]ledger.Group, error)
	ComingGroups(ctx context.Context, branch string, quiet, latest time.Time, limit int) ([]ledger.Group, error)
	GroupMembers(ctx context.Context, group int64) ([]ledger.Movement, error)
	OpenPostings(ctx context.Context, branch string, now time.Time, limit int) ([]ledger.Posting, error)
	LastBrought(ctx context.Context) (time.Time, error)
	Transfer(ctx context.Context, ref string) (ledger.Transfer, error)
	UnnumberedTransfer(ctx context.Context, from, to string, since time.Time) (ledger.Transfer, error)
	Released(ctx context.Context, branch string) (map[ledger.MovementID][]string, error)
	CreatePosting(ctx context.Context, p ledger.NewPosting, at time.Time) (int64, error)
	Refuse(ctx context.Context, refusals []ledger.Refusal, at time.Time) error
	Watch(events ledger.Event) (changed <-chan struct{}, stop func())
}

// Master is the catalogue that the runner keeps fresh when a plan misses
// something.
type Master interface {
	Catalogue
	// Site gives a branch's warehouse by its code, and its company's places.
	Site(warehouse string) (odoo.Warehouse, odoo.Places, bool)
	// AsOf is when the catalogue was last read from Odoo, zero for never.
	AsOf() time.Time
	// Refresh reads what has changed in Odoo.
	Refresh(ctx context.Context) error
	// Aliases reads what people have said that codes mean.
	Aliases(ctx context.Context) error
	// AliasGeneration is that of the aliases that were read last.
	AliasGeneration() int64
}

// Odoo is what a plan asks Odoo itself for, since it must be as it is now.
type Odoo interface {
	OpenReceipts(ctx context.Context, w odoo.Warehouse) ([]odoo.Receipt, error)
	// StockOf gives what is on hand of products at a location and below it.
	StockOf(ctx context.Context, locationID int64, productIDs []int64) ([]odoo.OnHand, error)
}

// Runner plans all branches, one goroutine a branch at a time.
type Runner struct {
	cfg     Config
	ledger  Ledger
	master  Master
	odoo    Odoo
	log     *slog.Logger
	clock   func() time.Time
	metrics *metrics

	mu       sync.Mutex
	branches map[string]*pace
	alarms   map[string][]string
	misses   sync.Mutex
	// boxes is held while what was taken in of transfers is planned.
	boxes    sync.Mutex
	missedAt time.Time
	// awayUntil is when Odoo is asked again after it did not answer.
	awayUntil time.Time
	// maxLoose bounds the loose movements of one kind in one look.
	maxLoose int
}

// pace is when a branch is looked at again, and where the next look begins:
// one takes a part of what waits, and the next goes on behind it, so that what
// cannot leave never hides what can.
type pace struct {
	since map[movement.Kind]time.Time
	next  map[movement.Kind]time.Time
	group time.Time

	looseAfter map[movement.Kind]ledger.MovementID
	groupAfter int64
}

// Bounds of one look at one branch, and of the whole.
const (
	maxLoose  = 10_000
	maxOpen   = 10_000
	maxGroups = 200
	// maxIdle is how many looks of one visit may come to nothing.
	maxIdle    = 8
	parallel   = 4
	settleTime = 100 * time.Millisecond
	// askTimeout bounds how long a plan waits for Odoo.
	askTimeout = 20 * time.Second
)

// NewRunner makes a runner; reg may be nil.
func NewRunner(cfg Config, l Ledger, m Master, o Odoo, log *slog.Logger, clock func() time.Time, reg prometheus.Registerer) *Runner {
	return &Runner{cfg: cfg, ledger: l, master: m, odoo: o, log: log, clock: clock, metrics: newMetrics(reg),
		branches: map[string]*pace{}, alarms: map[string][]string{}, maxLoose: maxLoose}
}

// Run plans until ctx ends, whenever something has changed or is due.
func (r *Runner) Run(ctx context.Context) error {
	changed, stop := r.ledger.Watch(ledger.Projected | ledger.Ruled | ledger.PostingsChanged)
	defer stop()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
			// More is likely to follow at once.
			if !sleep(ctx, settleTime) {
				return nil
			}
		case <-timer.C:
		}
		next, err := r.Once(ctx)
		if err != nil && ctx.Err() == nil {
			r.log.Error("planning failed", "err", err)
			next = r.clock().Add(r.cfg.Recheck)
		}
		pause := max(time.Until(next), settleTime)
		if next.IsZero() {
			pause = time.Minute
		}
		timer.Reset(min(pause, time.Minute))
	}
}

func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// Once plans everything that is due and tells when to come again; zero for when
// something has changed. It is for one goroutine at a time.
func (r *Runner) Once(ctx context.Context) (next time.Time, err error) {
	work, err := r.ledger.PendingWork(ctx)
	if err != nil {
		return next, err
	}
	r.metrics.pending(work, r.clock())
	if len(work) > 0 {
		if err := r.master.Aliases(ctx); err != nil {
			return next, err
		}
	}
	if r.master.AsOf().IsZero() {
		if err := r.refresh(ctx); err != nil || r.master.AsOf().IsZero() {
			return r.clock().Add(r.cfg.Recheck), nil
		}
	}
	byBranch := map[string][]ledger.PendingWork{}
	for _, w := range work {
		byBranch[w.Branch] = append(byBranch[w.Branch], w)
	}
	r.forget(byBranch)
	var (
		wg    sync.WaitGroup
		mu    sync.Mutex
		slots = make(chan struct{}, parallel)
		errs  []error
	)
	for branch, list := range byBranch {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			at, err := r.branch(ctx, branch, list)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				errs = append(errs, err)
				at = r.clock().Add(r.cfg.Recheck)
			}
			if !at.IsZero() && (next.IsZero() || at.Before(next)) {
				next = at
			}
		})
	}
	wg.Wait()
	return next, errors.Join(errs...)
}

// forget drops what is remembered of branches where nothing waits.
func (r *Runner) forget(work map[string][]ledger.PendingWork) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for branch := range r.branches {
		if work[branch] == nil {
			delete(r.branches, branch)
			delete(r.alarms, branch)
		}
	}
}

// Alarms are what keeps branches from being planned, by branch.
func (r *Runner) Alarms() map[string][]string {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make(map[string][]string, len(r.alarms))
	for k, v := range r.alarms {
		if len(v) > 0 {
			out[k] = v
		}
	}
	return out
}

func (r *Runner) alarm(branch string, texts []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(texts) > 0 && len(r.alarms[branch]) == 0 {
		r.log.Warn("movements wait for Odoo's setup", "branch", branch, "alarms", texts)
	}
	r.alarms[branch] = texts
}

func (r *Runner) pace(branch string) *pace {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.branches[branch]
	if p == nil {
		p = &pace{since: map[movement.Kind]time.Time{}, next: map[movement.Kind]time.Time{}, looseAfter: map[movement.Kind]ledger.MovementID{}}
		r.branches[branch] = p
	}
	return p
}

// refresh reads the catalogue anew, but not more often than the settings allow.
func (r *Runner) refresh(ctx context.Context) error {
	r.misses.Lock()
	defer r.misses.Unlock()
	now := r.clock()
	if now.Sub(r.missedAt) < r.cfg.MissInterval && !r.missedAt.IsZero() {
		return nil
	}
	r.missedAt = now
	err := r.master.Refresh(ctx)
	if err != nil && fault.ClassOf(err) != fault.Transient && ctx.Err() == nil {
		r.log.Error("the catalogue cannot be read from Odoo", "err", err)
	}
	return err
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
