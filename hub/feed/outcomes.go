package feed

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"branchline/hub/ledger"
	"branchline/internal/feed"
)

// Ledger is where it stands what became of the branches' movements. One
// goroutine asks it.
type Ledger interface {
	SessionFates(ctx context.Context, branch string, since time.Time, limit int) (fates []ledger.Fate, more bool, err error)
	NewestExceptions(ctx context.Context, branch string, limit int) (list []ledger.Exception, all int64, err error)
	DecidedRows(ctx context.Context, branch string, since time.Time, limit int) (all []ledger.Decided, more bool, err error)
	WatchBranches() *ledger.BranchWatch
}

var _ Ledger = (*ledger.Ledger)(nil)

const (
	// maxFates and maxWaits bound what one branch is told of its movements: of
	// those in sessions, of those that wait with a person, and of rows of exports that
	// a person has settled.
	maxFates, maxWaits, maxDecided = 20_000, 500, 5000
	// rowRuns is how many runs are in one row.
	rowRuns = 200
	// lookAgain is how often a branch is read of which nothing seems to have
	// changed: sessions grow old, and another hub may have worked on it.
	lookAgain = 10 * time.Minute
	// stillTrue is how often a branch is told that nothing has changed.
	stillTrue = time.Minute
	// share is which part of the time may be spent reading: one in so many. The
	// week of a busy branch takes a tenth of a second, and hundreds of branches
	// receive at the same hour of the morning.
	share = 5
)

// outcomes reads what became of the branches' movements. One goroutine uses it.
type outcomes struct {
	f      *Feed
	packer *feed.Packer
	watch  *ledger.BranchWatch
	// stirred are the branches to be read, read is when each was last.
	stirred map[string]bool
	read    map[string]time.Time
	// told is when each branch was last told as of when it is true.
	told map[string]time.Time
}

// followOutcomes reads until ctx ends.
func (f *Feed) followOutcomes(ctx context.Context) {
	o := &outcomes{f: f, packer: feed.NewPacker(), watch: f.Ledger.WatchBranches(), stirred: map[string]bool{},
		read: map[string]time.Time{}, told: map[string]time.Time{}}
	defer o.watch.Stop()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		pause := f.cfg.OutcomesEvery
		if err := o.look(ctx); err != nil && ctx.Err() == nil {
			f.metrics.readings.WithLabelValues(string(feed.Outcomes), "failed").Inc()
			f.log.Warn("what became of the branches' movements cannot be read", "err", err)
			pause = max(pause, errAgain)
		}
		timer.Reset(pause)
	}
}

// look reads the branches that were stirred, or were not read for long.
func (o *outcomes) look(ctx context.Context) error {
	stirred, err := o.watch.Take(ctx)
	if err != nil {
		return err
	}
	for _, code := range stirred {
		o.stirred[code] = true
	}
	for i := range o.f.branches {
		code, now := o.f.branches[i].Code, o.f.clock()
		since := now.Sub(o.read[code])
		switch {
		case o.stirred[code], since >= lookAgain, since < 0:
			began := time.Now()
			doc, err := o.build(ctx, code, now)
			if err != nil {
				return err
			}
			delete(o.stirred, code)
			o.read[code], o.told[code] = now, now
			o.f.metrics.readings.WithLabelValues(string(feed.Outcomes), "ok").Inc()
			o.f.set(doc, now)
			if err := rest(ctx, (share-1)*time.Since(began)); err != nil {
				return err
			}
		case now.Sub(o.told[code]) >= stillTrue:
			o.told[code] = now
			o.f.set(o.f.document(feed.Outcomes, code), now)
		}
	}
	return nil
}

func rest(ctx context.Context, pause time.Duration) error {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

func (o *outcomes) build(ctx context.Context, branch string, now time.Time) (*feed.Document, error) {
	// By whole days, so that the rows' going changes the parts once a day.
	since := now.Add(-o.f.cfg.OutcomesFor).Truncate(24 * time.Hour)
	fates, more, err := o.f.Ledger.SessionFates(ctx, branch, since, maxFates)
	if err != nil {
		return nil, err
	}
	if more {
		o.f.log.Warn("a branch has confirmed more than it can be told of", "branch", branch, "movements", maxFates)
	}
	waiting, all, err := o.f.Ledger.NewestExceptions(ctx, branch, maxWaits)
	if err != nil {
		return nil, err
	}
	decided, more, err := o.f.Ledger.DecidedRows(ctx, branch, since, maxDecided)
	if err != nil {
		return nil, err
	}
	if more {
		o.f.log.Warn("more rows of a branch were settled than it can be told of", "branch", branch, "rows", maxDecided)
	}
	b := feed.NewBuilder(feed.Outcomes, branch, o.f.document(feed.Outcomes, branch), o.packer)
	for _, row := range slices.Concat(decidedRows(decided), sessionRows(fates), waitingRows(waiting, all)) {
		if err := b.Add(row.Key, row); err != nil {
			return nil, err
		}
	}
	return b.Done()
}

// sessionRows makes rows of the sessions, in the order of their names and places.
func sessionRows(fates []ledger.Fate) (rows []feed.Outcome) {
	slices.SortFunc(fates, func(a, b ledger.Fate) int {
		return cmp.Or(strings.Compare(a.Session, b.Session), cmp.Compare(a.ID, b.ID))
	})
	for i := range fates {
		f := &fates[i]
		if f.Session == "" || len(f.Session) > maxSession {
			continue
		}
		run := runOf(f)
		last := len(rows) - 1
		if last >= 0 && rows[last].Session == f.Session && rows[last].Epoch == f.Identity.Epoch && rows[last].Lane == f.Identity.Lane {
			runs := rows[last].Runs
			if end := &runs[len(runs)-1]; end.Last+1 == run.First && alike(*end, run) {
				end.Last = run.Last
				continue
			}
			if len(runs) < rowRuns {
				rows[last].Runs = append(runs, run)
				continue
			}
		}
		rows = append(rows, feed.Outcome{Key: "s/" + f.Session, Session: f.Session, Epoch: f.Identity.Epoch, Lane: f.Identity.Lane,
			Runs: []feed.OutcomeRun{run}})
	}
	return rows
}

// decidedRows makes rows of what people at the hub have settled, in the order of
// their places.
func decidedRows(list []ledger.Decided) (rows []feed.Outcome) {
	for i := range list {
		d := &list[i]
		run := feed.OutcomeRun{First: d.Identity.Seq, Last: d.Identity.Seq, At: d.At.Unix(), Who: clip(d.Who), Why: clip(d.Why)}
		switch d.What {
		case ledger.DecidedDiscard:
			run.State = feed.Discarded
		case ledger.DecidedCorrected:
			run.State = feed.Corrected
		default:
			run.State = feed.Released
		}
		if last := len(rows) - 1; last >= 0 && rows[last].Epoch == d.Identity.Epoch {
			end := &rows[last].Runs[len(rows[last].Runs)-1]
			if end.Last+1 == run.First && alike(*end, run) {
				end.Last = run.Last
				continue
			}
		}
		rows = append(rows, feed.Outcome{Key: "h/" + strings.TrimPrefix(d.Identity.String(), d.Identity.Branch+"/"), Epoch: d.Identity.Epoch, Lane: d.Identity.Lane,
			Runs: []feed.OutcomeRun{run}})
	}
	return rows
}

// maxSession is the longest name of a group that a record can have.
const maxSession = 128

// alike tells whether two runs can be one.
func alike(a, b feed.OutcomeRun) bool {
	a.First, a.Last = b.First, b.Last
	return a == b
}

func runOf(f *ledger.Fate) feed.OutcomeRun {
	run := feed.OutcomeRun{First: f.Identity.Seq, Last: f.Identity.Seq, State: feed.Underway, At: f.RecordedAt.Unix()}
	switch f.State {
	case ledger.Posted:
		run.State, run.Document, run.At = feed.Posted, feed.Name(f.Document), f.PostedAt.Unix()
	case ledger.Excepted:
		run.State, run.Code, run.At = feed.WithPerson, f.Reason, f.Since.Unix()
		run.Why, _ = reasonWords(f.Stage, f.Reason, f.Text)
	case ledger.Discarded:
		run.State, run.Why = feed.Discarded, clip(f.Text)
	case ledger.Duplicate:
		run.State = feed.Repeated
	}
	return run
}

// waitingRows makes a row of each that waits with a person, in the order of
// their places, and one that counts the others.
func waitingRows(list []ledger.Exception, all int64) (rows []feed.Outcome) {
	slices.SortFunc(list, func(a, b ledger.Exception) int { return cmp.Compare(a.ID, b.ID) })
	for i := range list {
		e := &list[i]
		why, detail := reasonWords(e.Stage, e.Reason, e.Text)
		goods := &feed.OutcomeGoods{Kind: e.Kind, Lot: clip(e.Lot), Quantity: e.Quantity, Detail: detail}
		if e.Product.Code != "" {
			goods.Product = e.Product
		}
		if e.Document.Type != "session" {
			goods.Document = e.Document
		}
		if !e.OccurredAt.IsZero() {
			goods.Happened = e.OccurredAt.Unix()
		}
		rows = append(rows, feed.Outcome{Key: "w/" + strings.TrimPrefix(e.Identity.String(), e.Identity.Branch+"/"), Epoch: e.Identity.Epoch, Lane: e.Identity.Lane,
			Runs:  []feed.OutcomeRun{{First: e.Identity.Seq, Last: e.Identity.Seq, State: feed.WithPerson, At: e.Since.Unix(), Code: e.Reason, Why: why}},
			Goods: goods})
	}
	if rest := all - int64(len(list)); rest > 0 {
		rows = append(rows, feed.Outcome{Key: "x", More: rest})
	}
	return rows
}
