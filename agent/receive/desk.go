package receive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"branchline/agent/outbox"
	"branchline/agent/scan"
	"branchline/internal/fault"
	"branchline/internal/movement"
)

// Store is what receiving needs of the outbox.
type Store interface {
	Append(ctx context.Context, w outbox.Write) ([]outbox.Place, error)
	Notes(space, prefix string) iter.Seq2[outbox.Note, error]
}

// noteSpace is where the outbox keeps open sessions: "<id>" for the session,
// "<id>#<number>" for its entries.
const noteSpace = "receive"

// cancelWithin is how soon BL-CANCEL must be scanned again to mean it.
const cancelWithin = 10 * time.Second

// Desk keeps the open sessions of a branch, durable at every scan. Safe for
// concurrent use; one scan is handled at a time.
type Desk struct {
	store Store
	log   *slog.Logger
	docs  documents

	mu       sync.Mutex
	sessions []*Session // in the order of their opening
	// asked is when a station asked to cancel which session.
	asked map[string]asked
}

type asked struct {
	id string
	at time.Time
}

// NewDesk brings back the sessions that were open when the agent ended.
func NewDesk(cfg Config, store Store, log *slog.Logger) (*Desk, error) {
	docs, err := cfg.compile()
	if err != nil {
		return nil, err
	}
	d := &Desk{store: store, log: log, docs: docs, asked: map[string]asked{}}
	entries := map[string][]Entry{}
	for n, err := range store.Notes(noteSpace, "") {
		if err != nil {
			return nil, err
		}
		if id, _, isEntry := strings.Cut(n.Key, "#"); isEntry {
			var e Entry
			if err := json.Unmarshal(n.Value, &e); err != nil {
				log.Error("a line of an open session cannot be read, and stays aside", "session", n.Key, "err", err)
				continue
			}
			entries[id] = append(entries[id], e)
			continue
		}
		s := &Session{}
		if err := json.Unmarshal(n.Value, s); err != nil {
			log.Error("an open session cannot be read, and stays aside", "session", n.Key, "err", err)
			continue
		}
		d.sessions = append(d.sessions, s)
	}
	for _, s := range d.sessions {
		s.Entries = entries[s.ID]
		slices.SortFunc(s.Entries, func(a, b Entry) int { return a.Number - b.Number })
		s.judge()
		log.Info("open session brought back", "session", s.ID, "lines", len(s.Entries))
	}
	slices.SortFunc(d.sessions, func(a, b *Session) int { return a.Opened.Compare(b.Opened) })
	return d, nil
}

// Sessions are the open ones, the oldest first.
func (d *Desk) Sessions() []Session {
	d.mu.Lock()
	defer d.mu.Unlock()
	list := make([]Session, len(d.sessions))
	for i, s := range d.sessions {
		list[i] = s.Apply(Change{}) // a copy
	}
	return list
}

// Scan does what a scan for receiving or counting means. An error means that
// nothing was recorded.
func (d *Desk) Scan(ctx context.Context, sc scan.Scan) (scan.Answer, error) {
	if sc.Personal() {
		return scan.Refuse(sc.Err), nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	text := sc.Text()
	s := d.at(sc.Station, sc.Purpose)
	if scan.IsCommand(text) {
		return d.command(ctx, &sc, s, text)
	}
	if doc, ok := d.docs.find(text); ok && sc.Purpose == scan.Receive {
		return d.open(ctx, &sc, s, doc)
	}
	if sc.Err != nil {
		return d.unclear(ctx, &sc, s, sc.Err)
	}
	it, err := scan.ItemOf(&sc.Code)
	if err != nil {
		return d.unclear(ctx, &sc, s, err)
	}
	var notes []outbox.Note
	if s == nil {
		if sc.Purpose != scan.Count {
			return d.unclear(ctx, &sc, nil, fault.New(fault.Data, "no_open_delivery", "%s was scanned before any order or delivery note", it.Words()).
				WithHint("find its delivery, or discard it if it was scanned again"))
		}
		fresh := Open(movement.Document{Type: "session", Ref: "count"}, sc.Purpose, sc.Station, d.moment(sc.At))
		fresh.Document.Ref = fresh.ID
		s = &fresh
		note, err := s.note()
		if err != nil {
			return scan.Answer{}, err
		}
		notes = append(notes, note)
	}
	c, err := s.Add(&sc, it)
	if err != nil {
		return refused(err), nil
	}
	return d.commit(ctx, s, c, notes)
}

// at is the session of that purpose that the station works on; nil for none.
func (d *Desk) at(station string, p scan.Purpose) *Session {
	for _, s := range d.sessions {
		if s.Purpose == p && slices.Contains(s.Stations, station) {
			return s
		}
	}
	return nil
}

// moment is a time at which no other session was opened.
func (d *Desk) moment(at time.Time) time.Time {
	for slices.ContainsFunc(d.sessions, func(s *Session) bool { return s.Opened.UnixMilli() == at.UnixMilli() }) {
		at = at.Add(time.Millisecond)
	}
	return at
}

func (d *Desk) open(ctx context.Context, sc *scan.Scan, s *Session, doc movement.Document) (scan.Answer, error) {
	if s != nil {
		if s.Document == doc {
			return scan.Answer{Sound: scan.OK, Text: s.Words() + " is open"}, nil
		}
		return refused(fault.New(fault.Data, "another_open", "%s is still open at this scanner", s.Words()).
			WithHint("confirm it (BL-CONFIRM) or cancel it (BL-CANCEL) first")), nil
	}
	for _, o := range d.sessions {
		if o.Document == doc {
			return d.commit(ctx, o, o.Join(sc.Station), nil)
		}
	}
	fresh := Open(doc, sc.Purpose, sc.Station, d.moment(sc.At))
	return d.commit(ctx, &fresh, Change{Joined: sc.Station, Answer: scan.Answer{Sound: scan.OK, Text: fresh.Words() + " is open"}}, nil)
}

func (d *Desk) command(ctx context.Context, sc *scan.Scan, s *Session, text string) (scan.Answer, error) {
	cmd, err := parseCommand(text)
	if err != nil {
		return refused(err), nil
	}
	if s == nil {
		return refused(fault.New(fault.Data, "no_open_delivery", "nothing is open at this scanner").
			WithHint("scan the order or the delivery note first")), nil
	}
	var c Change
	switch cmd.name {
	case "confirm":
		return d.confirm(ctx, s)
	case "cancel":
		return d.cancel(ctx, sc, s)
	case "undo":
		c, err = s.Undo(sc.Station)
	case "quantity":
		c, err = s.SetQuantity(sc.Station, cmd.quantity)
	}
	if err != nil {
		return refused(err), nil
	}
	return d.commit(ctx, s, c, nil)
}

// commit makes a change durable, then applies it.
func (d *Desk) commit(ctx context.Context, s *Session, c Change, notes []outbox.Note) (scan.Answer, error) {
	next := s.Apply(c)
	if c.Joined != "" {
		note, err := next.note()
		if err != nil {
			return scan.Answer{}, err
		}
		notes = append(notes, note)
	}
	for _, e := range c.Put {
		value, err := json.Marshal(e)
		if err != nil {
			return scan.Answer{}, err
		}
		notes = append(notes, outbox.Note{Space: noteSpace, Key: entryKey(s.ID, e.Number), Value: value})
	}
	for _, number := range c.Drop {
		notes = append(notes, outbox.Note{Space: noteSpace, Key: entryKey(s.ID, number)})
	}
	// Where the write fails in its very last step, the disk may hold a change
	// that the memory does not; it is shown after a restart. None is lost.
	if _, err := d.store.Append(ctx, outbox.Write{Notes: notes}); err != nil {
		return scan.Answer{}, err
	}
	if i := slices.IndexFunc(d.sessions, func(o *Session) bool { return o.ID == s.ID }); i >= 0 {
		d.sessions[i] = &next
	} else {
		d.sessions = append(d.sessions, &next)
	}
	return c.Answer, nil
}

// confirm records the group and closes the session in one commit. After a
// crash either the session is still open, or the group is recorded.
func (d *Desk) confirm(ctx context.Context, s *Session) (scan.Answer, error) {
	list := s.Movements()
	if len(list) == 0 {
		return refused(fault.New(fault.Data, "nothing_scanned", "%s has no lines yet", s.Words()).
			WithHint("scan the goods, or cancel it (BL-CANCEL)")), nil
	}
	places, err := d.store.Append(ctx, outbox.Write{Lane: movement.Live, Movements: list, Notes: s.gone()})
	if err != nil {
		return scan.Answer{}, err
	}
	if slices.ContainsFunc(places, func(p outbox.Place) bool { return p.Known }) {
		d.log.Warn("a session was confirmed again", "session", s.ID)
	}
	d.close(s)
	return scan.Answer{Sound: scan.OK, Text: s.Words() + " is confirmed"}, nil
}

// cancel throws a session away, when it is asked for twice.
func (d *Desk) cancel(ctx context.Context, sc *scan.Scan, s *Session) (scan.Answer, error) {
	a := d.asked[sc.Station]
	meant := a.id == s.ID && sc.At.Sub(a.at) < cancelWithin && !sc.At.Before(a.at)
	if !meant && len(s.Entries) > 0 {
		d.asked[sc.Station] = asked{s.ID, sc.At}
		return scan.Answer{Sound: scan.Warn, Code: "cancel_again",
			Text: fmt.Sprintf("scan BL-CANCEL again within %s to throw %s away", cancelWithin, s.Words())}, nil
	}
	if _, err := d.store.Append(ctx, outbox.Write{Notes: s.gone()}); err != nil {
		return scan.Answer{}, err
	}
	d.close(s)
	d.log.Info("session cancelled", "session", s.ID, "lines", len(s.Entries), "scanner", sc.Scanner)
	return scan.Answer{Sound: scan.OK, Text: s.Words() + " is thrown away"}, nil
}

func (d *Desk) close(s *Session) {
	d.sessions = slices.DeleteFunc(d.sessions, func(o *Session) bool { return o.ID == s.ID })
	for _, station := range s.Stations {
		delete(d.asked, station)
	}
}

// unclear keeps a scan for a person at once, beside the session it belongs to.
func (d *Desk) unclear(ctx context.Context, sc *scan.Scan, s *Session, why error) (scan.Answer, error) {
	m := scan.Unclear(sc, why)
	if s != nil {
		m.Document = s.Document
	}
	if _, err := d.store.Append(ctx, outbox.Write{Lane: movement.Live, Movements: []*movement.Movement{m}}); err != nil {
		return scan.Answer{}, err
	}
	return scan.Answer{Sound: scan.Warn, Code: m.Problem.Code, Text: "kept for a person: " + why.Error()}, nil
}

// refused answers what a session says no to: nothing was counted.
func refused(err error) scan.Answer {
	a := scan.Refuse(err)
	var f *fault.Error
	if errors.As(err, &f) && f.Code == "serial_twice" {
		a.Sound = scan.Warn
	}
	return a
}

func entryKey(id string, number int) string { return fmt.Sprintf("%s#%06d", id, number) }

// note is the session without its entries.
func (s *Session) note() (outbox.Note, error) {
	value, err := json.Marshal(s)
	return outbox.Note{Space: noteSpace, Key: s.ID, Value: value}, err
}

// gone deletes all notes of the session.
func (s *Session) gone() []outbox.Note {
	notes := []outbox.Note{{Space: noteSpace, Key: s.ID}}
	for i := range s.Entries {
		notes = append(notes, outbox.Note{Space: noteSpace, Key: entryKey(s.ID, s.Entries[i].Number)})
	}
	return notes
}
