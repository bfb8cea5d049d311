package post

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"branchline/hub/ledger"
	"branchline/internal/fault"
	"branchline/internal/killpoint"
	"branchline/internal/movement"
	"branchline/internal/odoo"
)

// Stage is how exceptions found here are marked.
const Stage = "post"

// Reason codes of exceptions.
const (
	Dialog         = "odoo_dialog"
	ChangedLines   = "odoo_changed_lines"
	NameTaken      = "document_name_taken"
	CancelledThere = "cancelled_in_odoo"
	ReceiptInUse   = "receipt_in_use"
	ReceiptChanged = "receipt_changed"
	ExpiryConflict = "lot_expiry_conflict"
)

// The steps of a posting, as they are kept.
const (
	stepBegun     = "begun"
	stepCreated   = "created"
	stepWritten   = "written"
	stepCompared  = "compared"
	stepRefused   = "refused"
	stepReplanned = "order changed"
)

const pickingModel = "stock.picking"

// errReplan says that the order in Odoo is no longer what was planned for.
var errReplan = errors.New("the order has changed in Odoo")

// refusedSome says that some movements of a posting cannot go; the rest can.
type refusedSome struct {
	cause error
	ids   []ledger.MovementID
}

func (e *refusedSome) Error() string { return e.cause.Error() }
func (e *refusedSome) Unwrap() error { return e.cause }

// run is one try at one posting. Every step looks at Odoo's state first, so it
// may be broken off anywhere and begun again.
type run struct {
	p     *Poster
	at    ledger.Posting
	body  *ledger.PostingBody
	runs  []ledger.Run
	began time.Time
	step  string // what is being done, for the attempt
	log   *slog.Logger
}

// post carries the posting out and gives the document that holds it.
func (r *run) post(ctx context.Context) (ledger.OdooRef, error) {
	if r.body.ReceiptID != 0 {
		return r.receipt(ctx)
	}
	return r.document(ctx)
}

// document makes, checks and validates a document of our own.
func (r *run) document(ctx context.Context) (ledger.OdooRef, error) {
	g := r.p.gate
	r.step = "look"
	d, err := g.byName(ctx, r.body.CompanyID, r.at.Name)
	if err != nil {
		return ledger.OdooRef{}, err
	}
	says, foreign := r.foreign(d.Picking)
	if d.found && foreign && d.State == odoo.Done {
		return ledger.OdooRef{}, r.leaveTo(ctx, d.Picking, says)
	}
	if d, err = r.reusable(ctx, d, foreign); err != nil {
		return ledger.OdooRef{}, err
	}
	if !d.found {
		if d, err = r.create(ctx); err != nil {
			return ledger.OdooRef{}, err
		}
		killpoint.Here("post.created")
	}
	ref := refOf(d.Picking)
	if err := r.note(ctx, stepCreated, ref); err != nil {
		return ref, err
	}
	r.step = "check"
	lines, err := g.lines(ctx, d.ID)
	if err != nil {
		return ref, err
	}
	if d.State == odoo.Done {
		return ref, r.finish(ctx, ref)
	}
	if why := r.differs(lines); why != "" {
		return ref, fault.New(fault.Data, ChangedLines, "Odoo holds other lines in %s than were sent: %s", r.at.Name, why).
			WithHint("look at the document in Odoo, then branchline-hub retry")
	}
	killpoint.Here("post.moves-written")
	if err := g.do(ctx, 1, func(ctx context.Context, o Odoo) error { return o.ShowLines(ctx, d.ID, lines) }); err != nil {
		return ref, err
	}
	return ref, r.validate(ctx, ref)
}

// reusable tells whether a document of our name can be gone on with. One that
// cannot, and has not moved anything, is taken out of the way; so is one that is
// foreign, made of other movements.
func (r *run) reusable(ctx context.Context, d pick, foreign bool) (pick, error) {
	if !d.found || d.State == odoo.Done {
		return d, nil
	}
	if d.State == odoo.Cancelled && r.at.Step == stepCreated {
		return d, r.cancelled()
	}
	if d.State != odoo.Cancelled && !foreign {
		lines, err := r.p.gate.lines(ctx, d.ID)
		if err != nil {
			return d, err
		}
		if r.differs(lines) == "" {
			return d, nil
		}
	}
	r.log.Warn("a document of ours that does not hold what was planned is taken out of the way", "state", d.State)
	return pick{}, r.p.gate.do(ctx, 2, func(ctx context.Context, o Odoo) error { return o.WithdrawPicking(ctx, d.Picking) })
}

func (r *run) create(ctx context.Context) (pick, error) {
	r.step = "lots"
	lots, err := r.lots(ctx)
	if err != nil {
		return pick{}, err
	}
	r.step = "create"
	note, err := mark(&r.at, 0, r.runs).HTML()
	if err != nil {
		return pick{}, err
	}
	moves := make([]odoo.NewMove, len(r.body.Lines))
	for i := range r.body.Lines {
		l := &r.body.Lines[i]
		moves[i] = odoo.NewMove{ProductID: l.ProductID, LotID: lots[i], Quantity: l.Quantity().Float(), UoMID: l.UoMID}
	}
	_, err = through(ctx, r.p.gate, 1, func(ctx context.Context, o Odoo) (int64, error) {
		return o.CreateDocument(ctx, odoo.NewPicking{Name: r.at.Name, TypeID: r.body.TypeID, FromID: r.body.FromID, ToID: r.body.ToID,
			Origin: r.body.Origin, Note: note}, moves)
	})
	if err != nil && fault.ClassOf(err) != fault.Data {
		return pick{}, err
	}
	// Refused: perhaps since an earlier call of ours, whose answer was lost,
	// has just come to its end.
	refused := err
	d, err := r.p.gate.byName(ctx, r.body.CompanyID, r.at.Name)
	switch {
	case err != nil:
		return d, err
	case !d.found && refused != nil:
		return d, refused
	case !d.found:
		return d, fault.New(fault.Defect, odoo.CodeDefect, "Odoo made %s and does not know it", r.at.Name)
	case d.State == odoo.Cancelled:
		return d, r.cancelled()
	}
	return d, nil
}

// lots gives the lot of each line, made where it is new. It compares expiry
// once more with what Odoo has now: the plan may be older than a change there.
func (r *run) lots(ctx context.Context) ([]int64, error) {
	ids := make([]int64, len(r.body.Lines))
	var products []int64
	for _, l := range r.body.Lines {
		if l.Lot != "" && l.LotID == 0 {
			products = append(products, l.ProductID)
		}
	}
	known := map[string]odoo.Lot{}
	if len(products) > 0 {
		all, err := through(ctx, r.p.gate, 1, func(ctx context.Context, o Odoo) ([]odoo.Lot, error) { return o.Lots(ctx, products) })
		if err != nil {
			return nil, err
		}
		for _, l := range all {
			key := fmt.Sprint(l.ProductID, " ", l.Name)
			if have, ok := known[key]; l.CompanyID == r.body.CompanyID && (!ok || have.CompanyID == 0) || l.CompanyID == 0 && !ok {
				known[key] = l
			}
		}
	}
	var conflict *refusedSome
	for i := range r.body.Lines {
		l := &r.body.Lines[i]
		ids[i] = l.LotID
		if l.Lot == "" || l.LotID != 0 {
			continue
		}
		lot, ok := known[fmt.Sprint(l.ProductID, " ", l.Lot)]
		if !ok {
			var err error
			lot, err = through(ctx, r.p.gate, 3, func(ctx context.Context, o Odoo) (odoo.Lot, error) {
				return o.EnsureLot(ctx, l.ProductID, r.body.CompanyID, l.Lot, l.Expires)
			})
			if err != nil {
				return nil, err
			}
		}
		ids[i] = lot.ID
		if !l.Expiry.IsZero() && !lot.Expires.IsZero() && !sameDay(l, lot.Expires, r.body.At.Location()) {
			if conflict == nil {
				conflict = &refusedSome{cause: fault.New(fault.Data, ExpiryConflict, "lot %s expires %s in Odoo and %s here", l.Lot,
					lot.Expires.Format(time.DateOnly), l.Expiry).WithHint("look at the pack: where Odoo is wrong, correct the lot there, then branchline-hub retry; where the line is wrong, record it again at the branch and branchline-hub discard this one")}
			}
			for _, p := range l.Parts {
				conflict.ids = append(conflict.ids, p.Movement)
			}
		}
	}
	if conflict != nil {
		return nil, conflict
	}
	return ids, nil
}

// sameDay compares as the planner does: the date may have been entered by the
// branch's calendar, or as a bare date in UTC.
func sameDay(l *ledger.PostingLine, moment time.Time, loc *time.Location) bool {
	d := moment.Sub(l.Expires)
	return d == 0 || l.Expiry == odoo.ExpiryDate(moment, loc) || l.Expiry == odoo.ExpiryDate(moment, time.UTC)
}

// How many bytes of differences are told: in a log or a refusal, and in the
// audit trail, where the largest document has room.
const (
	fewDifferences = 500
	allDifferences = 64 << 10
)

// cancelled is for a document of our own that a person does not want in Odoo.
func (r *run) cancelled() error {
	return fault.New(fault.Data, CancelledThere, "somebody cancelled %s in Odoo", r.at.Name).
		WithHint("find out why; branchline-hub retry makes the document again, branchline-hub discard leaves the stock as it is")
}

// differs tells shortly in what the lines in Odoo are not exactly the planned
// ones; empty if they are.
func (r *run) differs(lines []odoo.Line) string { return told(r.differences(lines), fewDifferences) }

// told joins differences up to so many bytes, and counts the others.
func told(all []string, limit int) string {
	var b strings.Builder
	for i, d := range all {
		if i > 0 && b.Len()+len(d) > limit {
			fmt.Fprintf(&b, "; and %d more", len(all)-i)
			break
		}
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(d)
	}
	return b.String()
}

func (r *run) differences(lines []odoo.Line) (all []string) {
	var moves []ledger.Moved
	for _, l := range lines {
		q, err := movement.QuantityFromFloat(l.Quantity)
		if err != nil {
			all = append(all, err.Error())
			continue
		}
		moves = append(moves, ledger.Moved{ProductID: l.ProductID, UoMID: l.UoMID, Lot: l.LotName, Quantity: q})
	}
	for _, d := range ledger.DifferingLines(r.body.Lines, moves) {
		switch {
		case d.Off == 0:
			all = append(all, fmt.Sprintf("product %d, lot %q, in unit of measure %d and not %d", d.ProductID, d.Lot, d.Is, d.Should))
		case d.Off < 0:
			all = append(all, fmt.Sprintf("%s of product %d, lot %q, too few", -d.Off, d.ProductID, d.Lot))
		default:
			all = append(all, fmt.Sprintf("%s of product %d, lot %q, too many", d.Off, d.ProductID, d.Lot))
		}
	}
	return all
}

// validate posts the document. Only the state read back counts.
func (r *run) validate(ctx context.Context, ref ledger.OdooRef) error {
	r.step = "validate"
	v, err := r.p.gate.validate(ctx, ref.ID)
	switch code := fault.CodeOf(err); {
	case code != odoo.CodeCancelled && code != odoo.CodeDeleted:
	case r.body.ReceiptID != 0:
		return errReplan // as when it had been seen a moment earlier
	case code == odoo.CodeCancelled:
		return r.cancelled()
	default:
		return fault.New(fault.Data, odoo.CodeDeleted, "somebody deleted %s in Odoo while it was made", r.at.Name).
			WithHint("find out why; branchline-hub retry makes the document again, branchline-hub discard leaves the stock as it is")
	}
	if err != nil {
		return err
	}
	if v.Dialog != nil {
		return fault.New(fault.Data, Dialog, "Odoo asks %q (%s) before it would post %s", v.Dialog.Name, v.Dialog.Model, ref.Name).
			WithHint("answer it in Odoo or change what it asks about, then branchline-hub retry")
	}
	killpoint.Here("post.validated")
	return r.finish(ctx, ref)
}

// finish does what is left to do with a document that is done. It may be
// repeated. The lines are compared first, as near to the validation as can be:
// what becomes of a document later is no longer ours to tell, however long Odoo
// takes to accept its date.
func (r *run) finish(ctx context.Context, ref ledger.OdooRef) error {
	if err := r.compare(ctx, ref); err != nil {
		return err
	}
	return r.date(ctx, ref)
}

// compare holds a document that is done against what was to be posted: a person
// in Odoo may have changed it at any moment before. What is in Odoo stands; the
// difference goes into the audit trail at once, and only once.
func (r *run) compare(ctx context.Context, ref ledger.OdooRef) error {
	if r.at.Step == stepCompared {
		return nil
	}
	r.step = "compare"
	lines, err := r.p.gate.lines(ctx, ref.ID)
	if err != nil {
		return err
	}
	elsewhere, err := r.elsewhere(ctx, ref, lines)
	if err != nil {
		return err
	}
	all := append(r.differences(lines), elsewhere...)
	if len(all) == 0 {
		return nil
	}
	r.log.Error("a document was changed in Odoo before it was validated", "document", ref.Name, "odoo_id", ref.ID, "err", told(all, fewDifferences))
	_, err = r.p.ledger.ChangePosting(ctx, r.at.ID, ledger.PostingChange{At: r.p.clock(), State: ledger.PostingBegun, Step: stepCompared, Odoo: ref,
		Changed: ref.Name + " is done in Odoo otherwise than it was posted: " + told(all, allDifferences)})
	if err == nil {
		r.at.State, r.at.Step, r.at.Odoo = ledger.PostingBegun, stepCompared, ref
	}
	return err
}

// date gives a document of a past day its own date. The goods have moved
// whether Odoo takes the date or not, so a refusal is only noted.
func (r *run) date(ctx context.Context, ref ledger.OdooRef) error {
	now := r.p.clock().In(r.body.At.Location())
	if !r.body.Day.Before(movement.DateOf(now)) {
		return nil
	}
	r.step = "date"
	err := r.p.gate.do(ctx, 5, func(ctx context.Context, o Odoo) error { return o.SetDates(ctx, ref.ID, r.body.At) })
	if err != nil && fault.ClassOf(err) == fault.Transient {
		return err
	}
	if err != nil {
		r.log.Warn("the document keeps the date of its posting", "date", r.body.Day.String(), "err", err)
	}
	return nil
}

// note keeps how far the posting is. It comes before anything is validated, so
// that what was planned otherwise meanwhile never leaves as it was planned first;
// what stands in Odoo by then is taken out of the way by the next run.
func (r *run) note(ctx context.Context, step string, ref ledger.OdooRef) error {
	if (r.at.Step == step || r.at.Step == stepCompared) && r.at.Odoo.ID == ref.ID {
		return nil
	}
	_, err := r.p.ledger.ChangePosting(ctx, r.at.ID, ledger.PostingChange{At: r.p.clock(), Body: r.at.Body, State: ledger.PostingBegun, Step: step,
		NextAt: r.at.NextAt, Odoo: ref})
	if err == nil {
		r.at.State, r.at.Step, r.at.Odoo = ledger.PostingBegun, step, ref
	}
	return err
}

func refOf(p odoo.Picking) ledger.OdooRef {
	return ledger.OdooRef{Model: pickingModel, ID: p.ID, Name: p.Name}
}
