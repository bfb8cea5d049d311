package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"branchline/internal/fault"
	"branchline/internal/movement"
)

// ProposalState is where a proposal stands.
type ProposalState string

const (
	// ProposalOpen waits for a second person.
	ProposalOpen ProposalState = "open"
	// ProposalConfirmed was carried out, ProposalDeclined and ProposalWithdrawn
	// were not: by another person, or by the one who made it.
	ProposalConfirmed ProposalState = "confirmed"
	ProposalDeclined  ProposalState = "declined"
	ProposalWithdrawn ProposalState = "withdrawn"
)

// Proposed is what a person wants to have done and a second one must confirm.
type Proposed struct {
	ID int64
	// What is "discard", "release" or "substitute".
	What string
	// Login is the person's own, whatever they acted by; Who their name in the
	// audit trail.
	Login, Who, Why string
	At              time.Time
	State           ProposalState
	// Movements counts what it is about.
	Movements int64
	// Correction says what a substitution makes of its movement; empty for others.
	Correction Correction
	// Again is [Correcting.Again] of a substitution.
	Again bool
	// EndedWho, EndedWhy and EndedAt tell who confirmed or declined it; Done is how
	// many it met then.
	EndedWho, EndedWhy string
	EndedAt            time.Time
	Done               int64
}

// Fault codes of proposals.
const (
	CodeNoProposal   = "unknown_proposal"
	CodeProposalOver = "proposal_over"
	CodeSamePerson   = "same_person"
	CodeProposed     = "already_proposed"
)

// errOnlyTried undoes what was only tried.
var errOnlyTried = errors.New("it was only tried")

// Propose keeps a decision for a second person: of the movements that still wait
// for the reasons that were shown, and of which none has been proposed already.
// What could not be carried out now is refused now, as [Ledger.Decide] and
// [Ledger.Release] do; nothing left to propose is a fault of class Data,
// "already_proposed".
func (l *Ledger) Propose(ctx context.Context, what, login string, d Decision) (id int64, err error) {
	if err := checkDecision(d.Who, d.Why); err != nil {
		return 0, err
	}
	do, err := d.doing(what)
	if err != nil {
		return 0, err
	}
	if len(d.Shown) != len(d.Movements) {
		return 0, fault.New(fault.Data, "incomplete_decision", "a proposal names the reason of each movement")
	}
	return l.proposeTried(ctx, what, login, d, proposedCorrection{}, func(tx *Tx) error {
		_, err := tx.carryOut(&opener{l: l, r: tx}, d, do)
		return err
	})
}

// substitution is the kind of a proposal that puts another product in the place of
// what a movement names.
const substitution = "substitute"

// ProposeCorrection keeps a correction for a second person. Faults are those of
// [Ledger.Correct], "incomplete_decision" for one without the reason that was
// shown, and "already_proposed".
func (l *Ledger) ProposeCorrection(ctx context.Context, login string, c Correcting) (id int64, err error) {
	if err := checkDecision(c.Who, c.Why); err != nil {
		return 0, err
	}
	if c.Shown == "" {
		return 0, fault.New(fault.Data, "incomplete_decision", "a proposal names the reason that was shown")
	}
	d := Decision{Movements: []MovementID{c.Movement}, Shown: []string{c.Shown}, Who: c.Who, Why: c.Why, At: c.At}
	return l.proposeTried(ctx, substitution, login, d, proposedCorrection{c.To, c.Again}, func(tx *Tx) error { return tx.correct(&opener{l: l, r: tx}, c) })
}

// proposedCorrection is what is kept of a substitution.
type proposedCorrection struct {
	Correction
	Again bool `json:"again,omitempty"`
}

// proposeTried proposes what could be carried out now, and undoes the trial.
func (l *Ledger) proposeTried(ctx context.Context, what, login string, d Decision, to proposedCorrection, try func(*Tx) error) (id int64, err error) {
	err = l.Write(ctx, func(tx *Tx) error {
		if err := try(tx); err != nil {
			return err
		}
		return errOnlyTried
	})
	if !errors.Is(err, errOnlyTried) {
		return 0, err
	}
	err = l.Write(ctx, func(tx *Tx) (err error) {
		id, err = tx.propose(what, login, d, to)
		return err
	})
	return id, err
}

// doing is how a proposal of a kind is carried out.
func (d *Decision) doing(what string) (func(*Tx, *opener, MovementID, Decision) (bool, error), error) {
	switch what {
	case "discard":
		d.Choice = Discard
		return (*Tx).decide, nil
	case stageRelease:
		d.Choice, d.release = Retry, true
		return (*Tx).release, nil
	}
	return nil, fault.New(fault.Data, "incomplete_decision", "%.40q is nothing that a second person confirms", what)
}

func (t *Tx) propose(what, login string, d Decision, to proposedCorrection) (id int64, err error) {
	correction, err := json.Marshal(&to)
	if err != nil {
		return 0, err
	}
	if err := t.Row(`INSERT INTO proposals (what, login, who, why, at, state, movements, correction, ended_who, ended_why, ended_at, done)
		VALUES ($1, $2, $3, $4, $5, $6, 0, $7, '', '', 0, 0) RETURNING id`,
		what, login, storable(d.Who), storable(d.Why), d.At.UnixMilli(), string(ProposalOpen), string(correction)).Scan(&id); err != nil {
		return 0, err
	}
	var names []string
	n := 0
	for i, movement := range d.Movements {
		if same, err := t.waitsFor(movement, d.Shown[i]); err != nil {
			return 0, err
		} else if !same {
			continue
		}
		var open int64
		if err := t.Row(`SELECT COUNT(*) FROM proposal_movements m JOIN proposals p ON p.id = m.proposal_id
			WHERE m.movement_id = $1 AND p.state = 'open'`, int64(movement)).Scan(&open); err != nil {
			return 0, err
		}
		if open > 0 {
			continue
		}
		if _, err := t.Exec(`INSERT INTO proposal_movements (proposal_id, movement_id, reason) VALUES ($1, $2, $3)`, id, int64(movement), d.Shown[i]); err != nil {
			return 0, err
		}
		name, err := t.w.l.identity(t, movement)
		if err != nil {
			return 0, err
		}
		if n++; n <= maxNamed {
			names = append(names, name.String())
		}
	}
	if n == 0 {
		return 0, fault.New(fault.Data, CodeProposed, "all of these are proposed already, or no longer wait for what you saw").WithHint("look at the list again")
	}
	if n > maxNamed {
		names = append(names, fmt.Sprintf("and %d more", n-maxNamed))
	}
	if _, err := t.Exec(`UPDATE proposals SET movements = $1 WHERE id = $2`, n, id); err != nil {
		return 0, err
	}
	t.Tell(Ruled)
	return id, t.Audit(Entry{At: d.At, Who: d.Who, Action: "propose " + what, Subject: fmt.Sprintf("proposal %d", id), Detail: strings.Join(names, ", ") + ": " + d.Why})
}

// maxNamed bounds how many movements an entry of the audit trail names.
const maxNamed = 20

const selectProposal = `SELECT id, what, login, who, why, at, state, movements, correction, ended_who, ended_why, ended_at, done FROM proposals `

func scanProposal(r Row) (p Proposed, err error) {
	var at, ended int64
	var correction string
	err = r.Scan(&p.ID, &p.What, &p.Login, &p.Who, &p.Why, &at, &p.State, &p.Movements, &correction, &p.EndedWho, &p.EndedWhy, &ended, &p.Done)
	if err != nil {
		return p, err
	}
	p.At, p.EndedAt = timeOf(at), timeOf(ended)
	var to proposedCorrection
	if err := json.Unmarshal([]byte(correction), &to); err != nil {
		return p, fmt.Errorf("proposal %d cannot be read: %w", p.ID, err)
	}
	p.Correction, p.Again = to.Correction, to.Again
	return p, nil
}

// Proposals lists those that wait for a second person, the oldest first.
func (l *Ledger) Proposals(ctx context.Context) (all []Proposed, err error) {
	err = l.reader(ctx).Rows(selectProposal+`WHERE state = 'open' ORDER BY id LIMIT 1000`, nil, func(r Row) error {
		p, err := scanProposal(r)
		all = append(all, p)
		return err
	})
	return all, classify(err)
}

// Proposal gives one, with what it is about, at most limit.
func (l *Ledger) Proposal(ctx context.Context, id int64, limit int) (p Proposed, about []ExceptionMark, err error) {
	r := l.reader(ctx)
	p, err = scanProposal(r.Row(selectProposal+`WHERE id = $1`, id))
	if errors.Is(err, errNoRows) {
		return p, nil, noProposal(id)
	}
	if err == nil {
		about, err = proposalMarks(r, id, limit)
	}
	return p, about, classify(err)
}

func noProposal(id int64) error {
	return fault.New(fault.Data, CodeNoProposal, "there is no proposal %d", id)
}

type manyRows interface {
	Rows(query string, args []any, each func(Row) error) error
}

func proposalMarks(r manyRows, id int64, limit int) (all []ExceptionMark, err error) {
	err = r.Rows(`SELECT movement_id, reason FROM proposal_movements WHERE proposal_id = $1 ORDER BY movement_id LIMIT $2`, []any{id, limit}, func(row Row) error {
		var id int64
		var m ExceptionMark
		err := row.Scan(&id, &m.Reason)
		m.Movement = MovementID(id)
		all = append(all, m)
		return err
	})
	return all, err
}

// ProposedFor tells which of some movements an open proposal is about, and what
// that is.
func (l *Ledger) ProposedFor(ctx context.Context, ids []MovementID) (map[MovementID]Proposed, error) {
	all := map[MovementID]Proposed{}
	r := l.reader(ctx)
	for _, id := range ids {
		var p Proposed
		err := r.Row(`SELECT p.id, p.what, p.who FROM proposal_movements m JOIN proposals p ON p.id = m.proposal_id
			WHERE m.movement_id = $1 AND p.state = 'open' ORDER BY p.id LIMIT 1`, int64(id)).Scan(&p.ID, &p.What, &p.Who)
		if err == nil {
			all[id] = p
		} else if !errors.Is(err, errNoRows) {
			return nil, classify(err)
		}
	}
	return all, nil
}

// ConfirmProposal carries a proposal out as a second person; what waits for
// another reason by now, or for nobody, is passed over. These are faults of class
// Data, and nothing is done: "unknown_proposal", "proposal_over", "same_person"
// where login is the one who made it, and those of [Ledger.Decide].
func (l *Ledger) ConfirmProposal(ctx context.Context, id int64, login, who, why string, at time.Time) (done int, err error) {
	if err := checkDecision(who, why); err != nil {
		return 0, err
	}
	err = l.Write(ctx, func(tx *Tx) error {
		p, err := tx.openProposal(id)
		if err != nil {
			return err
		}
		if p.Login == login {
			return fault.New(fault.Data, CodeSamePerson, "proposal %d is your own: a second person confirms it", id).WithHint("ask another approver, or withdraw it")
		}
		marks, err := proposalMarks(tx, id, int(p.Movements))
		if err != nil {
			return err
		}
		if done, err = tx.carryOutProposal(&opener{l: l, r: tx}, p, marks, who, why, at); err != nil {
			return err
		}
		return tx.endProposal(p, ProposalConfirmed, who, why, at, done)
	})
	if err != nil {
		return 0, err
	}
	return done, nil
}

func (t *Tx) carryOutProposal(o *opener, p Proposed, marks []ExceptionMark, who, why string, at time.Time) (done int, err error) {
	d := Decision{Who: who, Why: fmt.Sprintf("proposed by %s: %s; confirmed: %s", p.Who, p.Why, why), At: at}
	if p.What == substitution {
		for _, m := range marks {
			if same, err := t.waitsFor(m.Movement, m.Reason); err != nil || !same {
				return done, err
			}
			if err := t.correct(o, Correcting{Movement: m.Movement, To: p.Correction, Again: p.Again, Shown: m.Reason, proposal: p.ID, Who: d.Who, Why: d.Why, At: at}); err != nil {
				return done, err
			}
			done++
		}
		return done, nil
	}
	do, err := d.doing(p.What)
	if err != nil {
		return 0, err
	}
	for _, m := range marks {
		d.Movements, d.Shown = append(d.Movements, m.Movement), append(d.Shown, m.Reason)
	}
	return t.carryOut(o, d, do)
}

// EndProposal declines a proposal, or withdraws it as the one who made it;
// nothing is done about its movements. Faults are those of [Ledger.ConfirmProposal].
func (l *Ledger) EndProposal(ctx context.Context, id int64, login, who, why string, at time.Time) error {
	if err := checkDecision(who, why); err != nil {
		return err
	}
	return l.Write(ctx, func(tx *Tx) error {
		p, err := tx.openProposal(id)
		if err != nil {
			return err
		}
		state := ProposalDeclined
		if p.Login == login {
			state = ProposalWithdrawn
		}
		return tx.endProposal(p, state, who, why, at, 0)
	})
}

// proposedOtherwise refuses to change a movement about which a proposal is open: the
// second person confirms what the first one saw. The proposal itself is carried out.
func (t *Tx) proposedOtherwise(id MovementID, name movement.ID, but int64) error {
	var open int64
	err := t.Row(`SELECT p.id FROM proposal_movements m JOIN proposals p ON p.id = m.proposal_id
		WHERE m.movement_id = $1 AND p.state = 'open' AND p.id <> $2 ORDER BY p.id LIMIT 1`, int64(id), but).Scan(&open)
	if errors.Is(err, errNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	return fault.New(fault.Data, CodeProposed, "something else is proposed for %s: proposal %d", name, open).
		WithHint("decline or withdraw the proposal first")
}

func (t *Tx) openProposal(id int64) (p Proposed, err error) {
	p, err = scanProposal(t.Row(selectProposal+`WHERE id = $1`, id))
	if errors.Is(err, errNoRows) {
		return p, noProposal(id)
	}
	if err == nil && p.State != ProposalOpen {
		err = fault.New(fault.Data, CodeProposalOver, "proposal %d was %s by %s already", id, p.State, p.EndedWho)
	}
	return p, err
}

func (t *Tx) endProposal(p Proposed, state ProposalState, who, why string, at time.Time, done int) error {
	if _, err := t.Exec(`UPDATE proposals SET state = $1, ended_who = $2, ended_why = $3, ended_at = $4, done = $5 WHERE id = $6`,
		string(state), storable(who), storable(why), at.UnixMilli(), done, p.ID); err != nil {
		return err
	}
	t.Tell(Ruled)
	return t.Audit(Entry{At: at, Who: who, Action: "proposal " + string(state), Subject: fmt.Sprintf("proposal %d", p.ID),
		Detail: fmt.Sprintf("%s of %d movements, proposed by %s, %d met: %s", p.What, p.Movements, p.Who, done, why)})
}
