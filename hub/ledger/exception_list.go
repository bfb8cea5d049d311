package ledger

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"branchline/internal/movement"
)

// Where exceptions are asked for. Their movements lie all over the ledger, each on a
// page of its own, so they are read only where they are asked about.
const (
	exceptionsAlone = ` FROM exceptions e JOIN branches b ON b.id = e.branch_id `
	withMovements   = `LEFT JOIN movements m ON m.id = e.id LEFT JOIN products p ON p.id = m.product_id `
)

// exceptionQuery is a filter in SQL, on the tables of exceptionsAlone and, where
// movements is set, withMovements.
type exceptionQuery struct {
	conditions []string
	args       []any
	movements  bool
}

func (q *exceptionQuery) arg(v any) string {
	q.args = append(q.args, v)
	return fmt.Sprintf("$%d", len(q.args))
}

// and adds a condition with a %s for each value.
func (q *exceptionQuery) and(condition string, values ...any) {
	marks := make([]any, len(values))
	for i, v := range values {
		marks[i] = q.arg(v)
	}
	q.conditions = append(q.conditions, fmt.Sprintf(condition, marks...))
}

// from is what follows the columns.
func (q *exceptionQuery) from() string {
	from := exceptionsAlone
	if q.movements {
		from += withMovements
	}
	if len(q.conditions) > 0 {
		from += "WHERE " + strings.Join(q.conditions, " AND ")
	}
	return from
}

// oldest is a query for the ids of the oldest that are chosen, at most limit.
func (q *exceptionQuery) oldest(limit int) string {
	return `SELECT e.id` + q.from() + ` ORDER BY e.since, e.id LIMIT ` + q.arg(limit)
}

func (q *exceptionQuery) groups() string {
	return `SELECT e.reason, COUNT(*), COUNT(DISTINCT e.branch_id), MIN(e.since)` + q.from() + ` GROUP BY e.reason ORDER BY 2 DESC, 1`
}

func (q *exceptionQuery) marks(limit int) string {
	return `SELECT e.id, e.reason, e.since, e.last_seq` + q.from() + ` ORDER BY e.since, e.id LIMIT ` + q.arg(limit)
}

func (q *exceptionQuery) list(limit int) string {
	return `SELECT e.id, e.last_seq, e.stage, e.reason, e.field, e.text, e.hint, e.since, e.posting_id,
			COALESCE(p.scheme, ''), COALESCE(p.code, ''), COALESCE(m.lot, ''), COALESCE(m.serial, ''),
			COALESCE(m.quantity, 0), COALESCE(m.kind, 0), COALESCE(m.document_type, ''), COALESCE(m.document_ref, '')` +
		exceptionsAlone + withMovements + `WHERE e.id IN (` + q.oldest(limit) + `) ORDER BY e.since, e.id`
}

func (f *ExceptionFilter) query() *exceptionQuery {
	q := new(exceptionQuery)
	if f.Branch != "" {
		q.and("b.code = %s", f.Branch)
	}
	if f.Reason != "" {
		q.and("e.reason = %s", f.Reason)
	}
	q.movements = len(f.Codes) > 0 || f.Text != ""
	if len(f.Codes) > 0 {
		var marks []string
		for _, code := range f.Codes[:min(len(f.Codes), maxCodes)] {
			marks = append(marks, q.arg(code))
		}
		q.and("p.code IN (" + strings.Join(marks, ", ") + ")")
	}
	if f.Text != "" {
		q.and(`LOWER(e.text || ' ' || COALESCE(p.code, '') || ' ' || COALESCE(m.lot, '') || ' ' || COALESCE(m.serial, '') || ' ' || COALESCE(m.document_ref, ''))
			LIKE %s ESCAPE '\'`, "%"+likeText.Replace(strings.ToLower(f.Text))+"%")
	}
	return q
}

// ReasonGroup is one reason and what waits for it.
type ReasonGroup struct {
	Reason string
	// Count is how many movements, or runs of lost ones, Branches at how many
	// branches.
	Count, Branches int64
	Oldest          time.Time
}

// ExceptionGroups counts what a filter chooses by reason, the most frequent
// first. It takes time with the number of open exceptions.
func (l *Ledger) ExceptionGroups(ctx context.Context, f ExceptionFilter) ([]ReasonGroup, error) {
	q := f.query()
	var all []ReasonGroup
	err := l.reader(ctx).Rows(q.groups(), q.args, func(row Row) error {
		var g ReasonGroup
		var oldest int64
		err := row.Scan(&g.Reason, &g.Count, &g.Branches, &oldest)
		g.Oldest = timeOf(oldest)
		all = append(all, g)
		return err
	})
	return all, classify(err)
}

// CodeGroup is one product code and what waits because of it.
type CodeGroup struct {
	Product         movement.Product
	Count, Branches int64
}

// ExceptionCodes counts what waits for its code to be mapped, the most frequent
// first, at most limit codes.
func (l *Ledger) ExceptionCodes(ctx context.Context, f ExceptionFilter, limit int) ([]CodeGroup, error) {
	q := f.query()
	q.and("e.reason = %s", ReasonUnknownProduct)
	q.and("p.code IS NOT NULL")
	q.movements = true
	var all []CodeGroup
	err := l.reader(ctx).Rows(`SELECT p.scheme, p.code, COUNT(*), COUNT(DISTINCT e.branch_id)`+q.from()+
		` GROUP BY p.scheme, p.code ORDER BY 3 DESC, 2 LIMIT `+q.arg(limit), q.args, func(row Row) error {
		var g CodeGroup
		err := row.Scan(&g.Product.Scheme, &g.Product.Code, &g.Count, &g.Branches)
		all = append(all, g)
		return err
	})
	return all, classify(err)
}

// ExceptionMark is an exception as a person saw it: a movement, and why it waits.
type ExceptionMark struct {
	Movement MovementID
	Reason   string
	// Since and Last tell it from a later one of the same movement: when it began to
	// wait, and the last of a run of lost ones.
	Since, Last int64
}

// ExceptionMarks names what a filter chooses, the oldest first, at most limit.
func (l *Ledger) ExceptionMarks(ctx context.Context, f ExceptionFilter, limit int) ([]ExceptionMark, error) {
	q := f.query()
	var all []ExceptionMark
	query := q.marks(limit)
	err := l.reader(ctx).Rows(query, q.args, func(row Row) error {
		var id int64
		var m ExceptionMark
		err := row.Scan(&id, &m.Reason, &m.Since, &m.Last)
		m.Movement = MovementID(id)
		all = append(all, m)
		return err
	})
	return all, classify(err)
}

// Exception gives what waits of one movement, with what was read; nil for
// nothing.
func (l *Ledger) Exception(ctx context.Context, id MovementID) (*Exception, error) {
	all, err := l.exceptions(ctx, &exceptionQuery{conditions: []string{"e.id = $1"}, args: []any{int64(id)}}, 1)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	return &all[0], nil
}

// waitsFor tells whether a movement waits for a person for a reason.
func (t *Tx) waitsFor(id MovementID, reason string) (bool, error) {
	var is string
	err := t.Row(`SELECT reason FROM exceptions WHERE id = $1`, int64(id)).Scan(&is)
	if errors.Is(err, errNoRows) {
		return false, nil
	}
	return err == nil && is == reason, err
}
