package app

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"branchline/hub/broker"
	"branchline/hub/ledger"
	"branchline/hub/web"
	"branchline/internal/ui"
	"branchline/internal/webserver"
	"branchline/internal/wire"
)

// State is what the page shows.
func (a *App) State() (web.State, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	s := web.State{Version: a.version, Odoo: a.odooState(), Alarms: a.alarms(ctx)}
	branches, err := a.branches(ctx)
	if err != nil {
		return s, err
	}
	s.Branches = branches
	if s.Exceptions, err = a.reasons(ctx); err != nil {
		return s, err
	}
	newest, err := a.ledger.Exceptions(ctx, ledger.ExceptionFilter{Limit: 20})
	if err != nil {
		return s, err
	}
	for _, e := range newest {
		s.Latest = append(s.Latest, web.Exception{ID: e.Identity.String(), Branch: e.Identity.Branch, Reason: e.Reason,
			Text: e.Text, Raw: e.Source.Raw + e.Source.RawHex, From: ledger.SourceWords(&e.Source), Since: e.Since})
	}
	s.Postings, err = a.postings(ctx)
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

// lines tells which of the configured branches are connected.
func (a *App) lines() []Line {
	a.mu.Lock()
	defer a.mu.Unlock()
	all := make([]Line, len(a.cfg.Branches))
	for i, b := range a.cfg.Branches {
		all[i] = Line{Code: b.Code, Said: saidBy(a.reports[b.Code].State, b.Zone)}
		for _, c := range a.broker.Connections() {
			if c.Branch == b.Code {
				all[i].Connected, all[i].Since = c.Online, c.Since
			}
		}
	}
	return all
}

// branches joins what is configured, what is connected and what has come.
func (a *App) branches(ctx context.Context) ([]web.Branch, error) {
	lines := map[string]broker.Connection{}
	for _, c := range a.broker.Connections() {
		lines[c.Branch] = c
	}
	overview, err := a.ledger.Overview(ctx)
	if err != nil {
		return nil, err
	}
	come := map[string]ledger.BranchOverview{}
	for _, o := range overview {
		come[o.Branch] = o
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	var all []web.Branch
	for _, b := range a.cfg.Branches {
		line, o := lines[b.Code], come[b.Code]
		row := web.Branch{Code: b.Code, Name: b.Name, Connected: line.Online, Since: line.Since,
			LastMovement: o.LastReceived, Received: o.Received, Waiting: o.Pending, Documents: o.Open, Exceptions: o.Exceptions,
			Unsent: a.reports[b.Code].Unsent, Open: openWords(a.reports[b.Code].Open), Alarms: saidBy(a.reports[b.Code].State, b.Zone)}
		if !line.Online && o.LastReceived.After(row.Since) {
			row.Since = o.LastReceived
		}
		all = append(all, row)
	}
	// What needs a person first: silent, then with exceptions.
	slices.SortStableFunc(all, func(x, y web.Branch) int {
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

// maxNamed bounds how many branches a warning names.
const maxNamed = 20

// Bounds of what the board shows of a branch's own words.
const (
	maxAlarms     = 5
	maxAlarmBytes = 400
)

// saidBy is what a branch says that a person should look at, in its own time.
func saidBy(s wire.State, zone string) []string {
	loc, err := time.LoadLocation(zone)
	if err != nil {
		loc = time.UTC
	}
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

func (a *App) reasons(ctx context.Context) ([]web.ExceptionGroup, error) {
	counts, err := a.ledger.CountExceptions(ctx, "")
	if err != nil {
		return nil, err
	}
	var groups []web.ExceptionGroup
	for _, c := range counts {
		i := slices.IndexFunc(groups, func(g web.ExceptionGroup) bool { return g.Reason == c.Reason })
		if i < 0 {
			groups = append(groups, web.ExceptionGroup{Reason: c.Reason, Count: c.Count, Oldest: c.Oldest})
			continue
		}
		groups[i].Count += c.Count
		if c.Oldest.Before(groups[i].Oldest) {
			groups[i].Oldest = c.Oldest
		}
	}
	slices.SortStableFunc(groups, func(x, y web.ExceptionGroup) int { return cmp.Compare(y.Count, x.Count) })
	return groups, nil
}

func (a *App) postings(ctx context.Context) (web.Postings, error) {
	var p web.Postings
	counts, err := a.ledger.CountPostings(ctx)
	if err != nil {
		return p, err
	}
	p.Waiting = counts[ledger.PostingPlanned] + counts[ledger.PostingBegun]
	p.Posted = counts[ledger.PostingDone]
	newest, err := a.ledger.Postings(ctx, ledger.PostingFilter{Limit: 12})
	for _, n := range newest {
		v := web.Posting{Name: n.Name, Branch: n.Branch, Kind: string(n.Kind), State: string(n.State), Detail: n.Odoo.Name,
			Movements: n.Movements, At: n.ChangedAt}
		if n.Fault.Text != "" && n.State != ledger.PostingDone {
			v.Detail = n.Fault.Text
		}
		p.Latest = append(p.Latest, v)
	}
	return p, err
}

// Health is what /healthz reports. Its problems are why what branches send would
// not be safe here; an absent Odoo is none: it shows as lag.
func (a *App) Health() webserver.Health {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	h := webserver.Health{Warnings: a.alarms(ctx)}
	var said []string
	for _, l := range a.lines() {
		if len(l.Said) > 0 {
			said = append(said, l.Code)
		}
	}
	if n := len(said); n > 0 {
		h.Warnings = append(h.Warnings, ui.Many(n, "branch says", "branches say")+" that a person should look at something: "+
			strings.Join(said[:min(n, maxNamed)], ", ")+strings.Repeat("…", min(1, max(0, n-maxNamed))))
	}
	if !a.Alive() {
		h.Problems = append(h.Problems, "The ledger does not answer.")
	}
	if err := a.broker.Trouble(); err != nil {
		h.Problems = append(h.Problems, err.Error())
	}
	return h
}
