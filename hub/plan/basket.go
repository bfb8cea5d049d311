package plan

import (
	"fmt"
	"time"

	"branchline/hub/ledger"
	"branchline/internal/movement"
	"branchline/internal/odoo"
)

// basketKey is what movements must share to go into one document.
type basketKey struct {
	kind        movement.Kind
	incoming    bool
	day         movement.Date
	counterpart string
	document    movement.Document
	group       int64
	receipt     int64
}

// basket is a document in the making.
type basket struct {
	key       basketKey
	lines     []ledger.PostingLine
	at        map[lineKey]int
	movements int
	ids       []ledger.MovementID
	names     []movement.ID
	recorded  time.Time // the earliest
	last      time.Time // the latest OccurredAt
}

type lineKey struct {
	product int64
	lot     string
}

// put lays a movement into its basket.
func (p *planner) put(r *resolved) {
	if r.m.Kind == movement.Receipt {
		p.putReceipt(r)
		return
	}
	key := basketKey{kind: r.m.Kind, incoming: r.incoming, day: r.day}
	switch r.m.Kind {
	case movement.Dispense:
		// Sessions do not matter to the stock: sum over all of them.
	case movement.TransferOut, movement.TransferIn:
		key.counterpart, key.document, key.group = r.m.Counterpart, r.m.Document, r.m.GroupID
	default:
		key.group = r.m.GroupID
	}
	if _, _, _, missing := p.route(key); missing != "" {
		p.alarm("%s: Odoo has no %s; movements of kind %s wait", p.in.Branch.Code, missing, key.kind)
		p.wait(WaitSetup)
		return
	}
	if r.m.Kind == movement.TransferIn && !p.takesIn(r) {
		return
	}
	p.add(key, r, false)
}

func (p *planner) add(key basketKey, r *resolved, over bool) {
	b := p.baskets[key]
	if b == nil {
		b = &basket{key: key}
		p.baskets[key] = b
		p.order = append(p.order, b)
	}
	if b.at == nil {
		b.at = map[lineKey]int{}
		b.recorded, b.last = r.m.RecordedAt, r.m.OccurredAt
	}
	k := lineKey{r.it.product.ID, r.lot}
	i, ok := b.at[k]
	if !ok {
		i = len(b.lines)
		b.at[k] = i
		line := ledger.PostingLine{ProductID: r.it.product.ID, UoMID: r.it.product.UoM.ID, Lot: r.lot, LotID: r.known.ID}
		if r.lot != "" && r.known.ID == 0 {
			line.Expiry, line.Expires = r.expiry, odoo.Expiry(r.expiry, p.in.Branch.Zone)
		}
		b.lines = append(b.lines, line)
	}
	l := &b.lines[i]
	l.Over = l.Over || over
	l.Parts = append(l.Parts, ledger.PostingPart{Movement: r.m.ID, Quantity: r.quantity, Chosen: r.chosen})
	b.movements++
	b.ids, b.names = append(b.ids, r.m.ID), append(b.names, r.m.Identity)
	if r.m.RecordedAt.Before(b.recorded) {
		b.recorded = r.m.RecordedAt
	}
	if r.m.OccurredAt.After(b.last) {
		b.last = r.m.OccurredAt
	}
	if key.receipt == 0 && (b.movements >= p.in.Settings.Movements || len(b.lines) >= p.in.Settings.Lines) {
		p.close(b)
	}
}

// due is when a basket leaves that is not full.
func (p *planner) due(b *basket) time.Time {
	if b.key.kind == movement.Receipt || b.key.group != 0 {
		return p.in.Now
	}
	// The agent's clock may be wrong: the hub's own first sight counts too.
	since := b.recorded
	if s, ok := p.in.Since[b.key.kind]; ok && s.Before(since) {
		since = s
	}
	return since.Add(p.in.Settings.Every)
}

// close makes a posting of the basket and empties it.
func (p *planner) close(b *basket) {
	typ, from, to, _ := p.route(b.key)
	w := p.in.Branch.Warehouse
	document := b.key.document
	origin := fmt.Sprintf("%s %s %s", p.in.Branch.Code, b.key.kind, b.key.day)
	if document.Ref != "" {
		origin = document.Ref
	}
	body := ledger.PostingBody{CompanyID: w.CompanyID, WarehouseID: w.ID, TypeID: typ, FromID: from, ToID: to, Origin: origin,
		Day: b.key.day, At: b.last, Incoming: b.key.incoming, Lines: b.lines, ReceiptID: b.key.receipt}
	if b.key.receipt != 0 {
		body.Order = document.Ref
	}
	p.out.Postings = append(p.out.Postings, Posting{Kind: b.key.kind, Document: document, Body: body, IDs: b.ids, Names: b.names})
	*b = basket{key: b.key}
}

// route gives a document's operation type and locations; missing names what
// Odoo's setup lacks.
func (p *planner) route(k basketKey) (typ, from, to int64, missing string) {
	w, at := &p.in.Branch.Warehouse, &p.in.Branch.Places
	need := func(id int64, name string) int64 {
		if id == 0 {
			missing = name
		}
		return id
	}
	stock := need(w.StockID, "stock location of the branch")
	switch k.kind {
	case movement.Receipt:
		return w.InTypeID, need(at.Suppliers, "vendor location"), stock, missing
	case movement.Dispense:
		return w.OutTypeID, stock, need(at.Customers, "customer location"), missing
	case movement.Return:
		return w.InTypeID, need(at.Customers, "customer location"), stock, missing
	case movement.Wastage:
		return w.IntTypeID, stock, need(at.Scrap, "scrap location"), missing
	case movement.TransferOut:
		return w.IntTypeID, stock, need(at.Transit, "transit location between branches"), missing
	case movement.TransferIn:
		return w.IntTypeID, need(at.Transit, "transit location between branches"), stock, missing
	}
	if k.incoming {
		return w.IntTypeID, need(at.Inventory, "inventory loss location"), stock, missing
	}
	return w.IntTypeID, stock, need(at.Inventory, "inventory loss location"), missing
}
