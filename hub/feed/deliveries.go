package feed

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"branchline/internal/feed"
	"branchline/internal/movement"
	"branchline/internal/odoo"
)

// overlap is how far back changes are asked for again: Odoo dates a change by
// the begin of its transaction and by its own clock, which may differ from ours.
const overlap = time.Hour

// maxLines bounds what one branch is told to expect, and rowLines how many lines
// of a delivery are in one row.
const (
	maxLines = 20_000
	rowLines = 200
)

// deliveries reads what all branches expect. One goroutine uses it.
type deliveries struct {
	f      *Feed
	packer *feed.Packer
	began  time.Time // of the last reading that did not fail
	full   time.Time
	open   map[int64]*open
}

// open is one open document.
type open struct {
	odoo.Expected
	feed.Delivery
}

func newDeliveries(f *Feed) *deliveries {
	return &deliveries{f: f, packer: feed.NewPacker(), open: map[int64]*open{}}
}

func (d *deliveries) read(ctx context.Context) error {
	now := d.f.clock()
	var types []int64
	at := map[int64]*Branch{}
	for i := range d.f.branches {
		if w, ok := d.f.site(&d.f.branches[i]); ok {
			types = append(types, w.InTypeID)
			at[w.InTypeID] = &d.f.branches[i]
		}
	}
	if len(types) == 0 {
		return nil
	}
	if err := d.update(ctx, now, types); err != nil {
		return err
	}
	byBranch := map[string][]*open{}
	for _, id := range slices.Sorted(maps.Keys(d.open)) {
		o := d.open[id]
		if b := at[o.TypeID]; b != nil {
			byBranch[b.Code] = append(byBranch[b.Code], o)
		}
	}
	for _, b := range at {
		doc, err := d.build(b.Code, byBranch[b.Code])
		if err != nil {
			return err
		}
		d.f.set(doc, now)
	}
	return nil
}

// update brings what is known of the open documents up to date.
func (d *deliveries) update(ctx context.Context, now time.Time, types []int64) error {
	f := d.f
	if err := f.calls.Wait(ctx); err != nil {
		return err
	}
	heads, err := f.odoo.Expected(ctx, types)
	if err != nil {
		return err
	}
	full := d.began.IsZero() || now.Sub(d.full) >= f.cfg.FullEvery || d.began.After(now)
	stale := map[int64]bool{}
	if !full {
		if err := f.calls.Wait(ctx); err != nil {
			return err
		}
		changed, err := f.odoo.ExpectedChanged(ctx, types, d.began.Add(-overlap))
		if err != nil {
			return err
		}
		for _, id := range changed {
			stale[id] = true
		}
	}
	next := make(map[int64]*open, len(heads))
	// What has come of an order shows in its other deliveries too.
	moved := map[string]bool{}
	for _, h := range heads {
		have := d.open[h.ID]
		if full || have == nil || !have.Changed.Equal(h.Changed) || stale[h.ID] {
			stale[h.ID], moved[h.Origin] = true, true
		}
		o := &open{Expected: h}
		if have != nil {
			o.Delivery = have.Delivery
		}
		next[h.ID] = o
	}
	for id, o := range d.open {
		if next[id] == nil {
			moved[o.Origin] = true
		}
	}
	var ids []int64
	for _, h := range heads {
		if stale[h.ID] || h.Origin != "" && moved[h.Origin] {
			ids = append(ids, h.ID)
		}
	}
	if err := d.lines(ctx, next, ids); err != nil {
		return err
	}
	d.open, d.began = next, now
	if full {
		d.full = now
	}
	return nil
}

// lines reads the lines of some of the documents.
func (d *deliveries) lines(ctx context.Context, all map[int64]*open, ids []int64) error {
	if len(ids) == 0 {
		return nil
	}
	if err := d.f.calls.Wait(ctx); err != nil {
		return err
	}
	moves, err := d.f.odoo.ExpectedMoves(ctx, ids)
	if err != nil {
		return err
	}
	var orderLines []int64
	for _, m := range moves {
		if m.OrderLine != 0 {
			orderLines = append(orderLines, m.OrderLine)
		}
	}
	slices.Sort(orderLines)
	if err := d.f.calls.Wait(ctx); err != nil {
		return err
	}
	ordered, err := d.f.odoo.OrderLines(ctx, slices.Compact(orderLines))
	if err != nil {
		return err
	}
	order := map[int64]*odoo.OrderLine{}
	for i := range ordered {
		order[ordered[i].ID] = &ordered[i]
	}
	of := map[int64][]odoo.ExpectedMove{}
	for _, m := range moves {
		of[m.PickingID] = append(of[m.PickingID], m)
	}
	for _, id := range ids {
		all[id].Delivery = d.f.delivery(&all[id].Expected, of[id], order)
	}
	return nil
}

// delivery makes the delivery of a document: its products each once, in the
// order of their moves.
func (f *Feed) delivery(e *odoo.Expected, moves []odoo.ExpectedMove, order map[int64]*odoo.OrderLine) feed.Delivery {
	d := feed.Delivery{Key: keyText(e.ID), Name: feed.Name(e.Name), Order: feed.Name(e.Origin), Partner: feed.Name(e.Partner.Name), Due: e.Scheduled,
		Ready: e.State == odoo.Assigned, Lines: []feed.DeliveryLine{}}
	counted := map[int64]bool{} // order lines
	for _, m := range moves {
		line := f.expectedLine(&m)
		open, own := line.Ordered, line.Unit
		if l := order[m.OrderLine]; l != nil {
			if d.Reference == "" {
				d.Reference = feed.Name(l.Reference)
			}
			if !counted[l.ID] {
				counted[l.ID] = true
				line.Received = f.inOwnUnit(m.Product.ID, l.Received, l.UoM.ID)
			}
		}
		line.Ordered = open + line.Received
		i := slices.IndexFunc(d.Lines, func(o feed.DeliveryLine) bool { return o.Product == line.Product && o.Unit == own })
		if i < 0 {
			d.Lines = append(d.Lines, line)
			continue
		}
		d.Lines[i].Ordered += line.Ordered
		d.Lines[i].Received += line.Received
	}
	return d
}

// expectedLine is a move as a line with what is still expected as ordered.
func (f *Feed) expectedLine(m *odoo.ExpectedMove) feed.DeliveryLine {
	line := feed.DeliveryLine{Product: keyText(m.Product.ID), Name: feed.Name(m.Product.Name), Unit: m.UoM.Name,
		Ordered: f.inOwnUnit(m.Product.ID, m.Quantity, m.UoM.ID)}
	if p, ok := f.catalogue.Product(m.Product.ID); ok {
		known := feed.Product{Reference: p.Code, Barcode: p.Barcode}
		line.Name, line.Code = feed.Name(p.Name), known.Code()
		if u, ok := f.catalogue.Unit(p.UoM.ID); ok {
			line.Unit = u.Name
		}
	}
	line.Unit = feed.Name(line.Unit)
	return line
}

// inOwnUnit converts a quantity into the product's own unit, to the nearest
// millionth. What the hub does not know of is left as it is.
func (f *Feed) inOwnUnit(product int64, n float64, unit int64) movement.Quantity {
	if p, ok := f.catalogue.Product(product); ok && p.UoM.ID != unit {
		from, ok1 := f.catalogue.Unit(unit)
		to, ok2 := f.catalogue.Unit(p.UoM.ID)
		if ok1 && ok2 && to.Ratio > 0 && from.Family == to.Family {
			n *= from.Ratio / to.Ratio
		}
	}
	return quantity(n)
}

// quantity rounds to the nearest millionth, and bounds what cannot be.
func quantity(n float64) movement.Quantity {
	q, err := movement.QuantityFromFloat(n)
	if err != nil {
		return 0
	}
	return max(-movement.MaxQuantity, min(q, movement.MaxQuantity))
}

func (d *deliveries) build(branch string, list []*open) (*feed.Document, error) {
	b := feed.NewBuilder(feed.Deliveries, branch, d.f.document(feed.Deliveries, branch), d.packer)
	lines := 0
	for _, o := range list {
		if lines += len(o.Lines); lines > maxLines {
			d.f.log.Warn("a branch expects more than it can be told", "branch", branch, "deliveries", len(list), "lines", maxLines)
			break
		}
		rows := slices.Collect(slices.Chunk(o.Lines, rowLines))
		if len(rows) == 0 {
			rows = [][]feed.DeliveryLine{{}}
		}
		for i, part := range rows {
			row, key := feed.Delivery{Key: o.Key, Lines: part}, strings.Join([]string{o.Key, keyText(int64(i))}, "/")
			if i == 0 {
				row = o.Delivery
				row.Lines = part
			}
			if err := b.Add(key, row); err != nil {
				return nil, err
			}
		}
	}
	return b.Done()
}
