package post

import (
	"context"
	"errors"
	"time"

	"github.com/cenkalti/backoff/v5"

	"branchline/hub/ledger"
	"branchline/internal/fault"
	"branchline/internal/killpoint"
	"branchline/internal/movement"
	"branchline/internal/odoo"
)

// settle writes down what became of a try. Where the posting was planned otherwise
// meanwhile, what became of the old plan is nothing to it.
func (r *run) settle(ctx context.Context, ref ledger.OdooRef, err error) error {
	err = r.became(ctx, ref, err)
	if errors.Is(err, ledger.ErrPlannedOtherwise) {
		r.log.Info("the posting was planned otherwise while it was begun")
		return nil
	}
	return err
}

func (r *run) became(ctx context.Context, ref ledger.OdooRef, err error) error {
	var some *refusedSome
	switch {
	case err == nil:
		return r.done(ctx, ref)
	case ctx.Err() != nil:
		return nil // the hub is stopping; the next run goes on from Odoo's state
	case errors.Is(err, errHeldBack):
		return nil // not tried
	case errors.Is(err, ledger.ErrPlannedOtherwise):
		return err
	case errors.Is(err, errReplan):
		return r.replan(ctx)
	case errors.As(err, &some):
		return r.without(ctx, some)
	}
	r.p.metrics.failed(fault.ClassOf(err).String(), fault.CodeOf(err))
	switch fault.ClassOf(err) {
	case fault.Transient:
		r.log.Info("the posting is tried again later", "step", r.step, "err", err)
		return r.later(ctx, err, r.p.backoff(r.at.Attempts))
	case fault.Data:
		if werr := r.keepRefusal(ctx, err); werr != nil {
			return werr
		}
		return r.refused(ctx, err)
	case fault.Setup:
		r.blocked(err)
		return r.later(ctx, err, r.p.cfg.SetupPause)
	}
	return r.slow(ctx, err)
}

func (r *run) attempt(err error) ledger.Attempt {
	now := r.p.clock()
	return ledger.Attempt{At: now, Took: now.Sub(r.began), Step: r.step, Fault: words(err)}
}

// words keeps a failure with Odoo's own words behind the sentence.
func words(err error) ledger.FaultWords {
	w := ledger.WordsOf(err)
	if own := odoo.Words(err); own != "" && own != w.Text {
		w.Text += "\n" + own
	}
	return w
}

func errorOf(w ledger.FaultWords) error {
	return &fault.Error{Class: fault.Data, Code: w.Code, Message: w.Text}
}

func (r *run) done(ctx context.Context, ref ledger.OdooRef) error {
	killpoint.Here("post.before-record")
	r.step = ledger.StepDone
	if _, err := r.p.ledger.ChangePosting(ctx, r.at.ID, ledger.PostingChange{At: r.p.clock(), Body: r.at.Body, State: ledger.PostingDone, Step: ledger.StepDone,
		Odoo: ref, Attempt: r.attempt(nil)}); err != nil {
		return err
	}
	killpoint.Here("post.recorded")
	r.p.works()
	r.p.unblock(r.at.Branch)
	r.p.metrics.posted(&r.at, r.body, r.p.clock())
	r.log.Info("posted", "document", ref.Name, "odoo_id", ref.ID, "movements", r.at.Movements, "lines", len(r.body.Lines))
	return nil
}

// later leaves the posting for another try after a pause.
func (r *run) later(ctx context.Context, err error, pause time.Duration) error {
	_, werr := r.p.ledger.ChangePosting(ctx, r.at.ID, ledger.PostingChange{At: r.p.clock(), Body: r.at.Body, State: ledger.PostingBegun, Step: r.at.Step,
		NextAt: r.p.clock().Add(pause), Attempt: r.attempt(err)})
	return werr
}

// lastTries is how many times as often as a posting of several movements a single
// one is tried.
const lastTries = 4

// slow is for what nobody foresaw. Others must not wait behind it for long, so
// a posting of several movements is halved after some tries; a single one goes to
// a person after some more, since what comes later for its order waits for it.
func (r *run) slow(ctx context.Context, err error) error {
	r.log.Error("the posting fails for a reason that nobody foresaw", "step", r.step, "err", err)
	tries := r.at.Attempts + 1
	if r.body != nil && tries >= int64(r.p.cfg.DefectTries) && (len(halves(r.body)) > 0 || tries >= lastTries*int64(r.p.cfg.DefectTries)) {
		if werr := r.keepRefusal(ctx, err); werr != nil {
			return werr
		}
		return r.refused(ctx, err)
	}
	return r.later(ctx, err, r.p.cfg.DefectPause)
}

// replan gives the movements back to the planner: their order is no longer what
// was planned for. When that goes on and on, a person must look.
func (r *run) replan(ctx context.Context) error {
	const enough = 5
	c := ledger.PostingChange{At: r.p.clock(), Body: r.at.Body, State: ledger.PostingWithdrawn, Step: stepReplanned,
		Attempt: ledger.Attempt{At: r.p.clock(), Took: r.p.clock().Sub(r.began), Step: stepReplanned}}
	if r.at.Attempts >= enough {
		c.State = ledger.PostingRefused
		c.Refused = refusals(r.body.Movements(), ReceiptChanged, "the receipt of order "+r.body.Order+" in Odoo changes whenever it is written to",
			"look at the order's receipts in Odoo, then branchline-hub retry")
	}
	_, err := r.p.ledger.ChangePosting(ctx, r.at.ID, c)
	r.log.Info("the order has changed in Odoo, and is planned anew", "order", r.body.Order)
	return err
}

// without gives some movements to a person and the others back to the planner.
func (r *run) without(ctx context.Context, some *refusedSome) error {
	_, err := r.p.ledger.ChangePosting(ctx, r.at.ID, ledger.PostingChange{At: r.p.clock(), Body: r.at.Body, State: ledger.PostingWithdrawn, Step: stepRefused,
		Attempt: r.attempt(some), Refused: refusals(some.ids, fault.CodeOf(some.cause), message(some.cause), fault.HintOf(some.cause))})
	return err
}

func refusals(ids []ledger.MovementID, reason, text, hint string) []ledger.Refusal {
	out := make([]ledger.Refusal, len(ids))
	for i, id := range ids {
		out[i] = ledger.Refusal{Movement: id, Stage: Stage, Reason: reason, Text: text, Hint: hint}
	}
	return out
}

// message is an error's sentence without its hint.
func message(err error) string {
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return f.Message
	}
	return err.Error()
}

// keepRefusal writes the refusal down before anything is taken back, so that a
// run that breaks off in between goes on with taking back.
func (r *run) keepRefusal(ctx context.Context, err error) error {
	w := words(err)
	w.Text = message(err)
	if own := odoo.Words(err); own != "" && own != w.Text {
		w.Text += "\n" + own
	}
	a := r.attempt(err)
	a.Fault = w
	_, werr := r.p.ledger.ChangePosting(ctx, r.at.ID, ledger.PostingChange{At: r.p.clock(), Body: r.at.Body, State: ledger.PostingBegun, Step: stepRefused, Attempt: a})
	if werr == nil {
		r.at.Step, r.at.State = stepRefused, ledger.PostingBegun
	}
	return werr
}

// refused takes the posting back in Odoo, then halves it, or gives its only
// movement to a person.
func (r *run) refused(ctx context.Context, cause error) error {
	ref, posted, err := r.release(ctx)
	if err == nil && posted {
		err = r.compare(ctx, ref)
	}
	switch {
	case ctx.Err() != nil || errors.Is(err, errHeldBack):
		return nil
	case err != nil && fault.ClassOf(err) == fault.Setup:
		r.blocked(err)
		_, werr := r.p.ledger.ChangePosting(ctx, r.at.ID, ledger.PostingChange{At: r.p.clock(), Body: r.at.Body, Step: stepRefused,
			NextAt: r.p.clock().Add(r.p.cfg.SetupPause)})
		return werr
	case err != nil:
		// The reason of the refusal stays the posting's newest fault.
		r.log.Warn("a refused posting cannot be taken back in Odoo yet", "err", err)
		_, werr := r.p.ledger.ChangePosting(ctx, r.at.ID, ledger.PostingChange{At: r.p.clock(), Body: r.at.Body, Step: stepRefused,
			NextAt: r.p.clock().Add(r.p.backoff(r.at.Attempts))})
		return werr
	case posted:
		return r.done(ctx, ref)
	}
	parts := halves(r.body)
	if aboutDocument(cause) {
		parts = nil // a person did something to it: its movements in other documents would undo that
	}
	if len(parts) == 0 {
		r.log.Warn("Odoo refused a movement", "err", cause)
		_, err := r.p.ledger.ChangePosting(ctx, r.at.ID, ledger.PostingChange{At: r.p.clock(), Body: r.at.Body, State: ledger.PostingRefused, Step: stepRefused,
			Refused: refusals(r.body.Movements(), fault.CodeOf(cause), message(cause), hintFor(cause))})
		return err
	}
	made, err := r.parts(ctx, parts)
	if err != nil {
		return err
	}
	r.log.Info("a refused posting is halved", "err", cause)
	_, err = r.p.ledger.ChangePosting(ctx, r.at.ID, ledger.PostingChange{At: r.p.clock(), Body: r.at.Body, State: ledger.PostingSplit, Step: stepRefused, Parts: made})
	r.p.metrics.splits.Inc()
	return err
}

// aboutDocument tells that it is the document which somebody cancelled, deleted or
// changed in Odoo, and no movement of it that Odoo refuses.
func aboutDocument(err error) bool {
	switch fault.CodeOf(err) {
	case CancelledThere, ChangedLines, ReceiptChanged, odoo.CodeCancelled, odoo.CodeDeleted:
		return true
	}
	return false
}

func hintFor(err error) string {
	if h := fault.HintOf(err); h != "" {
		return h
	}
	return "mend in Odoo what it complains of, then branchline-hub retry, or branchline-hub discard the movement"
}

// parts makes postings of the halves, named for what they hold.
func (r *run) parts(ctx context.Context, bodies []*ledger.PostingBody) ([]ledger.NewPosting, error) {
	all, err := r.p.ledger.PostingMovements(ctx, r.at.ID)
	if err != nil {
		return nil, err
	}
	names := make(map[ledger.MovementID]movement.ID, len(all))
	for _, m := range all {
		names[m.ID] = m.Identity
	}
	out := make([]ledger.NewPosting, len(bodies))
	for i, b := range bodies {
		ids := b.Movements()
		identities := make([]movement.ID, len(ids))
		for j, id := range ids {
			identities[j] = names[id]
		}
		data, err := b.Encode()
		if err != nil {
			return nil, err
		}
		out[i] = ledger.NewPosting{Name: ledger.PostingName(r.at.Kind, ledger.RunsOf(identities)), Branch: r.at.Branch, Kind: r.at.Kind,
			Document: r.at.Document, Body: data, Movements: ids, Aliases: b.Aliases}
	}
	return out, nil
}

// backoff is the pause after so many tries: doubled each time, jittered by
// half.
func (p *Poster) backoff(attempts int64) time.Duration {
	b := backoff.ExponentialBackOff{InitialInterval: p.cfg.RetryFirst, RandomizationFactor: 0.5, Multiplier: 2, MaxInterval: p.cfg.RetryMost}
	b.Reset()
	d := b.NextBackOff()
	for range min(attempts, 16) {
		d = b.NextBackOff()
	}
	return d
}

// blocked halts all posting when Odoo's setup is at fault for all; a missing
// right can be a matter of one branch's company or warehouse, and holds up that
// branch only.
func (r *run) blocked(err error) {
	if fault.CodeOf(err) != odoo.CodeRight {
		r.p.stopFor(err)
		return
	}
	r.p.mu.Lock()
	defer r.p.mu.Unlock()
	if r.p.blocked[r.at.Branch] == "" {
		r.log.Error("the branch's postings wait until Odoo's rights are mended", "err", err)
	}
	r.p.blocked[r.at.Branch] = err.Error()
}

// unblock says that the branch's postings go through.
func (p *Poster) unblock(branch string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.blocked, branch)
}

// stopFor halts all posting for a while if Odoo's setup is at fault.
func (p *Poster) stopFor(err error) {
	if fault.ClassOf(err) != fault.Setup {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.clock()
	if p.halt.reason == "" {
		p.halt.since = now
		p.log.Error("posting stops until Odoo's setup is mended", "err", err)
	}
	p.halt.reason, p.halt.until = err.Error(), now.Add(p.cfg.SetupPause)
	p.metrics.halted.Set(1)
}

// works ends a halt.
func (p *Poster) works() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.halt.reason != "" {
		p.log.Info("posting goes on")
		p.halt = halt{}
		p.metrics.halted.Set(0)
	}
}
