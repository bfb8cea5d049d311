package projection

import (
	"fmt"
	"time"

	"branchline/hub/ledger"
)

// This file is about movements that may be in Odoo already, though nothing says
// that they are: what would say so was lost. They are posted only when a person
// has said so.
//
// What tells an event that is read again is its natural key, and the keys are in
// the batches. Of a batch that no longer opens they are gone as soon as the tables
// are made anew, and of a day that hub and branch have both lost they are nowhere.
// So an event with a key that nothing here knows, and that can have been among
// those, is in doubt. It happened before they came: later ones go on, and no
// branch stands still until somebody has looked. That holds for whatever there was
// in the batch, posted, adopted, dismissed or discarded, by whatever version of the
// hub, and needs nothing to be written while all is well.

// doubtMargin is for a branch's clock that is ahead of the hub's: an event is
// believed to have happened that much before it came, or later. The import refuses
// rows that happened more than two hours after their file.
const doubtMargin = 3 * time.Hour

// doubt finds out why a movement may be in Odoo already.
func (w *writing) doubt(b *ledger.Batch, seq uint64, r *reading, c *circumstances) error {
	if r.bad != nil || c.holding != nil {
		return nil
	}
	if c.other != nil {
		doc, err := w.tx.Document(c.other.PostingID)
		if err != nil {
			return err
		}
		c.doubt = &objection{reason: ReasonOtherHistory,
			text: fmt.Sprintf("the hub and the branch's PC were both put back, and in Odoo %s was made before of the numbers %d to %d, of which this movement has one: "+
				"it may be in it, or be a new one", doc.Odoo.Name, c.other.First.Seq(), c.other.Last.Seq()),
			hint: "look whether the document holds it: if so, branchline-hub discard takes it out; if not, branchline-hub release posts it"}
	}
	if c.doubt != nil || c.repeat || r.m.NaturalKey == "" {
		return nil
	}
	all, err := w.doubtsOf(b.BranchID)
	if err != nil {
		return err
	}
	for _, d := range all {
		among := b.ID > d.AfterBatch || b.StreamID == d.Stream && seq >= d.First
		inTime := r.m.OccurredAt.Before(d.Until.Add(doubtMargin)) || r.m.OccurredAt.After(b.ReceivedAt.Add(doubtMargin))
		if !among || !inTime {
			continue
		}
		c.doubt = &objection{reason: ReasonMayBePosted, field: "natural_key",
			text: fmt.Sprintf("the hub has lost events of the branch from before %s, some of which are in Odoo; this one happened before, and may be among them",
				d.Until.UTC().Format("2006-01-02 15:04 UTC")),
			hint: "look in Odoo whether it is there: if so, branchline-hub discard takes it out; if not, branchline-hub release posts it"}
		return nil
	}
	return nil
}

// doubtsOf gives the doubts about a branch, asked once in a transaction.
func (w *writing) doubtsOf(branch int64) ([]ledger.Doubt, error) {
	if all, ok := w.doubts[branch]; ok {
		return all, nil
	}
	all, err := w.tx.DoubtsOf(branch)
	if err != nil {
		return nil, err
	}
	if err := w.tx.Rows(`SELECT batch_id, received_at FROM damaged WHERE branch_id = $1 ORDER BY batch_id`, []any{branch}, func(row ledger.Row) error {
		var d ledger.Doubt
		var at int64
		err := row.Scan(&d.AfterBatch, &at)
		d.Until = time.UnixMilli(at).UTC()
		all = append(all, d)
		return err
	}); err != nil {
		return nil, err
	}
	w.doubts[branch] = all
	return all, nil
}

// damaged takes down a batch that no longer opens.
func (w *writing) damaged(b *batch) error {
	delete(w.doubts, b.BranchID)
	_, err := w.tx.Exec(`INSERT INTO damaged (batch_id, branch_id, received_at) VALUES ($1, $2, $3) ON CONFLICT (batch_id) DO NOTHING`,
		b.ID, b.BranchID, b.ReceivedAt.UnixMilli())
	return err
}
