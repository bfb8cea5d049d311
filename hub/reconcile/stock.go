package reconcile

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"branchline/hub/ledger"
	"branchline/internal/movement"
	"branchline/internal/odoo"
)

// place is a product, and lot, as Odoo keeps stock.
type place struct {
	product int64
	lot     string
}

// holding is what is known of stock by place: what Odoo has, what the ledger's posted
// movements add up to, what waits to be posted.
type holding struct {
	odoo, posted, waiting map[place]movement.Quantity
	// together are products of which lots cannot be compared, with why; "" for those
	// that have none.
	together map[int64]string
	// under are products of which a document is on its way.
	under map[int64]bool
	left  []ledger.StockLeft
}

const (
	someWithout = "moved without a lot at the branch, so all lots together"
	bySerial    = "kept by serial number in Odoo, so all together"
	atOdooOnce  = 2 // calls that reading a warehouse's stock costs about
	moveSlack   = 5 * time.Minute
	maxMoves    = 1000
	moveChunk   = 200
)

// stock compares what Odoo has at a branch with what follows from the ledger. start
// is given where the comparison begins with this one. changed are documents of ours
// that are not as they were posted.
func (r *Runner) stock(ctx context.Context, at ledger.ToReconcile, branch Branch, changed []ledger.RecordDifference) (s ledger.ReconciledStock, begin *ledger.StockStart, err error) {
	site, _, ok := r.products.Site(branch.Warehouse)
	if !ok {
		s.Why = "the hub knows no warehouse " + branch.Warehouse + " in Odoo"
		return s, nil, nil
	}
	h, asked, still, err := r.read(ctx, branch.Code, site)
	if err != nil {
		return s, nil, err
	}
	if !still {
		s.Why = "movements of the branch came, or were posted, all the time while its stock was read"
		return s, nil, nil
	}
	s.At, s.Left = asked, h.left[:min(len(h.left), ledger.MaxReconciled)]
	start, err := r.ledger.StockStart(ctx, branch.Code)
	if err != nil {
		return s, nil, err
	}
	if start == nil || at.StartWhy != "" {
		if len(h.under) > 0 {
			s.At, s.Why = time.Time{}, "a document of the branch is on its way to Odoo; the comparison of its stock begins when none is"
			return s, nil, nil
		}
		start = h.start(asked, at)
		begin = start
	}
	s.Start, s.StartWho, s.StartWhy = start.At, start.Who, start.Why
	all, compared := h.differences(start)
	s.Compared = compared
	if n := len(all) - ledger.MaxReconciled; n > 0 {
		all, s.More = all[:ledger.MaxReconciled], int64(n)
	}
	for i := range all {
		d := &all[i]
		if p, ok := r.products.Product(d.ProductID); ok {
			d.Code, d.Unit = p.Code, p.UoM.Name
		}
		d.Name = r.goods(d.ProductID)
	}
	s.Differences = all
	s.MovesLeft, err = r.foreign(ctx, branch.Code, site, start.At, all, changed)
	return s, begin, err
}

// read reads the two sides, until nothing was posted in between; still is false where
// something always was.
func (r *Runner) read(ctx context.Context, branch string, site odoo.Warehouse) (h *holding, asked time.Time, still bool, err error) {
	for try := range 3 {
		if err := r.breathe(ctx, try); err != nil {
			return h, asked, false, err
		}
		h = &holding{odoo: map[place]movement.Quantity{}, posted: map[place]movement.Quantity{}, waiting: map[place]movement.Quantity{},
			together: map[int64]string{}, under: map[int64]bool{}}
		before, err := r.ledger.PostedSign(ctx, branch)
		if err != nil {
			return h, asked, false, err
		}
		if err := r.onTheWay(ctx, h, branch); err != nil {
			return h, asked, false, err
		}
		if err := r.implied(ctx, h, branch); err != nil {
			return h, asked, false, err
		}
		asked = r.now()
		has, err := ask(ctx, r, atOdooOnce, func(ctx context.Context) ([]odoo.OnHand, error) { return r.odoo.Stock(ctx, site.ViewID) })
		if err != nil {
			return h, asked, false, err
		}
		for _, q := range has {
			n, err := movement.QuantityFromFloat(q.Quantity)
			if err != nil {
				h.left = append(h.left, ledger.StockLeft{Product: movement.Product{Code: r.goods(q.ProductID)}, Lot: q.LotName, Why: err.Error()})
				h.under[q.ProductID] = true
				continue
			}
			h.odoo[place{q.ProductID, q.LotName}] += n
		}
		// What has begun since is in Odoo, perhaps.
		if err := r.onTheWay(ctx, h, branch); err != nil {
			return h, asked, false, err
		}
		after, err := r.ledger.PostedSign(ctx, branch)
		if err != nil {
			return h, asked, false, err
		}
		totals, err := r.ledger.BranchTotals(ctx, branch)
		if err != nil {
			return h, asked, false, err
		}
		if before == after && !totals.Behind {
			r.byProduct(h)
			return h, asked, true, nil
		}
	}
	return h, asked, false, nil
}

// breathe lets some time pass before something is tried again.
func (r *Runner) breathe(ctx context.Context, try int) error {
	if try == 0 {
		return nil
	}
	t := time.NewTimer(250 * time.Millisecond)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// onTheWay notes the products of documents that may be in Odoo and are not known to
// be.
func (r *Runner) onTheWay(ctx context.Context, h *holding, branch string) error {
	begun, err := r.ledger.Postings(ctx, ledger.PostingFilter{Branch: branch, State: ledger.PostingBegun, Limit: 1000})
	if err != nil {
		return err
	}
	for _, p := range begun {
		whole, err := r.ledger.Posting(ctx, p.ID)
		if err != nil {
			return err
		}
		body, err := ledger.DecodeBody(whole.Body)
		if err != nil {
			return err
		}
		for _, l := range body.Lines {
			h.under[l.ProductID] = true
		}
	}
	return nil
}

// implied adds up what the branch's movements did, by what their codes mean now.
func (r *Runner) implied(ctx context.Context, h *holding, branch string) error {
	waits, err := r.ledger.Unposted(ctx, branch)
	if err != nil {
		return err
	}
	all, err := r.ledger.BranchStock(ctx, branch)
	if err != nil {
		return err
	}
	type item struct {
		product   movement.Product
		lot, unit string
	}
	open := map[item]movement.Quantity{}
	for _, w := range waits {
		open[item{w.Product, w.Lot, w.Unit}] += w.CameIn - w.WentOut
	}
	for _, s := range all {
		key := item{s.Product, s.Lot, s.Unit}
		wait := open[key]
		for _, part := range []struct {
			to  map[place]movement.Quantity
			net movement.Quantity
		}{{h.waiting, wait}, {h.posted, s.CameIn - s.WentOut - wait}} {
			if part.net == 0 {
				continue
			}
			ok, err := r.add(ctx, h, part.to, s, part.net)
			if err != nil {
				return err
			}
			if !ok && wait != part.net { // what only waits is with a person already
				h.left = append(h.left, ledger.StockLeft{Product: s.Product, Lot: s.Lot, Why: "Odoo has no product by this code and unit any more, or several"})
			}
		}
	}
	return nil
}

// add adds a quantity, as the product's own unit has it.
func (r *Runner) add(ctx context.Context, h *holding, to map[place]movement.Quantity, s ledger.Stock, net movement.Quantity) (ok bool, err error) {
	m := ledger.Movement{Product: s.Product, Lot: s.Lot, Unit: s.Unit, Quantity: max(net, -net), Kind: movement.Adjustment}
	lines, ok, err := r.meaning.Meant(ctx, []ledger.Movement{m})
	if err != nil || !ok {
		return false, err
	}
	for i := range lines {
		l := &lines[i]
		q := l.Quantity()
		if net < 0 {
			q = -q
		}
		to[place{l.ProductID, l.Lot}] += q
		if slices.ContainsFunc(l.Parts, func(p ledger.PostingPart) bool { return p.Chosen }) {
			h.together[l.ProductID] = someWithout
		}
	}
	return true, nil
}

// byProduct decides which products are compared as a whole.
func (r *Runner) byProduct(h *holding) {
	for _, side := range []map[place]movement.Quantity{h.odoo, h.posted} {
		for k := range side {
			p, ok := r.products.Product(k.product)
			switch {
			case ok && p.Tracking == odoo.ByQuantity:
				h.together[k.product] = ""
			case ok && p.Tracking == odoo.BySerial:
				h.together[k.product] = bySerial
			}
		}
	}
}

// start is what Odoo has that the ledger does not explain.
func (h *holding) start(at time.Time, asked ledger.ToReconcile) *ledger.StockStart {
	s := &ledger.StockStart{At: at, Who: asked.Who, Why: asked.StartWhy}
	for k := range h.places() {
		if q := h.odoo[k] - h.posted[k]; q != 0 {
			s.Items = append(s.Items, ledger.StockStartItem{ProductID: k.product, Lot: k.lot, Quantity: q})
		}
	}
	return s
}

func (h *holding) places() map[place]bool {
	all := map[place]bool{}
	for _, side := range []map[place]movement.Quantity{h.odoo, h.posted} {
		for k := range side {
			all[k] = true
		}
	}
	return all
}

// differences holds the two sides against each other, from the start on, and counts
// what it compared.
func (h *holding) differences(start *ledger.StockStart) (all []ledger.StockDifference, compared int64) {
	sums := map[place]*ledger.StockDifference{}
	at := func(k place) *ledger.StockDifference {
		why, together := h.together[k.product]
		if together {
			k.lot = ""
		}
		if sums[k] == nil {
			sums[k] = &ledger.StockDifference{ProductID: k.product, Lot: k.lot, Together: why}
		}
		return sums[k]
	}
	for _, i := range start.Items {
		at(place{i.ProductID, i.Lot}).Start += i.Quantity
	}
	for k, q := range h.posted {
		at(k).Moved += q
	}
	for k, q := range h.odoo {
		at(k).Odoo += q
	}
	for k, q := range h.waiting {
		at(k).Waiting += q
	}
	for _, k := range slices.SortedFunc(maps.Keys(sums), func(a, b place) int {
		return cmp.Or(cmp.Compare(a.product, b.product), cmp.Compare(a.lot, b.lot))
	}) {
		d := sums[k]
		if h.under[k.product] {
			continue
		}
		compared++
		if d.Expected = d.Start + d.Moved; d.Off() != 0 {
			all = append(all, *d)
		}
	}
	return all, compared
}

// foreign finds out who else has moved what differs, since the start.
func (r *Runner) foreign(ctx context.Context, branch string, site odoo.Warehouse, since time.Time, all []ledger.StockDifference, changed []ledger.RecordDifference) (more bool, err error) {
	var products []int64
	for _, d := range all {
		products = append(products, d.ProductID)
	}
	products = slices.Compact(products) // they are in order
	var moves []odoo.StockMove
	for part := range slices.Chunk(products, moveChunk) {
		type answer struct {
			moves []odoo.StockMove
			more  bool
		}
		a, err := ask(ctx, r, 3, func(ctx context.Context) (a answer, err error) {
			a.moves, a.more, err = r.odoo.StockMovesSince(ctx, site.ViewID, part, since.Add(-moveSlack), maxMoves)
			return a, err
		})
		if err != nil {
			return more, err
		}
		moves, more = append(moves, a.moves...), more || a.more
	}
	var documents []int64
	for _, m := range moves {
		documents = append(documents, m.PickingID)
	}
	ours, err := r.ledger.PostingsOfDocuments(ctx, branch, documents)
	if err != nil {
		return more, err
	}
	otherwise := map[int64]bool{}
	for _, c := range changed {
		otherwise[c.OdooID] = true
	}
	for _, m := range moves {
		if m.PickingID != 0 && ours[m.PickingID] && !otherwise[m.PickingID] {
			continue
		}
		i := slices.IndexFunc(all, func(d ledger.StockDifference) bool {
			return d.ProductID == m.ProductID && (d.Lot == m.LotName || d.Together != "" || d.Lot == "")
		})
		q, err := movement.QuantityFromFloat(m.Quantity)
		if i < 0 || err != nil || len(all[i].Moves) >= maxMovesShown {
			more = more || i >= 0
			continue
		}
		move := ledger.ForeignMove{At: m.At, Who: m.Who, Document: m.Document, OdooID: m.PickingID, Lot: m.LotName, Quantity: q, Ours: ours[m.PickingID]}
		if p, ok := r.products.Product(m.ProductID); ok && p.UoM.ID != m.UoMID {
			move.Unit = r.unit(m.UoMID)
		}
		all[i].Moves = append(all[i].Moves, move)
	}
	return more, nil
}

// maxMovesShown bounds the moves that are kept of one product and lot.
const maxMovesShown = 20

func (r *Runner) unit(id int64) string {
	if u, ok := r.products.Unit(id); ok {
		return u.Name
	}
	return fmt.Sprintf("unit %d", id)
}
