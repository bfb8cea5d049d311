package dispense

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"branchline/agent/outbox"
	"branchline/internal/fault"
	"branchline/internal/movement"
)

// HubWord is what people at the hub have decided about a row that waited at the
// branch as well.
type HubWord struct {
	// As is what they have done with it, in a word: "discarded", "corrected",
	// "released".
	As string `json:"as"`
	// Who, Why and At are theirs.
	Who string    `json:"who"`
	Why string    `json:"why"`
	At  time.Time `json:"at"`
}

// hubRow is a row that people at the hub have settled, as the outbox keeps it.
type hubRow struct {
	HubWord
	File string `json:"file"`
	Line int64  `json:"line"`
	// Was is why it was set aside.
	Was string `json:"was"`
}

// SettledRow is a row that people at the hub have settled.
type SettledRow struct {
	Adapter, File, Local string
	Line                 int64
	// Was is why it was set aside.
	Was string
	HubWord
}

// SettledAtHub takes rows off the list that people at the hub have settled, by the
// natural keys of their records, and tells how many. What the branch has settled
// itself stays as it is, and a key that is of no row is passed over. Rows that were
// taken off before an error stay off.
//
// Nothing is recorded by it: the hub has decided what becomes of the row. Who settles
// a row at the branch before its word arrives is told by the hub's ledger from who
// came second, so that nothing is posted twice.
func (d *Dispense) SettledAtHub(ctx context.Context, words map[string]HubWord) (taken int, err error) {
	for _, a := range d.adapters {
		var ids []string
		by := map[string]HubWord{}
		for key, w := range words {
			if id := rowID(key); a.bad.isOpen(id) {
				ids, by[id] = append(ids, id), w
			}
		}
		slices.Sort(ids)
		for part := range slices.Chunk(ids, maxTogether) {
			n, err := a.settledAtHub(ctx, part, by)
			if taken += n; err != nil {
				return taken, err
			}
		}
	}
	return taken, nil
}

func (a *adapter) settledAtHub(ctx context.Context, ids []string, by map[string]HubWord) (int, error) {
	a.bad.settling.Lock()
	defer a.bad.settling.Unlock()
	var rows []*movement.Movement
	var settled []badRow
	var notes []outbox.Note
	for _, id := range ids {
		bad, ok, err := a.bad.get(id)
		if err != nil {
			return 0, err
		}
		if !ok {
			continue
		}
		r := a.bad.taken(&bad, false)
		r.Hub = &hubRow{HubWord: by[id], File: bad.Source.File, Line: bad.Source.Line, Was: bad.Problem.Text}
		n, err := a.bad.note(id, r)
		if err != nil {
			return 0, err
		}
		rows, settled, notes = append(rows, &bad), append(settled, r), append(notes, n)
	}
	if len(notes) == 0 {
		return 0, nil
	}
	if _, err := a.Store.Append(ctx, outbox.Write{Lane: movement.Bulk, Notes: notes}); err != nil {
		return 0, err
	}
	for i, bad := range rows {
		a.bad.off(bad, settled[i])
	}
	return len(rows), nil
}

// HubRows lists rows that people at the hub have settled since a moment, the latest
// first: at most n.
func (d *Dispense) HubRows(since time.Time, n int) (rows []SettledRow) {
	for _, a := range d.adapters {
		for _, r := range a.bad.atHub(since) {
			rows = append(rows, SettledRow{Adapter: a.e.Name, File: r.File, Local: a.names.local(r.File), Line: r.Line, Was: r.Was, HubWord: r.HubWord})
		}
	}
	slices.SortFunc(rows, func(x, y SettledRow) int {
		return cmp.Or(y.At.Compare(x.At), cmp.Compare(x.File, y.File), cmp.Compare(x.Line, y.Line))
	})
	return rows[:min(n, len(rows))]
}

// noRow says why a row is not on the list.
func noRow(r *hubRow) error {
	if r == nil {
		return fault.New(fault.Data, "no_row", "the row is not on the list: it was corrected or dismissed")
	}
	return fault.New(fault.Data, "no_row", "%s has %s line %d of %s at the hub on %s, because: %s; nothing was recorded now",
		r.Who, r.As, r.Line, r.File, r.At.Local().Format("2 January 2006 15:04"), r.Why).
		WithHint(fmt.Sprintf("if it should not be %s, tell the people at the hub", r.As))
}

// isOpen tells whether a row waits for a person at the branch.
func (b *badBook) isOpen(id string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	p, ok := b.rows[id]
	return ok && p.settled.IsZero()
}

// hubWord is what was settled of a row at the hub; nil for nothing.
func (b *badBook) hubWord(id string) *hubRow {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.rows[id].hub
}

func (b *badBook) atHub(since time.Time) (rows []hubRow) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, p := range b.rows {
		if p.hub != nil && !p.hub.At.Before(since) {
			rows = append(rows, *p.hub)
		}
	}
	return rows
}
