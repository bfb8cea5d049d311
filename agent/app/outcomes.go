package app

import (
	"fmt"
	"time"

	"branchline/agent/capture"
	"branchline/agent/outbox"
	"branchline/agent/reference"
	"branchline/agent/web"
	"branchline/internal/feed"
	"branchline/internal/movement"
)

// outcomes shows the page what the hub has told of the branch's movements.
type outcomes struct {
	*reference.Store
	outbox *outbox.Outbox
}

var _ web.Outcomes = outcomes{}

func (o outcomes) Waiting() ([]feed.Outcome, int64) {
	w := o.Store.Waiting()
	return w.Rows, w.More
}

func (o outcomes) OutcomesAsOf() time.Time { return o.AsOf(feed.Outcomes) }

func (o outcomes) Expected(doc movement.Document) (d feed.Delivery, asOf time.Time, ok bool) {
	d, ok = o.Delivery(doc)
	return d, o.AsOf(feed.Deliveries), ok
}

func (o outcomes) Named(code movement.Product) string {
	p, _, _ := o.Find(code)
	return p.Name
}

// maxRecord bounds what is read of one movement.
const maxRecord = 64 << 10

func (o outcomes) ReadFrom(epoch string, lane movement.Lane, seq uint64) string {
	b, err := o.outbox.Read(epoch, lane, seq, 1, maxRecord)
	if err != nil || b == nil || b.First != seq || len(b.Records) == 0 {
		return "" // too old, or of another epoch
	}
	m, err := movement.Decode(b.Records[0])
	switch {
	case err != nil:
		return ""
	case m.Source.File != "" && m.Source.Line > 0:
		return fmt.Sprintf("%s, line %d", m.Source.File, m.Source.Line)
	case m.Source.File != "":
		return m.Source.File
	}
	if m.Source.Adapter == capture.TypedName {
		return "scanned or typed on this page"
	}
	return "scanner " + m.Source.Adapter
}
