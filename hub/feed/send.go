package feed

import (
	"context"
	"slices"
	"time"

	"branchline/internal/feed"
	"branchline/internal/ui"
	"branchline/internal/wire"
)

// Heard takes what a branch has told of its copies, and gives notice of what is
// newer. An agent that tells nothing of them does not listen, and is left alone.
func (f *Feed) Heard(branch string, docs []wire.DocumentState) {
	if len(docs) == 0 {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.heard[branch] = docs
	if f.since[branch].IsZero() {
		f.since[branch] = f.clock()
	}
	for _, d := range docs {
		k, ok := feed.KindOf(d.Kind)
		if c := f.current[keyOf(k, branch)]; ok && c != nil &&
			(d.Version != c.doc.Version.String() || d.AsOf.Before(c.asOf.Truncate(time.Second))) {
			f.notice(branch, k)
		}
	}
}

// Wanted takes what a branch asks for. An error is a fault of class Data.
func (f *Feed) Wanted(branch string, payload []byte) error {
	w, err := feed.ParseWant(payload)
	if err != nil {
		return err
	}
	f.metrics.wants.Inc()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.turn(branch).want = &w // an agent asks again only when it has given the last up
	return nil
}

// notice and turn are called with mu held.
func (f *Feed) notice(branch string, k feed.Kind) { f.turn(branch).notices[k] = true }

func (f *Feed) turn(branch string) *pending {
	p := f.pending[branch]
	if p == nil {
		p = &pending{notices: map[feed.Kind]bool{}}
		f.pending[branch] = p
		f.turns = append(f.turns, branch)
	}
	select {
	case f.work <- struct{}{}:
	default:
	}
	return p
}

// send says one thing after the other, to one branch after the other.
func (f *Feed) send(ctx context.Context) {
	for {
		branch, k, payload := f.next()
		if payload == nil {
			select {
			case <-ctx.Done():
				return
			case <-f.work:
			}
			continue
		}
		if err := f.line.WaitN(ctx, len(payload)); err != nil {
			return // ctx ended: no message is larger than the burst
		}
		if err := f.publish(branch, k.Channel(), payload); err != nil {
			f.log.Debug("a branch could not be told of Odoo; it will ask again", "branch", branch, "err", err)
			continue
		}
		f.metrics.messages.WithLabelValues(string(k)).Inc()
		f.metrics.bytes.WithLabelValues(string(k)).Add(float64(len(payload)))
	}
}

// next takes one message off what is pending; nil for nothing.
func (f *Feed) next() (branch string, k feed.Kind, payload []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for len(f.turns) > 0 {
		branch, f.turns = f.turns[0], f.turns[1:]
		p := f.pending[branch]
		k, payload = f.take(branch, p)
		if p.want != nil || len(p.notices) > 0 {
			f.turns = append(f.turns, branch)
		} else {
			delete(f.pending, branch)
		}
		if payload != nil {
			return branch, k, payload
		}
	}
	f.turns = nil
	return "", "", nil
}

func (f *Feed) take(branch string, p *pending) (feed.Kind, []byte) {
	for _, k := range feed.Kinds {
		if p.notices[k] {
			delete(p.notices, k)
			return k, f.noticeOf(k, branch)
		}
	}
	w := p.want
	if w == nil {
		return "", nil
	}
	c := f.current[keyOf(w.Kind, branch)]
	if c == nil {
		p.want = nil // not read yet since this hub began
		return "", nil
	}
	if c.doc.Version != w.Version {
		p.want = nil
		return w.Kind, f.noticeOf(w.Kind, branch)
	}
	if len(w.Parts) == 0 {
		p.want = nil
		return w.Kind, c.doc.Manifest
	}
	payload, _ := c.doc.Payload(w.Parts[0]) // nil for a part that is none of it
	if w.Parts = w.Parts[1:]; len(w.Parts) == 0 {
		p.want = nil
	}
	return w.Kind, payload
}

func (f *Feed) noticeOf(k feed.Kind, branch string) []byte {
	c := f.current[keyOf(k, branch)]
	if c == nil {
		return nil
	}
	payload, err := f.packer.Notice(c.doc, c.asOf)
	if err != nil {
		f.log.Error("a notice cannot be made", "document", string(k), "err", err)
		return nil
	}
	return payload
}

// newBranch is how long a branch may know nothing without an alarm.
const newBranch = 15 * time.Minute

// Old is a copy at a branch that is too old.
type Old struct {
	Branch string
	Kind   feed.Kind
	// AsOf is the moment for which the branch knows it; zero for never.
	AsOf time.Time
}

// Words says it in a sentence.
func (o Old) Words(now time.Time) string {
	since, who, what := "not at all", "Branch "+o.Branch, "Odoo's "+string(o.Kind)
	if !o.AsOf.IsZero() {
		since = "as it was " + ui.Ago(now.Sub(o.AsOf)) + " ago"
	}
	if o.Branch == "" {
		who = "The hub"
	}
	switch o.Kind {
	case feed.Outcomes:
		what = "what became of its movements"
	case feed.Branches:
		what = "the other branches"
	}
	return who + " knows " + what + " " + since + "."
}

// Old lists the copies that are older than they should be although the hub has a
// newer one, and with an empty branch what the hub itself has not read for so
// long. Branches that have not been heard are not among them.
func (f *Feed) Old() []Old {
	f.mu.Lock()
	defer f.mu.Unlock()
	line := f.clock().Add(-f.cfg.OldAfter)
	var list []Old
	behind := map[feed.Kind]time.Time{}
	for branch, docs := range f.heard {
		for _, d := range docs {
			k, ok := feed.KindOf(d.Kind)
			c := f.current[keyOf(k, branch)]
			switch {
			case !ok || c == nil || !d.AsOf.Before(line):
			case d.AsOf.IsZero() && f.clock().Sub(f.since[branch]) < newBranch:
			case c.asOf.Before(line):
				if at, is := behind[k]; !is || c.asOf.Before(at) {
					behind[k] = c.asOf
				}
			default:
				list = append(list, Old{branch, k, d.AsOf})
			}
		}
	}
	for k, at := range behind {
		list = append(list, Old{"", k, at})
	}
	slices.SortFunc(list, func(a, b Old) int {
		if a.Branch != b.Branch {
			if a.Branch < b.Branch {
				return -1
			}
			return 1
		}
		return slices.Index(feed.Kinds, a.Kind) - slices.Index(feed.Kinds, b.Kind)
	})
	return list
}
