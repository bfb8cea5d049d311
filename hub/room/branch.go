package room

import (
	"context"
	"slices"
	"time"

	"branchline/hub/ledger"
	"branchline/internal/fault"
	"branchline/internal/wire"
)

// BranchOf is everything that is known of one branch.
type BranchOf struct {
	Row
	// Zone is its time zone.
	Zone *time.Location
	// Report is what it last said of itself, at Reported; zero for never.
	Report   wire.State
	Reported time.Time
	// Changes are how its line came and went for [LinesShownFor], the newest first;
	// the last may be from before.
	Changes []ledger.LineChange
	// Hours are the movements of the last [HoursShown] hours, each of them.
	Hours []ledger.HourCount
	// Newest are the newest of its exceptions, Postings its newest documents.
	Newest   []ledger.Exception
	Postings []ledger.Posting
}

// What is shown of a branch.
const (
	HoursShown    = 48
	LinesShownFor = 7 * 24 * time.Hour
	maxLines      = 300
	shownOfEach   = 10
)

// Branch tells of one branch. One that is not configured is a fault of class Data and
// code [CodeUnknownBranch].
func (m *Room) Branch(ctx context.Context, code string) (*BranchOf, error) {
	s, err := m.snapshot(ctx)
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(m.Branches, func(b Branch) bool { return b.Code == code })
	if at < 0 {
		return nil, fault.New(fault.Data, CodeUnknownBranch, "there is no branch %.40q", code).WithHint("look it up on the board")
	}
	b := &BranchOf{Row: s.rows[at], Zone: m.Branches[at].Zone} // rows are in the order of the branches
	if b.Zone == nil {
		b.Zone = time.UTC
	}
	m.mu.Lock()
	b.Report, b.Reported = m.reports[code].State, m.reports[code].at
	pending := slices.Clone(m.changes)
	m.mu.Unlock()
	now := time.Now()
	if b.Changes, err = m.Ledger.Lines(ctx, code, now.Add(-LinesShownFor), maxLines); err != nil {
		return nil, err
	}
	for _, c := range pending { // not in the ledger yet
		if c.Branch == code && (len(b.Changes) == 0 || c.At.After(b.Changes[0].At)) {
			b.Changes = slices.Insert(b.Changes, 0, c)
		}
	}
	if b.Hours, err = m.hoursOf(ctx, code, now); err != nil {
		return nil, err
	}
	if b.Newest, _, err = m.Ledger.NewestExceptions(ctx, code, shownOfEach); err != nil {
		return nil, err
	}
	b.Postings, err = m.Ledger.Postings(ctx, ledger.PostingFilter{Branch: code, Limit: shownOfEach})
	return b, err
}

// hoursOf gives each of the last hours, also those in which nothing happened.
func (m *Room) hoursOf(ctx context.Context, code string, now time.Time) ([]ledger.HourCount, error) {
	last := now.UTC().Truncate(time.Hour)
	first := last.Add(-(HoursShown - 1) * time.Hour)
	some, err := m.Ledger.BranchHours(ctx, code, first, last.Add(time.Hour))
	if err != nil {
		return nil, err
	}
	all := make([]ledger.HourCount, HoursShown)
	for i := range all {
		all[i].Hour = first.Add(time.Duration(i) * time.Hour)
	}
	for _, h := range some {
		all[int(h.Hour.Sub(first)/time.Hour)].Movements = h.Movements
	}
	return all, nil
}
