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
	// maxOpenRows bounds how many rows of one adapter the branch is shown; those
	// beyond are for the hub's people only.
	maxOpenRows = 1000
	// rememberSettled is how long a settled row is remembered, so that reading its
	// file again does not show it again.
	rememberSettled = 90 * 24 * time.Hour
)

// badRow is one row that went to a person, as the outbox keeps it.
type badRow struct {
	// Record is the movement with the problem, as it was recorded. It is left out
	// of what is settled.
	Record json.RawMessage `json:"record,omitempty"`
	// Settled is when a person at the branch has dealt with it.
	Settled time.Time `json:"settled,omitzero"`
}

// badBook is the rows of one adapter that wait for a person at the branch.
type badBook struct {
	adapter string
	store   Store
	now     func() time.Time
	// settling lets one person settle a row at a time.
	settling sync.Mutex

	mu   sync.Mutex
	rows map[string]badRow // by ID
	open int
}

// rowID names a row in the page's addresses.
func rowID(naturalKey string) string {
	sum := sha256.Sum256([]byte(naturalKey))
	return hex.EncodeToString(sum[:12])
}

func loadBadRows(store Store, adapter string, now func() time.Time) (*badBook, error) {
	b := &badBook{adapter: adapter, store: store, now: now, rows: map[string]badRow{}}
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
		b.rows[strings.TrimPrefix(n.Key, adapter+"/")] = r
		if r.Settled.IsZero() {
			b.open++
		}
	}
	for part := range slices.Chunk(old, maxOpenRows) {
		if _, err := store.Append(context.Background(), outbox.Write{Lane: movement.Bulk, Notes: part}); err != nil {
			return nil, err
		}
	}
	return b, nil
}

func (b *badBook) note(id string, r badRow) (outbox.Note, error) {
	value, err := json.Marshal(r)
	return outbox.Note{Space: badSpace, Key: b.adapter + "/" + id, Value: value}, err
}

// add shows recorded rows with a problem to the branch, but those that were shown
// before. The rows are recorded already: the adapter's checkpoint moves on only
// after this, so that a kill in between has them read, and added, again.
func (b *badBook) add(ctx context.Context, rows []*movement.Movement) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	fresh := map[string]badRow{}
	var notes []outbox.Note
	for _, m := range rows {
		id := rowID(m.NaturalKey)
		if _, known := b.rows[id]; known || m.NaturalKey == "" || b.open+len(fresh) >= maxOpenRows {
			continue
		}
		r := badRow{Record: m.AppendJSON(nil)}
		n, err := b.note(id, r)
		if err != nil {
			return err
		}
		fresh[id] = r
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
	}
	b.open = b.open + len(fresh)
	return nil
}

// get gives an open row.
func (b *badBook) get(id string) (movement.Movement, bool) {
	b.mu.Lock()
	r, ok := b.rows[id]
	b.mu.Unlock()
	if !ok || !r.Settled.IsZero() {
		return movement.Movement{}, false
	}
	m, err := movement.Decode(r.Record)
	return m, err == nil
}

// settled is what takes a row off the list, to be recorded together with what was
// decided; [badBook.off] follows when it was.
func (b *badBook) settled(id string) (outbox.Note, badRow, error) {
	r := badRow{Settled: b.now()}
	n, err := b.note(id, r)
	return n, r, err
}

func (b *badBook) off(id string, r badRow) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.rows[id].Settled.IsZero() {
		b.open--
	}
	b.rows[id] = r
}

// back puts a row on the list again as it was.
func (b *badBook) back(ctx context.Context, id string) error {
	b.mu.Lock()
	r := b.rows[id]
	b.mu.Unlock()
	n, err := b.note(id, r)
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

// list gives the open rows, in no order.
func (b *badBook) list() []movement.Movement {
	b.mu.Lock()
	defer b.mu.Unlock()
	list := make([]movement.Movement, 0, b.open)
	for _, r := range b.rows {
		if !r.Settled.IsZero() {
			continue
		}
		if m, err := movement.Decode(r.Record); err == nil {
			list = append(list, m)
		}
	}
	return list
}
