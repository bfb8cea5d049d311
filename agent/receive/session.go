// Package receive collects what was scanned of a delivery, or counted, until a
// person confirms it; then all of it becomes one group of movements.
//
// # Words
//
//   - A session is one delivery being received, or one count. It belongs to a
//     document, and to the stations (scanners, or the page) that work on it. It
//     stays open, however long, until it is confirmed or cancelled, also over a
//     power cut.
//   - An entry is one scan, with its quantity. Entries are never joined: each
//     becomes a movement of its own, so that a quantity in Odoo leads back to
//     the scans.
//   - [Session] is pure: what can be done is asked of it, and gives a [Change];
//     the change is made durable by [Desk] first, and applied then. The page
//     uses the same functions.
package receive

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"branchline/agent/scan"
	"branchline/internal/fault"
	"branchline/internal/movement"
)

// maxEntries bounds a session: what one group can hold.
const maxEntries = 5000

// Session is one delivery or count in progress. It is a value: changes are
// applied to it by [Session.Apply] only.
type Session struct {
	// ID is unique within the branch: document and time of opening.
	ID       string            `json:"id"`
	Purpose  scan.Purpose      `json:"purpose"`
	Document movement.Document `json:"document"`
	Opened   time.Time         `json:"opened"`
	// Stations work on it, in the order in which they joined.
	Stations []string `json:"stations"`
	// Entries are in the order of their numbers, which count from 1.
	Entries []Entry `json:"-"`
}

// Entry is one scan of a session.
type Entry struct {
	Number   int               `json:"number"`
	Station  string            `json:"station"`
	Item     scan.Item         `json:"item"`
	Quantity movement.Quantity `json:"quantity"`
	At       time.Time         `json:"at"`
	By       string            `json:"by,omitempty"`
	Source   movement.Source   `json:"source"`
	// Problem sends this entry to a person, when the others are posted.
	Problem *movement.Problem `json:"problem,omitempty"`
}

// Change is what something asked of a session would change.
type Change struct {
	Put  []Entry // new, or in the place of the one with the same number
	Drop []int   // numbers of entries that go
	// Joined is a station that works on it from now on; empty for none.
	Joined string
	// Answer is for the person, once the change is durable.
	Answer scan.Answer
}

// Open makes an empty session. at tells it from all others of the document.
func Open(doc movement.Document, p scan.Purpose, station string, at time.Time) Session {
	return Session{ID: strings.ReplaceAll(doc.Ref, "#", "_") + "@" + at.UTC().Format("20060102T150405.000Z"), Purpose: p, Document: doc,
		Opened: at, Stations: []string{station}}
}

// Apply gives the session with the change made. The session itself stays as it
// was.
func (s Session) Apply(c Change) Session {
	s.Entries = slices.Clone(s.Entries)
	s.Stations = slices.Clone(s.Stations)
	for _, e := range c.Put {
		if i := s.index(e.Number); i >= 0 {
			s.Entries[i] = e
		} else {
			s.Entries = append(s.Entries, e)
		}
	}
	s.Entries = slices.DeleteFunc(s.Entries, func(e Entry) bool { return slices.Contains(c.Drop, e.Number) })
	if c.Joined != "" && !slices.Contains(s.Stations, c.Joined) {
		s.Stations = append(s.Stations, c.Joined)
	}
	s.judge()
	return s
}

func (s *Session) index(number int) int {
	return slices.IndexFunc(s.Entries, func(e Entry) bool { return e.Number == number })
}

// Add takes a scanned item. The same serial again is refused; a lot that came
// with another expiry before in this session, or is past its expiry, counts,
// but is told. The former goes to a person with all that came of the lot.
func (s *Session) Add(sc *scan.Scan, it scan.Item) (Change, error) {
	if len(s.Entries) >= maxEntries {
		return Change{}, fault.New(fault.Data, "session_full", "%s has %d lines, which is all one document can hold", s.Document.Ref, maxEntries).
			WithHint("confirm it, then go on with the rest")
	}
	number := 1
	if n := len(s.Entries); n > 0 {
		number = s.Entries[n-1].Number + 1
	}
	e := Entry{Number: number, Station: sc.Station, Item: it, Quantity: it.Quantity, At: sc.At, By: sc.By,
		Source: movement.Source{Adapter: sc.Scanner}}
	e.Source.SetRaw(sc.Raw)
	for i := range s.Entries {
		if o := &s.Entries[i].Item; it.Serial != "" && o.Serial == it.Serial && o.Product == it.Product {
			return Change{}, fault.New(fault.Data, "serial_twice", "not counted: serial %s is in this delivery already", strconv.Quote(it.Serial))
		}
	}
	answer := scan.Answer{Sound: scan.OK, Text: it.Words()}
	next := s.Apply(Change{Put: []Entry{e}})
	if p := next.Entries[len(next.Entries)-1].Problem; p != nil {
		answer = scan.Answer{Sound: scan.Warn, Code: p.Code, Text: p.Text}
	}
	if today := movement.DateOf(sc.At); answer.Sound == scan.OK && !it.Expiry.IsZero() && it.Expiry.Before(today) {
		answer = scan.Answer{Sound: scan.Warn, Code: "expired", Text: it.Words() + " expired on " + it.Expiry.String()}
	}
	return Change{Put: []Entry{e}, Answer: answer}, nil
}

// latest is the station's latest entry; nil for none.
func (s *Session) latest(station string) *Entry {
	for i := range slices.Backward(s.Entries) {
		if s.Entries[i].Station == station {
			return &s.Entries[i]
		}
	}
	return nil
}

// Undo takes back the station's latest entry; again, the one before.
func (s *Session) Undo(station string) (Change, error) {
	e := s.latest(station)
	if e == nil {
		return Change{}, fault.New(fault.Data, "nothing_to_undo", "there is no line of this scanner to take back")
	}
	return Change{Drop: []int{e.Number}, Answer: scan.Answer{Sound: scan.OK, Text: "taken back: " + e.Item.Words()}}, nil
}

// SetQuantity says how many packs the station's latest scan stands for.
func (s *Session) SetQuantity(station string, packs int64) (Change, error) {
	e := s.latest(station)
	switch {
	case e == nil:
		return Change{}, fault.New(fault.Data, "nothing_scanned", "scan the product first, then the quantity")
	case packs < 1 || packs > 99_999:
		return Change{}, fault.New(fault.Data, "bad_quantity", "%d is not a quantity of 1 to 99999", packs)
	case e.Item.Serial != "" && packs != 1:
		return Change{}, fault.New(fault.Data, "serial_with_count", "a pack with a serial is one pack: scan each of them")
	case e.Item.Quantity > movement.MaxQuantity/movement.Quantity(packs):
		return Change{}, fault.New(fault.Data, "bad_quantity", "%d times %s is too much", packs, e.Item.Quantity)
	}
	changed := *e
	changed.Quantity = e.Item.Quantity * movement.Quantity(packs)
	return Change{Put: []Entry{changed}, Answer: scan.Answer{Sound: scan.OK, Text: strconv.FormatInt(packs, 10) + " × " + e.Item.Words()}}, nil
}

// Join lets another station work on the session.
func (s *Session) Join(station string) Change {
	return Change{Joined: station, Answer: scan.Answer{Sound: scan.OK, Text: s.Words() + " is open"}}
}

// Words describes the session for a person.
func (s *Session) Words() string {
	what := "delivery"
	if s.Purpose == scan.Count {
		what = "count"
	}
	return fmt.Sprintf("%s %s (%d lines)", what, s.Document.Ref, len(s.Entries))
}

// Packs is what all entries stand for.
func (s *Session) Packs() movement.Quantity {
	var sum movement.Quantity
	for i := range s.Entries {
		sum += s.Entries[i].Quantity
	}
	return sum
}

// Movements makes the group of movements of a confirmed session. Their natural
// keys are those of the session, so that confirming it again changes nothing.
// A receipt has one movement for each entry. What was counted is summed by
// product, lot, expiry and serial, as a count says how many there are.
func (s *Session) Movements() []*movement.Movement {
	entries := s.Entries
	if s.Purpose == scan.Count {
		entries = summed(entries)
	}
	group := movement.Group{ID: s.ID, Size: len(entries)}
	list := make([]*movement.Movement, len(entries))
	for i := range entries {
		e := &entries[i]
		list[i] = &movement.Movement{
			Kind: s.Purpose.Kind(), Product: e.Item.Product, Lot: e.Item.Lot, Expiry: e.Item.Expiry, ExpiryRaw: e.Item.ExpiryRaw,
			Serial: e.Item.Serial, Quantity: e.Quantity, OccurredAt: e.At, Document: s.Document, By: e.By,
			NaturalKey: "session/" + s.ID + "/" + strconv.Itoa(e.Number), Source: e.Source, Group: group, Problem: e.Problem,
		}
	}
	return list
}

func summed(entries []Entry) []Entry {
	type goods struct {
		p           movement.Product
		lot, serial string
		expiry      movement.Date
	}
	at := map[goods]int{}
	var sums []Entry
	for _, e := range entries {
		g := goods{e.Item.Product, e.Item.Lot, e.Item.Serial, e.Item.Expiry}
		i, known := at[g]
		if !known {
			at[g] = len(sums)
			sums = append(sums, e)
			continue
		}
		sums[i].Quantity += e.Quantity
		if sums[i].Problem == nil {
			sums[i].Problem = e.Problem
		}
	}
	return sums
}

// command is a command barcode.
type command struct {
	name     string // confirm, undo, cancel, quantity
	quantity int64
}

// parseCommand reads BL-CONFIRM, BL-UNDO, BL-CANCEL and BL-QTY-<n>.
func parseCommand(text string) (command, error) {
	switch text {
	case "BL-CONFIRM":
		return command{name: "confirm"}, nil
	case "BL-UNDO":
		return command{name: "undo"}, nil
	case "BL-CANCEL":
		return command{name: "cancel"}, nil
	}
	if digits, ok := strings.CutPrefix(text, "BL-QTY-"); ok && len(digits) <= 5 {
		if n, err := strconv.ParseUint(digits, 10, 32); err == nil {
			return command{name: "quantity", quantity: int64(n)}, nil
		}
	}
	return command{}, fault.New(fault.Data, "unknown_command", "%.40q is not a command", text).
		WithHint("use the printed sheet: BL-CONFIRM, BL-UNDO, BL-CANCEL, BL-QTY-<number>")
}
