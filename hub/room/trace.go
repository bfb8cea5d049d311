package room

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"branchline/hub/ledger"
	"branchline/internal/movement"
	"branchline/internal/paper"
)

// Traced is the whole way of one movement.
type Traced struct {
	ID movement.ID
	*ledger.Trace
	// Record is what the branch recorded; nil for a record that is no movement.
	Record *movement.Movement
	// Name is the product's in Odoo, empty for none.
	Name string
	// Steps are the way, in the order of time.
	Steps []Step
}

// Step is something that happened to a movement.
type Step struct {
	At time.Time
	// Who is a person, or the part of the system that did it.
	Who string
	// What is a sentence; Detail adds to it, Proof is a hash that binds it.
	What, Detail, Proof string
	// Link leads to what it speaks of; empty for nowhere. Outside tells that
	// that is in Odoo.
	Link    string
	Outside bool
	// Bad is for what went wrong.
	Bad bool
}

// Trace follows a movement from what was read to Odoo. One that the hub never
// received is a fault of class Data, "unknown_movement".
func (m *Room) Trace(ctx context.Context, id movement.ID) (*Traced, error) {
	found, err := m.Ledger.Trace(ctx, id)
	if err != nil {
		return nil, err
	}
	t := &Traced{ID: id, Trace: found}
	if r, err := movement.Decode(found.Record.Bytes); err == nil {
		t.Record = &r
		t.Name = m.Name(r.Product)
	}
	t.Steps = m.steps(t)
	return t, nil
}

func (m *Room) steps(t *Traced) (all []Step) {
	if r := t.Record; r != nil {
		happened := Step{At: r.OccurredAt, Who: r.By, What: "It happened at " + t.ID.Branch, Detail: sourceWords(&r.Source)}
		recorded := Step{At: r.RecordedAt, Who: "agent", What: "Recorded on the branch's disk", Detail: t.ID.String()}
		if form := r.Paper.Form; form != "" {
			happened.Detail = fmt.Sprintf("written on form %s, line %d", paper.Number(form), r.Paper.Line)
			recorded.Who, recorded.What = r.Paper.TypedBy, "Typed in from the form, and recorded on the branch's disk"
		}
		all = append(all, happened, recorded)
	}
	all = append(all, Step{At: t.Trace.Record.ReceivedAt, Who: "hub", What: "Received and acknowledged",
		Detail: fmt.Sprintf("batch %d", t.Trace.Record.BatchID), Proof: fmt.Sprintf("%x", t.Trace.Record.Hash[:])})
	var is movement.Movement // as it stands after each correction
	if t.Record != nil {
		is = *t.Record
	}
	for _, g := range t.Rulings {
		step := Step{At: g.At, Who: g.Who, What: rulingWords[g.What], Detail: strings.Join(full(g.Reason, g.Text), ": "), Bad: g.What == "refused"}
		if step.What == "" {
			step.What = sentenceCase(g.What)
		}
		if g.Corrected != nil {
			step.Detail = g.Corrected.Words(&is) + ": " + g.Text
			is = g.Corrected.Apply(is)
		}
		all = append(all, step)
	}
	if p := t.Posting; p != nil {
		all = append(all, Step{At: p.CreatedAt, Who: "planner", What: "Planned as a document for Odoo", Detail: p.Name, Link: "/postings/" + p.Name})
		for _, a := range slices.Backward(t.Attempts) {
			if a.Fault.Text != "" {
				all = append(all, Step{At: a.At, Who: "poster", What: "Odoo did not take it, at the step " + a.Step, Detail: strings.Join(full(a.Fault.Code, a.Fault.Text), ": "), Bad: true})
			}
		}
		if p.State == ledger.PostingDone {
			all = append(all, Step{At: p.ChangedAt, Who: "Odoo", What: "Validated in Odoo", Detail: p.Odoo.Name, Link: m.OdooLink(p.Odoo), Outside: true})
		}
	}
	slices.SortStableFunc(all, func(x, y Step) int { return x.At.Compare(y.At) })
	return all
}

// rulingWords say what was ruled.
var rulingWords = map[string]string{"refused": "Set aside for a person", "released": "Let go on", "discarded": "Taken out for good", "corrected": "Corrected"}

func sentenceCase(s string) string {
	if s == "" {
		return ""
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// sourceWords say where it was read, with the line of the file or the code.
func sourceWords(s *movement.Source) string {
	var parts []string
	if s.Adapter != "" {
		parts = append(parts, s.Adapter)
	}
	if s.File != "" {
		parts = append(parts, s.File)
	}
	if s.Line > 0 {
		parts = append(parts, fmt.Sprintf("line %d", s.Line))
	}
	return strings.Join(parts, ", ")
}

func full(parts ...string) []string {
	return slices.DeleteFunc(parts, func(s string) bool { return s == "" })
}

// OdooLink is where a browser finds a document in Odoo; empty for none. The form
// is that of Odoo 17; later ones lead on from it.
func (m *Room) OdooLink(o ledger.OdooRef) string {
	if o.ID == 0 || o.Model == "" {
		return ""
	}
	return fmt.Sprintf("%s/web#id=%d&model=%s&view_type=form", strings.TrimRight(m.OdooURL, "/"), o.ID, o.Model)
}
