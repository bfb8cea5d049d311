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

// Correction says what a movement should have been: the fields that are
// otherwise, nil for those that are right. The record stays as it came, and the
// movement keeps its identity: what is posted of it is known by the same name
// before and after, in Odoo as well, so that it is counted once whatever is lost
// or built anew.
type Correction struct {
	Product  *movement.Product  `json:"product,omitempty"`
	Lot      *string            `json:"lot,omitempty"`
	Expiry   *movement.Date     `json:"expiry,omitempty"`
	Serial   *string            `json:"serial,omitempty"`
	Quantity *movement.Quantity `json:"quantity,omitempty"`
	Unit     *string            `json:"unit,omitempty"`
	Document *movement.Document `json:"document,omitempty"`
}

// Fault codes of corrections.
const (
	CodeNotCorrectable = "not_correctable"
	CodeChanged        = "changed_meanwhile"
	// CodeBeingMade is of class Transient: the tables are being made anew, and the same
	// event may be in them in another form soon.
	CodeBeingMade = "being_made"
	// CodeRowRecorded is of a row of an export that came otherwise, too; CodeRowAgain
	// of one that stands where another stood that was corrected.
	CodeRowRecorded = "row_recorded"
	CodeRowAgain    = "row_corrected_before"
)

// Apply gives the movement as it should have been. It has no problem any more;
// whether it is a whole movement is for [movement.Movement.Validate] to say.
func (c *Correction) Apply(m movement.Movement) movement.Movement {
	set(&m.Product, c.Product)
	set(&m.Lot, c.Lot)
	set(&m.Serial, c.Serial)
	set(&m.Quantity, c.Quantity)
	set(&m.Unit, c.Unit)
	set(&m.Document, c.Document)
	if c.Expiry != nil {
		m.Expiry, m.ExpiryRaw = *c.Expiry, ""
	}
	m.Problem = nil
	return m
}

func set[T any](field *T, to *T) {
	if to != nil {
		*field = *to
	}
}

// Words name each field with what it is and what it becomes, for the audit trail.
func (c *Correction) Words(was *movement.Movement) string {
	var all []string
	say := func(field, from, to string) {
		all = append(all, fmt.Sprintf("%s %s → %s", field, orNone(from), orNone(to)))
	}
	if p := c.Product; p != nil {
		say("product", strings.TrimSpace(string(was.Product.Scheme)+" "+was.Product.Code), string(p.Scheme)+" "+p.Code)
	}
	if c.Lot != nil {
		say("lot", was.Lot, *c.Lot)
	}
	if c.Expiry != nil {
		say("expiry", was.Expiry.String(), c.Expiry.String())
	}
	if c.Serial != nil {
		say("serial", was.Serial, *c.Serial)
	}
	if c.Quantity != nil {
		say("quantity", was.Quantity.String(), c.Quantity.String())
	}
	if c.Unit != nil {
		say("unit", was.Unit, *c.Unit)
	}
	if d := c.Document; d != nil {
		say("document", strings.TrimSpace(was.Document.Type+" "+was.Document.Ref), strings.TrimSpace(d.Type+" "+d.Ref))
	}
	return strings.Join(all, ", ")
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// same drops from a correction what the movement is already.
func (c *Correction) same(m *movement.Movement) {
	drop(&c.Product, m.Product)
	drop(&c.Lot, m.Lot)
	drop(&c.Expiry, m.Expiry)
	drop(&c.Serial, m.Serial)
	drop(&c.Quantity, m.Quantity)
	drop(&c.Unit, m.Unit)
	drop(&c.Document, m.Document)
}

func drop[T comparable](to **T, is T) {
	if *to != nil && **to == is {
		*to = nil
	}
}

// Correcting is a person's correction of one movement that waits for them.
type Correcting struct {
	Movement MovementID
	To       Correction
	// Shown is the reason that the person saw; with another one by now nothing is
	// done. Empty for whatever it is.
	Shown string
	// Again says that it is another row than one that stood in the same line of a
	// file of the same name, and was corrected.
	Again    bool
	Who, Why string
	At       time.Time
	// proposal is the one that this carries out, 0 for none.
	proposal int64
}

// Correct says what a movement that waits for a person should have been, and has
// it go on as that. These are faults of class Data, and nothing is done: who or
// why missing ("incomplete_decision"), one that the hub never received
// ("unknown_movement"), one that waits for nobody or for another reason
// ("changed_meanwhile"), what cannot be corrected ("not_correctable"), a row of an
// export that came otherwise, too ("row_recorded", "row_corrected_before"), and
// what would be no whole movement then ("invalid_movement").
func (l *Ledger) Correct(ctx context.Context, c Correcting) error {
	if err := checkDecision(c.Who, c.Why); err != nil {
		return err
	}
	return l.Write(ctx, func(tx *Tx) error { return tx.correct(&opener{l: l, r: tx}, c) })
}

func (t *Tx) correct(o *opener, c Correcting) error {
	name, err := t.w.l.identity(t, c.Movement)
	if err != nil {
		return err
	}
	if err := t.made(); err != nil {
		return fault.New(fault.Transient, CodeBeingMade, "%s is not corrected now: %w", name, err).WithHint("try again in some minutes")
	}
	e, err := t.openException(c.Movement)
	if err != nil {
		return err
	}
	if e == nil || c.Shown != "" && e.Reason != c.Shown {
		if err := t.received(c.Movement); err != nil {
			return err
		}
		return fault.New(fault.Data, CodeChanged, "%s no longer waits for what you saw", name).WithHint("look at it again")
	}
	m, whole, err := t.correctable(o, e, name)
	if err != nil {
		return err
	}
	if err := t.proposedOtherwise(c.Movement, name, c.proposal); err != nil {
		return err
	}
	if err := t.claimRow(&c, m, whole, name); err != nil {
		return err
	}
	to := c.To
	to.same(m)
	if to == (Correction{}) {
		return fault.New(fault.Data, CodeNotCorrectable, "nothing of %s would be otherwise", name).WithHint("change a field, or retry it as it is")
	}
	corrected := to.Apply(*m)
	if err := corrected.Validate(); err != nil {
		return err
	}
	if err := holdsNoNUL(&corrected); err != nil {
		return err
	}
	text, err := json.Marshal(&to)
	if err != nil {
		return err
	}
	r := Refusal{Stage: e.Stage, Reason: e.Reason, Text: storable(c.Why)}
	if err := t.ruleWith(c.Movement, c.At, ruledCorrected, storable(c.Who), r, string(text)); err != nil {
		return err
	}
	if err := t.Audit(Entry{At: c.At, Who: c.Who, Action: "correct", Subject: name.String(), Detail: e.Reason + ", " + to.Words(m) + ": " + c.Why}); err != nil {
		return err
	}
	// The projector writes it anew. No plan is made before, and nobody can decide
	// about it as it was.
	if _, err := t.Exec(`DELETE FROM exceptions WHERE id = $1`, int64(c.Movement)); err != nil {
		return err
	}
	_, err = t.Exec(`INSERT INTO reconsider (id) VALUES ($1) ON CONFLICT (id) DO NOTHING`, int64(c.Movement))
	t.Tell(Ruled)
	t.Stir(c.Movement)
	return err
}

// openException gives what waits of a movement; nil for nothing.
func (t *Tx) openException(id MovementID) (*Exception, error) {
	var e Exception
	var lost int64
	err := t.Row(`SELECT stage, reason, last_seq, posting_id FROM exceptions WHERE id = $1`, int64(id)).Scan(&e.Stage, &e.Reason, &lost, &e.PostingID)
	if errors.Is(err, errNoRows) {
		return nil, nil
	}
	e.ID, e.LastLost = id, uint64(lost)
	return &e, err
}

// correctable gives a movement that can be corrected, as it stands by now; whole
// tells whether its record is a whole one by itself.
func (t *Tx) correctable(o *opener, e *Exception, name movement.ID) (is *movement.Movement, whole bool, err error) {
	no := func(why string) *fault.Error {
		return fault.New(fault.Data, CodeNotCorrectable, "%s cannot be corrected: %s", name, why)
	}
	if e.LastLost > 0 {
		return nil, false, no("the hub does not have it").WithHint("count the stock of the branch, then discard the exception")
	}
	var state int64
	if err := t.Row(`SELECT state FROM movements WHERE id = $1`, int64(e.ID)).Scan(&state); err != nil {
		return nil, false, err
	}
	if State(state) != Excepted {
		return nil, false, no("it is in a document of Odoo already").WithHint("correct it in Odoo, with a return or an adjustment; then discard the exception")
	}
	record, err := o.record(e.ID)
	if errors.Is(err, errUnreadable) {
		return nil, false, no("its batch in the ledger no longer opens").WithHint("put back the newest backup of the ledger; the branch sends the rest again")
	}
	if err != nil {
		return nil, false, err
	}
	m, whole, err := ReadMovement(record)
	if err != nil || m.Settles.Dismissed {
		return nil, false, no("nothing can be read from it").WithHint("have it recorded again at the branch, then discard this one")
	}
	if e.Stage == StageProjection && (m.Problem == nil || m.Problem.Code != e.Reason) {
		return nil, false, no("what is wrong is not in one of its fields").WithHint("release it as it is, or discard it")
	}
	rulings, err := t.RulingsIn(e.ID, e.ID)
	if err != nil {
		return nil, false, err
	}
	for _, r := range rulings[e.ID] {
		if r.Corrected != nil {
			m = r.Corrected.Apply(m)
		}
	}
	return &m, whole, nil
}

// corrected tells whether a person has corrected a movement: then it is whole,
// whatever its record says.
func (t *Tx) corrected(id MovementID) (bool, error) {
	var n int64
	err := t.Row(`SELECT COUNT(*) FROM rulings WHERE movement_id = $1 AND what = $2`, int64(id), int64(ruledCorrected)).Scan(&n)
	return n > 0, err
}

// readCorrection reads what [Tx.correct] wrote; nil for ”.
func readCorrection(text string) (*Correction, error) {
	if text == "" {
		return nil, nil
	}
	c := new(Correction)
	if err := json.Unmarshal([]byte(text), c); err != nil {
		return nil, fmt.Errorf("a correction cannot be read: %w", err)
	}
	return c, nil
}
