package receive

import (
	"context"
	"fmt"
	"slices"
	"time"

	"branchline/agent/scan"
	"branchline/internal/feed"
	"branchline/internal/movement"
)

// openAt is what a scanned document means at a station that works on s.
func (d *Desk) openAt(ctx context.Context, sc *scan.Scan, s *Session, doc movement.Document) (scan.Answer, error) {
	if s != nil {
		if s.Document == doc {
			d.letGo(sc.Station, sc.Purpose)
			return d.opened(s), nil
		}
		return d.anotherOpen(sc, s, doc.Ref), nil
	}
	_, a, err := d.join(ctx, sc.Purpose, doc, "", sc.Station, sc.At)
	return a, err
}

// join lets a station work on the document's session, a new one if need be. It
// leaves the one of that purpose that it worked on. counterpart is the other
// branch of a new transfer.
func (d *Desk) join(ctx context.Context, p scan.Purpose, doc movement.Document, counterpart, station string, at time.Time) (id string, a scan.Answer, err error) {
	var steps []step
	if s := d.at(station, p); s != nil {
		if s.Document == doc {
			d.letGo(station, p)
			return s.ID, d.opened(s), nil
		}
		steps = append(steps, step{s, Change{Parted: station}, false})
	}
	i := slices.IndexFunc(d.sessions, func(o *Session) bool { return o.Purpose == p && o.Document == doc && o.Form == "" })
	var s *Session
	switch {
	case i >= 0:
		s = d.sessions[i]
	case doc == movement.Document{}:
		free := Free(p, station, d.moment(at))
		s = &free
	default:
		fresh := Open(doc, p, station, d.moment(at))
		s = &fresh
	}
	if i < 0 {
		s.Counterpart = counterpart
	}
	steps = append(steps, step{s, Change{Joined: station}, i < 0})
	d.letGo(station, p)
	if err := d.commit(ctx, steps...); err != nil {
		return "", scan.Answer{}, err
	}
	return s.ID, d.opened(s), nil
}

// document is what a scanned text names: by its form, or since a delivery with
// that number is expected. A code that can be a product's never is one.
func (d *Desk) document(sc *scan.Scan, text string) (doc movement.Document, ok bool) {
	if doc, ok := d.docs.find(text); ok {
		return doc, true
	}
	if sc.Err == nil || !printable(text) {
		return doc, false
	}
	for _, e := range d.Reference.Deliveries() {
		if e.Name == text || e.Reference == text || e.Order == text {
			return e.Document(), true
		}
	}
	return doc, false
}

// NotReady warns of a delivery that Odoo does not let be received yet.
const NotReady = "delivery_not_ready"

// opened says that a session is open, and whether it can be checked.
func (d *Desk) opened(s *Session) scan.Answer {
	a := scan.Answer{Sound: scan.OK, Action: true, Text: s.Words() + " is open"}
	if s.Counterpart != "" {
		a.Text = s.Noun() + " " + direction(s.Purpose) + " " + d.branch(s.Counterpart).Words() + " is open"
	}
	if s.Purpose != scan.Receive {
		return a
	}
	e, ok := d.Reference.Delivery(s.Document)
	asOf := d.Reference.AsOf(feed.Deliveries)
	if ok && e.Partner != "" {
		a.Text = s.Words() + " from " + e.Partner + " is open"
	}
	switch {
	case ok && !e.Ready:
		a.Sound, a.Code = scan.Warn, NotReady
		a.Text += ", but Odoo is not ready for it: what is confirmed goes to a person at the hub unless it is by then"
	case ok:
	case asOf.IsZero() || s.Document.Type == "session":
		a.Text += ", not checked against the order"
	default:
		a.Sound, a.Code = scan.Warn, "not_expected"
		a.Text += fmt.Sprintf(", not checked against the order: it is not among what was expected on %s", asOf.Format("2 January 15:04"))
	}
	return a
}
