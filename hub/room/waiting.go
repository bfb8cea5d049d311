package room

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strings"

	"branchline/hub/ledger"
	"branchline/internal/movement"
)

// WaitingFilter chooses what waits for a person; zero fields choose all.
type WaitingFilter struct {
	Branch string `json:"branch,omitempty"`
	Reason string `json:"reason,omitempty"`
	// Product is a code as a person types it, Text in the sentence, the lot, the
	// serial number or the document.
	Product string `json:"product,omitempty"`
	Text    string `json:"text,omitempty"`
}

func (f *WaitingFilter) ledger() ledger.ExceptionFilter {
	return ledger.ExceptionFilter{Branch: f.Branch, Reason: f.Reason, Codes: Codes(f.Product), Text: strings.TrimSpace(f.Text)}
}

// MaxTogether is how many movements are decided about in one step.
const MaxTogether = 2000

// WaitingList is what waits for a person, as one moment saw it.
type WaitingList struct {
	// Groups are of the whole filter but its reason, so that others can be
	// chosen.
	Groups []WaitingGroup
	// Page are some of those chosen, the oldest first; More tells of others after.
	Page []Waiting
	More bool
	// Chosen is how many of the oldest a decision about all would meet, at most
	// [MaxTogether], and Seal what they are: a decision about all with another one
	// is refused.
	Chosen int
	Seal   string
}

// WaitingGroup is one reason.
type WaitingGroup struct {
	ledger.ReasonGroup
	Words ledger.ReasonWords
}

// Waiting is one movement, or a run of lost ones, that waits for a person.
type Waiting struct {
	ledger.Exception
	Words ledger.ReasonWords
	// Name is the product's in Odoo, empty for none.
	Name     string
	Remedies []ledger.Remedy
	// Proposed is what a second person has not confirmed yet; nil for nothing.
	Proposed *ledger.Proposed
}

// Raw is what was read.
func (w *Waiting) Raw() string { return w.Source.Raw }

// From says where it was read.
func (w *Waiting) From() string { return ledger.SourceWords(&w.Source) }

// May tells whether a remedy can settle it.
func (w *Waiting) May(r string) bool {
	for _, have := range w.Remedies {
		if string(have) == r {
			return true
		}
	}
	return false
}

// Waiting lists what waits for a person: a page of at most limit after a place,
// and how much there is.
func (m *Room) Waiting(ctx context.Context, f WaitingFilter, after *ledger.Exception, limit int) (list WaitingList, err error) {
	asked := f.ledger()
	all := asked
	all.Reason = ""
	groups, err := m.Ledger.ExceptionGroups(ctx, all)
	if err != nil {
		return list, err
	}
	for _, g := range groups {
		list.Groups = append(list.Groups, WaitingGroup{g, wordsOf(g.Reason)})
	}
	if f.Reason != "" {
		marks, err := m.Ledger.ExceptionMarks(ctx, asked, MaxTogether)
		if err != nil {
			return list, err
		}
		list.Chosen, list.Seal = len(marks), seal(marks)
	}
	asked.After, asked.Limit = after, limit+1
	found, err := m.Ledger.Exceptions(ctx, asked)
	if err != nil {
		return list, err
	}
	if list.More = len(found) > limit; list.More {
		found = found[:limit]
	}
	list.Page, err = m.waiting(ctx, found)
	return list, err
}

func (m *Room) waiting(ctx context.Context, found []ledger.Exception) ([]Waiting, error) {
	ids := make([]ledger.MovementID, len(found))
	for i := range found {
		ids[i] = found[i].ID
	}
	proposed, err := m.Ledger.ProposedFor(ctx, ids)
	if err != nil {
		return nil, err
	}
	all := make([]Waiting, len(found))
	for i, e := range found {
		all[i] = Waiting{Exception: e, Words: wordsOf(e.Reason), Remedies: e.Remedies()}
		if e.Product.Code != "" {
			all[i].Name = m.Name(e.Product)
		}
		if p, ok := proposed[e.ID]; ok {
			all[i].Proposed = &p
		}
	}
	return all, nil
}

func wordsOf(reason string) ledger.ReasonWords {
	w, ok := ledger.WordsOfReason(reason)
	if !ok {
		w = ledger.ReasonWords{Is: strings.ReplaceAll(reason, "_", " "), Next: "Look at what was read, then correct it, or discard it."}
	}
	return w
}

// seal stands for exactly these movements, each with its reason.
func seal(marks []ledger.ExceptionMark) string {
	h := sha256.New()
	var b []byte
	for _, m := range marks {
		b = binary.BigEndian.AppendUint64(b[:0], uint64(m.Movement))
		b = binary.BigEndian.AppendUint64(b, uint64(m.Since))
		b = binary.BigEndian.AppendUint64(b, uint64(m.Last))
		b = binary.BigEndian.AppendUint64(b, uint64(len(m.Reason)))
		h.Write(append(b, m.Reason...)) // a hash takes every write
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// WaitingOne is all about one movement that waits for a person.
type WaitingOne struct {
	Waiting
	Traced *Traced
	// Is is the movement as it stands, by the corrections that people have made.
	Is movement.Movement
	// Placed tells that it is a row without a key of its own, so that only a person can
	// tell it from one that was corrected before; Row that it is one with a key, which
	// the hub tells by itself when it comes again.
	Placed, Row bool
	// Suggested are products that its code may mean.
	Suggested []Suggestion
}

// WaitingFor gives one movement that waits for a person; nil for one that waits
// for nobody. One that the hub never received is a fault of class Data,
// "unknown_movement".
func (m *Room) WaitingFor(ctx context.Context, id movement.ID) (*WaitingOne, error) {
	found, err := m.Ledger.Find(ctx, id)
	if err != nil {
		return nil, err
	}
	e, err := m.Ledger.Exception(ctx, found)
	if err != nil || e == nil {
		return nil, err
	}
	all, err := m.waiting(ctx, []ledger.Exception{*e})
	if err != nil {
		return nil, err
	}
	w := &WaitingOne{Waiting: all[0]}
	if e.LastLost > 0 {
		return w, nil
	}
	if w.Traced, err = m.Trace(ctx, id); err != nil {
		return nil, err
	}
	w.Is = w.Traced.is()
	w.Placed = movement.RowPlace(&w.Is) != ""
	_, w.Row = movement.RowKey(w.Is.NaturalKey)
	if w.May(string(ledger.RemedyMap)) {
		w.Suggested = m.Suggest(e.Product, w.Is.Source.Raw)
	}
	return w, nil
}

// is is the movement by what was recorded and corrected.
func (t *Traced) is() (is movement.Movement) {
	if t.Record == nil {
		return is
	}
	is = *t.Record
	for _, g := range t.Rulings {
		if g.Corrected != nil {
			is = g.Corrected.Apply(is)
		}
	}
	return is
}
