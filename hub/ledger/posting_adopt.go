package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"branchline/internal/fault"
)

// Adopted is a document found in Odoo that the ledger does not know as done.
type Adopted struct {
	// New names the posting; its Movements are not used.
	New  NewPosting
	Odoo OdooRef
	// Runs are the movements that the document's marker names, with the chain's
	// hashes if it names them. The ledger need not have them yet.
	Runs []Run
	At   time.Time
}

// Adopt marks the movements in a document of Odoo as posted, those that the
// ledger is yet to receive included. Postings that hold some of them and are
// not done are withdrawn. Movements that another document holds too, which is
// done, go into the audit trail. The document has then to be held against its
// movements, when they are there: [Ledger.ToCompare]. It may be repeated. Of a run
// after which the document names another chain than the ledger has, nothing is
// posted: see other_history.go; of what is yet to come, that shows when it comes. A
// document that names what cannot be is a fault of class Data, [CodeNotAdoptable].
func (l *Ledger) Adopt(ctx context.Context, a Adopted) (id int64, err error) {
	err = l.Write(ctx, func(tx *Tx) (err error) {
		id, err = tx.adopt(a)
		return err
	})
	return id, err
}

func (t *Tx) adopt(a Adopted) (int64, error) {
	var runs []idRun
	var count int64
	streams := map[int64]known{}
	for _, r := range a.Runs {
		if r.First < 1 || r.Last < r.First || r.Last > MaxSeq {
			return 0, fault.New(fault.Data, CodeNotAdoptable, "document %s names the movements %d to %d of %s",
				a.Odoo.Name, r.First, r.Last, r.Stream)
		}
		k, err := t.ensureStream(r.Stream)
		if err != nil {
			return 0, err
		}
		streams[k.id] = k
		runs = append(runs, idRun{MakeID(k.id, r.First), MakeID(k.id, r.Last)})
		count += int64(r.Last - r.First + 1)
	}
	if len(runs) == 0 {
		return 0, fault.New(fault.Data, CodeNotAdoptable, "document %s names no movements", a.Odoo.Name)
	}
	id, err := t.adoptPosting(a, runs, count)
	if err != nil {
		return 0, err
	}
	if _, err := t.Exec(`INSERT INTO to_compare (posting_id, adopted_at) VALUES ($1, $2) ON CONFLICT (posting_id) DO NOTHING`,
		id, a.At.UnixMilli()); err != nil {
		return 0, err
	}
	for i, r := range runs {
		if _, err := t.Exec(`UPDATE posting_sets SET chain = $1, verdict = $2 WHERE posting_id = $3 AND stream_id = $4 AND first_seq = $5`,
			a.Runs[i].Hash, chainUnknown, id, r.first.Stream(), int64(r.first.Seq())); err != nil {
			return 0, err
		}
	}
	for _, k := range streams {
		if err := t.compareClaims(k, 1, MaxSeq, a.At); err != nil {
			return 0, err
		}
	}
	if runs, err = t.meant(id, runs); err != nil {
		return 0, err
	}
	if err := t.withdrawOthers(id, runs, a.At); err != nil {
		return 0, err
	}
	if err := t.tellDouble(id, runs, a); err != nil {
		return 0, err
	}
	for _, r := range runs {
		if err := t.coverByPosting(id, r); err != nil {
			return 0, err
		}
	}
	t.Tell(PostingsChanged)
	return id, t.Audit(Entry{At: a.At, Who: "hub", Action: "posting adopted", Subject: a.New.Name,
		Detail: fmt.Sprintf("found in Odoo as %s %d with %d movements", a.Odoo.Model, a.Odoo.ID, count)})
}

// meant gives those of a posting's runs that are not known to mean other movements
// than the ledger has.
func (t *Tx) meant(id int64, runs []idRun) ([]idRun, error) {
	other := map[MovementID]bool{}
	err := t.Rows(`SELECT stream_id, first_seq FROM posting_sets WHERE posting_id = $1 AND verdict = $2`, []any{id, chainOther}, func(r Row) error {
		var stream, first int64
		err := r.Scan(&stream, &first)
		other[MakeID(stream, uint64(first))] = true
		return err
	})
	return slices.DeleteFunc(slices.Clone(runs), func(r idRun) bool { return other[r.first] }), err
}

func (t *Tx) adoptPosting(a Adopted, runs []idRun, count int64) (id int64, err error) {
	err = t.Row(`SELECT id FROM postings WHERE name = $1`, a.New.Name).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return t.insertPosting(a.New, PostingDone, 0, a.Odoo, count, runs, a.At)
	}
	if err != nil {
		return 0, err
	}
	_, err = t.Exec(`UPDATE postings SET state = 'posted', changed_at = $1, odoo_model = $2, odoo_id = $3, odoo_name = $4
		WHERE id = $5 AND state <> 'posted'`, a.At.UnixMilli(), a.Odoo.Model, a.Odoo.ID, storable(a.Odoo.Name), id)
	return id, err
}

// withdrawOthers takes back the postings that are not done and hold some of
// what was found in Odoo.
func (t *Tx) withdrawOthers(id int64, runs []idRun, at time.Time) error {
	others, err := t.overlapping(id, runs, `p.state IN ('planned', 'posting')`)
	if err != nil {
		return err
	}
	for _, other := range others {
		if _, err := t.changePosting(other, PostingChange{At: at, State: PostingWithdrawn, Step: "adopted"}); err != nil {
			return err
		}
	}
	return nil
}

// overlapping gives the postings that hold some of the runs, besides one, and
// are as state says.
func (t *Tx) overlapping(id int64, runs []idRun, state string) (others []int64, err error) {
	for _, r := range runs {
		if err := t.Rows(`SELECT DISTINCT p.id FROM posting_sets s JOIN postings p ON p.id = s.posting_id
			WHERE s.stream_id = $1 AND s.last_seq >= $2 AND s.first_seq <= $3 AND p.id <> $4 AND `+state,
			[]any{r.first.Stream(), int64(r.first.Seq()), int64(r.last.Seq()), id}, func(row Row) error {
				var other int64
				err := row.Scan(&other)
				if !slices.Contains(others, other) {
					others = append(others, other)
				}
				return err
			}); err != nil {
			return nil, err
		}
	}
	return others, nil
}

// tellDouble writes down that movements are in two documents which are done:
// the stock was moved twice, and only a person can put that right in Odoo.
func (t *Tx) tellDouble(id int64, runs []idRun, a Adopted) error {
	others, err := t.overlapping(id, runs, `p.state = 'posted'`)
	if err != nil {
		return err
	}
	for _, other := range others {
		doc, err := t.Document(other)
		if err != nil {
			return err
		}
		if err := t.Audit(Entry{At: a.At, Who: "hub", Action: actionDouble, Subject: a.New.Name,
			Detail: fmt.Sprintf("%s %s (%d) holds movements that %s (%d) holds too, and both are done", a.Odoo.Model, a.Odoo.Name, a.Odoo.ID,
				doc.Odoo.Name, doc.Odoo.ID)}); err != nil {
			return err
		}
	}
	return nil
}

// coverByPosting marks a run as posted. What was no simple pending movement is
// looked at again by the projector, since another one may take its place; so is
// the later copy of one that is in a document.
func (t *Tx) coverByPosting(id int64, r idRun) error {
	first, last := int64(r.first), int64(r.last)
	if _, err := t.Exec(`INSERT INTO reconsider (id) SELECT id FROM movements
		WHERE id BETWEEN $1 AND $2 AND (state IN (4, 5, 6) OR id IN (SELECT id FROM exceptions WHERE id BETWEEN $1 AND $2))
		ON CONFLICT (id) DO NOTHING`, first, last); err != nil {
		return err
	}
	if _, err := t.Exec(`UPDATE movements SET state = $1, posting_id = $2 WHERE id BETWEEN $3 AND $4`,
		int64(Posted), id, first, last); err != nil {
		return err
	}
	if _, err := t.Exec(`DELETE FROM exceptions WHERE id BETWEEN $1 AND $2 AND last_seq = 0`, first, last); err != nil {
		return err
	}
	t.Tell(Ruled)
	t.Stir(r.first)
	return t.ReconsiderRepeats(r.first, r.last)
}
