package plan

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"branchline/hub/ledger"
	"branchline/internal/movement"
	"branchline/internal/odoo"
)

// Reason codes of exceptions.
const (
	MoreThanSent  = "more_than_sent"
	TakenInBefore = "taken_in_before"
	NoBoxNumber   = "no_box_number"
)

// box is what is known of a transfer by its number: both halves, in the products'
// own units.
type box struct {
	// sent has what left and taken what was taken in, planned or in Odoo; with an
	// empty lot it is the sum of all of a product.
	sent, taken map[lotKey]movement.Quantity
	// lotless are products of which something was sent without a lot.
	lotless map[int64]bool
	// known tells that what was sent is here and can be told. Until then the
	// sender may be offline: what was taken in counts, once.
	known bool
	// waits tells that the catalogue must be read first.
	waits bool
	// by is the first movement of each list that was taken in, packs those of packs
	// with a serial number, which belong to no list.
	by    map[int64]movement.ID
	packs map[lotKey]movement.ID
	// sender and takers are for people.
	sender string
	takers []string
	// lost are documents in Odoo by which it was taken in, and nobody knows how much.
	lost []string
}

// boxOf puts together what is known of a transfer.
func (p *planner) boxOf(ref string) *box {
	if b := p.boxes[ref]; b != nil {
		return b
	}
	b := &box{sent: map[lotKey]movement.Quantity{}, taken: map[lotKey]movement.Quantity{}, lotless: map[int64]bool{}, by: map[int64]movement.ID{}, packs: map[lotKey]movement.ID{}, lost: p.in.Transfers[ref].Lost}
	p.boxes[ref] = b
	was, hidden := p.quiet, false
	p.quiet = true
	defer func() { p.quiet = was }()
	t := p.in.Transfers[ref]
	for i := range t.Movements {
		m := &t.Movements[i]
		out := m.Kind == movement.TransferOut
		if !out && m.State != ledger.Planned && m.State != ledger.Posted {
			continue // it waits, here or for a person
		}
		r, ok := p.resolve(m)
		if !ok {
			b.waits = b.waits || p.items[itemKey{m.Product, m.Unit}].wait
			hidden = hidden || out
			continue
		}
		r.lot = lotRead(&r)
		if out {
			b.known, b.sender = true, m.Identity.Branch
			b.lotless[r.it.product.ID] = b.lotless[r.it.product.ID] || r.lot == ""
			count(b.sent, &r)
			continue
		}
		p.lay(b, &r)
	}
	if branches, ok := strings.CutPrefix(ref, unnumbered); ok { // that nothing was sent is known, too
		b.sender, _, _ = strings.Cut(branches, " ")
		b.known = true
	}
	b.known = b.known && !hidden && t.Whole
	return b
}

// lotRead is the lot, or the serial number, under which Odoo keeps what was read.
func lotRead(r *resolved) string {
	switch r.it.product.Tracking {
	case odoo.ByLot:
		return r.m.Lot
	case odoo.BySerial:
		return r.m.Serial
	}
	return ""
}

// count adds a movement to its lot and to its product. Lots are compared as people
// write them.
func count(to map[lotKey]movement.Quantity, r *resolved) {
	to[lotKey{product: r.it.product.ID}] += r.quantity
	if r.lot != "" {
		to[lotKey{r.it.product.ID, strings.ToUpper(r.lot)}] += r.quantity
	}
}

// lay notes what is taken in.
func (p *planner) lay(b *box, r *resolved) {
	count(b.taken, r)
	if _, ok := b.by[r.m.GroupID]; !ok && r.m.GroupID != 0 {
		b.by[r.m.GroupID] = r.m.Identity
	}
	if r.m.Serial != "" {
		b.packs[lotKey{r.it.product.ID, r.lot}] = r.m.Identity
	}
	if !slices.Contains(b.takers, r.m.Identity.Branch) {
		b.takers = append(b.takers, r.m.Identity.Branch)
	}
}

// takesIn tells whether goods that came under a transfer's number may be counted.
// More than was sent goes to a person: the box may have been taken in before, at
// another branch or by a PC that was replaced. While the hub does not have what was
// sent, since the sender's line is down, the goods on the shelf count all the same,
// but only those of the first that took the box in.
func (p *planner) takesIn(r *resolved) bool {
	m := r.m
	ref := boxRef(m)
	if _, read := p.in.Transfers[ref]; p.quiet || ref == "" || !numbered(m) && !read {
		return true
	}
	b := p.boxOf(ref)
	if b.waits {
		p.wait(WaitCatalogue)
		return false
	}
	if !numbered(m) {
		return p.takesInUnnumbered(r, b)
	}
	const hint = "ask both branches what was in the box; branchline-hub release takes it in as it is, branchline-hub discard takes it out because it is counted already"
	switch {
	case p.released(m, MoreThanSent), p.released(m, TakenInBefore):
	case len(b.lost) > 0:
		p.refuse(m, TakenInBefore, "document.ref", hint, "%s was taken in before by %s in Odoo; the hub was put back from a backup, and what was taken in by that has not come again",
			m.Document.Ref, strings.Join(b.lost, ", "))
		return false
	case b.known:
		product := lotKey{product: r.it.product.ID}
		if text := b.beyond(product, r.quantity); text != "" {
			p.refuse(m, MoreThanSent, "quantity", hint, "%s under %s: %s", r.it.product.Name, m.Document.Ref, text)
			return false
		}
		if r.lot == "" || b.lotless[product.product] {
			break
		}
		if text := b.beyond(lotKey{product.product, strings.ToUpper(r.lot)}, r.quantity); text != "" {
			p.refuse(m, MoreThanSent, "lot", hint, "lot %s of %s under %s: %s", r.lot, r.it.product.Name, m.Document.Ref, text)
			return false
		}
	default:
		if earlier, ok := b.before(r); ok {
			p.refuse(m, TakenInBefore, "document.ref", hint+"; branchline-hub retry compares it once the hub has what was sent",
				"%s was taken in before, as %s, and the hub does not have yet all that was sent under it", m.Document.Ref, earlier)
			return false
		}
	}
	p.lay(b, r)
	return true
}

// takesInUnnumbered tells whether goods may be counted that were taken in from another
// branch without a box's number. They are held against what that branch sent without
// one, as exports do on both sides; all else was in a box, whose number it must have,
// or it counts once more when somebody scans that.
func (p *planner) takesInUnnumbered(r *resolved, b *box) bool {
	m := r.m
	if !p.released(m, NoBoxNumber) {
		text := "what was sent without a number cannot be told"
		if b.known {
			text = b.beyond(lotKey{product: r.it.product.ID}, r.quantity)
			if text == "" && r.lot != "" && !b.lotless[r.it.product.ID] {
				text = b.beyond(lotKey{r.it.product.ID, strings.ToUpper(r.lot)}, r.quantity)
			}
		}
		if text != "" {
			p.refuse(m, NoBoxNumber, "document.ref", "ask the branch which box it was, branchline-hub transfers lists those that are open: in the control room the document is corrected to its number; "+
				"branchline-hub release takes it in as it is, branchline-hub discard takes it out because it is counted already, branchline-hub retry compares it again",
				"%s came from %s without a box's number; without a number, %s", r.it.product.Name, m.Counterpart, text)
			return false
		}
	}
	p.lay(b, r)
	return true
}

// numbered tells whether a movement has the number of a box.
func numbered(m *ledger.Movement) bool {
	return m.Document.Type == ledger.DocumentTransfer && m.Document.Ref != ""
}

// boxRef is under what both halves of a transfer are found: its number, or else the
// two branches; empty where no other branch is named.
func boxRef(m *ledger.Movement) string {
	switch {
	case numbered(m):
		return m.Document.Ref
	case m.Counterpart == "":
		return ""
	}
	return unnumbered + m.Counterpart + " to " + m.Identity.Branch
}

// unnumbered begins what stands for a number where there is none: no number has a blank.
const unnumbered = "from "

// before is what was taken in by another list, or of the same pack.
func (b *box) before(r *resolved) (movement.ID, bool) {
	if r.m.GroupID == 0 {
		id, ok := b.packs[lotKey{r.it.product.ID, r.lot}]
		return id, ok && r.m.Serial != ""
	}
	for _, group := range slices.Sorted(maps.Keys(b.by)) {
		if group != r.m.GroupID {
			return b.by[group], true
		}
	}
	return movement.ID{}, false
}

// beyond says how a quantity would be more than was sent; empty where it is not.
func (b *box) beyond(k lotKey, q movement.Quantity) string {
	sent, taken := b.sent[k], b.taken[k]
	switch {
	case taken+q <= sent:
		return ""
	case sent == 0:
		return fmt.Sprintf("%s sent none of it, and %s came", b.sender, q)
	case taken == 0:
		return fmt.Sprintf("%s sent %s, and %s came", b.sender, sent, q)
	}
	return fmt.Sprintf("%s sent %s; %s taken in at %s already, and with this %s it would be %s", b.sender, sent, taken,
		strings.Join(b.takers, ", "), q, taken+q)
}

// unnumberedFor is how far back it is looked what was sent and taken in without a
// number.
const unnumberedFor = 120 * 24 * time.Hour

// transfers reads both halves of the boxes that are taken in.
func (r *Runner) transfers(ctx context.Context, in *Input) (all map[string]ledger.Transfer, err error) {
	for i := range in.Pending {
		m := &in.Pending[i]
		ref := boxRef(m)
		if _, read := all[ref]; read || m.Kind != movement.TransferIn || ref == "" {
			continue
		}
		var t ledger.Transfer
		if numbered(m) {
			t, err = r.ledger.Transfer(ctx, ref)
		} else if _, ours := r.cfg.Branches[m.Counterpart]; ours {
			t, err = r.ledger.UnnumberedTransfer(ctx, m.Counterpart, m.Identity.Branch, in.Now.Add(-unnumberedFor))
		} else {
			continue // what others send is not known here
		}
		if err != nil {
			return nil, err
		}
		if all == nil {
			all = map[string]ledger.Transfer{}
		}
		all[ref] = t
	}
	return all, nil
}

// applyBoxes is [Runner.apply] for a plan in which boxes are taken in. Another branch
// may have taken the same box in since the plan was made, so that they go one after
// the other and look once more.
func (r *Runner) applyBoxes(ctx context.Context, in *Input, out Output, aliases int64) (Output, error) {
	r.boxes.Lock()
	defer r.boxes.Unlock()
	now, err := r.transfers(ctx, in)
	if err != nil {
		return out, err
	}
	same := func(x, y ledger.Movement) bool { return x.ID == y.ID && x.State == y.State && x.Quantity == y.Quantity }
	if !maps.EqualFunc(now, in.Transfers, func(x, y ledger.Transfer) bool {
		return x.Whole == y.Whole && slices.Equal(x.Lost, y.Lost) && slices.EqualFunc(x.Movements, y.Movements, same)
	}) {
		in.Transfers = now
		out = Plan(*in)
	}
	return out, r.apply(ctx, in, out, aliases)
}
