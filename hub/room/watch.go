package room

import (
	"context"
	"slices"
	"time"

	"branchline/hub/ledger"
)

// Watched is a branch as those see it who raise alarms.
type Watched struct {
	Code, Name string
	Zone       *time.Location
	Hours      Hours
	Connected  bool
	// Since is when it came or went; zero where it was never seen.
	Since time.Time
	// Unsent counts what it last reported to have kept, Documents what is to be
	// made in Odoo.
	Unsent    uint64
	Documents int64
	// OldestUnsent is when the first movement was recorded that it reported to
	// have kept; zero for none.
	OldestUnsent time.Time
	// OldestException is when the one that waits longest came; zero for none.
	OldestException time.Time
	Exceptions      int64
	// ClockAhead is by how much its clock was ahead of the hub's when it last
	// reported, negative when it was behind; the way of the report is in it.
	ClockAhead time.Duration
	// Identity is what must be looked at about who proves to be its PC.
	Identity []string
	// Said is what it says that a person should look at.
	Said []string
	// Differences counts what was otherwise than in Odoo when it was last compared, at
	// Compared, zero for never; OtherwiseSince is since when anything is, zero for
	// nothing.
	Differences              int64
	Compared, OtherwiseSince time.Time
	// Boxes are transfers to it of which not all was taken in as it was sent.
	Boxes []ledger.OpenTransfer
	// Low are products of which there is too little, Expiring lots that expire soon, in
	// words; Refilled tells that this is known.
	Low, Expiring []string
	Refilled      bool
}

// Watch is the whole hub, for alarms.
type Watch struct {
	Branches []Watched
	Odoo     Odoo
	// OdooAway is since when Odoo does not answer; zero while it does.
	OdooAway time.Time
	// Halted says why all posting stands still, since HaltedSince.
	Halted      string
	HaltedSince time.Time
	// Identity is what must be looked at about who tries to be a branch's PC.
	Identity []string
}

// Watch looks at all branches and at Odoo.
func (m *Room) Watch(ctx context.Context) (Watch, error) {
	st := m.Posting()
	w := Watch{Odoo: m.Odoo(), Halted: st.Halted, HaltedSince: st.HaltedSince}
	if st.BreakerOpen {
		w.OdooAway = st.BreakerSince
	}
	overview, err := m.Ledger.Overview(ctx)
	if err != nil {
		return w, err
	}
	compared, err := m.Ledger.Reconciliations(ctx)
	if err != nil {
		return w, err
	}
	refills := make([]Signals, len(m.Branches))
	for i := range m.Branches {
		refills[i] = m.signalsOf(&m.Branches[i])
	}
	boxes, err := m.OpenTransfers(ctx)
	if err != nil {
		return w, err
	}
	identities, err := m.identities(ctx)
	if err != nil {
		return w, err
	}
	w.Identity = identities[""]
	lines := m.connections()
	m.mu.Lock()
	defer m.mu.Unlock()
	w.Branches = make([]Watched, len(m.Branches))
	at := map[string]int{}
	for i, b := range m.Branches {
		r := m.reports[b.Code]
		online, since, why := m.line(b.Code, lines[b.Code])
		v := Watched{Code: b.Code, Name: b.Name, Zone: b.Zone, Hours: b.Hours, Connected: online, Since: m.silentSince(since, why),
			Unsent: r.Unsent, OldestUnsent: r.OldestUnsent, Identity: identities[b.Code], Said: saidBy(r.State, b.Zone)}
		if !r.At.IsZero() {
			v.ClockAhead = r.At.Sub(r.at)
		}
		v.Low, v.Expiring, v.Refilled = refills[i].words()
		w.Branches[i], at[b.Code] = v, i
	}
	for _, o := range overview {
		i, ok := at[o.Branch]
		if !ok {
			continue // no longer configured
		}
		v := &w.Branches[i]
		v.Exceptions, v.OldestException, v.Documents = o.Exceptions, o.OldestException, o.Open
		if !v.Connected && o.LastReceived.After(v.Since) {
			v.Since = o.LastReceived
		}
	}
	for _, c := range compared {
		if i, ok := at[c.Branch]; ok {
			v := &w.Branches[i]
			v.Differences, v.Compared, v.OtherwiseSince = c.Differences, c.At, c.Since
		}
	}
	for _, t := range boxes {
		i, ok := at[t.To]
		if !ok {
			i, ok = at[t.From]
		}
		if ok {
			w.Branches[i].Boxes = append(w.Branches[i].Boxes, t)
		}
	}
	return w, nil
}

// boxesFor is for how long after it was sent a box is looked for.
const boxesFor = 90 * 24 * time.Hour

// OpenTransfers lists what was sent from branch to branch and was not taken in as it
// was sent, the oldest first.
func (m *Room) OpenTransfers(ctx context.Context) ([]ledger.OpenTransfer, error) {
	return m.Ledger.OpenTransfers(ctx, time.Now().Add(-boxesFor))
}

// Late names the boxes that are not equal since a moment or longer.
func (b *Watched) Late(since time.Time) (late []string) {
	for _, t := range b.Boxes {
		if !t.Since.After(since) {
			late = append(late, t.Ref)
		}
	}
	return late
}

// Alerts lists what is wrong by the rules, the oldest first, then what was over in
// the last day, the newest first.
func (m *Room) Alerts(ctx context.Context) (wrong, over []ledger.Alert, err error) {
	all, err := m.Ledger.Alerts(ctx)
	for _, a := range all {
		if a.EndedAt.IsZero() {
			wrong = append(wrong, a)
		} else {
			over = append(over, a)
		}
	}
	slices.SortStableFunc(over, func(x, y ledger.Alert) int { return y.EndedAt.Compare(x.EndedAt) })
	return wrong, over, err
}
