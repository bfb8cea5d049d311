package room

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"branchline/hub/ledger"
	"branchline/internal/fault"
)

// Board is what the board shows, as one moment saw it.
type Board struct {
	Version string
	// Branches are a page of those that were asked for; Found counts all of them,
	// Page is its number, of Pages.
	Branches    []Row
	Found       int
	Page, Pages int
	// Counts are over all branches of the group that was asked for, All is how many
	// there are of it. Groups lists all groups.
	Counts map[BranchState]int
	All    int
	Groups []string
	// Exceptions are grouped by reason, the most frequent first.
	Exceptions []ExceptionGroup
	Postings   Postings
	Odoo       Odoo
	Alarms     []string
}

// Count is how many branches are in a state.
func (b Board) Count(s BranchState) int { return b.Counts[s] }

// ForPeople counts what waits for a person, over all reasons.
func (b Board) ForPeople() (n int64) {
	for _, g := range b.Exceptions {
		n += g.Count
	}
	return n
}

// ExceptionGroup is one reason and how often it waits for a person.
type ExceptionGroup struct {
	Reason string
	Count  int64
	Oldest time.Time
}

// Words explain the reason.
func (g ExceptionGroup) Words() ledger.ReasonWords { return wordsOf(g.Reason) }

// Postings counts documents: those to be made in Odoo, and those that were made in
// the last 24 hours.
type Postings struct{ Waiting, Posted int64 }

// Odoo is the connection to Odoo.
type Odoo struct {
	URL       string
	Reachable bool
	Trouble   string
}

// BranchFilter chooses branches; zero fields choose all.
type BranchFilter struct {
	Group string
	State BranchState
	// Text is part of a code or a name, in any case.
	Text string
	Sort BranchSort
	// Page is the number of the page, from 1, and Size how many are on it, 100 if it
	// is 0.
	Page, Size int
	// After is a code: only branches whose codes come after it are chosen. With ByCode
	// it goes on where a page has ended, whatever else has changed.
	After string
}

// CodeBadFilter is of a filter that cannot be meant.
const CodeBadFilter = "bad_filter"

func (f *BranchFilter) validate() error {
	if f.State != "" && !slices.Contains(BranchStates, f.State) {
		return fault.New(fault.Data, CodeBadFilter, "%.40q is no state of a branch", f.State)
	}
	if !slices.Contains(BranchSorts, f.Sort) {
		return fault.New(fault.Data, CodeBadFilter, "branches cannot be sorted by %.40q", f.Sort)
	}
	return nil
}

func (f *BranchFilter) fits(r *Row) bool {
	text := strings.ToLower(f.Text)
	return r.Code > f.After && f.inGroup(r) && r.Is(f.State) && (text == "" || strings.Contains(strings.ToLower(r.Code), text) || strings.Contains(strings.ToLower(r.Name), text))
}

func (f *BranchFilter) inGroup(r *Row) bool {
	return f.Group == "" || slices.Contains(r.Groups, f.Group)
}

// Board is what the board shows at this moment. A filter that cannot be meant is a
// fault of class Data and code [CodeBadFilter].
func (m *Room) Board(ctx context.Context, f BranchFilter) (Board, error) {
	b := Board{Version: m.Version, Odoo: m.Odoo()}
	if err := f.validate(); err != nil {
		return b, err
	}
	s, err := m.snapshot(ctx)
	if err != nil {
		return b, err
	}
	b.Exceptions, b.Postings, b.Alarms, b.Groups = s.exceptions, s.postings, s.alarms, s.groups
	b.Counts = map[BranchState]int{}
	var found []*Row
	for i := range s.rows {
		r := &s.rows[i]
		if !f.inGroup(r) {
			continue
		}
		b.All++
		for _, state := range BranchStates {
			if r.Is(state) {
				b.Counts[state]++
			}
		}
		if f.fits(r) {
			found = append(found, r)
		}
	}
	sortRows(found, f.Sort)
	size := cmp.Or(max(f.Size, 0), 100)
	b.Found, b.Pages = len(found), max(1, (len(found)+size-1)/size)
	b.Page = min(max(f.Page, 1), b.Pages)
	for _, r := range found[(b.Page-1)*size : min(b.Page*size, len(found))] {
		b.Branches = append(b.Branches, *r)
	}
	return b, nil
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
