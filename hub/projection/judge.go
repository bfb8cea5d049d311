package projection

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"branchline/hub/ledger"
	"branchline/internal/fault"
	"branchline/internal/movement"
)

// Reason codes of exceptions that the projector finds; a movement's own problem
// brings its own.
const (
	// ReasonConflictingRepeat is the same natural key with another content.
	ReasonConflictingRepeat = "conflicting_repeat"
	// ReasonGroupConflict is a member that does not fit its group's size.
	ReasonGroupConflict = "group_size_conflict"
	// ReasonLost is a run that a branch no longer had when it was asked for.
	ReasonLost = "lost_at_branch"
	// ReasonDamaged is a batch in the ledger that no longer opens.
	ReasonDamaged = "damaged_batch"
	// ReasonPostedTwice is an event that stands in two documents of Odoo.
	ReasonPostedTwice = "posted_twice"
	// ReasonOtherHistory is a movement under whose number a document in Odoo holds
	// another one: hub and branch were both put back.
	ReasonOtherHistory = ledger.ReasonOtherHistory
	// ReasonFormElsewhere is a line of a printed form that another branch typed in, too.
	ReasonFormElsewhere = "form_elsewhere"
	// ReasonMayBePosted is an event that may be among those in Odoo of which the
	// hub has lost what would say so.
	ReasonMayBePosted = ledger.ReasonMayBePosted
)

// objection is why a movement goes to a person.
type objection struct {
	reason, field, text, hint string
}

func objectionOf(err error) *objection {
	o := &objection{reason: fault.CodeOf(err), text: err.Error(), hint: fault.HintOf(err)}
	if f, ok := errors.AsType[*fault.Error](err); ok {
		o.text = f.Message
	}
	o.text = strings.ToValidUTF8(strings.ReplaceAll(o.text, "\x00", "\uFFFD"), "\uFFFD")
	return o
}

// reading is what a record says by itself.
type reading struct {
	m movement.Movement
	// bad is set for what is no valid movement; then nothing of m is used but
	// its group, if that has a form.
	bad *objection
	// problem is why the branch could not be certain of it; understood tells
	// whether it is a whole movement nevertheless.
	problem    *objection
	understood bool
	content    uint64
}

// read decides what a record says. It never fails: a record that is no movement
// is a reading, too.
func read(record []byte) (r reading) {
	m, understood, err := ledger.ReadMovement(record)
	if err != nil {
		g := m.Group
		r.bad = objectionOf(err)
		if g.ID != "" && len(g.ID) <= 128 && g.Size >= 1 && g.Size <= 5000 && ledger.Storable(g.ID) {
			r.m.Group = g
		}
		return r
	}
	r.m, r.understood = m, understood
	if p := m.Problem; p != nil {
		r.problem = &objection{reason: p.Code, field: p.Field, text: p.Text}
		if !slices.Contains(movement.Schemes, m.Product.Scheme) {
			r.m.Product = movement.Product{}
		}
	}
	r.content = fingerprint(&r.m)
	return r
}

// fingerprint is over what must be equal when the same event is read again: all
// that touches the stock or the document, and when it happened, since a till's
// numbers and a pack's serial come again with another time. Where and when it
// was read may differ.
func fingerprint(m *movement.Movement) uint64 {
	h := uint64(14695981039346656037) // FNV-1a
	add := func(s string) {
		for i := 0; i < len(s); i++ {
			h = (h ^ uint64(s[i])) * 1099511628211
		}
		h = (h ^ 0xff) * 1099511628211 // no byte of UTF-8
	}
	add(string(m.Kind))
	add(string(m.Product.Scheme))
	add(m.Product.Code)
	add(m.Lot)
	var buf [32]byte
	add(string(m.Expiry.Append(buf[:0])))
	add(m.Serial)
	add(string(m.Quantity.Append(buf[:0])))
	add(m.Unit)
	if m.Document.Type != "session" { // a session is the reading, not the event
		add(m.Document.Type)
		add(m.Document.Ref)
	}
	add(m.Counterpart)
	if m.Problem == nil {
		add(strconv.FormatInt(m.OccurredAt.UnixMilli(), 10))
	} else {
		add(m.Problem.Code)
		add(m.Source.Raw)
		add(m.Source.RawHex)
	}
	return h
}

// circumstances is what is known of a movement besides its record.
type circumstances struct {
	// repeat says that its natural key was seen before, equal that the content
	// was the same.
	repeat, equal bool
	// misfit says that it does not fit its group's size.
	misfit bool
	// settled says that the branch's own people have dealt with its problem.
	settled bool
	// overruled is why what it says of an earlier capture is no longer so; nil
	// for nothing.
	overruled *objection
	// rulings is what was said about it, the newest last.
	rulings []ledger.Ruling
	// holding is the posting that it is in, if any; other is a document that names
	// its number and means another movement.
	holding, other *ledger.Holding
	// doubt is why it may be in Odoo already, though nothing here says so; nil for
	// nothing.
	doubt *objection
	// twice is another posting in which the same event stands; nil for none.
	twice *ledger.Posting
}

// verdict is what becomes of a movement.
type verdict struct {
	state ledger.State
	// counts tells whether it moves the implied stock.
	counts    bool
	postingID int64
	// except is set for an exception.
	except *exception
}

type exception struct {
	objection
	stage     string
	ruled     *ledger.Ruling // of the planner or poster
	postingID int64
}

// judge decides what becomes of a movement.
func judge(r *reading, c circumstances) verdict {
	released := slices.ContainsFunc(c.rulings, func(r ledger.Ruling) bool { return r.Retry })
	corrected := slices.ContainsFunc(c.rulings, func(r ledger.Ruling) bool { return r.Corrected != nil })
	v := verdict{state: ledger.Pending, counts: true}
	if o := object(r, c, released, corrected); o != nil {
		v = verdict{state: ledger.Excepted, except: &exception{objection: *o, stage: ledger.StageProjection}}
	} else if r.bad == nil && c.repeat && c.equal {
		v = verdict{state: ledger.Duplicate}
	} else if r.m.Settles.Dismissed {
		v = verdict{state: ledger.Discarded}
	}
	var last *ledger.Ruling
	if n := len(c.rulings); n > 0 {
		last = &c.rulings[n-1]
	}
	if c.holding != nil {
		v = verdict{state: c.holding.State, counts: r.bad == nil && r.understood && c.twice == nil, postingID: c.holding.PostingID}
		if c.twice != nil && (last == nil || !last.Discarded || last.Reason != ReasonPostedTwice) {
			v.except = &exception{objection: postedTwice(c.twice), stage: ledger.StageProjection, postingID: c.holding.PostingID}
		}
		return v
	}
	if c.settled && !released && !corrected {
		return verdict{state: ledger.Discarded}
	}
	if last == nil {
		return v
	}
	switch {
	case last.Discarded:
		return verdict{state: ledger.Discarded}
	case last.Refused && v.state == ledger.Pending:
		v.state = ledger.Excepted
		v.except = &exception{objection: objection{last.Reason, last.Field, last.Text, last.Hint}, stage: last.Stage,
			ruled: last, postingID: last.PostingID}
	}
	return v
}

func postedTwice(other *ledger.Posting) objection {
	where := "posting " + other.Name
	if other.Odoo.Name != "" {
		where = other.Odoo.Name + " (" + where + ")"
	}
	return objection{reason: ReasonPostedTwice, field: "natural_key",
		text: "the same event is also in " + where + "",
		hint: "look at both documents in Odoo and take one of them back there, with a return; then branchline-hub discard takes the exception out, by which nothing is posted"}
}

// object gives the first reason why a movement cannot go on by itself. A person
// who has released it has seen all but what cannot be released. What one has
// corrected stood against no word of the branch then, and does not do so later; nor
// does it wait for its group, since a person has looked whether the goods are there.
func object(r *reading, c circumstances, released, corrected bool) *objection {
	switch {
	case r.bad != nil:
		return r.bad
	case c.repeat && c.equal:
		return nil
	case c.repeat && !released:
		return &objection{reason: ReasonConflictingRepeat, field: "natural_key",
			text: "the event " + r.m.NaturalKey + " came before with another content",
			hint: "compare both; branchline-hub release lets this one go on as a second event, branchline-hub discard takes it out"}
	case c.overruled != nil && !released && !corrected:
		return c.overruled
	case r.problem != nil && !(released && r.understood):
		return r.problem
	case c.misfit && !released && !corrected:
		return &objection{reason: ReasonGroupConflict, field: "group.size",
			text: "the movement does not fit the size that its group " + r.m.Group.ID + " was given before",
			hint: "branchline-hub release lets it go on if the goods are there, branchline-hub discard takes it out"}
	case c.doubt != nil && !releasedFor(c.rulings, c.doubt.reason):
		return c.doubt // by itself: what was released for another reason is in no less doubt
	}
	return nil
}
