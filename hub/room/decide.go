package room

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"branchline/hub/ledger"
	"branchline/internal/fault"
	"branchline/internal/movement"
	"branchline/internal/ui"
)

// Decision is what a person decides about exceptions.
type Decision struct {
	Choice    string   `json:"choice"`
	Movements []string `json:"movements"`
	// Shown are the reasons that the person saw, one for each movement; what waits
	// for another one by now is passed over. Left out for whatever they are.
	Shown []string `json:"shown,omitempty"`
	Who   string   `json:"who"`
	Why   string   `json:"why"`
}

// Decided is what became of a decision.
type Decided struct {
	// Done is how many exceptions it met, of Of.
	Done int `json:"done"`
	Of   int `json:"of"`
	// Proposal is set where nothing is done before a second person has confirmed.
	Proposal int64 `json:"proposal,omitempty"`
}

// Decide carries a person's decision out: retry, release or discard. A retry is
// for what has been mended elsewhere; what was set aside because a person must
// say that it is right goes on by a release only, so that nobody posts it by
// trying everything again. What a second person must confirm is proposed.
func (m *Room) Decide(ctx context.Context, d Decision) (Decided, error) {
	if len(d.Movements) > MaxTogether {
		return Decided{}, tooMany()
	}
	decision := ledger.Decision{Choice: ledger.Choice(d.Choice), Shown: d.Shown, Who: d.Who, Why: d.Why, At: time.Now()}
	if d.Shown != nil && len(d.Shown) != len(d.Movements) {
		return Decided{}, fault.New(fault.Data, "incomplete_decision", "%d reasons were given for %d movements", len(d.Shown), len(d.Movements))
	}
	for _, s := range d.Movements {
		name, err := movement.ParseID(s)
		if err != nil {
			return Decided{}, fault.New(fault.Data, "unknown_movement", "%w", err).
				WithHint("name it as branchline-hub exceptions does")
		}
		id, err := m.Ledger.Find(ctx, name)
		if err != nil {
			return Decided{}, err
		}
		decision.Movements = append(decision.Movements, id)
	}
	return m.carryOut(ctx, d.Choice, decision)
}

// DecideAll is Decide about all that a filter with a reason chooses, the oldest
// [MaxTogether] of them, where seal is that of the list that the person saw. With
// more or others by now it is a fault of class Data, "changed_meanwhile", and
// nothing is done.
func (m *Room) DecideAll(ctx context.Context, f WaitingFilter, seen string, d Decision) (Decided, error) {
	if f.Reason == "" {
		return Decided{}, fault.New(fault.Data, "incomplete_decision", "all are decided about for one reason at a time").WithHint("choose a reason")
	}
	marks, err := m.Ledger.ExceptionMarks(ctx, f.ledger(), MaxTogether)
	if err != nil {
		return Decided{}, err
	}
	if seal(marks) != seen {
		return Decided{}, fault.New(fault.Data, ledger.CodeChanged, "what waits is not what you saw any more: %s now", ui.Many(len(marks), "movement", "movements")).
			WithHint("look at the list again, then decide")
	}
	decision := ledger.Decision{Choice: ledger.Choice(d.Choice), Who: d.Who, Why: d.Why, At: time.Now()}
	for _, k := range marks {
		decision.Movements, decision.Shown = append(decision.Movements, k.Movement), append(decision.Shown, k.Reason)
	}
	return m.carryOut(ctx, d.Choice, decision)
}

func tooMany() error {
	return fault.New(fault.Data, "incomplete_decision", "at most %d movements are decided about in one step", MaxTogether)
}

func (m *Room) carryOut(ctx context.Context, choice string, d ledger.Decision) (done Decided, err error) {
	done.Of = len(d.Movements)
	if done.Of == 0 {
		return done, fault.New(fault.Data, "incomplete_decision", "nothing was chosen").WithHint("choose one movement or more")
	}
	if d.Choice == ledger.Retry {
		if err := m.retryable(ctx, d.Movements); err != nil {
			return done, err
		}
	}
	if slices.Contains(m.SecondPerson, choice) {
		if d.Shown == nil {
			if d, err = m.asTheyAre(ctx, d); err != nil {
				return done, err
			}
		}
		done.Proposal, err = m.Ledger.Propose(ctx, choice, loginOf(d.Who), d)
		return done, err
	}
	if choice == "release" {
		done.Done, err = m.Ledger.Release(ctx, d)
	} else {
		done.Done, err = m.Ledger.Decide(ctx, d)
	}
	return done, err
}

func (m *Room) retryable(ctx context.Context, ids []ledger.MovementID) error {
	for _, id := range ids {
		stage, err := m.Ledger.ExceptionStage(ctx, id)
		if err != nil {
			return err
		}
		if stage == ledger.StageProjection {
			return fault.New(fault.Data, "not_retryable", "%s was set aside for a person to say whether it is right; a retry changes nothing", m.nameOf(ctx, id)).
				WithHint("branchline-hub release posts it as it is, branchline-hub discard takes it out")
		}
	}
	return nil
}

func (m *Room) nameOf(ctx context.Context, id ledger.MovementID) string {
	if found, err := m.Ledger.Movement(ctx, id); err == nil {
		return found.Identity.String()
	}
	return fmt.Sprintf("movement %d", id.Seq())
}

// asTheyAre names the reasons for which movements wait now; those that wait for
// nobody are left out.
func (m *Room) asTheyAre(ctx context.Context, d ledger.Decision) (ledger.Decision, error) {
	ids := d.Movements
	d.Movements = nil
	for _, id := range ids {
		e, err := m.Ledger.Exception(ctx, id)
		if err != nil {
			return d, err
		}
		if e != nil {
			d.Movements, d.Shown = append(d.Movements, id), append(d.Shown, e.Reason)
		}
	}
	return d, nil
}

// loginOf is the person behind a name of the audit trail, so that nobody confirms
// by a token what they proposed by hand.
func loginOf(who string) string {
	login, _, _ := strings.Cut(who, " (token ")
	return strings.ToLower(strings.TrimSpace(login))
}

// Proposals lists what waits for a second person, the oldest first.
func (m *Room) Proposals(ctx context.Context) ([]ledger.Proposed, error) {
	return m.Ledger.Proposals(ctx)
}

// ProposalOf is a proposal and what it is about.
type ProposalOf struct {
	ledger.Proposed
	// About are some of the movements as they stand now, at most [shownOfProposal].
	About []Waiting
	// Gone counts those among them that no longer wait for what was seen.
	Gone int
	// Becomes says what a substitution makes of its movement; empty for others.
	Becomes string
}

const shownOfProposal = 200

// Proposal gives one; none is a fault of class Data, "unknown_proposal".
func (m *Room) Proposal(ctx context.Context, id int64) (p ProposalOf, err error) {
	var marks []ledger.ExceptionMark
	if p.Proposed, marks, err = m.Ledger.Proposal(ctx, id, shownOfProposal); err != nil {
		return p, err
	}
	var found []ledger.Exception
	for _, k := range marks {
		e, err := m.Ledger.Exception(ctx, k.Movement)
		if err != nil {
			return p, err
		}
		if e == nil || e.Reason != k.Reason {
			p.Gone++
			continue
		}
		found = append(found, *e)
	}
	if p.About, err = m.waiting(ctx, found); err != nil {
		return p, err
	}
	if p.What == Substitute && len(found) > 0 {
		t, err := m.Trace(ctx, found[0].Identity)
		if err != nil {
			return p, err
		}
		is := t.is()
		p.Becomes = p.Correction.Words(&is)
	}
	return p, nil
}

// Confirm carries a proposal out as its second person.
func (m *Room) Confirm(ctx context.Context, id int64, who, why string) (int, error) {
	return m.Ledger.ConfirmProposal(ctx, id, loginOf(who), who, why, time.Now())
}

// Decline ends a proposal, of which nothing is done.
func (m *Room) Decline(ctx context.Context, id int64, who, why string) error {
	return m.Ledger.EndProposal(ctx, id, loginOf(who), who, why, time.Now())
}

// Settlement is what a person says about a document in Odoo that could not be
// adopted.
type Settlement struct {
	// Document is its name, or its id in Odoo.
	Document string `json:"document"`
	Who      string `json:"who"`
	Why      string `json:"why"`
}

// Settle lets the document's branch be posted again, and gives the branch.
func (m *Room) Settle(ctx context.Context, s Settlement) (branch string, err error) {
	u, err := m.Ledger.SettleDocument(ctx, s.Document, s.Who, s.Why, time.Now())
	return u.Branch, err
}
