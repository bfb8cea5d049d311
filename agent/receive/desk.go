package receive

import (
	"context"
	"encoding/json"
	"errors"
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
	"branchline/internal/gs1"
	"branchline/internal/movement"
)

// Store is what receiving needs of the outbox.
type Store interface {
	Append(ctx context.Context, w outbox.Write) ([]outbox.Place, error)
	Note(space, key string) ([]byte, error)
	Notes(space, prefix string) iter.Seq2[outbox.Note, error]
	Known(keys ...string) ([]outbox.Place, error)
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
	// returns, wastage) when no session of that kind is open at the station; nil
	// opens a session for them.
	Single Handler
	// Past may be nil: then nothing is told of what was done with a serial.
	Past Past
	// Branch is the branch's own code, which numbers its transfers.
	Branch string
	// Signed says that people sign at the page: a scanner alone then neither
	// confirms nor throws away what it has collected.
	Signed bool
	// TypedProfile is how codes are read that come by the page.
	TypedProfile gs1.Profile
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
	held    map[heldAt]string // what was refused at a station, by which goods are
	memo    memo
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
	d := &Desk{Options: o, cfg: cfg, docs: docs, memo: memo{Reference: o.Reference},
		asked: map[string]asked{}, reasons: map[string]reasonFor{}}
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
	if err := d.resume(context.Background()); err != nil {
		d.Log.Error("serials of a confirmed session wait for the next start", "err", err)
	}
	if err := d.forgetPackLines(context.Background()); err != nil {
		d.Log.Warn("which lines of old forms were packs is kept until the next start", "err", err)
	}
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
// d.mu is held.
func (d *Desk) know(s *Session) *knowledge { return know(d.memo.fresh(), &d.cfg, s) }

// Scan does what a scan means. An error means that nothing was recorded.
func (d *Desk) Scan(ctx context.Context, sc scan.Scan) (scan.Answer, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if sc.Personal() {
		return d.refuse(ctx, &sc, d.at(sc.Station, sc.Purpose), sc.Err)
	}
	if sc.Purpose == scan.LookUp {
		a := d.lookUp(ctx, &sc)
		a.Unrecorded = true
		return a, nil
	}
	text := sc.Text()
	s := d.at(sc.Station, sc.Purpose)
	if a, done, err := d.ofTransfer(ctx, &sc, s, text); done || err != nil {
		return a, err
	}
	if s == nil && !sc.Purpose.InSession() && !transfer(sc.Purpose) && d.Single != nil && !strings.HasPrefix(text, "BL-REASON-") {
		return d.single(ctx, sc)
	}
	if scan.IsCommand(text) {
		return d.command(ctx, &sc, s, text)
	}
	if sc.Purpose == scan.Receive {
		if doc, ok := d.document(&sc, text); ok {
			return d.openAt(ctx, &sc, s, doc)
		}
	}
	if a, held := d.isHeld(&sc); held {
		return a, nil
	}
	if sc.Err != nil && sc.Second == nil {
		return d.unclear(ctx, &sc, s, sc.Err)
	}
	k := d.know(s)
	it, err := sc.Item()
	if err != nil {
		if s != nil {
			if c, asked, no := s.answer(k, &sc); asked && no == nil {
				return d.change(ctx, s, func() (Change, error) { return c, nil })
			} else if asked {
				return d.refuse(ctx, &sc, s, no)
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
		if sc.Purpose == scan.TransferIn {
			return refused(fault.New(fault.Data, "no_box", "not counted: the number of the box was not scanned").
				WithHint("scan the barcode on the paper in the box, then this again; where there is none, choose the branch on the page")), nil
		}
		s = d.fresh(&sc)
	}
	c, err := s.add(k, &sc, it)
	if err != nil {
		return d.refuse(ctx, &sc, s, err)
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

// unclear keeps a scan for a person at once, beside the session it belongs to.
func (d *Desk) unclear(ctx context.Context, sc *scan.Scan, s *Session, why error) (scan.Answer, error) {
	m := scan.Unclear(sc, why)
	var err error
	if s != nil {
		m.Document = s.Document
		err = d.miss(ctx, s, sc, m.Problem.Code, keptAs(sc, why), m)
	} else {
		_, err = d.Store.Append(ctx, outbox.Write{Lane: movement.Live, Movements: []*movement.Movement{m}})
	}
	if err != nil {
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
