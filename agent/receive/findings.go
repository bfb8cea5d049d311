package receive

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"branchline/agent/scan"
	"branchline/internal/feed"
	"branchline/internal/movement"
)

// Reason codes of findings, in the order in which they are told.
const (
	ConflictingExpiry = "conflicting_expiry" // one lot with two expiries
	OtherExpiry       = "other_expiry"       // the branch has the lot with another expiry
	Expired           = "expired"
	LotNeeded         = "lot_needed"    // a question: which lot is it
	SerialNeeded      = "serial_needed" // a question: which serial is it
	ExpiryNeeded      = "expiry_needed" // a question: until when is the lot good
	UnknownCode       = "unknown_code"
	NotMoved          = "product_not_moved" // archived, or kept without stock
	NotOnOrder        = "not_on_order"
	FarOver           = "far_over_ordered" // a question: did as many really come
	OverOrdered       = "over_ordered"
	OtherLotFirst     = "other_lot_first" // an earlier lot is in stock
	ShortDated        = "short_dated"
)

var ranks = []string{ConflictingExpiry, OtherExpiry, Expired, LotNeeded, SerialNeeded, ExpiryNeeded, UnknownCode, NotMoved,
	NotOnOrder, FarOver, OverOrdered, OtherLotFirst, ShortDated}

// finding is what is wrong, or worth a look, with one entry.
type finding struct {
	entry int
	code  string
	field string
	text  string
	// key is the product's; of a finding about the product as a whole only
	// the latest entry's is shown.
	key   string
	whole bool
}

func (f *finding) rank() int { return slices.Index(ranks, f.code) }

// question tells whether it must be answered before confirming.
func question(code string) bool { return leavable(code) || code == FarOver }

// leavable tells whether it is a question that may be left to a person at the
// hub, or is answered by another code of the pack.
func leavable(code string) bool {
	return code == LotNeeded || code == SerialNeeded || code == ExpiryNeeded
}

// acceptable tells whether a person at the branch may say that it is right as
// it is. Which of two expiries is right, or which lot it is, stands on the pack.
func acceptable(code string) bool {
	return code != ConflictingExpiry && code != LotNeeded && code != SerialNeeded
}

// find looks at all entries, with what the branch knows.
func (s *Session) find(k *knowledge) []finding {
	f := &finder{s: s, k: k, totals: map[string]movement.Quantity{}, agreed: map[string]movement.Quantity{}}
	f.expiries()
	for i := range s.Entries {
		f.look(&s.Entries[i])
	}
	f.farOver()
	return f.list
}

type lotKey struct{ key, lot string }

type finder struct {
	s *Session
	k *knowledge
	// dates are the expiries that each lot came with.
	dates  map[lotKey][]movement.Date
	totals map[string]movement.Quantity
	// agreed is how many a person has said did come of each product.
	agreed map[string]movement.Quantity
	list   []finding
}

func (f *finder) expiries() {
	f.dates = map[lotKey][]movement.Date{}
	for i := range f.s.Entries {
		it := &f.s.Entries[i].Item
		if it.Lot == "" || it.Expiry.IsZero() {
			continue
		}
		at := lotKey{f.k.of(it.Product).key, it.Lot}
		if !slices.Contains(f.dates[at], it.Expiry) {
			f.dates[at] = append(f.dates[at], it.Expiry)
		}
	}
}

func (f *finder) look(e *Entry) {
	g := f.k.of(e.Item.Product)
	if e.Set == SetShort || e.Item.Product == (movement.Product{}) {
		return
	}
	f.lot(e, g)
	if e.Set == "" {
		f.date(e, g)
		f.questions(e, g)
	}
	f.product(e, g)
}

func (f *finder) add(e *Entry, g goods, code, field, format string, args ...any) {
	if slices.Contains(e.Accepted, code) || question(code) && e.Left != "" {
		return
	}
	f.list = append(f.list, finding{entry: e.Number, code: code, field: field, text: fmt.Sprintf(format, args...), key: g.key,
		whole: code == NotOnOrder || code == OverOrdered || code == UnknownCode || code == NotMoved})
}

// lot compares the expiry with what else came of the lot, and with what is in
// stock of it.
func (f *finder) lot(e *Entry, g goods) {
	it := &e.Item
	if it.Lot == "" || it.Expiry.IsZero() {
		return
	}
	if found := f.dates[lotKey{g.key, it.Lot}]; len(found) > 1 {
		f.add(e, g, ConflictingExpiry, "expiry", "Lot %.40q came with expiry %s: read them from the packs", it.Lot, among(found))
		return
	}
	if known := f.k.expiryOf(g, it.Lot); !known.IsZero() && known != it.Expiry {
		f.add(e, g, OtherExpiry, "expiry", "Lot %.40q of %s is in stock with expiry %s, this pack says %s: read it from the pack",
			it.Lot, g.name(it.Product), known, it.Expiry)
	}
}

// date tells what is expired, short-dated, or not the first to go.
func (f *finder) date(e *Entry, g goods) {
	it, today := &e.Item, movement.DateOf(e.At)
	expiry := it.Expiry
	if expiry.IsZero() {
		expiry = f.k.expiryOf(g, it.Lot)
	}
	if expiry.IsZero() || f.s.Purpose == scan.Wastage {
		return
	}
	leaves := f.s.Purpose == scan.Dispense || f.s.Purpose == scan.TransferOut
	switch {
	case expiry.Before(today):
		text := fmt.Sprintf("%s expired on %s", g.ofLot(it), expiry)
		if next, ok := f.k.first(g, it.Lot, movement.Date{}, today); ok && leaves {
			text += fmt.Sprintf(": lot %s, good until %s, should go first", next.Lot, next.Expiry)
		}
		f.add(e, g, Expired, "expiry", "%s", text)
	case leaves:
		if next, ok := f.k.first(g, it.Lot, expiry, today); ok {
			f.add(e, g, OtherLotFirst, "lot", "Lot %s of %s, good until %s, should go before lot %s, good until %s",
				next.Lot, g.name(it.Product), next.Expiry, it.Lot, expiry)
		}
	case f.s.Purpose == scan.Receive && f.k.cfg.ShortDated > 0 && expiry.Before(movement.DateOf(e.At.AddDate(0, 0, f.k.cfg.ShortDated))):
		f.add(e, g, ShortDated, "expiry", "%s is good until %s only, less than %d days", g.ofLot(it), expiry, f.k.cfg.ShortDated)
	}
}

// questions asks for what the product must have, and the code did not say.
func (f *finder) questions(e *Entry, g goods) {
	it := &e.Item
	switch {
	case !g.known:
	case g.product.Tracking == feed.BySerial && it.Serial == "":
		f.add(e, g, SerialNeeded, "serial", "%s has a serial on each pack: scan the other code of the pack", g.name(it.Product))
	case g.product.Tracking == feed.ByLot && it.Lot == "":
		f.add(e, g, LotNeeded, "lot", "Which lot of %s is it, and until when is it good?", g.name(it.Product))
	case g.product.Expires && it.Lot != "" && it.Expiry.IsZero() && f.s.Purpose == scan.Receive &&
		len(f.dates[lotKey{g.key, it.Lot}]) == 0 && f.k.expiryOf(g, it.Lot).IsZero():
		f.add(e, g, ExpiryNeeded, "expiry", "Until when is lot %.40q of %s good?", it.Lot, g.name(it.Product))
	}
}

// product compares with the catalogue and the order.
func (f *finder) product(e *Entry, g goods) {
	it := &e.Item
	asOf := f.k.AsOf(feed.Catalogue)
	switch {
	case !g.known && !asOf.IsZero():
		f.add(e, g, UnknownCode, "product.code", "%s is not in the catalogue of %s, or means more than one product", g.ofLot(it), asOf.Format("2 January 15:04"))
	case g.known && !g.product.Active():
		f.add(e, g, NotMoved, "product.code", "%s is archived in Odoo, or Odoo keeps no stock of it", g.name(it.Product))
	}
	if !f.k.checked {
		return
	}
	line := f.k.line(g)
	if line == nil {
		f.add(e, g, NotOnOrder, "product.code", "%s is not on the order %s", g.name(it.Product), f.s.Document.Ref)
		return
	}
	total := min(f.totals[g.key]+g.own(e.Quantity), movement.MaxQuantity)
	f.totals[g.key], f.agreed[g.key] = total, max(f.agreed[g.key], e.Agreed)
	if total > line.Open() {
		f.add(e, g, OverOrdered, "quantity", "%s: %s scanned, and only %s still expected", g.name(it.Product),
			amount(total, line.Unit), amount(line.Open(), line.Unit))
	}
}

// farOver asks about products of which many times the order was scanned, at the
// latest entry of each: a quantity typed wrong, rather than goods. What a person
// has agreed to is asked about again only when it grows as much once more.
func (f *finder) farOver() {
	if !f.k.checked || f.k.cfg.AskOver == 0 {
		return
	}
	defer func() {
		slices.SortStableFunc(f.list, func(a, b finding) int { return a.entry - b.entry })
	}()
	asked := map[string]bool{}
	for i := range slices.Backward(f.s.Entries) {
		e := &f.s.Entries[i]
		g := f.k.of(e.Item.Product)
		line := f.k.line(g)
		if line == nil || e.Set == SetShort || asked[g.key] {
			continue
		}
		asked[g.key] = true
		total, often := f.totals[g.key], movement.Units(int64(f.k.cfg.AskOver))
		limit := times(line.Open(), often)
		if line.Open() == 0 {
			limit = max(0, times(line.Ordered, often)-line.Received)
		}
		if total > max(limit, times(f.agreed[g.key], often)) {
			f.list = append(f.list, finding{entry: e.Number, code: FarOver, field: "quantity", key: g.key, whole: true,
				text: fmt.Sprintf("%s: %s scanned, and %s. Did %s really come?", g.name(e.Item.Product), told(total, line.Unit), expectedWords(line), total)})
		}
	}
}

// expectedWords says what the order expects of a product.
func expectedWords(line *feed.DeliveryLine) string {
	switch {
	case line.Received == 0:
		return told(line.Ordered, line.Unit) + " ordered"
	case line.Open() == 0:
		return "nothing more expected of " + told(line.Ordered, line.Unit) + " ordered"
	}
	return told(line.Open(), line.Unit) + " still expected"
}

func amount(q movement.Quantity, unit string) string {
	return strings.TrimSpace(q.String() + " " + unit)
}

// among lists dates as people do; of many only the first few.
func among(dates []movement.Date) string {
	words := make([]string, 0, 5)
	for _, d := range dates[:min(len(dates), 4)] {
		words = append(words, d.String())
	}
	if len(dates) > 4 {
		return strings.Join(words, ", ") + " and others"
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " and " + words[last]
}

// tell makes the answer to a change of an entry: what is to be said first of
// it, or that it is well. Where there are codes in only, the others were told
// before.
func (s *Session) tell(k *knowledge, number int, well string, only ...string) scan.Answer {
	i := s.index(number)
	if i < 0 {
		return scan.Answer{Sound: scan.OK, Text: well}
	}
	e := &s.Entries[i]
	g := k.of(e.Item.Product)
	var first *finding
	for _, f := range s.find(k) {
		if len(only) > 0 && !slices.Contains(only, f.code) {
			continue
		}
		if (f.entry == number || (f.code == OverOrdered || f.code == FarOver) && f.key == g.key) && (first == nil || f.rank() < first.rank()) {
			first = &f
		}
	}
	if first != nil {
		return scan.Answer{Sound: scan.Warn, Code: first.code, Text: first.text}
	}
	return scan.Answer{Sound: scan.OK, Text: well + s.progress(k, g)}
}

// progress is how far the product's line is, where there is an order.
func (s *Session) progress(k *knowledge, g goods) string {
	line := k.line(g)
	if line == nil {
		return ""
	}
	var sum movement.Quantity
	for i := range s.Entries {
		if o := &s.Entries[i]; o.Set != SetShort && k.of(o.Item.Product).key == g.key {
			of := k.of(o.Item.Product)
			sum += of.own(o.Quantity)
		}
	}
	return ": " + sum.String() + " of " + amount(line.Open(), line.Unit)
}

// words names an item as people do, where the branch knows it.
func (k *knowledge) words(it *scan.Item) string {
	g := k.of(it.Product)
	if !g.known {
		return it.Words()
	}
	w := g.name(it.Product)
	if it.Lot != "" {
		w += ", lot " + it.Lot
	}
	if !it.Expiry.IsZero() {
		w += ", good until " + it.Expiry.String()
	}
	if it.Serial != "" {
		w += ", serial " + strconv.Quote(it.Serial)
	}
	if each := times(it.Quantity, g.units); each != movement.Units(1) {
		w += ", " + amount(each, g.product.Unit) + " in one"
	}
	return w
}
