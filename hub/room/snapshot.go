package room

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"branchline/hub/ledger"
)

// How old what everybody is shown may be: the branches, and what takes longer to
// count and changes less. What takes long to put together, as with a large backlog, is
// put together the more seldom, so that it takes a part of the time only; and who asks
// gets the last one, if it is not too old, rather than waiting for the next.
const (
	snapshotFor  = time.Second
	slowFor      = 10 * time.Second
	buildTimeout = 10 * time.Second
	timesItTook  = 4
	patience     = 150 * time.Millisecond
	oldAtMost    = 30 * time.Second
)

// snapshots keeps what the board shows, so that it is put together once, however
// many look at it.
type snapshots struct {
	mu   sync.Mutex
	last *snapshot
	next *building // nil while none is being made
}

// building is a snapshot that is being made; done is closed when it is.
type building struct {
	done chan struct{}
	made *snapshot
	err  error
}

// snapshot is all branches at a moment. It is not changed once it is made.
type snapshot struct {
	made, slow time.Time
	took       time.Duration
	rows       []Row
	groups     []string
	exceptions []ExceptionGroup
	postings   Postings
	alarms     []string
	day        map[string]ledger.DayHours
}

func (s *snapshot) age() time.Duration { return time.Since(s.made) }

// snapshot gives the newest one, or makes it. Those who ask meanwhile wait for it for
// as long as they must.
func (m *Room) snapshot(ctx context.Context) (*snapshot, error) {
	m.shots.mu.Lock()
	last := m.shots.last
	if last != nil && last.age() < max(snapshotFor, timesItTook*last.took) {
		m.shots.mu.Unlock()
		return last, nil
	}
	next := m.shots.next
	if next == nil {
		next = &building{done: make(chan struct{})}
		m.shots.next = next
		// It is for all who wait, not only for who came first.
		go m.make(context.WithoutCancel(ctx), next, last)
	}
	m.shots.mu.Unlock()
	var enough <-chan time.Time
	if last != nil && last.age() < oldAtMost {
		t := time.NewTimer(patience)
		defer t.Stop()
		enough = t.C
	}
	select {
	case <-next.done:
		return next.made, next.err
	case <-enough:
		return last, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (m *Room) make(ctx context.Context, next *building, last *snapshot) {
	ctx, cancel := context.WithTimeout(ctx, buildTimeout)
	defer cancel()
	began := time.Now()
	next.made, next.err = m.build(ctx, last)
	m.shots.mu.Lock()
	defer m.shots.mu.Unlock()
	m.shots.next = nil
	if next.err == nil {
		next.made.took = next.made.made.Sub(began)
		m.shots.last = next.made
	}
	close(next.done)
}

func (m *Room) build(ctx context.Context, before *snapshot) (*snapshot, error) {
	overview, err := m.Ledger.Overview(ctx)
	if err != nil {
		return nil, err
	}
	s := &snapshot{alarms: m.alarms(ctx)}
	if before != nil && time.Since(before.slow) < slowFor {
		s.slow, s.postings.Posted, s.day = before.slow, before.postings.Posted, before.day
	} else {
		now := time.Now()
		if s.day, err = m.Ledger.LastDay(ctx, now); err == nil {
			s.postings.Posted, err = m.Ledger.PostedSince(ctx, now.Add(-24*time.Hour))
		}
		if s.slow = now; err != nil {
			return nil, err
		}
	}
	if s.exceptions, err = m.reasons(ctx); err != nil {
		return nil, err
	}
	s.rows = m.rows(overview, s.day)
	for i := range s.rows {
		s.postings.Waiting += s.rows[i].Documents
		for _, g := range s.rows[i].Groups {
			if !slices.Contains(s.groups, g) {
				s.groups = append(s.groups, g)
			}
		}
	}
	slices.Sort(s.groups)
	s.made = time.Now()
	return s, nil
}

// rows joins what is configured, what is connected, what was reported and what has
// come.
func (m *Room) rows(overview []ledger.BranchOverview, day map[string]ledger.DayHours) []Row {
	come := make(map[string]*ledger.BranchOverview, len(overview))
	for i := range overview {
		come[overview[i].Branch] = &overview[i]
	}
	lines, now := m.connections(), time.Now()
	m.mu.Lock()
	defer m.mu.Unlock()
	all := make([]Row, len(m.Branches))
	for i, b := range m.Branches {
		r := &all[i]
		r.Code, r.Name, r.Groups, r.Day = b.Code, b.Name, b.Groups, day[b.Code]
		r.Connected, r.Since, r.Why = m.line(b.Code, lines[b.Code])
		zone := cmp.Or(b.Zone, time.UTC)
		open, always := b.Hours.OpenFor(now.In(zone))
		r.Closed = !always && open == 0
		last := m.reports[b.Code]
		r.hear(&last, zone)
		if o := come[b.Code]; o != nil {
			r.come(o)
		} else {
			r.come(&ledger.BranchOverview{})
		}
		r.Need = r.need(now)
	}
	return all
}

func (m *Room) reasons(ctx context.Context) ([]ExceptionGroup, error) {
	counts, err := m.Ledger.CountExceptions(ctx, "")
	if err != nil {
		return nil, err
	}
	var groups []ExceptionGroup
	at := map[string]int{}
	for _, c := range counts {
		i, ok := at[c.Reason]
		if !ok {
			at[c.Reason] = len(groups)
			groups = append(groups, ExceptionGroup{Reason: c.Reason, Count: c.Count, Oldest: c.Oldest})
			continue
		}
		groups[i].Count += c.Count
		if c.Oldest.Before(groups[i].Oldest) {
			groups[i].Oldest = c.Oldest
		}
	}
	slices.SortStableFunc(groups, func(x, y ExceptionGroup) int { return cmp.Compare(y.Count, x.Count) })
	return groups, nil
}
