package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"branchline/internal/movement"
)

// Exception is a movement that waits for a person, or a run of records that a
// branch has lost.
type Exception struct {
	// ID is the movement's, or the place of the first lost record.
	ID       MovementID
	Identity movement.ID
	// LastLost is the seq of the last lost record, 0 for a movement.
	LastLost uint64
	// Stage found it: "projection", "plan" or "post".
	Stage         string
	Reason, Field string
	Text, Hint    string
	Since         time.Time
	PostingID     int64
	Product       movement.Product
	Lot, Serial   string
	Quantity      movement.Quantity
	Kind          movement.Kind
	Document      movement.Document
	// OccurredAt is only told by [Ledger.NewestExceptions]; zero where it could
	// not be read.
	OccurredAt time.Time
	// Source says where it was read; Raw there is what was read. For a record
	// that is no movement Raw is the record. It is empty when the batch no
	// longer opens.
	Source movement.Source
}

// ExceptionFilter chooses exceptions; zero fields choose all.
type ExceptionFilter struct {
	Branch, Reason string
	// Codes are product codes, in any numbering; nil for all.
	Codes []string
	// Text is in the sentence, the product's code, the lot, the serial number or
	// the document, in large or small letters.
	Text string
	// After is the last exception of the page before.
	After *Exception
	// Limit is 100 if it is 0, and at most 1000.
	Limit int
}

// Exceptions lists open exceptions, the oldest first, with what was read.
func (l *Ledger) Exceptions(ctx context.Context, f ExceptionFilter) ([]Exception, error) {
	q := f.query()
	if f.After != nil {
		since := f.After.Since.UnixMilli()
		q.and("(e.since > %s OR e.since = %s AND e.id > %s)", since, since, int64(f.After.ID))
	}
	if f.Limit <= 0 {
		f.Limit = 100
	}
	return l.exceptions(ctx, q, min(f.Limit, 1000))
}

func (l *Ledger) exceptions(ctx context.Context, q *exceptionQuery, limit int) ([]Exception, error) {
	var all []Exception
	r := l.reader(ctx)
	query := q.list(limit)
	err := r.Rows(query, q.args,
		func(row Row) error {
			var e Exception
			var id, since, lost, quantity, kind int64
			if err := row.Scan(&id, &lost, &e.Stage, &e.Reason, &e.Field, &e.Text, &e.Hint, &since, &e.PostingID,
				&e.Product.Scheme, &e.Product.Code, &e.Lot, &e.Serial, &quantity, &kind,
				&e.Document.Type, &e.Document.Ref); err != nil {
				return err
			}
			e.ID, e.LastLost, e.Since = MovementID(id), uint64(lost), time.UnixMilli(since).UTC()
			e.Quantity, e.Kind = movement.Quantity(quantity), kindOf(kind)
			all = append(all, e)
			return nil
		})
	if err != nil {
		return nil, classify(fmt.Errorf("exceptions: %w", err))
	}
	return all, classify(l.fillSources(r, all))
}

// fillSources reads what was captured from the batches; neighbours are often in
// the same one.
func (l *Ledger) fillSources(r reader, all []Exception) (err error) {
	o := &opener{l: l, r: r}
	for i := range all {
		e := &all[i]
		if e.Identity, err = l.identity(r, e.ID); err != nil {
			return err
		}
		if e.LastLost > 0 {
			continue
		}
		record, err := o.record(e.ID)
		if errors.Is(err, errUnreadable) {
			continue // the rest of the list is as good as before
		}
		if err != nil {
			return fmt.Errorf("exception %s: %w", e.Identity, err)
		}
		m, err := movement.Decode(record)
		if err != nil {
			e.Source.SetRaw(record)
			continue
		}
		e.Source = m.Source
	}
	return nil
}

// ExceptionStage tells which stage found the open exception of a movement; empty
// for a movement without one.
func (l *Ledger) ExceptionStage(ctx context.Context, id MovementID) (stage string, err error) {
	err = l.reader(ctx).Row(`SELECT stage FROM exceptions WHERE id = $1`, int64(id)).Scan(&stage)
	if errors.Is(err, errNoRows) {
		return "", nil
	}
	return stage, classify(err)
}

// SourceWords say where a movement was read: the file and the line, or the
// adapter. Nothing of the line itself is in them.
func SourceWords(s *movement.Source) string {
	switch {
	case s.File != "" && s.Line > 0:
		return fmt.Sprintf("%s:%d", s.File, s.Line)
	case s.File != "":
		return s.File
	}
	return s.Adapter
}

// ReasonCount is how many exceptions of one reason a branch has.
type ReasonCount struct {
	Branch, Reason string
	Count          int64
	Oldest         time.Time
}

// CountExceptions counts open exceptions by branch and reason; branch may be
// empty for all.
func (l *Ledger) CountExceptions(ctx context.Context, branch string) ([]ReasonCount, error) {
	var all []ReasonCount
	err := l.reader(ctx).Rows(`SELECT b.code, e.reason, COUNT(*), MIN(e.since) FROM exceptions e
		JOIN branches b ON b.id = e.branch_id WHERE $1 = '' OR b.code = $1
		GROUP BY b.code, e.reason ORDER BY b.code, e.reason`, []any{branch}, func(r Row) error {
		var c ReasonCount
		var oldest int64
		err := r.Scan(&c.Branch, &c.Reason, &c.Count, &oldest)
		c.Oldest = time.UnixMilli(oldest).UTC()
		all = append(all, c)
		return err
	})
	return all, classify(err)
}
