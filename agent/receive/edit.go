package receive

import (
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"branchline/agent/counter"
	"branchline/agent/scan"
	"branchline/internal/fault"
	"branchline/internal/movement"
)

// Bounds of what a person types, in bytes.
const (
	maxLot      = 64
	maxReason   = 200
	maxInitials = 16
)

// edit does what a person asks of an entry.
func (s *Session) edit(k *knowledge, a counter.Action, at time.Time) (Change, error) {
	if err := typed("reason", a.Reason, maxReason); err != nil {
		return Change{}, err
	}
	if err := typed("initials", a.By, maxInitials); err != nil {
		return Change{}, err
	}
	if s.Form != "" && (a.Verb == counter.Short || a.Verb == counter.Damaged && a.Quantity != 0) {
		return Change{}, fault.New(fault.Data, "not_here", "this cannot be said of a line of a form").WithHint("change the line, or confirm the form and tell the people at the hub")
	}
	if a.Verb == counter.Short {
		return s.short(k, a, at)
	}
	e, err := s.meant(k, a)
	if err != nil {
		return Change{}, err
	}
	if a.Verb == counter.Undo {
		return Change{Drop: []int{e.Number}, Answer: scan.Answer{Sound: scan.OK, Text: k.words(&e.Item) + " is taken back and no longer counts"}}, nil
	}
	e.Edited = firstOf(a.By, e.Edited)
	if a.Same && answers(a.Verb) {
		return s.editAll(k, e, a)
	}
	return s.editOne(k, e, a)
}

// answers tells whether an action answers a question, which can be asked of
// several entries.
func answers(v counter.Verb) bool {
	return v == counter.Correct || v == counter.Accept || v == counter.Person
}

// editAll answers the question at an entry for all entries of its product that
// are asked the same.
func (s *Session) editAll(k *knowledge, e *Entry, a counter.Action) (Change, error) {
	code := s.questionAt(k, e.Number)
	if code == "" || code == SerialNeeded || a.Quantity != 0 || a.Verb == counter.Accept && !acceptable(code) {
		return Change{}, fault.New(fault.Data, "not_for_all", "this cannot be said of several lines at once").WithHint("say it of each line")
	}
	key := k.of(e.Item.Product).key
	var all []Entry
	for _, f := range s.find(k) {
		if f.code != code || f.key != key {
			continue
		}
		o := s.copyOf(f.entry)
		o.Edited = firstOf(a.By, o.Edited)
		switch a.Verb {
		case counter.Person:
			o.Left = code
		case counter.Accept:
			o.Accepted, o.AcceptedBy = append(slices.Clone(o.Accepted), code), firstOf(a.By, o.AcceptedBy)
		default:
			if err := s.mend(k, o, a); err != nil {
				return Change{}, err
			}
		}
		all = append(all, *o)
	}
	switch a.Verb {
	case counter.Person:
		return Change{Put: all, Answer: scan.Answer{Sound: scan.OK, Text: "left to a person: " + k.words(&e.Item)}}, nil
	case counter.Accept:
		return Change{Put: all, Answer: scan.Answer{Sound: scan.OK, Text: "accepted: " + k.words(&e.Item)}}, nil
	}
	return s.put(k, k.words(&all[len(all)-1].Item), all...), nil
}

func (s *Session) editOne(k *knowledge, e *Entry, a counter.Action) (Change, error) {
	switch a.Verb {
	case counter.Quantity:
		return s.setQuantity(k, e, a.Quantity)
	case counter.Correct:
		return s.correct(k, e, a)
	case counter.Accept:
		return s.accept(k, e, a.By, a.Code)
	case counter.Person:
		return s.leave(k, e)
	case counter.Damaged:
		return s.damaged(k, e, a)
	}
	return Change{}, fault.New(fault.Data, "unknown_action", "%.40q is nothing that can be done to a line", string(a.Verb))
}

// meant is a copy of the entry that an action is about.
func (s *Session) meant(k *knowledge, a counter.Action) (*Entry, error) {
	if a.Entry != 0 {
		if s.index(a.Entry) < 0 {
			return nil, fault.New(fault.Data, "no_such_line", "line %d is not in %s", a.Entry, s.Words()).WithHint("it was taken back")
		}
		return s.copyOf(a.Entry), nil
	}
	station := s.meantStation(a.Station)
	if e := s.latest(station); e != nil {
		if _, missed := s.Missed[station]; missed {
			return nil, fault.New(fault.Data, LastMissed, "the last scan here was not counted: is %s meant, the one before it", k.words(&e.Item)).
				WithHint("choose the line that is meant")
		}
		return s.copyOf(e.Number), nil
	}
	if a.Verb == counter.Undo {
		return nil, fault.New(fault.Data, "nothing_to_undo", "there is no scan from here to take back").
			WithHint("where several scanners work on it, choose the line that is meant")
	}
	return nil, fault.New(fault.Data, "nothing_scanned", "nothing was scanned here yet").WithHint("scan the product first")
}

// meantStation is whose latest scan a person means who stands at a station: its
// own; at the page, where nothing was scanned, that of the only scanner.
func (s *Session) meantStation(station string) string {
	if station != counter.Page || s.latest(station) != nil || s.Missed[station] != (Missed{}) {
		return station
	}
	only := ""
	for i := range s.Entries {
		if o := s.Entries[i].Station; only == "" {
			only = o
		} else if o != only {
			return station
		}
	}
	return firstOf(only, station)
}

// setQuantity says how many packs an entry stands for. What was accepted before
// was accepted of another quantity.
func (s *Session) setQuantity(k *knowledge, e *Entry, packs movement.Quantity) (Change, error) {
	q, err := quantity(e, packs)
	if err != nil {
		return Change{}, err
	}
	e.Quantity = q
	e.Accepted = slices.DeleteFunc(slices.Clone(e.Accepted), func(c string) bool { return c == OverOrdered || c == FarOver })
	e.Agreed = 0
	c := Change{Put: []Entry{*e}}
	next := s.Apply(c)
	c.Answer = next.tell(k, e.Number, many(packs, k.words(&e.Item)), OverOrdered, FarOver)
	return c, nil
}

// correct takes lot, expiry, serial and quantity as the pack shows them.
func (s *Session) correct(k *knowledge, e *Entry, a counter.Action) (Change, error) {
	if err := s.mend(k, e, a); err != nil {
		return Change{}, err
	}
	return s.put(k, k.words(&e.Item), *e), nil
}

// mend makes the entry what the pack shows.
func (s *Session) mend(k *knowledge, e *Entry, a counter.Action) error {
	if a.Lot == "" && a.Serial == "" && a.Expiry.IsZero() && a.Quantity == 0 {
		return fault.New(fault.Data, "nothing_to_correct", "nothing was entered").WithHint("enter the lot, the expiry or the quantity")
	}
	lot, serial := strings.TrimSpace(a.Lot), strings.TrimSpace(a.Serial)
	for _, f := range [][2]string{{"lot", lot}, {"serial", serial}} {
		if err := typed(f[0], f[1], maxLot); err != nil {
			return err
		}
	}
	if !a.Expiry.IsZero() {
		if _, err := movement.NewDate(int(a.Expiry.Year), int(a.Expiry.Month), int(a.Expiry.Day)); err != nil {
			return fault.New(fault.Data, "bad_expiry", "%w", err)
		}
	}
	if a.Quantity != 0 {
		probe := *e
		probe.Item.Serial = firstOf(serial, e.Item.Serial)
		q, err := quantity(&probe, a.Quantity)
		if err != nil {
			return err
		}
		e.Quantity = q
	}
	it, err := s.filled(k, e, lot, serial, a.Expiry)
	if err != nil {
		return err
	}
	e.Item, e.Accepted, e.Agreed, e.Left = it, nil, 0, ""
	return nil
}

// accept says that what stands on an entry is right as it is. What is about the
// product as a whole is accepted for all its entries so far. That many times the
// order came is said by itself, and not along with something else.
func (s *Session) accept(k *knowledge, e *Entry, by, code string) (Change, error) {
	key := k.of(e.Item.Product).key
	taken := map[int][]string{}
	found, refused := false, ""
	list := slices.DeleteFunc(s.find(k), func(f finding) bool { return f.entry != e.Number && !(f.whole && f.key == key) })
	if slices.ContainsFunc(list, func(f finding) bool { return f.code == FarOver }) {
		many := func(f finding) bool { return f.code == FarOver || f.code == OverOrdered }
		rest := slices.DeleteFunc(slices.Clone(list), many)
		if code != FarOver && len(rest) > 0 {
			list = rest
		} else {
			list = slices.DeleteFunc(list, func(f finding) bool { return !many(f) })
		}
	}
	for _, f := range list {
		if !acceptable(f.code) {
			refused = f.text
			continue
		}
		found = true
		taken[f.entry] = append(taken[f.entry], f.code)
	}
	switch {
	case !found && refused != "":
		return Change{}, fault.New(fault.Data, "cannot_accept", "this cannot be accepted as it is: %s", refused).
			WithHint("correct it, or leave it to a person")
	case !found:
		return Change{}, fault.New(fault.Data, "nothing_to_accept", "there is nothing to accept at %s", k.words(&e.Item))
	}
	var c Change
	for i := range s.Entries {
		codes := taken[s.Entries[i].Number]
		if len(codes) == 0 {
			continue
		}
		o := s.Entries[i]
		o.Accepted = append(slices.Clone(o.Accepted), codes...)
		if slices.Contains(codes, FarOver) {
			o.Agreed = s.scanned(k, key)
		}
		o.AcceptedBy = firstOf(by, o.AcceptedBy)
		c.Put = append(c.Put, o)
	}
	c.Answer = scan.Answer{Sound: scan.OK, Text: "accepted: " + k.words(&e.Item)}
	return c, nil
}

// scanned is how many of a product there are, in its own unit.
func (s *Session) scanned(k *knowledge, key string) (sum movement.Quantity) {
	for i := range s.Entries {
		o := &s.Entries[i]
		if g := k.of(o.Item.Product); g.key == key && o.Set != SetShort {
			sum = min(sum+g.own(o.Quantity), movement.MaxQuantity)
		}
	}
	return sum
}

// leave sends an entry with an open question to a person; it stays counted.
func (s *Session) leave(k *knowledge, e *Entry) (Change, error) {
	code := s.questionAt(k, e.Number)
	if code == "" {
		return Change{}, fault.New(fault.Data, "nothing_to_leave", "nothing is asked about %s", k.words(&e.Item))
	}
	e.Left = code
	return Change{Put: []Entry{*e}, Answer: scan.Answer{Sound: scan.OK, Text: "left to a person: " + k.words(&e.Item)}}, nil
}

// damaged sets an entry, or some of its packs, apart as not to be sold.
func (s *Session) damaged(k *knowledge, e *Entry, a counter.Action) (Change, error) {
	if s.Purpose != scan.Receive {
		return Change{}, fault.New(fault.Data, "not_here", "a %s has no damaged lines", nouns[s.Purpose]).WithHint("scan it as wastage")
	}
	if a.Reason == "" {
		return Change{}, fault.New(fault.Data, "reason_needed", "a damaged line needs a reason")
	}
	if e.Set == SetShort {
		return Change{}, fault.New(fault.Data, "not_here", "what did not come cannot be damaged").WithHint("take the line back first")
	}
	well := "damaged: " + k.words(&e.Item)
	part := e.Quantity
	if a.Quantity != 0 {
		probe := *e
		q, err := quantity(&probe, a.Quantity)
		if err != nil {
			return Change{}, err
		}
		if q > e.Quantity {
			return Change{}, fault.New(fault.Data, "bad_quantity", "the line has %s, not %s", e.Quantity, q)
		}
		part = q
	}
	if part == e.Quantity {
		e.Set, e.Reason = SetDamaged, a.Reason
		return Change{Put: []Entry{*e}, Answer: scan.Answer{Sound: scan.OK, Text: well}}, nil
	}
	if err := s.full(1); err != nil {
		return Change{}, err
	}
	apart := *e
	apart.Number, apart.Quantity, apart.Set, apart.Reason = s.next(), part, SetDamaged, a.Reason
	e.Quantity -= part
	return Change{Put: []Entry{*e, apart}, Answer: scan.Answer{Sound: scan.OK, Text: well}}, nil
}

// short notes what is missing of a product, as an entry of its own.
func (s *Session) short(k *knowledge, a counter.Action, at time.Time) (Change, error) {
	if s.Purpose != scan.Receive {
		return Change{}, fault.New(fault.Data, "not_here", "a %s has no missing lines", nouns[s.Purpose])
	}
	if a.Reason == "" {
		return Change{}, fault.New(fault.Data, "reason_needed", "a missing line needs a reason")
	}
	if err := s.full(1); err != nil {
		return Change{}, err
	}
	code := a.Product
	if code == (movement.Product{}) {
		e, err := s.meant(k, a)
		if err != nil {
			return Change{}, err
		}
		code = e.Item.Product
	}
	missing, err := s.missing(k, code, a.Quantity)
	if err != nil {
		return Change{}, err
	}
	e := Entry{Number: s.next(), Station: a.Station, At: at, By: a.By, Set: SetShort, Reason: a.Reason, Quantity: missing,
		Item: scan.Item{Product: code, Quantity: movement.Units(1)}, Source: movement.Source{Adapter: a.Station}}
	return Change{Put: []Entry{e}, Answer: scan.Answer{Sound: scan.OK, Text: many(missing, "missing: "+k.words(&e.Item))}}, nil
}

// missing is how many items with the code did not come: as a person says, else
// all that the order still expects.
func (s *Session) missing(k *knowledge, code movement.Product, packs movement.Quantity) (movement.Quantity, error) {
	if packs != 0 {
		return quantity(&Entry{Item: scan.Item{Quantity: movement.Units(1)}}, packs)
	}
	g := k.of(code)
	line := k.line(g)
	if line == nil {
		return 0, fault.New(fault.Data, "quantity_needed", "nobody here knows how many should have come").WithHint("say how many are missing")
	}
	rest := line.Open()
	for i := range s.Entries {
		if o := k.of(s.Entries[i].Item.Product); o.key == g.key {
			rest -= o.own(s.Entries[i].Quantity)
		}
	}
	if rest <= 0 {
		return 0, fault.New(fault.Data, "nothing_missing", "of %s nothing is missing", g.name(code))
	}
	if rest%g.units != 0 {
		return 0, fault.New(fault.Data, "quantity_needed", "%s missing are no whole packs", amount(rest, line.Unit)).WithHint("say how many are missing")
	}
	return rest / g.units * movement.QuantityScale, nil
}

// typed bounds what a person entered.
func typed(what, s string, limit int) error {
	if len(s) > limit || !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) {
		return fault.New(fault.Data, "bad_"+what, "the %s must be plain text of at most %d characters", what, limit)
	}
	return nil
}

func firstOf(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
