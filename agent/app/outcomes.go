package app

import (
	"time"

	"branchline/agent/reference"
	"branchline/agent/web"
	"branchline/internal/feed"
	"branchline/internal/movement"
)

// outcomes shows the page what the hub has told of the branch's movements.
type outcomes struct{ *reference.Store }

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
