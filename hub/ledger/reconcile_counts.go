package ledger

import (
	"context"
	"errors"
	"time"

	"branchline/internal/movement"
)

// This file is what a comparison of a branch with Odoo asks of the ledger. It reads
// the branch's own movements only, and runs beside what people wait for, never
// while they do.

// DayCount is how many movements of a day are in a state and, those that are posted,
// in a document.
type DayCount struct {
	// Day is zero for those whose time cannot be read.
	Day       movement.Date
	State     State
	PostingID int64
	Count     int64
}

// DayCounts counts a branch's movements since the beginning of a day, by the day on
// which they happened at the branch, as their own offset tells it.
func (l *Ledger) DayCounts(ctx context.Context, branch string, from movement.Date) (all []DayCount, err error) {
	r := l.reader(ctx)
	id, ok, err := branchID(r, branch)
	if err != nil || !ok {
		return nil, classify(err)
	}
	first := dayNumber(from)
	err = r.Rows(dayCounts, []any{id, (first - 1) * dayMillis, first}, func(row Row) error {
		var c DayCount
		var day int64
		err := row.Scan(&day, &c.State, &c.PostingID, &c.Count)
		if day > 0 {
			c.Day = movement.DateOf(time.UnixMilli(day * dayMillis).UTC())
		}
		all = append(all, c)
		return err
	})
	return all, classify(err)
}

const dayMillis = 24 * 60 * 60 * 1000

// dayCounts counts posted movements by their document and the others together. The
// days of the earth begin within one of UTC's.
const dayCounts = `SELECT day, state, posting, COUNT(*) FROM (
		SELECT (occurred_at + occurred_offset * 60000) / 86400000 AS day, state, CASE WHEN state = 3 THEN posting_id ELSE 0 END AS posting
		FROM movements WHERE branch_id = $1 AND occurred_at >= $2
		UNION ALL
		SELECT 0, state, CASE WHEN state = 3 THEN posting_id ELSE 0 END FROM movements WHERE branch_id = $1 AND occurred_at = 0) AS counted
	WHERE day = 0 OR day >= $3 GROUP BY day, state, posting ORDER BY day, state, posting`

func dayNumber(d movement.Date) int64 { return d.At(0, time.UTC).UnixMilli() / dayMillis }

// BranchGap is a run of records that a branch lost, or that the hub can no longer
// read.
type BranchGap struct {
	Stream      Stream
	First, Last uint64
	// Day is that of the last movement before it, or of when the hub noticed, where
	// there is none.
	Day movement.Date
	// Damaged tells that the hub has it and cannot read it.
	Damaged bool
	// Open tells that no person has dealt with it.
	Open bool
}

// BranchGaps lists what is missing of a branch's records, since ever.
func (l *Ledger) BranchGaps(ctx context.Context, branch string) (all []BranchGap, err error) {
	r := l.reader(ctx)
	var places []MovementID
	noted := []time.Time{}
	for _, part := range []struct {
		damaged bool
		query   string
	}{
		{false, `SELECT g.stream_id, g.first_seq, g.last_seq, g.noted_at FROM gaps g JOIN streams s ON s.id = g.stream_id
			JOIN branches b ON b.id = s.branch_id WHERE b.code = $1 ORDER BY g.stream_id, g.first_seq`},
		{true, `SELECT t.stream_id, t.first_seq, t.last_seq, d.received_at FROM damaged d JOIN batches t ON t.id = d.batch_id
			JOIN branches b ON b.id = d.branch_id WHERE b.code = $1 ORDER BY t.stream_id, t.first_seq`},
	} {
		if err == nil {
			err = r.Rows(part.query, []any{branch}, func(row Row) error {
				var stream, first, last, at int64
				err := row.Scan(&stream, &first, &last, &at)
				all = append(all, BranchGap{First: uint64(first), Last: uint64(last), Damaged: part.damaged})
				places, noted = append(places, MakeID(stream, uint64(first))), append(noted, timeOf(at))
				return err
			})
		}
	}
	for i := range all {
		if err != nil {
			break
		}
		g, at := &all[i], places[i]
		var k known
		if k, err = l.streamByID(r, at.Stream()); err != nil {
			break
		}
		g.Stream, g.Day = k.Stream, movement.DateOf(noted[i])
		var occurred, offset, open int64
		switch err = r.Row(`SELECT occurred_at, occurred_offset FROM movements WHERE id = $1`, int64(at)-1).Scan(&occurred, &offset); {
		case err == nil && occurred > 0:
			g.Day = movement.DateOf(atOffset(occurred, offset))
		case errors.Is(err, errNoRows):
			err = nil
		}
		if err == nil {
			err = r.Row(`SELECT COUNT(*) FROM exceptions WHERE id = $1`, int64(at)).Scan(&open)
			g.Open = open > 0
		}
	}
	return all, classify(err)
}

// BranchTotals are a branch's records since ever: those that its streams count, those
// that are movements, and whether the projector has yet to come to some.
type BranchTotals struct {
	Through, Projected int64
	Behind             bool
}

// BranchTotals counts a branch's records since ever.
func (l *Ledger) BranchTotals(ctx context.Context, branch string) (t BranchTotals, err error) {
	r := l.reader(ctx)
	var behind int64
	if err = r.Row(branchBehind, branch).Scan(&behind); err == nil {
		t.Behind = behind > 0
		err = r.Row(`SELECT COALESCE(SUM(s.through), 0), COALESCE((SELECT t.movements FROM branch_totals t JOIN branches b ON b.id = t.branch_id WHERE b.code = $1), 0)
			FROM streams s JOIN branches b ON b.id = s.branch_id WHERE b.code = $1`, branch).Scan(&t.Through, &t.Projected)
	}
	return t, classify(err)
}

// branchBehind reads the batches after the projector's cursor, which are few.
const branchBehind = `SELECT COUNT(*) FROM batches t JOIN streams s ON s.id = t.stream_id JOIN branches b ON b.id = s.branch_id
	WHERE t.id > (SELECT batch_id FROM projection WHERE id = 1) AND b.code = $1`

// Unposted gives what the branch's movements that are not in Odoo do to its stock,
// by the items of [Ledger.BranchStock]: only CameIn and WentOut are set.
func (l *Ledger) Unposted(ctx context.Context, branch string) ([]Stock, error) {
	r := l.reader(ctx)
	id, ok, err := branchID(r, branch)
	if err != nil || !ok {
		return nil, classify(err)
	}
	var all []Stock
	for _, where := range unposted {
		if err == nil {
			err = r.Rows(selectUnposted(where), []any{id}, func(row Row) error {
				s := Stock{Branch: branch}
				err := row.Scan(&s.Product.Scheme, &s.Product.Code, &s.Lot, &s.Unit, &s.CameIn, &s.WentOut)
				all = append(all, s)
				return err
			})
		}
	}
	return all, classify(err)
}

func selectUnposted(where string) string {
	return `SELECT p.scheme, p.code, m.lot, m.unit, SUM(` + inSQL + `), SUM(` + outSQL + `) FROM movements m JOIN products p ON p.id = m.product_id
		WHERE ` + where + ` AND m.counts = 1 GROUP BY p.scheme, p.code, m.lot, m.unit`
}

// unposted finds what waits for the planner, for Odoo and for a person.
var unposted = []string{
	`m.branch_id = $1 AND m.state = 1`,
	`m.id IN (SELECT w.id FROM postings o JOIN posting_sets s ON s.posting_id = o.id
		JOIN movements w ON w.id BETWEEN s.stream_id * 1099511627776 + s.first_seq AND s.stream_id * 1099511627776 + s.last_seq
		WHERE o.branch_id = $1 AND o.state IN ('planned', 'posting') AND w.state = 2)`,
	`m.id IN (SELECT e.id FROM exceptions e WHERE e.branch_id = $1) AND m.state = 4`,
}

// PostedSign changes whenever a document of the branch is posted.
func (l *Ledger) PostedSign(ctx context.Context, branch string) (sign [2]int64, err error) {
	err = l.reader(ctx).Row(postedSign, branch).Scan(&sign[0], &sign[1])
	return sign, classify(err)
}

const postedSign = `SELECT COUNT(*), COALESCE(MAX(changed_at), 0) FROM postings
	WHERE branch_id = (SELECT id FROM branches WHERE code = $1) AND state = 'posted'`

// PostingsOfDocuments tells which documents in Odoo are those of the branch's
// postings that are alive.
func (l *Ledger) PostingsOfDocuments(ctx context.Context, branch string, ids []int64) (ours map[int64]bool, err error) {
	ours = map[int64]bool{}
	wanted := map[int64]bool{}
	for _, id := range ids {
		wanted[id] = true
	}
	if len(wanted) == 0 {
		return ours, nil
	}
	err = l.reader(ctx).Rows(`SELECT odoo_id FROM postings WHERE branch_id = (SELECT id FROM branches WHERE code = $1) AND odoo_id > 0 AND state IN `+aliveStates,
		[]any{branch}, func(row Row) error {
			var id int64
			err := row.Scan(&id)
			if wanted[id] {
				ours[id] = true
			}
			return err
		})
	return ours, classify(err)
}
