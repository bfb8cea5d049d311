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

	"branchline/agent/counter"
	"branchline/agent/outbox"
	"branchline/agent/scan"
	"branchline/internal/fault"
	"branchline/internal/movement"
)

// Store is what receiving needs of the outbox.
type Store interface {
	Append(ctx context.Context, w outbox.Write) ([]outbox.Place, error)
	Note(space, key string) ([]byte, error)
	Notes(space, prefix string) iter.Seq2[outbox.Note, error]
}

// Handler records a scan that belongs to no session.
type Handler interface {
	Scan(ctx context.Context, s scan.Scan) (scan.Answer, error)
}

// Options are what [NewDesk] takes beside the configuration.
type Options struct {
	Store Store
	Log   *slog.Logger
	// Reference may be nil: then nothing is checked against the order or the
	// catalogue.
	Reference Reference
	// Single records scans for what is not collected by itself (dispensing,
	// returns, wastage, transfers) when no session of that kind is open at
	// the station; nil opens a session for them.
	Single Handler
	// Now is nil for time.Now. Its location is the branch's.
	Now func() time.Time
}

// noteSpace is where the outbox keeps open sessions: "<id>" for the session,
// "<id>#<number>" for its entries.
const noteSpace = "receive"

// cancelWithin is how soon BL-CANCEL must be scanned again to mean it.
const cancelWithin = 10 * time.Second

// Desk keeps the open sessions of a branch, durable at every scan. Safe for
// concurrent use; one scan is handled at a time.
type Desk struct {
	Options
	cfg  Config
	docs documents

	mu       sync.Mutex
	sessions []*Session // in the order of their opening
	// asked is when a station asked to cancel which session.
	asked   map[string]asked
	reasons map[string]reasonFor
}

var _ counter.Desk = (*Desk)(nil)

type asked struct {
	id string
	at time.Time
}

// NewDesk brings back the sessions that were open when the agent ended.
func NewDesk(cfg Config, o Options) (*Desk, error) {
	docs, err := cfg.compile()
	if err != nil {
		return nil, err
	}
	if o.Reference == nil {
		o.Reference = nothing{}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	d := &Desk{Options: o, cfg: cfg, docs: docs, asked: map[string]asked{}, reasons: map[string]reasonFor{}}
	entries := map[string][]Entry{}
	for n, err := range d.Store.Notes(noteSpace, "") {
		if err != nil {
			return nil, err
		}
		if id, _, isEntry := strings.Cut(n.Key, "#"); isEntry {
			var e Entry
			if err := json.Unmarshal(n.Value, &e); err != nil {
				d.Log.Error("a line of an open session cannot be read, and stays aside", "session", n.Key, "err", err)
				continue
			}
			entries[id] = append(entries[id], e)
			continue
		}
		s := &Session{}
		if err := json.Unmarshal(n.Value, s); err != nil {
			d.Log.Error("an open session cannot be read, and stays aside", "session", n.Key, "err", err)
			continue
		}
		d.sessions = append(d.sessions, s)
	}
	for _, s := range d.sessions {
		s.Entries = entries[s.ID]
		slices.SortFunc(s.Entries, func(a, b Entry) int { return a.Number - b.Number })
		d.Log.Info("open session brought back", "session", s.ID, "lines", len(s.Entries))
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

// know is what the branch knows for a session, which may be nil.
func (d *Desk) know(s *Session) *knowledge { return know(d.Reference, &d.cfg, s) }

// Scan does what a scan means. An error means that nothing was recorded.
func (d *Desk) Scan(ctx context.Context, sc scan.Scan) (scan.Answer, error) {
	if sc.Personal() {
		return scan.Refuse(sc.Err), nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	text := sc.Text()
	s := d.at(sc.Station, sc.Purpose)
	if s == nil && !sc.Purpose.InSession() && d.Single != nil && !strings.HasPrefix(text, "BL-REASON-") {
		return d.single(ctx, sc)
	}
	if scan.IsCommand(text) {
		return d.command(ctx, &sc, s, text)
	}
	if doc, ok := d.docs.find(text); ok && sc.Purpose == scan.Receive {
		return d.openAt(ctx, &sc, s, doc)
	}
	if sc.Err != nil {
		return d.unclear(ctx, &sc, s, sc.Err)
	}
	k := d.know(s)
	it, err := scan.ItemOf(&sc.Code)
	if err != nil {
		if s != nil {
			if c, asked, no := s.answer(k, &sc); asked {
				return d.change(ctx, s, func() (Change, error) { return c, no })
			}
		}
		return d.unclear(ctx, &sc, s, err)
	}
	fresh := s == nil
	if fresh {
		if sc.Purpose == scan.Receive {
			return d.unclear(ctx, &sc, nil, fault.New(fault.Data, "no_open_delivery", "%s was scanned before any order or delivery note", k.words(&it)).
				WithHint("find its delivery, or discard it if it was scanned again"))
		}
		free := Free(sc.Purpose, sc.Station, d.moment(sc.At))
		s = &free
	}
	c, err := s.add(k, &sc, it)
	if err != nil {
		return refused(err), nil
	}
	if err := d.commit(ctx, step{s, c, fresh}); err != nil {
		return scan.Answer{}, err
	}
	return c.Answer, nil
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

// openAt is what a scanned document means at a station that works on s.
func (d *Desk) openAt(ctx context.Context, sc *scan.Scan, s *Session, doc movement.Document) (scan.Answer, error) {
	if s != nil {
		if s.Document == doc {
			return scan.Answer{Sound: scan.OK, Text: d.opened(s)}, nil
		}
		return refused(fault.New(fault.Data, "another_open", "%s is still open at this scanner", s.Words()).
			WithHint("confirm it (BL-CONFIRM) or cancel it (BL-CANCEL) first")), nil
	}
	_, a, err := d.join(ctx, sc.Purpose, doc, sc.Station, sc.At)
	return a, err
}

// join lets a station work on the document's session, a new one if need be. It
// leaves the one of that purpose that it worked on.
func (d *Desk) join(ctx context.Context, p scan.Purpose, doc movement.Document, station string, at time.Time) (id string, a scan.Answer, err error) {
	var steps []step
	if s := d.at(station, p); s != nil {
		if s.Document == doc {
			return s.ID, scan.Answer{Sound: scan.OK, Text: d.opened(s)}, nil
		}
		steps = append(steps, step{s, Change{Parted: station}, false})
	}
	i := slices.IndexFunc(d.sessions, func(o *Session) bool { return o.Purpose == p && o.Document == doc })
	var s *Session
	switch {
	case i >= 0:
		s = d.sessions[i]
	case doc == movement.Document{}:
		free := Free(p, station, d.moment(at))
		s = &free
	default:
		fresh := Open(doc, p, station, d.moment(at))
		s = &fresh
	}
	steps = append(steps, step{s, Change{Joined: station}, i < 0})
	if err := d.commit(ctx, steps...); err != nil {
		return "", scan.Answer{}, err
	}
	return s.ID, scan.Answer{Sound: scan.OK, Text: d.opened(s)}, nil
}

// opened says that a session is open, and whether it can be checked.
func (d *Desk) opened(s *Session) string {
	text := s.Words() + " is open"
	if s.Purpose == scan.Receive {
		if _, ok := d.Reference.Delivery(s.Document); !ok {
			text += ", not checked against the order"
		}
	}
	return text
}

// change asks a session for a change, and makes it.
func (d *Desk) change(ctx context.Context, s *Session, ask func() (Change, error)) (scan.Answer, error) {
	c, err := ask()
	if err != nil {
		return refused(err), nil
	}
	if err := d.commit(ctx, step{s, c, false}); err != nil {
		return scan.Answer{}, err
	}
	return c.Answer, nil
}

// step is a change of one session.
type step struct {
	s     *Session
	c     Change
	fresh bool // the session is new
}

// commit makes changes durable, all in one, then applies them.
func (d *Desk) commit(ctx context.Context, steps ...step) error {
	var notes []outbox.Note
	next := make([]*Session, len(steps))
	for i, st := range steps {
		after := st.s.Apply(st.c)
		next[i] = &after
		changed, err := st.notes(&after)
		if err != nil {
			return err
		}
		notes = append(notes, changed...)
	}
	// Where the write fails in its very last step, the disk may hold a change
	// that the memory does not; it is shown after a restart. None is lost.
	if _, err := d.Store.Append(ctx, outbox.Write{Notes: notes}); err != nil {
		return err
	}
	for _, s := range next {
		if i := slices.IndexFunc(d.sessions, func(o *Session) bool { return o.ID == s.ID }); i >= 0 {
			d.sessions[i] = s
		} else {
			d.sessions = append(d.sessions, s)
		}
	}
	return nil
}

func (st *step) notes(after *Session) ([]outbox.Note, error) {
	var notes []outbox.Note
	if st.fresh || st.c.Joined != "" || st.c.Parted != "" {
		value, err := json.Marshal(after)
		if err != nil {
			return nil, err
		}
		notes = append(notes, outbox.Note{Space: noteSpace, Key: after.ID, Value: value})
	}
	for _, e := range st.c.Put {
		value, err := json.Marshal(e)
		if err != nil {
			return nil, err
		}
		notes = append(notes, outbox.Note{Space: noteSpace, Key: entryKey(after.ID, e.Number), Value: value})
	}
	for _, number := range st.c.Drop {
		notes = append(notes, outbox.Note{Space: noteSpace, Key: entryKey(after.ID, number)})
	}
	return notes, nil
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
	if _, err := d.Store.Append(ctx, outbox.Write{Lane: movement.Live, Movements: []*movement.Movement{m}}); err != nil {
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

// gone deletes all notes of the session.
func (s *Session) gone() []outbox.Note {
	notes := []outbox.Note{{Space: noteSpace, Key: s.ID}}
	for i := range s.Entries {
		notes = append(notes, outbox.Note{Space: noteSpace, Key: entryKey(s.ID, s.Entries[i].Number)})
	}
	return notes
}
