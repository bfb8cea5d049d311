package receive

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"branchline/agent/counter"
	"branchline/agent/scan"
	"branchline/internal/fault"
	"branchline/internal/feed"
	"branchline/internal/movement"
	"branchline/internal/paper"
	"branchline/internal/ui"
)

var _ counter.Forms = (*Desk)(nil)

// Forms lists the forms that are being typed in, the oldest first.
func (d *Desk) Forms() []counter.Work {
	d.mu.Lock()
	defer d.mu.Unlock()
	var list []counter.Work
	for _, s := range d.sessions {
		if s.Form != "" {
			v := s.view(d.know(s))
			list = append(list, v.Work)
		}
	}
	return list
}

// Expected lists the deliveries that Odoo is ready to receive or soon will be, with
// what is still to come of each.
func (d *Desk) Expected() []paper.Order {
	var list []paper.Order
	told := map[movement.Document]bool{}
	for _, e := range d.Reference.Deliveries() {
		doc := e.Document()
		if told[doc] {
			continue
		}
		told[doc] = true
		if joined, ok := d.Reference.Delivery(doc); ok {
			e = joined
		}
		list = append(list, paper.OrderOf(&e, d.Reference.AsOf(feed.Deliveries)))
	}
	return list
}

// OpenForm begins to type a form in, or goes on with it.
func (d *Desk) OpenForm(ctx context.Context, n paper.Number, document string) (string, scan.Answer, error) {
	if n.Kind() == "" {
		return "", scan.Answer{}, fault.New(fault.Data, "bad_form_number", "%.40q is no form's number", string(n))
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	p := purposeOf(n.Kind())
	doc, err := d.documentOn(p, n, strings.TrimSpace(document))
	if err != nil {
		return "", scan.Answer{}, err
	}
	if i := slices.IndexFunc(d.sessions, func(s *Session) bool { return s.Form == n }); i >= 0 {
		s := d.sessions[i]
		if document != "" && s.Document != doc {
			return "", scan.Answer{}, fault.New(fault.Data, "other_order", "form %s is being typed in for %s, not for %s", n, s.Called(), doc.Ref).
				WithHint("leave the order empty to go on with it; throw it away there if the order was wrong")
		}
		return s.ID, scan.Answer{Sound: scan.OK, Action: true, Text: s.Words() + " is open"}, nil
	}
	s := Open(doc, p, onPaper, d.moment(d.Now()))
	s.Form = n
	if err := d.commit(ctx, step{&s, Change{Joined: onPaper}, true}); err != nil {
		return "", scan.Answer{}, err
	}
	a := d.opened(&s)
	if of := d.typedBefore(n); of > 0 {
		a.Sound, a.Code = scan.Warn, "form_again"
		a.Text += fmt.Sprintf(". It was typed in before, with %s: what is the same counts once", ui.Many(of, "line", "lines"))
	}
	return s.ID, a, nil
}

// typedBefore is how many of a form's lines were recorded before. An error tells
// none: it is asked again of each line when it counts.
func (d *Desk) typedBefore(n paper.Number) (lines int) {
	keys := make([]string, 2*paper.Lines)
	for i := range keys {
		keys[i] = formKey(n, i+1)
		if pack, err := d.Store.Note(packLineSpace, keys[i]); err == nil && len(pack) > 0 {
			keys[i] = packKey(pack)
		}
	}
	places, err := d.Store.Known(keys...)
	if err != nil {
		d.Log.Warn("it is not known what was typed in of a form before", "form", n, "err", err)
		return 0
	}
	for _, p := range places {
		if p.Known {
			lines++
		}
	}
	return lines
}

// documentOn is what a form belongs to: its order, or itself.
func (d *Desk) documentOn(p scan.Purpose, n paper.Number, text string) (movement.Document, error) {
	if text == "" {
		return movement.Document{Type: "session", Ref: string(n)}, nil
	}
	if p != scan.Receive {
		return movement.Document{}, fault.New(fault.Data, "bad_document", "form %s is for what was handed out, and has no order", n)
	}
	if doc, ok := d.document(&scan.Scan{Err: fault.New(fault.Data, "no_product", "an order")}, text); ok {
		return doc, nil
	}
	return movement.Document{}, fault.New(fault.Data, "bad_document", "%.70q is no order or delivery that is known here", text).
		WithHint("type Odoo's number, such as P00017; or leave it empty, and a person at the hub will say which order it is")
}

// TypeIn saves one line of a form.
func (d *Desk) TypeIn(ctx context.Context, id string, l counter.FormLine) (scan.Answer, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s, err := d.session(id)
	if err != nil {
		return scan.Answer{}, err
	}
	if s.Form == "" {
		return scan.Answer{}, fault.New(fault.Data, "not_here", "%s is no form", s.Words())
	}
	if err := d.cfg.checkLine(&l, d.Now()); err != nil {
		return scan.Answer{}, err
	}
	k := d.know(s)
	it, packs, raw, err := d.goodsOf(k, &l)
	if err != nil {
		return scan.Answer{}, err
	}
	c, err := s.typeIn(k, &l, it, packs, raw)
	if err != nil {
		return scan.Answer{}, err
	}
	if len(c.Put) == 0 {
		return c.Answer, nil
	}
	if err := d.commit(ctx, step{s, c, false}); err != nil {
		return scan.Answer{}, err
	}
	if d.lineRecorded(formKey(s.Form, l.Line)) {
		c.Answer.Sound, c.Answer.Code = scan.Warn, "form_again"
		c.Answer.Text += ". This line was recorded before: the same counts once, and anything else goes to a person"
	}
	return c.Answer, nil
}

// notTwice leaves out the lines of a form that were recorded before just so, and
// sends to a person those that were recorded otherwise. It is asked with d.mu held:
// nobody else records lines of forms. again and differ count them.
func (d *Desk) notTwice(list []*movement.Movement, of map[int]int) (kept []*movement.Movement, places map[int]int, again, differ int, err error) {
	keys := make([]string, 0, 2*len(list))
	for _, m := range list {
		first := m.NaturalKey
		pack, err := d.Store.Note(packLineSpace, first)
		if err != nil {
			return nil, nil, 0, 0, err
		}
		if len(pack) > 0 { // the line was recorded as a pack with a serial number
			first = packKey(pack)
		}
		keys = append(keys, first, otherKey(m.NaturalKey, m))
	}
	known, err := d.Store.Known(keys...)
	if err != nil {
		return nil, nil, 0, 0, err
	}
	at := make([]int, len(list))
	for i, m := range list {
		first, other := known[2*i], known[2*i+1]
		if first.Known && first.Print == m.Print() || other.Known {
			at[i], again = -1, again+1
			continue
		}
		if first.Known {
			differ++
			m.NaturalKey = otherKey(m.NaturalKey, m)
			m.Problem = &movement.Problem{Code: "conflicting_repeat", Field: "natural_key", Text: fmt.Sprintf(
				"line %d of form %s was typed in before, and said something else then", m.Paper.Line, paper.Number(m.Paper.Form))}
		}
		at[i] = len(kept)
		kept = append(kept, m)
	}
	places = map[int]int{}
	for number, i := range of {
		if at[i] >= 0 {
			places[number] = at[i]
		}
	}
	for _, m := range kept {
		m.Group.Size = len(kept)
	}
	return kept, places, again, differ, nil
}

// otherKey is the key of a line that says something else than it did before, or whose
// pack was counted before: each content is told once.
func otherKey(line string, m *movement.Movement) string {
	return fmt.Sprintf("%s/other/%016x", line, m.Print())
}
