package dispense

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"time"

	"branchline/agent/outbox"
	"branchline/internal/movement"
)

// badSpace is where the outbox keeps the rows that went to a person, by adapter
// and the row's ID.
const badSpace = "dispense-bad"

const (
	// maxOpenRows bounds how many rows of one adapter wait for the branch, by the
	// memory that their places need, about 10 MB; those beyond are for the hub's
	// people only.
	maxOpenRows = 50_000
	// maxTogether is how many rows are dismissed in one commit.
	maxTogether = 500
	// rememberSettled is how long a settled row is remembered, so that reading its
	// file again does not show it again.
	rememberSettled = 90 * 24 * time.Hour
)

// badRow is one row that went to a person, as the outbox keeps it.
type badRow struct {
	// Record is the movement with the problem, as it was recorded. It is left out
	// of what is settled.
	Record json.RawMessage `json:"record,omitempty"`
	// Settled is when a person at the branch has dealt with it, or when the word came
	// that one at the hub has.
	Settled time.Time `json:"settled,omitzero"`
	// Dismissed says that it was settled as one by which nothing was moved.
	Dismissed bool `json:"dismissed,omitempty"`
	// Trace is the row's own ([reader.trace]), and Key what it was recorded under,
	// where it is settled.
	Trace string `json:"trace,omitempty"`
	Key   string `json:"key,omitempty"`
	// Hub is set where people at the hub have settled it, and nobody here.
	Hub *hubRow `json:"hub,omitempty"`
}

// badBook is the rows of one adapter that wait for a person at the branch.
type badBook struct {
	adapter string
	store   Store
	now     func() time.Time
	// settling lets one person settle a row at a time.
	settling sync.Mutex

	mu   sync.Mutex
	rows map[string]placed // by ID
	open int
	// traced are the keys that rows were recorded under, by their traces; dismissed are
	// the traces of those that were dismissed, by their own keys.
	traced    map[string]string
	dismissed map[string]string
}

// placed is what is in memory of a row: where it stands, and when it was settled.
type placed struct {
	read    time.Time
	file    string
	line    int64
	settled time.Time
	trace   string
	// hub is set where people at the hub have settled it.
	hub *hubRow
}

// rowID names a row in the page's addresses.
func rowID(naturalKey string) string {
	sum := sha256.Sum256([]byte(naturalKey))
	return hex.EncodeToString(sum[:12])
}

func loadBadRows(store Store, adapter string, now func() time.Time) (*badBook, error) {
	b := &badBook{adapter: adapter, store: store, now: now, rows: map[string]placed{},
		traced: map[string]string{}, dismissed: map[string]string{}}
	var old []outbox.Note
	for n, err := range store.Notes(badSpace, adapter+"/") {
		if err != nil {
			return nil, err
		}
		var r badRow
		if json.Unmarshal(n.Value, &r) != nil || !r.Settled.IsZero() && now().Sub(r.Settled) > rememberSettled {
			old = append(old, outbox.Note{Space: badSpace, Key: n.Key})
			continue
		}
		p := placed{settled: r.Settled, trace: r.Trace, hub: r.Hub}
		b.decide(&r)
		if r.Settled.IsZero() {
			m, err := movement.Decode(r.Record)
			if err != nil {
				continue // of a later version, say
			}
			p = placeOf(&m)
			p.trace = r.Trace
			b.remember(m.NaturalKey, r.Trace)
			b.open++
		}
		b.rows[strings.TrimPrefix(n.Key, adapter+"/")] = p
	}
	for part := range slices.Chunk(old, 1000) {
		if _, err := store.Append(context.Background(), outbox.Write{Lane: movement.Bulk, Notes: part}); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// remember notes under which key the row of a trace was recorded.
func (b *badBook) remember(key, trace string) {
	if key != "" && trace != "" {
		b.traced[trace] = key
	}
}

// decide notes that a row is settled.
func (b *badBook) decide(r *badRow) {
	b.remember(r.Key, r.Trace)
	if own, ok := movement.RowKey(r.Key); ok && r.Trace != "" && r.Dismissed {
		b.dismissed[own] = r.Trace
	}
}

// recorded gives the key that the row of a trace was recorded under; empty where none
// was.
func (b *badBook) recorded(trace string) string {
	if b == nil {
		return ""
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.traced[trace]
}

// dismissal gives the trace of a dismissed row with this key of its own; empty for none.
func (b *badBook) dismissal(own string) (trace string) {
	if b == nil {
		return ""
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.dismissed) > 0 {
		trace = b.dismissed[own]
	}
	return trace
}

func (b *badBook) note(id string, r badRow) (outbox.Note, error) {
	value, err := json.Marshal(r)
	return outbox.Note{Space: badSpace, Key: b.adapter + "/" + id, Value: value}, err
}

// add shows recorded rows with a problem to the branch, but those that were shown
// before. The rows are recorded already: the adapter's checkpoint moves on only
// after this, so that a kill in between has them read, and added, again. Traces are
// those of the rows, by their keys.
func (b *badBook) add(ctx context.Context, rows []*movement.Movement, traces map[string]string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	fresh, keys := map[string]placed{}, map[string]string{}
	var notes []outbox.Note
	for _, m := range rows {
		id := rowID(m.NaturalKey)
		if _, known := b.rows[id]; known || m.NaturalKey == "" || b.open+len(fresh) >= maxOpenRows {
			continue
		}
		trace := traces[m.NaturalKey]
		n, err := b.note(id, badRow{Record: m.AppendJSON(nil), Trace: trace})
		if err != nil {
			return err
		}
		p := placeOf(m)
		p.trace = trace
		fresh[id], keys[id] = p, m.NaturalKey
		notes = append(notes, n)
	}
	if len(notes) == 0 {
		return nil
	}
	if _, err := b.store.Append(ctx, outbox.Write{Lane: movement.Bulk, Notes: notes}); err != nil {
		return err
	}
	for id, r := range fresh {
		b.rows[id] = r
		b.remember(keys[id], r.trace)
	}
	b.open = b.open + len(fresh)
	return nil
}

func placeOf(m *movement.Movement) placed {
	return placed{read: m.RecordedAt, file: m.Source.File, line: m.Source.Line}
}

// get gives an open row; ok is false where there is none.
func (b *badBook) get(id string) (m movement.Movement, ok bool, err error) {
	b.mu.Lock()
	p, ok := b.rows[id]
	b.mu.Unlock()
	if !ok || !p.settled.IsZero() {
		return m, false, nil
	}
	for n, err := range b.store.Notes(badSpace, b.adapter+"/"+id) {
		if err != nil {
			return m, false, err
		}
		var r badRow
		if err := json.Unmarshal(n.Value, &r); err != nil || !r.Settled.IsZero() {
			return m, false, err
		}
		m, err = movement.Decode(r.Record)
		return m, err == nil, err
	}
	return m, false, nil
}

// settled is what takes a row off the list, to be recorded together with what was
// decided; [badBook.off] follows when it was.
func (b *badBook) settled(bad *movement.Movement, dismissed bool) (r badRow, n outbox.Note, err error) {
	r = b.taken(bad, dismissed)
	n, err = b.note(rowID(bad.NaturalKey), r)
	return r, n, err
}

// taken is a row that is off the list.
func (b *badBook) taken(bad *movement.Movement, dismissed bool) badRow {
	r := badRow{Settled: b.now(), Dismissed: dismissed, Trace: b.traceOf(rowID(bad.NaturalKey)), Key: bad.NaturalKey}
	if r.Trace == "" {
		r.Key = ""
	}
	return r
}

func (b *badBook) traceOf(id string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.rows[id].trace
}

func (b *badBook) off(bad *movement.Movement, r badRow) {
	id := rowID(bad.NaturalKey)
	b.mu.Lock()
	defer b.mu.Unlock()
	if p, ok := b.rows[id]; ok && p.settled.IsZero() {
		b.open--
	}
	b.rows[id] = placed{settled: r.Settled, trace: r.Trace, hub: r.Hub}
	b.decide(&r)
}

// back puts a row on the list again as it was.
func (b *badBook) back(ctx context.Context, m *movement.Movement) error {
	id := rowID(m.NaturalKey)
	n, err := b.note(id, badRow{Record: m.AppendJSON(nil), Trace: b.traceOf(id)})
	if err != nil {
		return err
	}
	_, err = b.store.Append(ctx, outbox.Write{Notes: []outbox.Note{n}})
	return err
}

// waiting counts the open rows.
func (b *badBook) waiting() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.open
}

// openRow is an open row on the list.
type openRow struct {
	placed
	id string
	a  *adapter
}

// list gives the open rows, in no order; those of one file where it is named.
func (b *badBook) list(a *adapter, file string) []openRow {
	b.mu.Lock()
	defer b.mu.Unlock()
	list := make([]openRow, 0, b.open)
	for id, p := range b.rows {
		if p.settled.IsZero() && (file == "" || p.file == file) {
			list = append(list, openRow{p, id, a})
		}
	}
	return list
}
