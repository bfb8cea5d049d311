package receive

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"branchline/agent/counter"
	"branchline/agent/scan"
	"branchline/internal/fault"
	"branchline/internal/movement"
	"branchline/internal/paper"
	"branchline/internal/ui"
)

// onPaper is the station of whoever types a form in. No scanner has a name with a
// blank, so no scan ever comes into a form.
const onPaper = "on paper"

// ProductNeeded is a question that was left to a person: which product it is.
const ProductNeeded = "product_needed"

// sureAfter is how old a line of a form may be before somebody is asked whether its
// date is right.
const sureAfter = 48 * time.Hour

// purposeOf is what a form is for.
func purposeOf(k paper.Kind) scan.Purpose {
	if k == paper.Receipt {
		return scan.Receive
	}
	return scan.Dispense
}

// formKey is the natural key of a form's line: the same whoever types it in, and
// wherever.
func formKey(n paper.Number, line int) string {
	return "form/" + string(n) + "/" + strconv.Itoa(line)
}

// lineKey is the key of the line that a record says it is of.
func lineKey(p *movement.Paper) string { return formKey(paper.Number(p.Form), p.Line) }

// paper is what a record says of the form.
func (s *Session) paper(e *Entry, by string) movement.Paper {
	if s.Form == "" {
		return movement.Paper{}
	}
	return movement.Paper{Form: string(s.Form), Line: e.Line, TypedBy: cmp.Or(e.TypedBy, e.Edited, by)}
}

// key is the natural key of an entry's movement.
func (s *Session) key(e *Entry) string {
	if s.Form != "" {
		return formKey(s.Form, e.Line)
	}
	return "session/" + s.ID + "/" + strconv.Itoa(e.Number)
}

// lineOf is the entry of a form's line; nil for none.
func (s *Session) lineOf(line int) *Entry {
	i := slices.IndexFunc(s.Entries, func(e Entry) bool { return e.Line == line })
	if i < 0 {
		return nil
	}
	return &s.Entries[i]
}

// typeIn takes a line of the form. The same line again is refused, unless it is
// said that it changes.
func (s *Session) typeIn(k *knowledge, l *counter.FormLine, it scan.Item, packs movement.Quantity, raw []byte) (Change, error) {
	e := Entry{Number: s.next(), Line: l.Line, Station: onPaper, Item: it, Quantity: packs, At: l.At, By: l.By, TypedBy: l.TypedBy,
		Source: movement.Source{Adapter: "paper"}}
	e.Source.SetRaw(raw)
	if it.Product == (movement.Product{}) {
		e.Left = ProductNeeded
	}
	if old := s.lineOf(l.Line); old != nil {
		same := old.Item == e.Item && old.Quantity == e.Quantity && old.At.Equal(e.At) && old.By == e.By
		if e.Left == ProductNeeded { // its words are all there is to find it by
			same = same && old.Source == e.Source
		}
		if !l.Change && !same {
			return Change{}, fault.New(fault.Data, "line_typed", "line %d is typed in already: %s, by %s", l.Line, old.words(k), old.TypedBy).
				WithHint("look at the form; if what is typed in is wrong, choose Change at that line")
		}
		if same {
			return Change{Answer: scan.Answer{Sound: scan.OK, Text: fmt.Sprintf("line %d is typed in already, just so", l.Line)}}, nil
		}
		e.Number = old.Number
	} else if err := s.full(1); err != nil {
		return Change{}, err
	}
	if err := s.serialFree(k, &e.Item, e.Number); err != nil {
		return Change{}, err
	}
	return s.put(k, fmt.Sprintf("line %d: %s", l.Line, e.words(k)), e), nil
}

func (e *Entry) words(k *knowledge) string {
	if e.Item.Product == (movement.Product{}) {
		return e.Quantity.String() + " of a product that a person has to find"
	}
	return many(e.Quantity, k.words(&e.Item))
}

// checkLine refuses a line that cannot have happened, or that nobody would find again.
func (c *Config) checkLine(l *counter.FormLine, now time.Time) error {
	no := func(code, hint, format string, args ...any) error {
		return fault.New(fault.Data, code, format, args...).WithHint(hint)
	}
	l.Lot, l.By, l.TypedBy = strings.TrimSpace(l.Lot), strings.TrimSpace(l.By), strings.TrimSpace(l.TypedBy)
	for _, f := range []struct {
		what, text string
		limit      int
	}{{"lot", l.Lot, maxLot}, {"initials", l.By, maxInitials}, {"initials", l.TypedBy, maxInitials}} {
		if err := typed(f.what, f.text, f.limit); err != nil {
			return err
		}
	}
	age, days := now.Sub(l.At), cmp.Or(c.FormDays, defaultFormDays)
	switch {
	case l.Line < 1 || l.Line > maxFormLine:
		return no("bad_line", "it stands at the beginning of the line", "%d is no line of a form", l.Line)
	case l.At.IsZero():
		return no("bad_time", "type date and time as they stand on the form; where there is none, ask who did it", "the date or the time is missing")
	case age < 0:
		return no("in_the_future", "look at the date on the form", "%s is not over yet", l.At.Format("2 January 2006 15:04"))
	case age > time.Duration(days)*24*time.Hour:
		return no("form_too_old", "look at the date; if it is right, ask IT to raise receive.form_days for today", "%s is %s ago, and forms are taken for %s",
			l.At.Format("2 January 2006"), ui.Ago(age), ui.Many(days, "day", "days"))
	case age > sureAfter && !l.Sure:
		return no(counter.FormOld, "look at the form once more, and say that the date is right", "%s is %s ago", l.At.Format("Monday, 2 January 2006 15:04"), ui.Ago(age))
	case l.By == "":
		return no("no_initials", "they stand in the line; where there are none, type your own", "the initials of who did it are missing")
	case l.TypedBy == "":
		return no("no_initials", "type your own", "the initials of who types it in are missing")
	}
	return nil
}

// maxFormLine bounds the lines of a form, as a record does.
const maxFormLine = 999

// goodsOf reads what a line says of the product, and how many there are, in the
// form that is the same however it is said: by any code of the product or by its
// name. raw is what was scanned or typed.
func (d *Desk) goodsOf(k *knowledge, l *counter.FormLine) (it scan.Item, packs movement.Quantity, raw []byte, err error) {
	raw = []byte(l.Text)
	switch {
	case l.Product.Code != "":
		it, raw = scan.Item{Product: l.Product, Quantity: movement.Units(1)}, nil
	case l.Person:
		err = describes(l.Text)
		it.Quantity = movement.Units(1)
	default:
		it, raw, err = d.codeOf(k, l)
	}
	if err != nil {
		return it, 0, nil, err
	}
	if it.Lot != "" && l.Lot != "" && l.Lot != it.Lot {
		return it, 0, nil, fault.New(fault.Data, "lot_differs", "the code says lot %s, and %s was typed", it.Lot, l.Lot).WithHint("look at the form; scan the pack that is meant")
	}
	if !it.Expiry.IsZero() && !l.Expiry.IsZero() && l.Expiry != it.Expiry {
		return it, 0, nil, fault.New(fault.Data, "expiry_differs", "the code says expiry %s, and %s was typed", it.Expiry, l.Expiry).WithHint("look at the form; scan the pack that is meant")
	}
	it.Lot = firstOf(it.Lot, l.Lot)
	if it.Expiry.IsZero() {
		it.Expiry = l.Expiry
	}
	it.ExpiryRaw = ""
	if packs, err = quantity(&Entry{Item: it}, l.Quantity); err != nil {
		return it, 0, nil, err
	}
	it.Quantity = movement.Units(1)
	if g := k.of(it.Product); g.known {
		own := g.product.Code()
		if o := k.of(own); own.Code != "" && o.known && o.key == g.key && o.units == movement.Units(1) {
			it.Product, packs = own, times(packs, g.units)
		}
	}
	if packs >= movement.MaxQuantity {
		return it, 0, nil, fault.New(fault.Data, "bad_quantity", "that is too much for one line")
	}
	return it, packs, raw, nil
}

// codeOf reads the code of a line. Where the keyboard may have changed it, both
// readings are tried; nobody can tell which is meant where both can be read.
func (d *Desk) codeOf(k *knowledge, l *counter.FormLine) (it scan.Item, raw []byte, err error) {
	if len(l.Text) > maxTyped || len(l.Physical) > maxTyped {
		return it, nil, fault.New(fault.Data, "bad_code", "that is too long for a code")
	}
	it, err = d.readCode(k, l.Text, l.At)
	if l.Physical == "" || l.Physical == l.Text {
		return it, []byte(l.Text), err
	}
	placed, no := d.readCode(k, l.Physical, l.At)
	switch {
	case err == nil && no == nil && it != placed:
		return it, nil, fault.New(fault.Data, "keyboard_layout", "the keyboard's layout gives %.60q, a US layout %.60q, and both could be meant", l.Text, l.Physical).
			WithHint("type the digits below the barcode")
	case err != nil && no == nil:
		return placed, []byte(l.Physical), nil
	}
	return it, []byte(l.Text), err
}

// maxTyped bounds a code, in bytes.
const maxTyped = 1024

func (d *Desk) readCode(k *knowledge, text string, at time.Time) (scan.Item, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return scan.Item{}, fault.New(fault.Data, "no_product", "the product is missing").WithHint("scan the pack, type its code, or choose the product by its name")
	}
	sc := scan.Scan{Raw: []byte(text), At: at}
	sc.Read(d.TypedProfile)
	if sc.Personal() {
		return scan.Item{}, sc.Err
	}
	it, err := sc.Item()
	if err == nil {
		return it, nil
	}
	own := movement.Product{Scheme: movement.SKU, Code: text}
	if g := k.of(own); len(text) <= 64 && g.known {
		return scan.Item{Product: own, Quantity: movement.Units(1)}, nil
	}
	return it, err
}
