package receive

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"branchline/agent/outbox"
	"branchline/agent/scan"
	"branchline/internal/movement"
	"branchline/internal/ui"
)

// Past is what was recorded at the branch, as far as that is kept. It may be asked
// from any goroutine.
type Past interface {
	// Known tells which natural keys were recorded, for longer than records are kept.
	Known(keys ...string) ([]outbox.Place, error)
	// Holding gives the kept records that contain the bytes.
	Holding(ctx context.Context, part []byte, found func(at outbox.Place, record []byte) bool) error
}

const (
	// storyWithin bounds how long is looked for what was recorded of a serial.
	storyWithin = 3 * time.Second
	// maxStory is how many events of one serial are told, the latest, and maxFound how
	// many are looked at.
	maxStory, maxFound = 6, 200
)

// outward are the kinds by which a pack leaves the branch.
var outward = []movement.Kind{movement.Dispense, movement.Wastage, movement.TransferOut}

// serialKinds are the kinds of which a serial is the natural key.
var serialKinds = []movement.Kind{movement.Dispense, movement.Return, movement.Wastage, movement.TransferOut, movement.TransferIn}

// serialKey is the natural key of a pack with a serial: it leaves, or comes back,
// once.
func serialKey(k movement.Kind, p movement.Product, serial string) string {
	return fmt.Sprintf("serial/%s/%s/%s", k, p.Code, serial)
}

// story is what this branch has recorded of one pack.
type story struct {
	events []movement.Movement // by when they happened
	// older are those of which only the key is remembered.
	older []olderEvent
	// more counts events that are not among them; part tells that not all records
	// could be looked at.
	more int
	part bool
}

type olderEvent struct {
	kind movement.Kind
	// by is when it was recorded at the latest; zero where that is not known.
	by time.Time
}

// storyOf looks for what was recorded of a serial under any of the product's codes.
// It can take a moment, so d.mu must not be held.
func (d *Desk) storyOf(ctx context.Context, codes []movement.Product, serial string) (s story, err error) {
	ctx, end := context.WithTimeout(ctx, storyWithin)
	defer end()
	quoted, err := json.Marshal(serial)
	if err != nil {
		return s, err
	}
	part := append([]byte(`"serial":`), quoted...)
	if bytes.ContainsRune(quoted, '\\') { // it may be written otherwise in the record
		part = []byte(`"serial":`)
	}
	told := map[movement.Kind]bool{}
	err = d.Past.Holding(ctx, part, func(_ outbox.Place, record []byte) bool {
		m, err := movement.Decode(record)
		if err != nil || m.Serial != serial || !slices.Contains(codes, m.Product) {
			return true
		}
		told[m.Kind] = true
		s.events = append(s.events, m)
		return len(s.events) < maxFound
	})
	if errors.Is(err, context.DeadlineExceeded) {
		s.part, err = true, nil
	}
	if err != nil {
		return s, err
	}
	slices.SortStableFunc(s.events, func(a, b movement.Movement) int { return a.OccurredAt.Compare(b.OccurredAt) })
	if s.more = max(0, len(s.events)-maxStory); s.more > 0 {
		s.events = s.events[s.more:]
	}
	var keys []string
	var kinds []movement.Kind
	for _, kind := range serialKinds {
		for _, code := range codes {
			if !told[kind] {
				keys, kinds = append(keys, serialKey(kind, code, serial)), append(kinds, kind)
			}
		}
	}
	places, err := d.Past.Known(keys...)
	for i, p := range places {
		if p.Known && !slices.ContainsFunc(s.older, func(o olderEvent) bool { return o.kind == kinds[i] }) {
			s.older = append(s.older, olderEvent{kinds[i], p.By})
		}
	}
	return s, err
}

// did is each kind as what the branch did.
var did = map[movement.Kind]string{movement.Receipt: "Received", movement.Dispense: "Handed out", movement.Return: "Came back", movement.Wastage: "Wasted",
	movement.TransferOut: "Sent", movement.TransferIn: "Taken in", movement.Count: "Counted"}

// words tell the story, the first event first; gone says that the pack has left by
// the last of them.
func (s *story) words(open string, at *time.Location, branch func(code string) string) (text string, gone bool) {
	var all []string
	back := slices.ContainsFunc(s.older, func(o olderEvent) bool { return !slices.Contains(outward, o.kind) })
	for _, o := range s.older {
		w := cmp.Or(did[o.kind], string(o.kind))
		if !o.by.IsZero() {
			w += " before " + o.by.In(at).Format("2 January 2006")
		}
		all = append(all, w+map[bool]string{true: ", of which the record was not found", false: ", of which the record is kept no longer"}[s.part])
		gone = !back // or else nobody knows which was first
	}
	if s.more > 0 {
		all = append(all, ui.Many(s.more, "earlier event is", "earlier events are")+" left out here")
	}
	for i := range s.events {
		m := &s.events[i]
		w := cmp.Or(did[m.Kind], string(m.Kind))
		if m.Counterpart != "" {
			w += map[bool]string{true: " to ", false: " from "}[m.Kind == movement.TransferOut] + branch(m.Counterpart)
		}
		w += " on " + m.OccurredAt.In(at).Format("2 January 2006 15:04")
		if m.Document.Ref != "" && m.Document.Type != "session" {
			w += " with " + m.Document.Ref
		}
		if m.By != "" {
			w += " by " + m.By
		}
		if m.Problem != nil {
			w += ", for a person: " + m.Problem.Text
		} else {
			gone = slices.Contains(outward, m.Kind)
		}
		all = append(all, w)
	}
	if open != "" {
		all = append(all, "Scanned for "+open+", which is not confirmed yet")
	}
	switch {
	case len(all) == 0 && s.part:
		all = append(all, "Nothing was found of its serial here, and not all records could be looked through")
	case len(all) == 0:
		all = append(all, "Nothing is recorded of its serial here, in what is kept")
	case s.part:
		all = append(all, "Not all records could be looked through")
	}
	return strings.Join(all, ". "), gone
}

// SerialLeft is the code of what was looked up and has left the branch already.
const SerialLeft = "serial_left"

// tellStory adds to the answer of what was looked up what this branch has done with
// the pack. d.mu is held, and let go meanwhile.
func (d *Desk) tellStory(ctx context.Context, a scan.Answer, it *scan.Item) scan.Answer {
	if d.Past == nil || it.Serial == "" {
		return a
	}
	codes := []movement.Product{it.Product}
	if p, _, ok := d.Reference.Find(it.Product); ok {
		for _, c := range p.Codes() {
			if !slices.Contains(codes, c.Product) {
				codes = append(codes, c.Product)
			}
		}
	}
	var open []string
	for _, s := range d.sessions {
		if slices.ContainsFunc(s.Entries, func(e Entry) bool { return e.Item.Serial == it.Serial && slices.Contains(codes, e.Item.Product) }) {
			open = append(open, s.Noun()+" "+s.Called())
		}
	}
	d.mu.Unlock()
	s, err := d.storyOf(ctx, codes, it.Serial)
	d.mu.Lock()
	if err != nil {
		d.Log.Warn("what was recorded of a serial cannot be looked up", "err", err)
		a.Text += ". What was recorded of its serial cannot be looked up now"
		return a
	}
	text, gone := s.words(strings.Join(open, " and for "), d.Now().Location(), func(code string) string { return d.branch(code).Words() })
	a.Text = strings.TrimSuffix(a.Text, ".") + ". " + text
	if gone && a.Sound == scan.OK {
		a.Sound, a.Code = scan.Warn, SerialLeft
	}
	return a
}
