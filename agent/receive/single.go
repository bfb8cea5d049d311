package receive

import (
	"context"
	"slices"

	"branchline/agent/scan"
)

// single records a scan that belongs to no session, and tells what the branch
// knows against it. It counts all the same: the goods have left. d.mu is held;
// it is let go while the scan is recorded, so that counters do not wait for
// each other.
func (d *Desk) single(ctx context.Context, sc scan.Scan) (scan.Answer, error) {
	r, because := d.reasons[sc.Station]
	if age := sc.At.Sub(r.at); because && age >= 0 && age < reasonWithin {
		sc.Reason = r.reason
	}
	d.mu.Unlock()
	a, err := d.Single.Scan(ctx, sc)
	d.mu.Lock()
	if because && err == nil && a.Sound != scan.Refused {
		delete(d.reasons, sc.Station)
	}
	if err != nil || a.Sound != scan.OK || sc.Err != nil {
		return a, err
	}
	if it, err := sc.Item(); err == nil {
		return d.advise(a, &sc, it), nil
	}
	return a, nil // it was recorded all the same
}

// advise adds to an answer what is to be said of one item, and what the branch
// calls it. Nothing is asked, as it is recorded already; what is missing is told.
func (d *Desk) advise(a scan.Answer, sc *scan.Scan, it scan.Item) scan.Answer {
	s := Free(sc.Purpose, sc.Station, sc.At)
	k := d.know(&s)
	c, err := s.add(k, sc, it)
	if err != nil {
		return a
	}
	s = s.Apply(c)
	kind := string(sc.Purpose.Kind())
	if k.of(it.Product).known {
		a.Text = kind + ": " + k.words(&it)
	}
	for _, f := range s.find(k) {
		if a.Code != "" && f.rank() >= slices.Index(ranks, a.Code) {
			continue
		}
		text := f.text
		if question(f.code) {
			text = k.words(&it) + ", without its " + f.field + ": scan the pack's 2D code where it has one"
		}
		a = scan.Answer{Sound: scan.Warn, Code: f.code, Text: kind + " recorded: " + text}
	}
	return a
}
