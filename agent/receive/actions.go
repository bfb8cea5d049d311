package receive

import (
	"context"
	"slices"
	"strings"

	"branchline/agent/counter"
	"branchline/agent/scan"
	"branchline/internal/fault"
	"branchline/internal/movement"
)

// Work lists the open sessions, and for receiving what is expected.
func (d *Desk) Work(p scan.Purpose) []counter.Work {
	d.mu.Lock()
	defer d.mu.Unlock()
	var list []counter.Work
	open := map[movement.Document]bool{}
	for _, s := range d.sessions {
		if s.Purpose == p && s.Form == "" {
			v := s.view(d.know(s))
			list = append(list, v.Work)
			open[s.Document] = true
		}
	}
	if p != scan.Receive {
		return list
	}
	for _, e := range d.Reference.Deliveries() {
		doc := e.Document()
		if open[doc] || slices.ContainsFunc(d.sessions, func(s *Session) bool { return s.Purpose == p && s.Form == "" && e.For(s.Document) }) {
			continue
		}
		open[doc] = true
		if joined, ok := d.Reference.Delivery(doc); ok {
			e = joined
		}
		w := counter.Work{Purpose: p, Document: doc, Partner: e.Partner, Due: e.Due, NotReady: !e.Ready}
		for i := range e.Lines {
			w.Ordered += e.Lines[i].Open()
		}
		list = append(list, w)
	}
	slices.SortStableFunc(list, func(a, b counter.Work) int { return rank(a) - rank(b) })
	return list
}

// rank puts what is open first, and what Odoo is not ready for last.
func rank(w counter.Work) int {
	switch {
	case w.ID != "":
		return 0
	case !w.NotReady:
		return 1
	}
	return 2
}

// View is one open session as it stands.
func (d *Desk) View(id string) (counter.View, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s, err := d.session(id)
	if err != nil {
		return counter.View{}, err
	}
	return s.view(d.know(s)), nil
}

// session is an open one. d.mu is held.
func (d *Desk) session(id string) (*Session, error) {
	i := slices.IndexFunc(d.sessions, func(s *Session) bool { return s.ID == id })
	if i < 0 {
		return nil, fault.New(fault.Data, "no_session", "%.120q is not open", id).WithHint("it was confirmed or thrown away")
	}
	return d.sessions[i], nil
}

// Open begins or joins the session of a document; an empty one opens a session
// without it, which can be joined by the document that it then has. The station leaves the one of the same purpose that it worked on,
// which stays open.
func (d *Desk) Open(ctx context.Context, p scan.Purpose, doc movement.Document, station string) (string, scan.Answer, error) {
	no := func(code, format string, args ...any) (string, scan.Answer, error) {
		return "", scan.Answer{}, fault.New(fault.Data, code, format, args...)
	}
	doc.Ref = strings.TrimSpace(doc.Ref)
	switch {
	case nouns[p] == "":
		return no("not_here", "%.40q cannot be collected here", string(p))
	case station == "" || typed("station", station, 128) != nil:
		return no("bad_station", "%.40q is no station", station)
	case doc.Ref == "" && doc.Type != "":
		return no("bad_document", "the number of the document is missing")
	case doc.Ref != "" && (!slices.Contains(movement.DocumentTypes, doc.Type) || !printable(doc.Ref)):
		return no("bad_document", "%.70q is not the number of a document", doc.Ref)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if doc.Type == "session" && !slices.ContainsFunc(d.sessions, func(s *Session) bool { return s.Purpose == p && s.Document == doc && s.Form == "" }) {
		return no("no_session", "%.70q is not open: it was confirmed or thrown away", doc.Ref)
	}
	if transfer(p) && doc.Type != "session" {
		return d.openTransfer(ctx, p, doc, station)
	}
	return d.join(ctx, p, doc, "", station, d.Now())
}

// Do carries out an action on a session. What is refused is an error.
func (d *Desk) Do(ctx context.Context, id string, a counter.Action) (scan.Answer, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s, err := d.session(id)
	if err != nil {
		return scan.Answer{}, err
	}
	c, err := s.edit(d.know(s), a, d.Now())
	if err != nil {
		return scan.Answer{}, err
	}
	if err := d.commit(ctx, step{s, c, false}); err != nil {
		return scan.Answer{}, err
	}
	return c.Answer, nil
}

// Confirm records all of it as one group of movements and closes the session.
func (d *Desk) Confirm(ctx context.Context, id, by string) (counter.Receipt, error) {
	by = strings.TrimSpace(by)
	if by == "" {
		return counter.Receipt{}, fault.New(fault.Data, "initials_needed", "initials are missing").WithHint("say who confirms")
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	s, err := d.session(id)
	if err != nil {
		return counter.Receipt{}, err
	}
	r, err := d.confirm(ctx, s, by, d.Now())
	return r.Receipt, err
}

// Cancel throws a session away; one with lines needs a word why.
func (d *Desk) Cancel(ctx context.Context, id, by, why string) error {
	why = strings.TrimSpace(why)
	for what, s := range map[string]string{"reason": why, "initials": by} {
		if err := typed(what, s, maxReason); err != nil {
			return err
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	s, err := d.session(id)
	if err != nil {
		return err
	}
	if why == "" && len(s.Entries) > 0 {
		return fault.New(fault.Data, "reason_needed", "%s is not empty", s.Words()).WithHint("say why it is thrown away")
	}
	return d.cancel(ctx, s, by, why)
}
