package post

import (
	"context"
	"slices"

	"branchline/hub/ledger"
	"branchline/internal/fault"
	"branchline/internal/killpoint"
	"branchline/internal/movement"
	"branchline/internal/odoo"
)

// receipt puts the goods into the receipt that Odoo has prepared for them.
func (r *run) receipt(ctx context.Context) (ledger.OdooRef, error) {
	g := r.p.gate
	r.step = "look"
	d, err := g.byID(ctx, r.body.ReceiptID)
	if err != nil {
		return ledger.OdooRef{}, err
	}
	if !d.found {
		return ledger.OdooRef{}, errReplan
	}
	says, foreign := r.foreign(d.Picking)
	ref, ours := refOf(d.Picking), r.ours(d.Picking) && !foreign
	if d.State == odoo.Done {
		switch {
		case foreign:
			return ref, r.leaveTo(ctx, d.Picking, says)
		case ours:
			return ref, r.finish(ctx, ref)
		case r.at.Step != stepWritten || r.at.Odoo.ID != d.ID:
			return ref, errReplan // somebody else received it
		}
		// Our lines stood in it, and its note no longer says so: whether what
		// is done is ours, only the lines can tell.
		lines, err := g.lines(ctx, d.ID)
		if err != nil {
			return ref, err
		}
		if why := r.differs(lines); why != "" {
			return ref, fault.New(fault.Data, ReceiptChanged, "%s was written to, and is done with other lines and without our note: %s", ref.Name, why).
				WithHint("compare the receipt in Odoo with the delivery; then branchline-hub discard what it holds, or retry what it does not")
		}
		return ref, r.finish(ctx, ref)
	}
	rec, err := g.receipt(ctx, d.ID)
	if err != nil {
		return ref, err
	}
	if !rec.open {
		return ref, errReplan
	}
	lines, err := g.lines(ctx, d.ID)
	if err != nil {
		return ref, err
	}
	if !ours || r.differs(lines) != "" {
		if err := r.write(ctx, d, rec.Receipt, lines); err != nil {
			return ref, err
		}
	}
	killpoint.Here("post.receipt-written")
	if err := r.note(ctx, stepWritten, ref); err != nil {
		return ref, err
	}
	r.step = "check"
	if d, err = g.byID(ctx, d.ID); err != nil {
		return ref, err
	}
	if d.found && d.State == odoo.Done && r.ours(d.Picking) {
		return ref, r.finish(ctx, ref)
	}
	if lines, err = g.lines(ctx, ref.ID); err != nil {
		return ref, err
	}
	if why := r.differs(lines); why != "" || !d.found || !r.ours(d.Picking) {
		return ref, fault.New(fault.Data, ReceiptChanged, "somebody changed %s in Odoo while it was received: %s", ref.Name, why).
			WithHint("look at the receipt in Odoo, then branchline-hub retry")
	}
	return ref, r.validate(ctx, ref)
}

func (r *run) ours(p odoo.Picking) bool {
	m, ok := odoo.MarkerOf(p)
	return ok && m.Posting == r.at.Name
}

// write replaces the receipt's lines by what arrived, with our marker, in one
// call. What it replaces it has read before: written a second time it is
// refused.
func (r *run) write(ctx context.Context, d pick, rec odoo.Receipt, lines []odoo.Line) error {
	r.step = "lots"
	lots, err := r.lots(ctx)
	if err != nil {
		return err
	}
	r.step = "write"
	if _, marked := odoo.MarkerOf(d.Picking); !marked {
		if slices.ContainsFunc(lines, func(l odoo.Line) bool { return l.Picked && l.Quantity != 0 || l.LotName != "" }) {
			return fault.New(fault.Data, ReceiptInUse, "somebody has begun to receive %s in Odoo", rec.Name).
				WithHint("finish or clear it in Odoo, then branchline-hub retry")
		}
	}
	if len(lines) == 0 {
		return r.prepare(ctx, rec)
	}
	fresh, err := r.allot(rec, lots)
	if err != nil {
		return err
	}
	note, err := mark(&r.at, rec.ID, r.runs).With(rec.Note)
	if err != nil {
		return err
	}
	replace := make([]int64, len(lines))
	for i, l := range lines {
		replace[i] = l.ID
	}
	err = r.p.gate.do(ctx, 1, func(ctx context.Context, o Odoo) error { return o.WriteReceipt(ctx, rec.ID, replace, fresh, note) })
	if err == nil || fault.ClassOf(err) != fault.Data {
		return err
	}
	// Refused: because of what is in it, or because the lines it replaces were
	// replaced meanwhile, perhaps by an earlier call of ours?
	now, lerr := r.p.gate.lines(ctx, rec.ID)
	if lerr != nil {
		return lerr
	}
	if !slices.EqualFunc(lines, now, func(a, b odoo.Line) bool { return a.ID == b.ID }) {
		return fault.New(fault.Transient, ReceiptChanged, "%s was changed in Odoo meanwhile: %w", rec.Name, err)
	}
	return err
}

// prepare gives a receipt without lines those that Odoo itself would, so that
// the next try has something to replace.
func (r *run) prepare(ctx context.Context, rec odoo.Receipt) error {
	err := r.p.gate.do(ctx, 2, func(ctx context.Context, o Odoo) error { return o.ResetReceipt(ctx, rec, nil, rec.Note) })
	if err != nil {
		return err
	}
	return fault.New(fault.Transient, ReceiptChanged, "%s had no lines and was prepared", rec.Name)
}

// allot lays each line on the receipt's moves of its product, the first that
// still expects some first. More than is expected means that the order has
// changed since it was planned, unless a person released it.
func (r *run) allot(rec odoo.Receipt, lots []int64) ([]odoo.ReceiptLine, error) {
	left := make([]movement.Quantity, len(rec.Moves))
	for i, m := range rec.Moves {
		q, err := movement.QuantityFromFloat(m.Ordered)
		if err != nil {
			return nil, fault.New(fault.Defect, odoo.CodeDefect, "%s expects an impossible quantity: %w", rec.Name, err)
		}
		left[i] = q
	}
	var out []odoo.ReceiptLine
	for i := range r.body.Lines {
		l := &r.body.Lines[i]
		rest, last := l.Quantity(), -1
		for j, m := range rec.Moves {
			if m.ProductID != l.ProductID || rest == 0 {
				continue
			}
			last = j
			// In another unit than ours the plan has compared; the move takes all.
			take := rest
			if m.UoM.ID == l.UoMID || m.UoM.ID == 0 {
				if take = min(rest, left[j]); take <= 0 {
					continue
				}
				left[j] -= take
			}
			out, rest = append(out, receiptLine(rec.Moves[j], l, lots[i], take)), rest-take
		}
		switch {
		case last < 0, rest > 0 && !l.Over:
			return nil, errReplan
		case rest > 0:
			out = append(out, receiptLine(rec.Moves[last], l, lots[i], rest))
		}
	}
	return out, nil
}

func receiptLine(m odoo.ReceiptMove, l *ledger.PostingLine, lot int64, q movement.Quantity) odoo.ReceiptLine {
	return odoo.ReceiptLine{MoveID: m.ID, ProductID: l.ProductID, LotID: lot, Quantity: q.Float(), UoMID: l.UoMID, FromID: m.FromID, ToID: m.ToID}
}

// release takes back from Odoo what a refused posting has left there. done
// tells that it was posted after all.
func (r *run) release(ctx context.Context) (ref ledger.OdooRef, done bool, err error) {
	g := r.p.gate
	r.step = "withdraw"
	if r.body.ReceiptID == 0 {
		d, err := g.byName(ctx, r.body.CompanyID, r.at.Name)
		if err != nil || !d.found {
			return ref, false, err
		}
		if d.State == odoo.Done {
			return r.doneAs(ctx, d.Picking)
		}
		return ref, false, g.do(ctx, 2, func(ctx context.Context, o Odoo) error { return o.WithdrawPicking(ctx, d.Picking) })
	}
	d, err := g.byID(ctx, r.body.ReceiptID)
	if err != nil || !d.found || !r.ours(d.Picking) {
		return ref, false, err
	}
	if d.State == odoo.Done {
		return r.doneAs(ctx, d.Picking)
	}
	return ref, false, r.p.reset(ctx, d.Picking)
}

// reset makes a receipt as Odoo had prepared it.
func (p *Poster) reset(ctx context.Context, d odoo.Picking) error {
	rec, err := p.gate.receipt(ctx, d.ID)
	if err != nil || !rec.open {
		return err
	}
	lines, err := p.gate.lines(ctx, d.ID)
	if err != nil {
		return err
	}
	return p.gate.do(ctx, 2, func(ctx context.Context, o Odoo) error {
		return o.ResetReceipt(ctx, rec.Receipt, lines, odoo.Unmark(rec.Note))
	})
}

// halves splits a posting's body in two; nil for one that holds a single
// movement.
func halves(b *ledger.PostingBody) []*ledger.PostingBody {
	part := func(lines []ledger.PostingLine) *ledger.PostingBody {
		c := *b
		c.Lines = lines
		return &c
	}
	if n := len(b.Lines); n > 1 {
		return []*ledger.PostingBody{part(b.Lines[:n/2]), part(b.Lines[n/2:])}
	}
	if len(b.Lines) == 0 || len(b.Lines[0].Parts) < 2 {
		return nil
	}
	line := func(parts []ledger.PostingPart) []ledger.PostingLine {
		l := b.Lines[0]
		l.Parts = parts
		return []ledger.PostingLine{l}
	}
	n := len(b.Lines[0].Parts)
	return []*ledger.PostingBody{part(line(b.Lines[0].Parts[:n/2])), part(line(b.Lines[0].Parts[n/2:]))}
}
