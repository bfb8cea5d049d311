package web

import (
	"strings"
	"time"

	"branchline/internal/feed"
	"branchline/internal/movement"
)

// mostWaiting is how many of those that wait with a person a page lists.
const mostWaiting = 50

// waiting is what waits with a person at the hub.
type waiting struct {
	Rows []waitingRow
	// More counts those that are not listed.
	More int64
	// AsOf is as of when; Connected tells that it is right now.
	AsOf      time.Time
	Connected bool
}

// All counts them.
func (w waiting) All() int64 { return int64(len(w.Rows)) + w.More }

// waitingRow is one of them.
type waitingRow struct {
	// What names the goods, Sub their code and lot.
	What, Sub string
	Quantity  string
	Kind      string
	Why       string
	// Detail is a sentence more; may be empty.
	Detail string
	Since  time.Time
	// Place is its name for the people at the hub.
	Place string
}

func (p *Page) waiting(connected bool) (w waiting) {
	if p.Outcomes == nil {
		return w
	}
	rows, more := p.Outcomes.Waiting()
	w = waiting{More: more, AsOf: p.Outcomes.OutcomesAsOf(), Connected: connected}
	for i := range rows {
		if len(w.Rows) == mostWaiting {
			w.More += int64(len(rows) - i)
			break
		}
		w.Rows = append(w.Rows, p.waitingRow(&rows[i]))
	}
	return w
}

func (p *Page) waitingRow(o *feed.Outcome) waitingRow {
	g, run := o.Goods, &o.Runs[0]
	row := waitingRow{Kind: strings.ReplaceAll(string(g.Kind), "_", " "), Why: sentence(run.Why), Since: time.Unix(run.At, 0),
		Place: strings.TrimPrefix(o.Key, "w/")}
	if g.Detail != run.Why {
		row.Detail = sentence(g.Detail)
	}
	var sub []string
	switch row.What = "A code that could not be read"; {
	case o.Lane == movement.Bulk:
		row.What = "A row of an export"
	case run.Code != "":
		row.What = "A scan"
	}
	if g.Product.Code != "" {
		code := g.Product.Words()
		if row.What = p.Outcomes.Named(g.Product); row.What == "" {
			row.What = code
		} else {
			sub = append(sub, code)
		}
	}
	if g.Lot != "" {
		sub = append(sub, "lot "+g.Lot)
	}
	if g.Document.Ref != "" {
		sub = append(sub, calledDocument(g.Document))
	}
	if from := p.Outcomes.ReadFrom(o.Epoch, o.Lane, run.First); from != "" {
		sub = append(sub, from)
	}
	row.Sub = strings.Join(sub, " · ")
	if g.Quantity > 0 {
		row.Quantity = g.Quantity.String()
	}
	return row
}

// calledDocument is a document's number; a list without one is called by when it
// was begun, by this PC's clock, as its number says in its own way.
func calledDocument(doc movement.Document) string {
	if _, begun, ok := strings.Cut(doc.Ref, "@"); ok && doc.Type == "session" {
		if at, err := time.Parse("20060102T150405.000Z", begun); err == nil {
			return "without a document, of " + at.Local().Format("2 Jan 15:04")
		}
	}
	return doc.Ref
}
