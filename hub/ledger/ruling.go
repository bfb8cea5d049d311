package ledger

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"branchline/internal/fault"
	"branchline/internal/movement"
)

// What a ruling says; the numbers stand in the tables.
const (
	ruledRefused = 1
	ruledRetry   = 2
	ruledDiscard = 3
	// ruledCorrected says what it should have been.
	ruledCorrected = 4
)

// StageProjection is the stage of exceptions that the projector finds; it looks
// at them again when a person releases them.
const StageProjection = "projection"

// Refusal makes a movement an exception for a person.
type Refusal struct {
	Movement MovementID
	// Stage is who refuses: "plan" or "post".
	Stage string
	// Reason is the reason code; Field the field it is about, may be empty.
	Reason, Field string
	// Text is the reason in a sentence, Hint what can be done.
	Text, Hint string
	// PostingID is the posting it was refused in, 0 for none.
	PostingID int64
	// Aliases is the generation of the aliases that the planner refused it by.
	Aliases int64
}

// Refuse makes pending movements exceptions, all or none. [ErrNotPending] says
// that one of them is no longer pending, [ErrAliasesChanged] that codes mean
// something else by now.
func (l *Ledger) Refuse(ctx context.Context, refusals []Refusal, at time.Time) error {
	return l.Write(ctx, func(tx *Tx) error {
		if err := tx.made(); err != nil {
			return err
		}
		now, err := aliasGeneration(tx)
		if err != nil {
			return err
		}
		for _, r := range refusals {
			if r.Aliases != now {
				return ErrAliasesChanged
			}
			if err := tx.refuse(r, at); err != nil {
				return err
			}
		}
		return nil
	})
}

func (t *Tx) refuse(r Refusal, at time.Time) error {
	n, err := t.Exec(`UPDATE movements SET state = $1, posting_id = 0 WHERE id = $2 AND state = 1`,
		int64(Excepted), int64(r.Movement))
	if err != nil {
		return err
	}
	if n == 0 {
		return ErrNotPending
	}
	r.Text, r.Hint = storable(r.Text), storable(r.Hint)
	if err := t.rule(r.Movement, at, ruledRefused, "", r); err != nil {
		return err
	}
	_, err = t.Exec(`INSERT INTO exceptions (id, branch_id, stage, reason, field, text, hint, since, last_seq, posting_id)
		SELECT id, branch_id, $1, $2, $3, $4, $5, $6, 0, $7 FROM movements WHERE id = $8`,
		r.Stage, r.Reason, r.Field, r.Text, r.Hint, at.UnixMilli(), r.PostingID, int64(r.Movement))
	t.Tell(Ruled)
	t.Stir(r.Movement)
	return err
}

func (t *Tx) rule(id MovementID, at time.Time, what int64, who string, r Refusal) error {
	return t.ruleWith(id, at, what, who, r, "")
}

func (t *Tx) ruleWith(id MovementID, at time.Time, what int64, who string, r Refusal, corrected string) error {
	_, err := t.Exec(`INSERT INTO rulings (movement_id, at, what, who, stage, reason, field, text, hint, posting_id, corrected)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		int64(id), at.UnixMilli(), what, who, r.Stage, r.Reason, r.Field, r.Text, r.Hint, r.PostingID, corrected)
	return err
}

// Choice is what a person decides about an exception.
type Choice string

const (
	// Retry lets the movement go on as if it had just come.
	Retry Choice = "retry"
	// Discard takes it out for good; it no longer counts as stock. For lost
	// records, and for what is in a document already, it says that a person
	// has dealt with it, and changes nothing else.
	Discard Choice = "discard"
)

// Decision is what a person decides about one or many exceptions.
type Decision struct {
	Choice    Choice
	Movements []MovementID
	// Shown are the reasons that the person saw, one for each movement: what waits
	// for another one by now is passed over. Nil for whatever they are.
	Shown []string
	// Who and Why are required and go into the audit trail.
	Who, Why string
	At       time.Time
	// release says that it is a [Ledger.Release].
	release bool
}

// Decide carries a person's decision out and returns how many exceptions it
// met: one that is no longer open is passed over. These are faults of class
// Data, and nothing is done: a missing name or reason ("incomplete_decision"), a
// movement that the hub never received ("unknown_movement"), and a retry that
// would change nothing ("not_retryable"): of what was lost, of what cannot be
// read, of what is in a document already.
func (l *Ledger) Decide(ctx context.Context, d Decision) (done int, err error) {
	if d.Choice != Retry && d.Choice != Discard {
		return 0, fault.New(fault.Data, "incomplete_decision", "%q is no decision", string(d.Choice))
	}
	return l.carryOut(ctx, d, (*Tx).decide)
}

// carryOut does to each exception what a person decided, all or none, and counts
// those that were still open.
func (l *Ledger) carryOut(ctx context.Context, d Decision, do func(*Tx, *opener, MovementID, Decision) (met bool, err error)) (done int, err error) {
	if err := checkDecision(d.Who, d.Why); err != nil {
		return 0, err
	}
	err = l.Write(ctx, func(tx *Tx) error {
		done, err = tx.carryOut(&opener{l: l, r: tx}, d, do)
		return err
	})
	if err != nil {
		return 0, err
	}
	return done, nil
}

func (t *Tx) carryOut(o *opener, d Decision, do func(*Tx, *opener, MovementID, Decision) (met bool, err error)) (done int, err error) {
	for i, id := range d.Movements {
		if d.Shown != nil {
			if same, err := t.waitsFor(id, d.Shown[i]); err != nil {
				return 0, err
			} else if !same {
				continue
			}
		}
		met, err := do(t, o, id, d)
		if err != nil {
			return 0, err
		}
		if met {
			done++
		}
	}
	return done, nil
}

// Bounds of what a person says, in characters.
const (
	maxWho = 128
	maxWhy = 1000
)

func checkDecision(who, why string) error {
	switch {
	case strings.TrimSpace(why) == "":
		return fault.New(fault.Data, "incomplete_decision", "a decision needs a word why, and none was given").
			WithHint("say with --why what made you decide so, for the audit trail")
	case strings.TrimSpace(who) == "":
		return fault.New(fault.Data, "incomplete_decision", "a decision needs who decides, and nobody is named").
			WithHint("give your name with --who")
	case utf8.RuneCountInString(who) > maxWho || utf8.RuneCountInString(why) > maxWhy:
		return fault.New(fault.Data, "incomplete_decision", "who decides, or the word why, is too long").
			WithHint(fmt.Sprintf("give at most %d and %d characters", maxWho, maxWhy))
	}
	return nil
}

// received tells a movement that is no exception from one that never came.
func (t *Tx) received(id MovementID) error {
	var through int64
	err := t.Row(`SELECT through FROM streams WHERE id = $1`, id.Stream()).Scan(&through)
	if errors.Is(err, errNoRows) || err == nil && (id.Seq() == 0 || id.Seq() > uint64(through)) {
		name := fmt.Sprintf("%d of stream %d", id.Seq(), id.Stream())
		if n, err := t.w.l.identity(t, id); err == nil {
			name = n.String()
		}
		return unknownMovement(name).WithHint("name it as the list of exceptions does")
	}
	return err
}

// retryable refuses a retry or release that cannot change anything; inDocument
// is a movement's that is planned or posted, corrected one's that a person has
// said what it should have been.
func (o *opener) retryable(id MovementID, name movement.ID, d *Decision, lost, inDocument, corrected bool) error {
	no := func(why string) *fault.Error {
		if d.release {
			return fault.New(fault.Data, codeNotReleasable, "%s cannot be released: %s", name, why)
		}
		return fault.New(fault.Data, "not_retryable", "%s cannot be retried: %s", name, why)
	}
	switch {
	case inDocument:
		return no("it is in a document of Odoo already").WithHint("settle it in Odoo, then branchline-hub discard takes the exception out")
	case lost:
		return no("the hub does not have it").WithHint("branchline-hub discard takes the exception out when the loss has been dealt with")
	}
	record, err := o.record(id)
	if err != nil && !errors.Is(err, errUnreadable) {
		return err
	}
	if err != nil {
		return no("its batch in the ledger no longer opens").WithHint("put back the newest backup of the ledger; the branch sends the rest again")
	}
	if _, understood, err := ReadMovement(record); (err != nil || !understood) && !corrected {
		return no("nothing can be read from it").WithHint("record it again at the branch, then branchline-hub discard takes this one out")
	}
	return nil
}

func (t *Tx) decide(o *opener, id MovementID, d Decision) (met bool, err error) {
	var stage, reason string
	var lastSeq int64
	err = t.Row(`SELECT stage, reason, last_seq FROM exceptions WHERE id = $1`, int64(id)).Scan(&stage, &reason, &lastSeq)
	if errors.Is(err, errNoRows) {
		return false, t.received(id)
	}
	if err != nil {
		return false, err
	}
	name, err := t.w.l.identity(t, id)
	if err != nil {
		return false, err
	}
	var inDocument bool
	if lastSeq == 0 {
		var state int64
		if err := t.Row(`SELECT state FROM movements WHERE id = $1`, int64(id)).Scan(&state); err != nil {
			return false, err
		}
		inDocument = State(state) == Planned || State(state) == Posted
	}
	what := int64(ruledRetry)
	if d.Choice == Discard {
		what = ruledDiscard
	} else {
		corrected, err := t.corrected(id)
		if err != nil {
			return false, err
		}
		if err := o.retryable(id, name, &d, lastSeq > 0, inDocument, corrected); err != nil {
			return false, err
		}
	}
	if err := t.rule(id, d.At, what, storable(d.Who), Refusal{Stage: stage, Reason: reason, Text: storable(d.Why)}); err != nil {
		return false, err
	}
	action := string(d.Choice)
	if d.release {
		action = stageRelease
	}
	if err := t.Audit(Entry{At: d.At, Who: d.Who, Action: action, Subject: name.String(),
		Detail: reason + ": " + d.Why}); err != nil {
		return false, err
	}
	t.Tell(Ruled)
	t.Stir(id)
	switch {
	case d.Choice == Retry && stage == StageProjection:
		_, err = t.Exec(`INSERT INTO reconsider (id) VALUES ($1) ON CONFLICT (id) DO NOTHING`, int64(id))
		return true, err
	case d.Choice == Retry:
		_, err = t.Exec(`UPDATE movements SET state = 1 WHERE id = $1`, int64(id))
		t.Tell(Projected)
	case lastSeq == 0 && !inDocument:
		err = t.discard(id)
	}
	if err == nil {
		_, err = t.Exec(`DELETE FROM exceptions WHERE id = $1`, int64(id))
	}
	return true, err
}

func (t *Tx) discard(id MovementID) error {
	var item StockItem
	var counts int64
	if err := t.Row(`SELECT branch_id, product_id, lot, unit, counts FROM movements WHERE id = $1`, int64(id)).
		Scan(&item.BranchID, &item.ProductID, &item.Lot, &item.Unit, &counts); err != nil {
		return err
	}
	if _, err := t.Exec(`UPDATE movements SET state = $1, counts = 0 WHERE id = $2`, int64(Discarded), int64(id)); err != nil {
		return err
	}
	if _, err := t.Exec(`DELETE FROM reconsider WHERE id = $1`, int64(id)); err != nil {
		return err
	}
	if counts == 0 {
		return nil
	}
	return t.RecomputeStock(item)
}
