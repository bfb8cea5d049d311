package room

import (
	"context"
	"errors"
	"time"

	"branchline/hub/ledger"
)

// keepEvery is how often what branches said and how their lines changed is put into
// the ledger, all in one transaction; forgetEvery how often old changes are
// forgotten there.
const (
	keepEvery   = 5 * time.Second
	forgetEvery = time.Hour
	// maxChanges bounds what waits for a ledger that takes nothing.
	maxChanges = 20_000
)

// Remember takes up what was known before the hub was started. Lines that were up
// then went when the hub ended: as far as it is known, when their branch was last
// heard of.
func (m *Room) Remember(ctx context.Context) error {
	reports, err := m.Ledger.BranchReports(ctx)
	if err != nil {
		return err
	}
	lines, err := m.Ledger.LastLines(ctx)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range reports {
		m.reports[r.Branch] = report{r.State, r.At}
	}
	for _, c := range lines {
		if c.Online {
			if heard := m.reports[c.Branch].at; heard.After(c.At) {
				c.At = heard
			}
			c.Online, c.Why = false, ledger.WhyHubStopped
			m.changes = append(m.changes, c)
		}
		m.lines[c.Branch] = c
	}
	return nil
}

// LineChanged takes up that a branch's line came or went. It never waits.
func (m *Room) LineChanged(c ledger.LineChange) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.lines[c.Branch] = c
	if len(m.changes) < maxChanges {
		m.changes = append(m.changes, c)
	}
}

// Keep puts what was taken up into the ledger until ctx ends, and then that the
// lines went with the hub.
func (m *Room) Keep(ctx context.Context) error {
	tick := time.NewTicker(keepEvery)
	defer tick.Stop()
	var forgot time.Time
	for {
		select {
		case <-ctx.Done():
			return m.keepLast(ctx)
		case <-tick.C:
		}
		err := m.keep(ctx)
		if err == nil && time.Since(forgot) > forgetEvery {
			forgot = time.Now()
			err = m.Ledger.WriteBulk(ctx, func(tx *ledger.Tx) error { return tx.ForgetLines(forgot.Add(-ledger.LinesKeptFor)) })
		}
		if err != nil && ctx.Err() == nil {
			m.Log.Warn("what branches said of themselves is not kept yet", "err", err)
		}
	}
}

func (m *Room) keepLast(ctx context.Context) error {
	m.mu.Lock()
	for branch, c := range m.lines {
		if c.Online {
			c = ledger.LineChange{Branch: branch, At: time.Now(), Why: ledger.WhyHubStopped}
			m.lines[branch], m.changes = c, append(m.changes, c)
		}
	}
	m.mu.Unlock()
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), keepEvery)
	defer cancel()
	if err := m.keep(end); err != nil {
		m.Log.Warn("what branches said of themselves last is not kept", "err", err)
	}
	return ctx.Err()
}

func (m *Room) keep(ctx context.Context) error {
	m.mu.Lock()
	changes, fresh := m.changes, m.fresh
	reports := make([]ledger.BranchReport, 0, len(fresh))
	for branch := range fresh {
		r := m.reports[branch]
		reports = append(reports, ledger.BranchReport{Branch: branch, At: r.at, State: r.State})
	}
	m.changes, m.fresh = nil, map[string]bool{}
	m.mu.Unlock()
	if len(changes)+len(reports) == 0 {
		return nil
	}
	err := m.Ledger.Write(ctx, func(tx *ledger.Tx) error {
		var err error
		for _, c := range changes {
			err = errors.Join(err, tx.KeepLine(c))
		}
		for _, r := range reports {
			err = errors.Join(err, tx.KeepReport(r))
		}
		return err
	})
	if err != nil { // the next one has it
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.changes = append(changes, m.changes...); len(m.changes) > maxChanges {
			m.changes = m.changes[len(m.changes)-maxChanges:]
		}
		for branch := range fresh {
			m.fresh[branch] = true
		}
	}
	return err
}

// line says how a branch's line is: by the broker, and where that has not seen the
// branch since the hub's start, by what was known before. m.mu is held.
func (m *Room) line(branch string, c Connection) (online bool, since time.Time, why string) {
	last := m.lines[branch]
	if c.Since.IsZero() {
		return c.Online, last.At, last.Why
	}
	return c.Online, c.Since, last.Why
}

// silentSince is since when a branch that is not connected can be called silent: an
// end of the hub is no fault of the branch, which has from the hub's start on to come
// back.
func (m *Room) silentSince(since time.Time, why string) time.Time {
	if why == ledger.WhyHubStopped && since.Before(m.started) {
		return m.started
	}
	return since
}
