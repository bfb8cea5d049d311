package post

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/sony/gobreaker/v2"

	"branchline/hub/ledger"
	"branchline/internal/movement"
)

// Ledger is what the poster asks and writes: from several goroutines, for one
// branch by one at a time.
type Ledger interface {
	BranchesWithPostings(ctx context.Context) ([]string, error)
	OpenPostings(ctx context.Context, branch string, now time.Time, limit int) ([]ledger.Posting, error)
	PostingByName(ctx context.Context, name string) (ledger.Posting, bool, error)
	PostingRuns(ctx context.Context, id int64) ([]ledger.Run, error)
	ChainRuns(ctx context.Context, runs []ledger.Run) ([]ledger.Run, error)
	PostingMovements(ctx context.Context, id int64) ([]ledger.Movement, error)
	ChangePosting(ctx context.Context, id int64, c ledger.PostingChange) ([]int64, error)
	Adopt(ctx context.Context, a ledger.Adopted) (int64, error)
	TellDouble(ctx context.Context, posting string, d ledger.OdooRef, at time.Time) error
	KnowsDocument(ctx context.Context, d ledger.OdooRef) (bool, error)
	KeepUnadopted(ctx context.Context, u ledger.Unadopted) error
	IsSettled(ctx context.Context, d ledger.OdooRef) (bool, error)
	SettleUnadopted(ctx context.Context, odooID int64, how string, at time.Time) error
	Unadopted(ctx context.Context) ([]ledger.Unadopted, error)
	Searched(ctx context.Context) (map[string]time.Time, error)
	ToCompare(ctx context.Context, after int64, limit int) ([]ledger.ToCompare, error)
	Compared(ctx context.Context, id int64, changed string, at time.Time) error
	Posting(ctx context.Context, id int64) (ledger.Posting, error)
	MarkSearched(ctx context.Context, branches []string, through time.Time) error
	Audit(ctx context.Context, e ledger.Entry) error
	Watch(events ledger.Event) (changed <-chan struct{}, stop func())
}

// Poster carries postings out.
type Poster struct {
	cfg     Config
	ledger  Ledger
	gate    *gate
	meaning Meaning
	log     *slog.Logger
	clock   func() time.Time
	metrics *metrics
	wake    chan struct{}
	// comparing: adopted documents are being compared.
	comparing atomic.Bool

	mu      sync.Mutex
	busy    map[string]bool
	idle    map[string]time.Time // a branch has nothing to do until then
	adopted bool
	// searched are the branches for whose documents this process has searched Odoo.
	searched map[string]bool
	// blocked says why a branch's postings cannot go, by branch.
	blocked map[string]string
	// unadopted are the documents that nobody knows the content of, by their
	// ids in Odoo.
	unadopted map[int64]ledger.Unadopted
	halt      halt
	open      bool // the breaker
	openAt    time.Time
	// away says why Odoo was last away; empty for never.
	away string
	// heldUntil is when the breaker lets a call through again.
	heldUntil time.Time
}

// halt is a stop of all posting since Odoo's setup is at fault.
type halt struct {
	reason string
	since  time.Time
	until  time.Time
}

// New makes a poster; reg may be nil.
func New(cfg Config, l Ledger, o Odoo, m Meaning, log *slog.Logger, clock func() time.Time, reg prometheus.Registerer) *Poster {
	p := &Poster{cfg: cfg, ledger: l, meaning: m, log: log, clock: clock, metrics: newMetrics(reg), wake: make(chan struct{}, 1),
		busy: map[string]bool{}, idle: map[string]time.Time{}, blocked: map[string]string{}, searched: map[string]bool{}}
	p.gate = newGate(o, cfg, p.breakerChanged, p.gone)
	return p
}

// gone keeps why Odoo was last away.
func (p *Poster) gone(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.away = message(err)
}

func (p *Poster) breakerChanged(to gobreaker.State) {
	p.mu.Lock()
	was := p.open
	p.open = to != gobreaker.StateClosed
	if to == gobreaker.StateOpen {
		p.heldUntil = p.clock().Add(p.cfg.BreakFor)
		if !was {
			p.openAt = p.clock()
		}
	}
	open := p.open
	p.mu.Unlock()
	p.metrics.breaker(open)
	if open != was {
		p.log.Warn("the breaker before Odoo has changed", "open", open)
	}
}

// Status is how the poster is, for pages and alarms.
type Status struct {
	// Halted says why all posting stands still; empty if it does not.
	Halted      string
	HaltedSince time.Time
	// Blocked says which branches' postings wait for a right in Odoo, and why.
	Blocked map[string]string
	// BreakerOpen: Odoo is away, since when.
	BreakerOpen  bool
	BreakerSince time.Time
	// Away says why Odoo last was away, also when it no longer is; empty for
	// never.
	Away string
	// Adopted tells that Odoo has been searched for documents that the ledger
	// does not know; before that nothing is posted.
	Adopted bool
	// Unadopted are documents that could not be taken over; their branches are
	// not posted until a person has settled them.
	Unadopted []ledger.Unadopted
}

// Status tells how the poster is.
func (p *Poster) Status() Status {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := Status{Halted: p.halt.reason, HaltedSince: p.halt.since, BreakerOpen: p.open, Adopted: p.adopted, Blocked: maps.Clone(p.blocked),
		Unadopted: p.kept(), Away: p.away}
	if p.open {
		s.BreakerSince = p.openAt
	}
	return s
}

// Run posts until ctx ends, and returns when every branch has come to rest.
func (p *Poster) Run(ctx context.Context) error {
	changed, stop := p.ledger.Watch(ledger.PostingsChanged)
	defer stop()
	var workers sync.WaitGroup
	defer workers.Wait()
	timer := time.NewTimer(0)
	defer timer.Stop()
	var sweepAt time.Time
	var took time.Duration
	var failed int64
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
			p.mu.Lock()
			clear(p.idle)
			p.mu.Unlock()
		case <-p.wake:
		case <-timer.C:
		}
		if p.held() == 0 && !p.clock().Before(sweepAt) {
			began := time.Now()
			switch err := p.adopt(ctx, took); {
			case err == nil:
				took, failed = time.Since(began), 0
				if !p.comparing.Swap(true) {
					workers.Go(func() { p.compareAdopted(ctx) })
				}
				sweepAt = p.clock().Add(p.cfg.SweepEvery)
				if len(p.Status().Unadopted) > 0 {
					sweepAt = p.clock().Add(min(p.cfg.SetupPause, p.cfg.SweepEvery))
				}
			case ctx.Err() == nil:
				p.failedLook(err)
				sweepAt = p.clock().Add(p.backoff(failed))
				failed++
			}
		}
		var pause time.Duration
		if p.Status().Adopted {
			var unsearched bool
			var err error
			if pause, unsearched, err = p.dispatch(ctx, &workers); err != nil && ctx.Err() == nil {
				p.log.Error("postings cannot be read from the ledger", "err", err)
			}
			if unsearched && failed == 0 {
				sweepAt = p.clock()
			}
		} else {
			pause = sweepAt.Sub(p.clock())
		}
		timer.Reset(max(min(pause, sweepAt.Sub(p.clock())), p.held(), time.Millisecond))
	}
}

// held is how long nothing may be sent: posting is halted or the breaker open.
func (p *Poster) held() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.clock()
	d := max(0, p.halt.until.Sub(now))
	if p.open {
		d = max(d, p.heldUntil.Sub(now))
	}
	return d
}

// dispatch starts a worker for each branch that has something to do, and tells
// when to look again. One whose documents in Odoo have not been searched for yet
// waits for that.
func (p *Poster) dispatch(ctx context.Context, workers *sync.WaitGroup) (pause time.Duration, unsearched bool, err error) {
	if d := p.held(); d > 0 {
		return d, false, nil
	}
	branches, err := p.ledger.BranchesWithPostings(ctx)
	if err != nil {
		return p.cfg.RetryFirst, false, err
	}
	pause = time.Minute
	for _, branch := range branches {
		if !p.isSearched(branch) {
			unsearched = true
			continue
		}
		switch started, wait := p.claim(branch); {
		case wait > 0:
			pause = min(pause, wait)
		case started:
			workers.Go(func() { p.work(ctx, branch) })
		}
	}
	return pause, unsearched, nil
}

func (p *Poster) isSearched(branch string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.searched[branch] || p.searched[everyBranch]
}

// claim makes a branch this caller's own. wait is how long it has nothing to do.
func (p *Poster) claim(branch string) (started bool, wait time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.busy[branch] || len(p.busy) >= p.cfg.Parallel {
		return false, 0 // the one that ends wakes us
	}
	if p.withheld(branch) {
		return false, p.cfg.SetupPause
	}
	if d := p.idle[branch].Sub(p.clock()); d > 0 {
		return false, d
	}
	p.busy[branch] = true
	return true, 0
}

// maxTurn bounds how many postings of a branch are done before others get
// their turn.
const maxTurn = 20

// work carries out what a branch has, one after the other.
func (p *Poster) work(ctx context.Context, branch string) {
	defer func() {
		p.mu.Lock()
		delete(p.busy, branch)
		p.mu.Unlock()
		select {
		case p.wake <- struct{}{}:
		default:
		}
	}()
	for range maxTurn {
		if ctx.Err() != nil || p.held() > 0 || p.stands(branch) {
			return
		}
		next, ok, err := p.next(ctx, branch)
		if err != nil {
			if ctx.Err() == nil {
				p.log.Error("postings cannot be read from the ledger", "branch", branch, "err", err)
			}
			p.rest(branch, p.clock().Add(p.cfg.RetryFirst))
			return
		}
		if !ok {
			return
		}
		if err := p.one(ctx, next); err != nil {
			if ctx.Err() == nil {
				p.log.Error("a posting's outcome cannot be written down", "branch", branch, "posting", next.Name, "err", err)
			}
			p.rest(branch, p.clock().Add(p.cfg.RetryFirst))
			return
		}
	}
}

// next chooses what is due: receipts first, since people wait for them.
func (p *Poster) next(ctx context.Context, branch string) (ledger.Posting, bool, error) {
	all, err := p.ledger.OpenPostings(ctx, branch, p.clock(), 100)
	if err != nil {
		return ledger.Posting{}, false, err
	}
	if len(all) == 0 {
		later, err := p.ledger.OpenPostings(ctx, branch, time.Time{}, 100)
		at := p.clock().Add(time.Minute)
		for _, o := range later {
			if o.NextAt.Before(at) {
				at = o.NextAt
			}
		}
		p.rest(branch, at)
		return ledger.Posting{}, false, err
	}
	for _, o := range all {
		if o.Kind == movement.Receipt {
			return o, true, nil
		}
	}
	return all[0], true, nil
}

func (p *Poster) rest(branch string, until time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle[branch] = until
}

// one tries a posting once and writes down what became of it.
func (p *Poster) one(ctx context.Context, at ledger.Posting) error {
	r := &run{p: p, at: at, began: p.clock(), log: p.log.With("branch", at.Branch, "posting", at.Name)}
	body, err := ledger.DecodeBody(at.Body)
	if err == nil {
		r.body = body
		if r.runs, err = p.ledger.PostingRuns(ctx, at.ID); err == nil {
			r.runs, err = p.ledger.ChainRuns(ctx, r.runs)
		}
	} else {
		err = fmt.Errorf("%s: %w", at.Name, err)
		return r.slow(ctx, err)
	}
	if err != nil {
		return err
	}
	if at.Step == stepRefused {
		return r.refused(ctx, errorOf(at.Fault))
	}
	ref, err := r.post(ctx)
	return r.settle(ctx, ref, err)
}

// failedLook is for a failed search for documents that the ledger does not know.
func (p *Poster) failedLook(err error) {
	p.log.Warn("Odoo cannot be searched for documents of ours; posting waits for it", "err", err)
	p.stopFor(err)
}
