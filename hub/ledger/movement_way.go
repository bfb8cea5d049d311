package ledger

import (
	"context"
	"errors"
	"fmt"

	"branchline/internal/movement"
)

// Way is how far a movement of a list has come, in short; [Ledger.Trace] tells
// all of it.
type Way struct {
	Movement
	// Source says where it was read; empty for a record that is no movement,
	// or that no longer opens.
	Source movement.Source
	// ExceptionReason and ExceptionText are empty when it waits for nobody.
	ExceptionReason, ExceptionText string
	// Settles is the natural key of the capture that a person at the branch has put
	// right by it, and Said what they said, of either of the two.
	Settles, Said string
	// Posting names the document that it is in, and Odoo where that is.
	Posting string
	Odoo    OdooRef
}

// Ways tells how far each movement of a list is, in the list's order. Neighbours
// share what is read: a batch is opened once, and one at a time, so that a long
// list in the order of [Ledger.Movements] costs little more than its rows.
func (l *Ledger) Ways(ctx context.Context, list []Movement) ([]Way, error) {
	r := l.reader(ctx)
	o := &opener{l: l, r: r}
	all := make([]Way, len(list))
	for i := range list {
		w := &all[i]
		w.Movement = list[i]
		record, err := o.record(w.ID)
		if errors.Is(err, errUnreadable) {
			continue
		}
		if err != nil {
			return nil, classify(err)
		}
		if m, err := movement.Decode(record); err == nil {
			w.Source = m.Source
			if err := w.settled(r, &m); err != nil {
				return nil, classify(fmt.Errorf("what the branch said: %w", err))
			}
		}
	}
	if err := wayExceptions(r, all); err != nil {
		return nil, classify(fmt.Errorf("exceptions: %w", err))
	}
	return all, classify(wayPostings(r, all))
}

// wayExceptions asks once for each run of one stream in ascending order.
func wayExceptions(r reader, all []Way) error {
	for len(all) > 0 {
		n := 1
		for n < len(all) && all[n].ID > all[n-1].ID && all[n].ID.Stream() == all[0].ID.Stream() {
			n++
		}
		run := all[:n]
		all = all[n:]
		i := 0
		if err := r.Rows(`SELECT id, reason, text FROM exceptions WHERE id BETWEEN $1 AND $2 AND last_seq = 0 ORDER BY id`,
			[]any{int64(run[0].ID), int64(run[n-1].ID)}, func(row Row) error {
				var id int64
				var reason, text string
				err := row.Scan(&id, &reason, &text)
				for i < n && int64(run[i].ID) < id {
					i++
				}
				if i < n && int64(run[i].ID) == id {
					run[i].ExceptionReason, run[i].ExceptionText = reason, text
				}
				return err
			}); err != nil {
			return err
		}
	}
	return nil
}

func wayPostings(r reader, all []Way) error {
	known := map[int64]Posting{}
	for i := range all {
		w := &all[i]
		if w.PostingID == 0 {
			continue
		}
		p, ok := known[w.PostingID]
		if !ok {
			err := r.Row(`SELECT name, odoo_model, odoo_id, odoo_name FROM postings WHERE id = $1`, w.PostingID).
				Scan(&p.Name, &p.Odoo.Model, &p.Odoo.ID, &p.Odoo.Name)
			if err != nil && !errors.Is(err, errNoRows) {
				return fmt.Errorf("posting %d: %w", w.PostingID, err)
			}
			known[w.PostingID] = p
		}
		w.Posting, w.Odoo = p.Name, p.Odoo
	}
	return nil
}
