package receive

import (
	"cmp"
	"fmt"
	"slices"

	"branchline/agent/counter"
	"branchline/agent/scan"
	"branchline/internal/feed"
	"branchline/internal/movement"
)

// maxLotsOffered bounds what is offered for the question which lot it is.
const maxLotsOffered = 12

// view is the session as a person sees it.
func (s *Session) view(k *knowledge) counter.View {
	v := counter.View{Work: counter.Work{ID: s.ID, Purpose: s.Purpose, Document: s.Document, Opened: s.Opened, Counterpart: s.Counterpart, Form: s.Form,
		Stations: slices.Clone(s.Stations), Entries: len(s.Entries)}}
	if s.Counterpart != "" {
		v.Partner = branchOf(k, s.Counterpart).Words()
	}
	b := &viewer{s: s, k: k, at: map[string]int{}, found: s.find(k)}
	if v.Checked = k.checked; v.Checked {
		v.AsOf, v.Partner, v.Due = k.AsOf(feed.Deliveries), k.order.Partner, k.order.Due
		v.NotReady = !k.order.Ready
	}
	b.lines()
	v.Notices = b.notices()
	v.Questions = len(v.Notices)
	b.judge(v.Checked)
	v.Lines = b.list
	for i := range v.Lines {
		v.Scanned += v.Lines[i].Scanned
		v.Ordered += max(0, v.Lines[i].Ordered-v.Lines[i].Already)
	}
	if n := len(s.Entries); n > 0 {
		v.Last = s.Entries[n-1].Number
	}
	v.Kept, v.AllKept = slices.Clone(s.Kept), s.AllKept
	return v
}

type viewer struct {
	s    *Session
	k    *knowledge
	list []counter.Line
	// at is the place of each product's line, short how much of it is said to
	// be missing, in the line's unit.
	at    map[string]int
	short []movement.Quantity
	found []finding
}

func (b *viewer) line(key string, l counter.Line) int {
	i, ok := b.at[key]
	if !ok {
		i = len(b.list)
		b.at[key], b.list, b.short = i, append(b.list, l), append(b.short, 0)
	}
	return i
}

func (b *viewer) lines() {
	for i := range b.k.order.Lines {
		o := &b.k.order.Lines[i]
		b.line(productKey(o.Product), counter.Line{Product: o.Code, Name: o.Name, Unit: o.Unit, Ordered: o.Ordered, Already: o.Received, State: counter.Waiting})
	}
	codes := map[int]string{}
	for _, f := range slices.Backward(b.found) {
		codes[f.entry] = f.code // the first that is told
	}
	for i := range b.s.Entries {
		b.entry(&b.s.Entries[i], codes)
	}
}

func (b *viewer) entry(e *Entry, codes map[int]string) {
	g := b.k.of(e.Item.Product)
	fresh := counter.Line{Product: e.Item.Product, State: counter.Extra}
	if g.known {
		fresh.Name, fresh.Unit, fresh.Product = g.product.Name, g.product.Unit, g.product.Code()
	}
	at := b.line(g.key, fresh)
	l := &b.list[at]
	own := g.own(e.Quantity)
	l.Entries = append(l.Entries, counter.Entry{Number: e.Number, Line: e.Line, TypedBy: e.TypedBy, Lot: e.Item.Lot, Expiry: e.Item.Expiry, Serial: e.Item.Serial,
		Quantity: e.Quantity, Own: own, At: e.At, By: cmp.Or(e.Edited, e.By), Set: e.Set, Reason: e.Reason, Code: cmp.Or(codes[e.Number], e.Left)})
	if e.Set == SetShort {
		b.short[at] += own
		return
	}
	l.Scanned += own
	i := slices.IndexFunc(l.Lots, func(o counter.Lot) bool { return o.Lot == e.Item.Lot && o.Expiry == e.Item.Expiry })
	if i < 0 {
		i = len(l.Lots)
		l.Lots = append(l.Lots, counter.Lot{Lot: e.Item.Lot, Expiry: e.Item.Expiry})
	}
	l.Lots[i].Quantity += own
	if e.Item.Serial != "" {
		l.Lots[i].Serials++
	}
}

// judge says how each line stands.
func (b *viewer) judge(checked bool) {
	look := map[string]bool{}
	for _, f := range b.found {
		if f.code != NotOnOrder && f.code != OverOrdered && f.code != FarOver {
			look[f.key] = true
		}
	}
	for key, i := range b.at {
		l := &b.list[i]
		open := max(0, l.Ordered-l.Already)
		switch {
		case look[key]:
			l.State = counter.LookAt
		case !checked:
			l.State = counter.Free
		case l.State == counter.Extra:
		case l.Scanned > open:
			l.State = counter.Over
		case l.Scanned == open:
			l.State = counter.Complete
		case b.short[i] > 0:
			l.State = counter.Lacking
		case l.Scanned > 0:
			l.State = counter.Partial
		}
	}
}

// notices are the findings, the newest first; of those about a product as a
// whole, and of questions about one product, only the latest.
func (b *viewer) notices() []counter.Notice {
	type whole struct{ key, code string }
	told, asked := map[whole]bool{}, map[whole]bool{}
	var list []counter.Notice
	for i := len(b.found) - 1; i >= 0; {
		j := i
		for j > 0 && b.found[j-1].entry == b.found[i].entry {
			j--
		}
		of := slices.SortedFunc(slices.Values(b.found[j:i+1]), func(x, y finding) int { return x.rank() - y.rank() })
		for _, f := range of {
			if f.whole && told[whole{f.key, f.code}] || f.code == OverOrdered && told[whole{f.key, FarOver}] {
				continue // told before, or as a question
			}
			if f.code == NotOnOrder && told[whole{f.key, UnknownCode}] {
				continue // nobody can order what nobody knows
			}
			told[whole{f.key, f.code}] = true
			alike := 0
			if question(f.code) {
				if asked[whole{f.key, f.code}] {
					continue
				}
				alike = b.alike(&f)
				asked[whole{f.key, f.code}] = true
			}
			n := counter.Notice{Entry: f.entry, Code: f.code, Text: f.text, Open: question(f.code), Actions: offers(&f, b.s.Purpose, alike)}
			if n.Alike = alike; alike > 1 {
				n.Text += fmt.Sprintf(" It was scanned %d times without.", alike)
			}
			if f.code == ConflictingExpiry {
				n.Text += ". Unless it is corrected, all of the lot goes to a person."
			}
			if f.code == LotNeeded || f.code == ExpiryNeeded {
				n.Lots = b.offered(&f)
			}
			list = append(list, n)
		}
		i = j - 1
	}
	return list
}

// alike counts the entries of a product that are asked the same.
func (b *viewer) alike(f *finding) (n int) {
	for _, o := range b.found {
		if o.code == f.code && o.key == f.key {
			n++
		}
	}
	return n
}

// offered are the lots that it may be: the last ones of this session, then
// those in stock.
func (b *viewer) offered(f *finding) []counter.Lot {
	var lots []counter.Lot
	add := func(l counter.Lot) {
		same := func(o counter.Lot) bool { return o.Lot == l.Lot && o.Expiry == l.Expiry }
		if l.Lot != "" && len(lots) < maxLotsOffered && !slices.ContainsFunc(lots, same) {
			lots = append(lots, l)
		}
	}
	for _, e := range slices.Backward(b.s.Entries) {
		if e.Set != SetShort && b.k.of(e.Item.Product).key == f.key {
			add(counter.Lot{Lot: e.Item.Lot, Expiry: e.Item.Expiry})
		}
	}
	if i := b.s.index(f.entry); i >= 0 {
		if g := b.k.of(b.s.Entries[i].Item.Product); g.known {
			for _, l := range b.k.Stock(g.product.Key) {
				add(counter.Lot{Lot: l.Lot, Expiry: l.Expiry, Quantity: l.Quantity})
			}
		}
	}
	return lots
}

// offers are what can be done about a finding, the most likely first.
func offers(f *finding, p scan.Purpose, alike int) []counter.Offer {
	if alike > 1 && f.code != SerialNeeded {
		all := offers(f, p, 1)
		for i := range all {
			o := &all[i]
			switch o.Action.Same = answers(o.Action.Verb); o.Action.Verb {
			case counter.Correct:
				o.Label += fmt.Sprintf(" for all %d", alike)
			case counter.Accept:
				o.Label = fmt.Sprintf("None of the %d has one", alike)
			case counter.Person:
				o.Label = fmt.Sprintf("Leave all %d to a person", alike)
			case counter.Undo:
				o.Label = "Take the last one back"
			}
		}
		return all
	}
	do := func(v counter.Verb, label string) counter.Offer {
		return counter.Offer{Action: counter.Action{Verb: v, Entry: f.entry}, Label: label}
	}
	back := do(counter.Undo, "Take it back")
	switch f.code {
	case ConflictingExpiry:
		return []counter.Offer{do(counter.Correct, "Correct the expiry"), back}
	case OtherExpiry:
		return []counter.Offer{do(counter.Correct, "Correct the expiry"), do(counter.Accept, "The pack says so"), back}
	case LotNeeded:
		return []counter.Offer{do(counter.Correct, "Enter lot and expiry"), do(counter.Person, "Leave it to a person"), back}
	case SerialNeeded:
		return []counter.Offer{do(counter.Correct, "Enter the serial"), do(counter.Person, "Leave it to a person"), back}
	case ExpiryNeeded:
		return []counter.Offer{do(counter.Correct, "Enter the expiry"), do(counter.Accept, "The pack has none"), do(counter.Person, "Leave it to a person"), back}
	case FarOver:
		all := do(counter.Accept, "As many came")
		all.Action.Code = f.code
		return []counter.Offer{do(counter.Quantity, "Change the quantity"), back, all}
	case OverOrdered:
		return []counter.Offer{do(counter.Accept, "They came"), do(counter.Quantity, "Change the quantity"), back}
	case NotOnOrder, UnknownCode, NotMoved:
		return []counter.Offer{do(counter.Accept, "It came"), back}
	case Expired:
		if p == scan.Receive {
			apart := do(counter.Damaged, "Set it apart")
			apart.Action.Reason = "expired"
			return []counter.Offer{apart, back, do(counter.Accept, "Take it all the same")}
		}
	}
	return []counter.Offer{back, do(counter.Accept, "Take it all the same")}
}
