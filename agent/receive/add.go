package receive

import (
	"fmt"
	"strconv"

	"branchline/agent/scan"
	"branchline/internal/fault"
	"branchline/internal/movement"
)

// add takes a scanned item. The same serial again is refused; everything else
// that is wrong counts, and is told.
func (s *Session) add(k *knowledge, sc *scan.Scan, it scan.Item) (Change, error) {
	if err := s.full(1); err != nil {
		return Change{}, err
	}
	e := Entry{Number: s.next(), Station: sc.Station, Item: it, Quantity: it.Quantity, At: sc.At, By: sc.By, Reason: sc.Reason,
		Counterpart: sc.Counterpart, Source: movement.Source{Adapter: sc.Scanner}}
	e.Source.SetRaw(sc.Raw)
	if err := s.serialFree(k, &e.Item, 0); err != nil {
		return Change{}, err
	}
	c := s.put(k, k.words(&it), e)
	c.Missed = s.heard(sc.Station)
	return c, nil
}

// serialFree refuses a serial that another entry than except has.
func (s *Session) serialFree(k *knowledge, it *scan.Item, except int) error {
	if it.Serial == "" {
		return nil
	}
	key := k.of(it.Product).key
	for i := range s.Entries {
		o := &s.Entries[i]
		if o.Number != except && o.Item.Serial == it.Serial && k.of(o.Item.Product).key == key {
			return fault.New(fault.Data, "serial_twice", "not counted: serial %s is in this %s already", strconv.Quote(it.Serial), nouns[s.Purpose])
		}
	}
	return nil
}

// put is the change to these entries, the answer being about the last.
func (s *Session) put(k *knowledge, well string, entries ...Entry) Change {
	c := Change{Put: entries}
	next := s.Apply(c)
	c.Answer = next.tell(k, entries[len(entries)-1].Number, well)
	return c
}

// answer takes a code without a product as what it says of the lot, serial or
// expiry that the station's latest entry is asked for: many packs have them in
// a code of their own. ok is false when nothing is asked, or when another pack
// came in between.
func (s *Session) answer(k *knowledge, sc *scan.Scan) (c Change, ok bool, err error) {
	e := s.latest(sc.Station)
	if _, missed := s.Missed[sc.Station]; missed || e == nil {
		return c, false, nil
	}
	lot, serial := sc.Code.Lot(), sc.Code.Serial()
	expiry, err := expiryOf(sc)
	if second := sc.Second; second != nil {
		// It says by itself to which code it belongs, so nothing need be asked.
		if !second.Of(&e.Item, e.Source.Raw, e.At) {
			return c, false, nil
		}
		lot, serial, expiry = second.Lot, second.Serial, second.Expiry
	} else if s.questionAt(k, e.Number) == "" {
		return c, false, nil
	}
	if lot == "" && serial == "" && expiry.IsZero() || err != nil {
		return c, false, nil
	}
	e = s.copyOf(e.Number)
	e.Item, err = s.filled(k, e, lot, serial, expiry)
	if err != nil {
		return c, true, err
	}
	return s.put(k, k.words(&e.Item), *e), true, nil
}

func expiryOf(sc *scan.Scan) (movement.Date, error) {
	d, ok := sc.Code.Expiry()
	if !ok {
		return movement.Date{}, nil
	}
	return movement.NewDate(d.Year, d.Month, d.Day)
}

// questionAt is the code of the question at an entry about the pack, empty for
// none.
func (s *Session) questionAt(k *knowledge, number int) string {
	for _, f := range s.find(k) {
		if f.entry == number && leavable(f.code) {
			return f.code
		}
	}
	return ""
}

func (s *Session) copyOf(number int) *Entry {
	e := s.Entries[s.index(number)]
	return &e
}

// filled is the entry's item with what was not known of it; empty values leave
// it as it is.
func (s *Session) filled(k *knowledge, e *Entry, lot, serial string, expiry movement.Date) (scan.Item, error) {
	it := e.Item
	if lot != "" {
		it.Lot = lot
	}
	if !expiry.IsZero() && expiry != it.Expiry {
		it.Expiry, it.ExpiryRaw = expiry, ""
	}
	if serial != "" {
		it.Serial = serial
		if e.Quantity != movement.Units(1) {
			return it, fault.New(fault.Data, "serial_with_count", "a pack with a serial is one pack, and this line has %s", e.Quantity).
				WithHint("set the quantity to 1, and scan each of the others")
		}
		if err := s.serialFree(k, &it, e.Number); err != nil {
			return it, err
		}
	}
	return it, nil
}

// quantity is what packs of an entry's item come to.
func quantity(e *Entry, packs movement.Quantity) (movement.Quantity, error) {
	switch {
	case packs < movement.Units(1) || packs > movement.Units(scan.MaxQuantity) || packs%movement.QuantityScale != 0:
		return 0, fault.New(fault.Data, "bad_quantity", "%s is not a quantity of 1 to %d", packs, scan.MaxQuantity)
	case e.Item.Serial != "" && packs != movement.Units(1):
		return 0, fault.New(fault.Data, "serial_with_count", "a pack with a serial is one pack: scan each of them")
	case e.Item.Quantity > movement.MaxQuantity/(packs/movement.QuantityScale):
		return 0, fault.New(fault.Data, "bad_quantity", "%s times %s is too much", packs, e.Item.Quantity)
	}
	return e.Item.Quantity * (packs / movement.QuantityScale), nil
}

func many(packs movement.Quantity, of string) string { return fmt.Sprintf("%s × %s", packs, of) }
