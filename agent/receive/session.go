package receive

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"branchline/agent/counter"
	"branchline/agent/scan"
	"branchline/internal/fault"
	"branchline/internal/movement"
	"branchline/internal/paper"
	"branchline/internal/ui"
)

// maxEntries bounds a session: what one group can hold.
const maxEntries = 5000

// maxKept bounds what a session says of scans that went to a person.
const maxKept = 10

// Session is what is collected until it is confirmed. It is a value: changes
// are applied to it by [Session.Apply] only.
type Session struct {
	// ID is unique within the branch: document and time of opening.
	ID       string            `json:"id"`
	Purpose  scan.Purpose      `json:"purpose"`
	Document movement.Document `json:"document"`
	// Counterpart is the other branch of a transfer, by its code.
	Counterpart string    `json:"counterpart,omitempty"`
	Opened      time.Time `json:"opened"`
	// Form is the number of the printed form that is typed in; empty for what is
	// scanned.
	Form paper.Number `json:"form,omitempty"`
	// Stations work on it, in the order in which they joined.
	Stations []string `json:"stations"`
	// Missed are the stations whose last scan is not among the entries.
	Missed map[string]Missed `json:"missed,omitempty"`
	// Kept are the latest scans that went to a person, and AllKept counts all.
	Kept    []counter.Kept `json:"kept,omitempty"`
	AllKept int            `json:"all_kept,omitempty"`
	// Entries are in the order of their numbers, which count from 1.
	Entries []Entry `json:"-"`
}

// What a person said of an entry.
const (
	SetDamaged = string(counter.Damaged) // it came, and cannot be sold
	SetShort   = string(counter.Short)   // it did not come, though it was sent
)

// Entry is one scan of a session, or what a person entered in its place.
type Entry struct {
	Number int `json:"number"`
	// Line is its line on the form, TypedBy who typed it in; 0 and empty for what
	// is scanned.
	Line    int       `json:"line,omitempty"`
	TypedBy string    `json:"typed_by,omitempty"`
	Station string    `json:"station"`
	Item    scan.Item `json:"item"`
	// Quantity is in items with the code, each of which the code itself may
	// call several: packs times Item.Quantity.
	Quantity movement.Quantity `json:"quantity"`
	At       time.Time         `json:"at"`
	// By are the initials of who scanned it, Edited of who changed it last.
	By     string          `json:"by,omitempty"`
	Edited string          `json:"edited,omitempty"`
	Source movement.Source `json:"source"`
	// Counterpart is the other branch of a transfer.
	Counterpart string `json:"counterpart,omitempty"`
	// Set is [SetDamaged], [SetShort] or empty; Reason says why, also of
	// wastage.
	Set    string `json:"set,omitempty"`
	Reason string `json:"reason,omitempty"`
	// Accepted are codes of findings that a person says are right as they are.
	Accepted   []string `json:"accepted,omitempty"`
	AcceptedBy string   `json:"accepted_by,omitempty"`
	// Agreed is how many of the product, in its own unit, a person has said did
	// come, in all entries so far; 0 where nobody was asked.
	Agreed movement.Quantity `json:"agreed,omitempty"`
	// Left is the question that was left to a person, by its code.
	Left string `json:"left,omitempty"`
}

// Change is what something asked of a session would change.
type Change struct {
	Put  []Entry // new, or in the place of the one with the same number
	Drop []int   // numbers of entries that go
	// Joined is a station that works on it from now on, Parted one that does
	// not any more; empty for none.
	Joined, Parted string
	// Missed is what a station's last scan was, when no entry came of it; its
	// zero value, that what is said at the station is about its latest entry.
	Missed map[string]Missed
	// Kept is a scan that goes to a person; nil for none.
	Kept *counter.Kept
	// Answer is for the person, once the change is durable.
	Answer scan.Answer
}

// Open makes an empty session. at tells it from all others of the document.
func Open(doc movement.Document, p scan.Purpose, station string, at time.Time) Session {
	return Session{ID: strings.ReplaceAll(doc.Ref, "#", "_") + "@" + at.UTC().Format("20060102T150405.000Z"), Purpose: p, Document: doc,
		Opened: at, Stations: []string{station}}
}

// Free makes an empty session without a document.
func Free(p scan.Purpose, station string, at time.Time) Session {
	s := Open(movement.Document{Type: "session", Ref: string(p)}, p, station, at)
	s.Document.Ref = s.ID
	return s
}

// Apply gives the session with the change made. The session itself stays as it
// was.
func (s Session) Apply(c Change) Session {
	s.Entries = slices.Clone(s.Entries)
	s.Stations = slices.Clone(s.Stations)
	s.Missed = maps.Clone(s.Missed)
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
	if c.Parted != "" {
		s.Stations = slices.DeleteFunc(s.Stations, func(o string) bool { return o == c.Parted })
	}
	s.noteMissed(c.Missed)
	if c.Kept != nil {
		s.AllKept++
		s.Kept = append(slices.Clone(s.Kept[max(0, len(s.Kept)+1-maxKept):]), *c.Kept)
	}
	return s
}

func (s *Session) index(number int) int {
	i, ok := slices.BinarySearchFunc(s.Entries, number, func(e Entry, n int) int { return e.Number - n })
	if !ok {
		return -1
	}
	return i
}

// next is the number of the next entry.
func (s *Session) next() int {
	if n := len(s.Entries); n > 0 {
		return s.Entries[n-1].Number + 1
	}
	return 1
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

// full refuses what would be more than one group can hold.
func (s *Session) full(more int) error {
	if len(s.Entries)+more <= maxEntries {
		return nil
	}
	return fault.New(fault.Data, "session_full", "%s has %d lines, which is all one document can hold", s.Document.Ref, len(s.Entries)).
		WithHint("confirm it, then go on with the rest")
}

// Packs is what all entries stand for, but for what did not come.
func (s *Session) Packs() movement.Quantity {
	var sum movement.Quantity
	for i := range s.Entries {
		if s.Entries[i].Set != SetShort {
			sum += s.Entries[i].Quantity
		}
	}
	return sum
}

// nouns are what sessions are called.
var nouns = map[scan.Purpose]string{scan.Receive: "delivery", scan.Count: "count", scan.Dispense: "dispensing", scan.Return: "return",
	scan.Wastage: "wastage", scan.TransferOut: "transfer", scan.TransferIn: "transfer"}

// Noun is what the session is called: "delivery", "count"…
func (s *Session) Noun() string { return nouns[s.Purpose] }

// Words describes the session for a person.
func (s *Session) Words() string {
	return fmt.Sprintf("%s %s (%s)", nouns[s.Purpose], s.Called(), ui.Many(len(s.Entries), "line", "lines"))
}

// Called is the number of the session's document; for one without, which is told
// from others by when it began, "of" and that time.
func (s *Session) Called() string {
	if s.Form != "" && s.Document.Type == "session" {
		return "on form " + s.Form.String()
	} else if s.Form != "" {
		return s.Document.Ref + " on form " + s.Form.String()
	}
	if s.Document.Type == "session" {
		return "of " + s.Opened.Format("15:04")
	}
	return s.Document.Ref
}
