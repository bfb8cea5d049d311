package ledger

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// AuditFilter chooses entries of the audit trail; zero fields choose all.
type AuditFilter struct {
	Who, Action string
	// Text is anywhere in the subject or the detail, capitals or not.
	Text     string
	From, To time.Time
	// Before is the last entry of the page before, which goes back in time.
	Before int64
	// Limit is 100 if it is 0, and at most 1000.
	Limit int
}

// auditScan bounds how many entries one question looks at, so that a rare word
// does not read the whole trail; the answer then says where it has come to.
const auditScan = 200_000

// AuditEntries lists entries, the newest first. next is where to go on, 0 at the
// end: a page may be short, or empty, and not be the last.
func (l *Ledger) AuditEntries(ctx context.Context, f AuditFilter) (all []Entry, next int64, err error) {
	if f.Limit <= 0 {
		f.Limit = 100
	}
	f.Limit = min(f.Limit, 1000)
	last, _, err := auditHead(l.reader(ctx))
	if err != nil {
		return nil, 0, classify(err)
	}
	before := last + 1
	if f.Before > 0 {
		before = min(before, f.Before)
	}
	floor := max(before-auditScan, 1)
	where, args := []string{"id < $1", "id >= $2"}, []any{before, floor}
	and := func(condition string, v any) {
		args = append(args, v)
		where = append(where, fmt.Sprintf(condition, len(args)))
	}
	if f.Who != "" {
		and("who = $%d", f.Who)
	}
	if f.Action != "" {
		and("action = $%d", f.Action)
	}
	if f.Text != "" {
		and(`LOWER(subject || ' ' || detail) LIKE $%d ESCAPE '\'`, "%"+likeText.Replace(strings.ToLower(f.Text))+"%")
	}
	if !f.From.IsZero() {
		and("at >= $%d", f.From.UnixMilli())
	}
	if !f.To.IsZero() {
		and("at < $%d", f.To.UnixMilli())
	}
	args = append(args, f.Limit)
	err = l.reader(ctx).Rows(`SELECT id, at, who, action, subject, detail, hash FROM audit WHERE `+strings.Join(where, " AND ")+
		fmt.Sprintf(` ORDER BY id DESC LIMIT $%d`, len(args)), args, func(r Row) error {
		e, err := scanEntry(r)
		all = append(all, e)
		return err
	})
	switch {
	case len(all) == f.Limit:
		next = all[len(all)-1].ID
	default:
		next = floor
	}
	if next <= 1 {
		next = 0
	}
	return all, next, classify(err)
}

// likeText has no meaning of its own within LIKE.
var likeText = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)
