package reconcile

import (
	"context"
	"fmt"
	"strings"
	"time"

	"branchline/hub/ledger"
	"branchline/internal/movement"
	"branchline/internal/odoo"
)

// How many documents, and lines that are expected in them, are read in one call; how
// many bytes of words are kept of a difference; and by how much Odoo's clock may be
// behind the hub's.
const (
	documentPage = 200
	linePage     = 1500
	maxWords     = 1000
	clockSlack   = 24 * time.Hour
)

// alike tells which documents were as they should be when the branch was last
// compared, and have not been written since, so that their lines are not read again.
// Only the schedule goes by it: when a person asks, all of it is read.
type alike struct {
	before  time.Time
	from    movement.Date
	written map[int64]bool
	other   map[string]bool
}

// lookedAt finds out what was written since a comparison.
func (r *Runner) lookedAt(ctx context.Context, branch Branch, last *ledger.Reconciled) (a alike, err error) {
	site, _, ok := r.products.Site(branch.Warehouse)
	if !ok || last.Result.RecordsLeft > 0 || len(last.Result.Accepted) >= ledger.MaxReconciled {
		return a, nil
	}
	a = alike{before: last.BeganAt, from: last.Result.From, other: map[string]bool{}}
	for _, d := range last.Result.Records {
		a.other[d.Posting] = true
	}
	for _, d := range last.Result.Accepted {
		a.other[d.Posting] = true
	}
	a.written, err = ask(ctx, r, 4, func(ctx context.Context) (map[int64]bool, error) {
		return r.odoo.PickingsWritten(ctx, site.ViewID, last.BeganAt.Add(-clockSlack))
	})
	return a, err
}

// holds tells that a document's lines need not be read.
func (a *alike) holds(p *posted, at *ledger.Posting) bool {
	first := p.day()
	for d := range p.days {
		if d.Before(first) {
			first = d
		}
	}
	return at.ChangedAt.Before(a.before) && !first.Before(a.from) && !a.written[at.Odoo.ID] && !a.other[at.Name]
}

// verdict is what a document was found to be; an empty what is as it was posted.
type verdict struct {
	what ledger.RecordWhat
	text string
}

// document is a posting with what should be in its document.
type document struct {
	ledger.Posting
	lines []ledger.PostingLine
	// any tells that its lines are not compared: they cannot be told, or were and are
	// as they were.
	any bool
}

// documents looks for the documents of postings in Odoo and puts their movements into
// the buckets. known are those that were looked at already; it is added to.
func (r *Runner) documents(ctx context.Context, b *book, all []posted, known map[int64]verdict, alike alike) error {
	for rest := all; len(rest) > 0; {
		var page []document
		lines, n := 0, 0
		for ; n < len(rest) && len(page) < documentPage && lines < linePage; n++ {
			if _, done := known[rest[n].id]; done {
				continue
			}
			d, err := r.document(ctx, &rest[n], &alike)
			if err != nil {
				return err
			}
			page, lines = append(page, d), lines+len(d.lines)
		}
		if err := r.look(ctx, page, known); err != nil {
			return err
		}
		rest = rest[n:]
		r.tell(func(s *Status) { s.Documents = len(known) })
	}
	for i := range all {
		if err := r.settle(ctx, b, &all[i], known[all[i].id]); err != nil {
			return err
		}
	}
	return nil
}

// document reads a posting. What was adopted has no plan: what its movements mean now
// stands for it.
func (r *Runner) document(ctx context.Context, p *posted, alike *alike) (d document, err error) {
	id := p.id
	if id == 0 {
		return d, nil
	}
	if d.Posting, err = r.ledger.Posting(ctx, id); err != nil {
		return d, err
	}
	if d.any = alike.holds(p, &d.Posting); d.any {
		return d, nil
	}
	body, err := ledger.DecodeBody(d.Body)
	if err == nil && len(body.Lines) > 0 {
		d.lines = body.Lines
		return d, nil
	}
	all, err := r.ledger.PostingMovements(ctx, id)
	if err != nil {
		return d, err
	}
	understood := int64(len(all)) >= d.Movements
	if understood {
		if d.lines, understood, err = r.meaning.Meant(ctx, all); err != nil {
			return d, err
		}
	}
	d.any = !understood
	return d, nil
}

// look asks Odoo for a page of documents.
func (r *Runner) look(ctx context.Context, page []document, known map[int64]verdict) error {
	if len(page) == 0 {
		return nil
	}
	ids := make([]int64, 0, len(page))
	for i := range page {
		if page[i].Odoo.ID != 0 {
			ids = append(ids, page[i].Odoo.ID)
		}
	}
	found, err := ask(ctx, r, 1, func(ctx context.Context) ([]odoo.Picking, error) { return r.odoo.PickingsByID(ctx, ids) })
	if err != nil {
		return err
	}
	byID, done := map[int64]odoo.Picking{}, []int64{}
	for _, p := range found {
		byID[p.ID] = p
	}
	for i := range page {
		if p := byID[page[i].Odoo.ID]; !page[i].any && p.State == odoo.Done {
			done = append(done, p.ID)
		}
	}
	cost := 3
	if len(done) == 0 {
		cost = 0
	}
	lines, err := ask(ctx, r, cost, func(ctx context.Context) (map[int64][]odoo.Line, error) { return r.odoo.LinesOf(ctx, done) })
	if err != nil {
		return err
	}
	for i := range page {
		d := &page[i]
		p, ok := byID[d.Odoo.ID]
		if !ok {
			known[d.ID] = verdict{ledger.DocumentGone, "it is no longer in Odoo"}
			continue
		}
		known[d.ID] = r.judge(d, &p, lines[p.ID])
	}
	return nil
}

func (r *Runner) judge(d *document, p *odoo.Picking, lines []odoo.Line) verdict {
	switch p.State {
	case odoo.Done:
	case odoo.Cancelled:
		return verdict{ledger.DocumentCancelled, "somebody has cancelled it in Odoo"}
	default:
		return verdict{ledger.DocumentOpen, fmt.Sprintf("it is not done in Odoo any more, but %s", p.State)}
	}
	unmarked := ""
	if m, ok := odoo.MarkerOf(*p); p.Name != d.Name && (!ok || m.Posting != d.Name) {
		unmarked = "its marker is gone from its note, so that a hub that is put back from a backup would not know it"
	}
	if !d.any {
		switch words := r.differences(d.lines, lines); {
		case words != "" && unmarked != "": // who has accepted the one has not accepted both
			return verdict{ledger.DocumentChanged, words + "; " + unmarked}
		case words != "":
			return verdict{ledger.DocumentChanged, words}
		}
	}
	if unmarked != "" {
		return verdict{ledger.DocumentForeign, unmarked}
	}
	return verdict{}
}

// differences says what is otherwise in a document; empty for nothing.
func (r *Runner) differences(posted []ledger.PostingLine, lines []odoo.Line) string {
	var words []string
	var moves []ledger.Moved
	for _, l := range lines {
		q, err := movement.QuantityFromFloat(l.Quantity)
		if err != nil {
			words = append(words, err.Error())
			continue
		}
		moves = append(moves, ledger.Moved{ProductID: l.ProductID, UoMID: l.UoMID, Lot: l.LotName, Quantity: q})
	}
	for _, d := range ledger.DifferingLines(posted, moves) {
		of := r.goods(d.ProductID)
		if d.Lot != "" {
			of += ", lot " + d.Lot
		}
		switch {
		case d.Off == 0:
			words = append(words, of+" in another unit")
		case d.Off < 0:
			words = append(words, fmt.Sprintf("%s too few of %s", -d.Off, of))
		default:
			words = append(words, fmt.Sprintf("%s too many of %s", d.Off, of))
		}
	}
	return clip(strings.Join(words, "; "))
}

// goods names a product as people know it.
func (r *Runner) goods(id int64) string {
	if p, ok := r.products.Product(id); ok {
		return p.Name
	}
	return fmt.Sprintf("product %d", id)
}

// settle puts the movements of a posting into the buckets, and tells what is otherwise.
func (r *Runner) settle(ctx context.Context, b *book, p *posted, v verdict) error {
	agreed := false
	if v.what != "" {
		d, err := r.otherwise(ctx, b, p, v)
		if err != nil {
			return err
		}
		if agreed = b.accepted(d); !agreed {
			b.differs(d)
		}
	}
	for day, n := range p.days {
		switch d := b.day(day); {
		case v.what == "" || v.what == ledger.DocumentForeign:
			d.Found += n
		case agreed:
			d.Accepted += n
		case v.what == ledger.DocumentChanged:
			d.Changed += n
		default:
			d.Missing += n
		}
	}
	return nil
}

// otherwise describes what is otherwise in a posting's document. Beyond what is kept
// only its kind is told.
func (r *Runner) otherwise(ctx context.Context, b *book, p *posted, v verdict) (d ledger.RecordDifference, err error) {
	d = ledger.RecordDifference{What: v.what, Day: p.day(), Text: v.text, Count: p.count()}
	if p.id == 0 || len(b.records) >= ledger.MaxReconciled && len(b.known) == 0 {
		return d, nil
	}
	at, err := r.ledger.Posting(ctx, p.id)
	if err != nil {
		return d, err
	}
	runs, err := r.ledger.PostingRuns(ctx, p.id)
	d.Posting, d.OdooModel, d.OdooID, d.OdooName, d.Movements = at.Name, at.Odoo.Model, at.Odoo.ID, at.Odoo.Name, runWords(runs)
	return d, err
}

// unknown are documents of ours that the ledger could not take over.
func (r *Runner) unknown(ctx context.Context, b *book, branch string) error {
	all, err := r.ledger.Unadopted(ctx)
	for _, u := range all {
		if u.Branch == branch {
			b.differs(ledger.RecordDifference{What: ledger.DocumentUnknown, Day: movement.DateOf(u.NotedAt), Posting: u.Posting,
				OdooModel: u.Odoo.Model, OdooID: u.Odoo.ID, OdooName: u.Odoo.Name, Text: clip("it is done in Odoo and not known here: " + u.Why)})
		}
	}
	return err
}

// runWords name movements as epoch/lane:first-last.
func runWords(runs []ledger.Run) string {
	var b strings.Builder
	for i, run := range runs {
		switch {
		case i == 0:
			b.WriteString(run.Stream.Epoch + "/" + run.Stream.Lane.String() + ":")
		case runs[i-1].Stream == run.Stream:
			b.WriteString(",")
		default:
			b.WriteString(" " + run.Stream.Epoch + "/" + run.Stream.Lane.String() + ":")
		}
		if fmt.Fprint(&b, run.First); run.Last > run.First {
			fmt.Fprintf(&b, "-%d", run.Last)
		}
	}
	return clip(b.String())
}

func clip(s string) string {
	if len(s) <= maxWords {
		return s
	}
	return strings.ToValidUTF8(s[:maxWords], "") + ledger.Cut
}
