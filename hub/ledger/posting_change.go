package ledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"branchline/internal/fault"
)

// ErrPlannedOtherwise says that a posting is no longer what its poster carries
// out: it was taken back meanwhile, and perhaps planned anew under its name.
var ErrPlannedOtherwise = errors.New("the posting was planned otherwise meanwhile")

// PostingChange is what happened to a posting.
type PostingChange struct {
	At time.Time
	// Body, unless nil, is what the caller carries out: when the posting was
	// planned otherwise meanwhile, nothing is changed and the error is
	// [ErrPlannedOtherwise].
	Body []byte
	// State is its new state; empty keeps it.
	State PostingState
	// Step is the poster's own note of how far it is.
	Step string
	// NextAt is when to try again; zero is at once.
	NextAt time.Time
	// Odoo is kept when its ID is not 0.
	Odoo OdooRef
	// Attempt is written down when it has a step. Its fault becomes the
	// posting's newest, also when empty.
	Attempt Attempt
	// Changed says how the document that is done differs from the posting; it
	// goes into the audit trail.
	Changed string
	// Refused are movements of the posting that become exceptions. Only with
	// a State that is not alive.
	Refused []Refusal
	// Parts take over movements of a posting that is split. When codes mean
	// something else than when it was planned, there are none, and it is withdrawn
	// instead.
	Parts []NewPosting
}

// Attempt is one try at a step, with what Odoo said.
type Attempt struct {
	At    time.Time
	Took  time.Duration
	Step  string
	Fault FaultWords
}

// ChangePosting writes down what happened to a posting, in one transaction with
// all that follows from it: when it is done its movements are; when it is no
// longer alive its movements wait for the planner again, but for those refused
// and those in Parts. The ids of Parts are given in their order. A posting that
// is done is not changed any more: that is a Defect.
func (l *Ledger) ChangePosting(ctx context.Context, id int64, c PostingChange) (parts []int64, err error) {
	err = l.Write(ctx, func(tx *Tx) (err error) {
		parts, err = tx.changePosting(id, c)
		return err
	})
	return parts, err
}

func (t *Tx) changePosting(id int64, c PostingChange) (parts []int64, err error) {
	var was, name string
	var body []byte
	err = t.Row(`SELECT state, name, body FROM postings WHERE id = $1`, id).Scan(&was, &name, &body)
	if errors.Is(err, errNoRows) {
		return nil, unknownPosting(id)
	}
	if err != nil {
		return nil, fmt.Errorf("posting %d: %w", id, err)
	}
	if c.Body != nil && (!PostingState(was).Alive() || !bytes.Equal(body, c.Body)) {
		return nil, fmt.Errorf("posting %s: %w", name, ErrPlannedOtherwise)
	}
	if c.State == "" {
		c.State = PostingState(was)
	}
	if was := PostingState(was); was == PostingDone || !was.Alive() {
		return nil, fmt.Errorf("posting %s is %s and cannot become %s", name, was, c.State)
	}
	if c.State.Alive() && len(c.Refused)+len(c.Parts) > 0 {
		return nil, fmt.Errorf("posting %s gives movements away and stays %s", name, c.State)
	}
	if len(c.Parts) > 0 {
		now, err := aliasGeneration(t)
		if err != nil {
			return nil, err
		}
		if now != c.Parts[0].Aliases { // the parts, too, would be what codes meant before
			c.State, c.Step, c.Parts = PostingWithdrawn, "alias changed", nil
		}
	}
	next := int64(0)
	if !c.NextAt.IsZero() {
		next = c.NextAt.UnixMilli()
	}
	if _, err := t.Exec(`UPDATE postings SET state = $1, step = $2, next_at = $3, changed_at = $4 WHERE id = $5`,
		string(c.State), c.Step, next, c.At.UnixMilli(), id); err != nil {
		return nil, err
	}
	if c.Odoo.ID != 0 {
		if _, err := t.Exec(`UPDATE postings SET odoo_model = $1, odoo_id = $2, odoo_name = $3 WHERE id = $4`,
			c.Odoo.Model, c.Odoo.ID, storable(c.Odoo.Name), id); err != nil {
			return nil, err
		}
	}
	if err := t.attempt(id, c.Attempt); err != nil {
		return nil, err
	}
	t.Tell(PostingsChanged)
	if c.Changed != "" {
		if err := t.Audit(Entry{At: c.At, Who: "hub", Action: actionChanged, Subject: name, Detail: c.Changed}); err != nil {
			return nil, err
		}
	}
	runs, err := t.runsIn(id)
	if err != nil {
		return nil, err
	}
	switch {
	case c.State == PostingDone:
		if err = t.settle(runs, id, Posted, id); err == nil {
			err = t.auditPosted(id, name, c.At, runs)
		}
	case !c.State.Alive():
		parts, err = t.giveBack(id, runs, &c)
	}
	for _, r := range runs {
		if err != nil {
			return nil, err
		}
		err = t.ReconsiderRepeats(r.first, r.last)
		if err == nil && !c.State.Alive() {
			err = t.reconsiderRows(r.first, r.last)
		}
	}
	return parts, err
}

// auditPosted writes down that the stock in Odoo has changed, by what document and
// for which movements.
func (t *Tx) auditPosted(id int64, name string, at time.Time, runs []idRun) error {
	doc, err := t.Document(id)
	if err != nil {
		return err
	}
	var n int64
	for _, r := range runs {
		n += int64(r.last-r.first) + 1
	}
	return t.Audit(Entry{At: at, Who: "hub", Action: "posted", Subject: name,
		Detail: fmt.Sprintf("%s %d %s, movements: %d", doc.Odoo.Model, doc.Odoo.ID, doc.Odoo.Name, n)})
}

// giveBack lets the movements of a posting that is no longer alive wait for the
// planner, but for those that are refused and those that others take over.
func (t *Tx) giveBack(id int64, runs []idRun, c *PostingChange) (parts []int64, err error) {
	if err := t.settle(runs, id, Pending, 0); err != nil {
		return nil, err
	}
	for _, r := range c.Refused {
		r.PostingID = id
		if err := t.refuse(r, c.At); err != nil {
			return nil, err
		}
	}
	for _, p := range c.Parts {
		part, err := t.createPosting(p, id, c.At)
		if err != nil {
			return nil, err
		}
		parts = append(parts, part)
	}
	t.Tell(Projected) // movements are pending again
	return parts, nil
}

// TakeBack withdraws a posting that has not begun to go to Odoo; its movements
// wait for the planner again. taken is false for one that has begun or is done,
// which stays as it is.
func (t *Tx) TakeBack(id int64, why string) (p Posting, taken bool, err error) {
	doc, err := t.Document(id)
	if err != nil {
		return p, false, err
	}
	if p = *doc; p.State != PostingPlanned {
		return p, false, nil
	}
	at := time.Now().UTC()
	if _, err := t.changePosting(id, PostingChange{At: at, State: PostingWithdrawn, Step: "withdrawn"}); err != nil {
		return p, false, err
	}
	return p, true, t.Audit(Entry{At: at, Who: "hub", Action: "posting withdrawn", Subject: p.Name, Detail: why})
}

// Document gives a posting's name and state, and what it is in Odoo.
func (t *Tx) Document(id int64) (*Posting, error) {
	p := &Posting{ID: id}
	var state string
	if err := t.Row(`SELECT name, state, odoo_model, odoo_id, odoo_name FROM postings WHERE id = $1`, id).
		Scan(&p.Name, &state, &p.Odoo.Model, &p.Odoo.ID, &p.Odoo.Name); err != nil {
		return nil, fmt.Errorf("posting %d: %w", id, err)
	}
	p.State = PostingState(state)
	return p, nil
}

// ReconsiderRepeats has the projector look again at the later copies in documents
// of the movements of a run, which have changed.
func (t *Tx) ReconsiderRepeats(first, last MovementID) error {
	n, err := t.Exec(`INSERT INTO reconsider (id) SELECT id FROM held_repeats WHERE first_id BETWEEN $1 AND $2
		ON CONFLICT (id) DO NOTHING`, int64(first), int64(last))
	if n > 0 {
		t.Tell(Ruled)
	}
	return err
}

// reconsiderRows has the projector look again at what is no longer in a document,
// and was not to go on by itself meanwhile: rows of which a bad one was corrected or
// is in another document, and what settled captures that came later.
func (t *Tx) reconsiderRows(first, last MovementID) error {
	n, err := t.Exec(`INSERT INTO reconsider (id) SELECT id FROM same_row WHERE id BETWEEN $1 AND $2 AND bad = 0
		UNION SELECT movement_id FROM settlements WHERE movement_id BETWEEN $1 AND $2
		ON CONFLICT (id) DO NOTHING`, int64(first), int64(last))
	if n > 0 {
		t.Tell(Ruled)
	}
	return err
}

// runsIn gives the runs of movements that a posting names.
func (t *Tx) runsIn(id int64) ([]idRun, error) {
	var runs []idRun
	err := t.Rows(`SELECT stream_id, first_seq, last_seq FROM posting_sets WHERE posting_id = $1`, []any{id},
		func(r Row) error {
			var stream, first, last int64
			err := r.Scan(&stream, &first, &last)
			runs = append(runs, idRun{MakeID(stream, uint64(first)), MakeID(stream, uint64(last))})
			return err
		})
	return runs, err
}

// settle gives those movements of the runs that are in the posting a state and a
// posting.
func (t *Tx) settle(runs []idRun, id int64, state State, posting int64) error {
	for _, r := range runs {
		if _, err := t.Exec(`UPDATE movements SET state = $1, posting_id = $2
			WHERE id BETWEEN $3 AND $4 AND posting_id = $5`,
			int64(state), posting, int64(r.first), int64(r.last), id); err != nil {
			return err
		}
		t.stirLive(r.first)
	}
	return nil
}

func (t *Tx) attempt(id int64, a Attempt) error {
	if a.Step == "" {
		return nil
	}
	text := storable(a.Fault.Text)
	if _, err := t.Exec(`INSERT INTO posting_attempts (posting_id, at, took_ms, step, class, code, text)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		id, a.At.UnixMilli(), a.Took.Milliseconds(), a.Step, a.Fault.Class, a.Fault.Code, text); err != nil {
		return err
	}
	_, err := t.Exec(`UPDATE postings SET attempts = attempts + 1, fault_class = $1, fault_code = $2, fault_text = $3
		WHERE id = $4`, a.Fault.Class, a.Fault.Code, text, id)
	return err
}

// Attempts gives what was tried for a posting, newest first, at most limit.
func (l *Ledger) Attempts(ctx context.Context, posting int64, limit int) ([]Attempt, error) {
	var all []Attempt
	err := l.reader(ctx).Rows(`SELECT at, took_ms, step, class, code, text FROM posting_attempts
		WHERE posting_id = $1 ORDER BY id DESC LIMIT $2`, []any{posting, limit}, func(r Row) error {
		var a Attempt
		var at, took int64
		err := r.Scan(&at, &took, &a.Step, &a.Fault.Class, &a.Fault.Code, &a.Fault.Text)
		a.At, a.Took = time.UnixMilli(at).UTC(), time.Duration(took)*time.Millisecond
		all = append(all, a)
		return err
	})
	return all, classify(err)
}

// WordsOf keeps an error's class, code and message; nil gives empty words.
func WordsOf(err error) FaultWords {
	if err == nil {
		return FaultWords{}
	}
	return FaultWords{Class: fault.ClassOf(err).String(), Code: fault.CodeOf(err), Text: err.Error()}
}
