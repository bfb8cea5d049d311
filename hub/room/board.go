package room

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"branchline/hub/ledger"
	"branchline/internal/ui"
	"branchline/internal/wire"
)

// Board is what the board shows, as one moment saw it.
type Board struct {
	Version  string
	Branches []Row
	// Exceptions are grouped by reason, the most frequent first.
	Exceptions []ExceptionGroup
	// Latest are the newest open exceptions, a page of them.
	Latest   []Exception
	Postings Postings
	Odoo     Odoo
	Alarms   []string
}

// ForPeople counts what waits for a person, over all reasons.
func (b Board) ForPeople() (n int64) {
	for _, g := range b.Exceptions {
		n += g.Count
	}
	return n
}

// Row is a branch's line of the board.
type Row struct {
	Code, Name string
	Connected  bool
	// Since is when it connected or was last heard of; zero for never.
	Since time.Time
	// LastMovement is when the newest movement was received.
	LastMovement time.Time
	// Received counts movements, Waiting those for the planner, Documents
	// those to be made in Odoo, Exceptions what waits for a person.
	Received, Waiting, Documents, Exceptions int64
	// Unsent is what the branch last reported to have kept, Open what it has
	// scanned and not confirmed, Alarms what it said a person should look at.
	Unsent uint64
	Open   string
	Alarms []string
}

// ExceptionGroup is one reason and how often it waits for a person.
type ExceptionGroup struct {
	Reason string
	Count  int64
	Oldest time.Time
}

// Exception is one movement that waits for a person.
type Exception struct {
	ID, Branch, Reason, Text, Raw string
	// From is where it was read: file and line, or the adapter.
	From  string
	Since time.Time
}

// Postings counts documents by state.
type Postings struct {
	Waiting, Posted int64
	// Latest are the newest documents.
	Latest []Document
}

// Document is one for Odoo, made or to be made.
type Document struct {
	Name, Branch, Kind, State, Detail string
	Movements                         int64
	At                                time.Time
}

// Odoo is the connection to Odoo.
type Odoo struct {
	URL       string
	Reachable bool
	Trouble   string
}

// Board is what the board shows at this moment.
func (m *Room) Board(ctx context.Context) (Board, error) {
	s := Board{Version: m.Version, Odoo: m.Odoo(), Alarms: m.alarms(ctx)}
	branches, err := m.rows(ctx)
	if err != nil {
		return s, err
	}
	s.Branches = branches
	if s.Exceptions, err = m.reasons(ctx); err != nil {
		return s, err
	}
	newest, err := m.Ledger.Exceptions(ctx, ledger.ExceptionFilter{Limit: 20})
	if err != nil {
		return s, err
	}
	for _, e := range newest {
		s.Latest = append(s.Latest, Exception{ID: e.Identity.String(), Branch: e.Identity.Branch, Reason: e.Reason,
			Text: e.Text, Raw: e.Source.Raw + e.Source.RawHex, From: ledger.SourceWords(&e.Source), Since: e.Since})
	}
	s.Postings, err = m.postings(ctx)
	return s, err
}

// Line is a configured branch's connection, on the control socket.
type Line struct {
	Code      string    `json:"code"`
	Connected bool      `json:"connected"`
	Since     time.Time `json:"since,omitzero"`
	// Said is what the branch says that a person should look at.
	Said []string `json:"said,omitempty"`
}

// Lines tells which of the configured branches are connected.
func (m *Room) Lines() []Line {
	lines := m.connections()
	m.mu.Lock()
	defer m.mu.Unlock()
	all := make([]Line, len(m.Branches))
	for i, b := range m.Branches {
		online, since, _ := m.line(b.Code, lines[b.Code])
		all[i] = Line{Code: b.Code, Connected: online, Since: since, Said: saidBy(m.reports[b.Code].State, b.Zone)}
	}
	return all
}

func (m *Room) connections() map[string]Connection {
	lines := map[string]Connection{}
	for _, c := range m.Connections() {
		lines[c.Branch] = c
	}
	return lines
}

// rows joins what is configured, what is connected and what has come.
func (m *Room) rows(ctx context.Context) ([]Row, error) {
	lines := m.connections()
	overview, err := m.Ledger.Overview(ctx)
	if err != nil {
		return nil, err
	}
	come := map[string]ledger.BranchOverview{}
	for _, o := range overview {
		come[o.Branch] = o
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []Row
	for _, b := range m.Branches {
		line, o := lines[b.Code], come[b.Code]
		row := Row{Code: b.Code, Name: b.Name, Connected: line.Online, Since: line.Since,
			LastMovement: o.LastReceived, Received: o.Received, Waiting: o.Pending, Documents: o.Open, Exceptions: o.Exceptions,
			Unsent: m.reports[b.Code].Unsent, Open: openWords(m.reports[b.Code].Open), Alarms: saidBy(m.reports[b.Code].State, b.Zone)}
		if !line.Online && o.LastReceived.After(row.Since) {
			row.Since = o.LastReceived
		}
		all = append(all, row)
	}
	// What needs a person first: silent, then with exceptions.
	slices.SortStableFunc(all, func(x, y Row) int {
		if x.Connected != y.Connected {
			if x.Connected {
				return 1
			}
			return -1
		}
		return cmp.Compare(y.Exceptions, x.Exceptions)
	})
	return all, nil
}

// Bounds of what the board shows of a branch's own words.
const (
	maxAlarms     = 5
	maxAlarmBytes = 400
)

// saidBy is what a branch says that a person should look at, in its own time.
func saidBy(s wire.State, loc *time.Location) []string {
	var all, texts []string
	for _, alarm := range s.Alarms {
		all = append(all, alarm.Text)
	}
	for _, x := range s.Scanners {
		if !x.Up {
			all = append(all, x.Words(loc))
		}
	}
	for _, text := range all[:min(len(all), maxAlarms)] {
		if len(text) > maxAlarmBytes {
			text = strings.ToValidUTF8(text[:maxAlarmBytes], "") + "…"
		}
		texts = append(texts, text)
	}
	if more := len(all) - maxAlarms; more > 0 {
		texts = append(texts, "and "+strconv.Itoa(more)+" more")
	}
	return texts
}

// openWords says what was scanned at a branch and is not confirmed there.
func openWords(o wire.OpenWork) string {
	var parts []string
	for _, p := range []struct {
		n         uint
		one, many string
	}{{o.Deliveries, "delivery", "deliveries"}, {o.Counts, "count", "counts"}, {o.Others, "other", "others"}} {
		if p.n > 0 {
			parts = append(parts, ui.Many(uint64(p.n), p.one, p.many))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return strings.Join(parts, ", ") + ", " + ui.Many(uint64(o.Lines), "line", "lines")
}

func (m *Room) reasons(ctx context.Context) ([]ExceptionGroup, error) {
	counts, err := m.Ledger.CountExceptions(ctx, "")
	if err != nil {
		return nil, err
	}
	var groups []ExceptionGroup
	for _, c := range counts {
		i := slices.IndexFunc(groups, func(g ExceptionGroup) bool { return g.Reason == c.Reason })
		if i < 0 {
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

func (m *Room) postings(ctx context.Context) (Postings, error) {
	var p Postings
	counts, err := m.Ledger.CountPostings(ctx)
	if err != nil {
		return p, err
	}
	p.Waiting = counts[ledger.PostingPlanned] + counts[ledger.PostingBegun]
	p.Posted = counts[ledger.PostingDone]
	newest, err := m.Ledger.Postings(ctx, ledger.PostingFilter{Limit: 12})
	for _, n := range newest {
		v := Document{Name: n.Name, Branch: n.Branch, Kind: string(n.Kind), State: string(n.State), Detail: n.Odoo.Name,
			Movements: n.Movements, At: n.ChangedAt}
		if n.Fault.Text != "" && n.State != ledger.PostingDone {
			v.Detail = n.Fault.Text
		}
		p.Latest = append(p.Latest, v)
	}
	return p, err
}
