package ledger

import (
	"context"
	"fmt"
	"time"

	"branchline/internal/movement"
)

// Fate is what became of one movement of a session.
type Fate struct {
	ID       MovementID
	Identity movement.ID
	// Session is the name of its group, or the session's own number for what was
	// confirmed with the session and belongs to no group.
	Session string
	State   State
	// RecordedAt is by the branch's clock.
	RecordedAt time.Time
	// Document is what it is posted as, by the name in Odoo, and PostedAt when;
	// only with the state Posted.
	Document string
	PostedAt time.Time
	// Stage, Reason and Since are those of its exception, only with the state
	// Excepted; Text is the exception's, or a person's word why it was discarded.
	Stage, Reason, Text string
	Since               time.Time
}

const selectFate = `SELECT m.id, %s, m.state, m.recorded_at, COALESCE(p.odoo_name, ''), COALESCE(p.name, ''), COALESCE(p.changed_at, 0),
		COALESCE(e.stage, ''), COALESCE(e.reason, ''), COALESCE(e.text, ''), COALESCE(e.since, 0),
		CASE WHEN m.state = 6 THEN COALESCE((SELECT r.text FROM rulings r WHERE r.movement_id = m.id AND r.what = 3
			ORDER BY r.id DESC LIMIT 1), '') ELSE '' END
	FROM %s LEFT JOIN postings p ON p.id = m.posting_id LEFT JOIN exceptions e ON e.id = m.id AND e.last_seq = 0
	WHERE `

// Grouped movements are found by their groups, in the group's order of arrival;
// the others of a session by when they were recorded.
var (
	groupedFates = fmt.Sprintf(selectFate, "g.name", "groups g JOIN movements m ON m.group_id = g.id AND m.group_id > 0") +
		`g.branch_id = $1 AND g.last_at >= $2 ORDER BY g.last_at DESC, g.id DESC, m.id LIMIT $3`
	apartFates = fmt.Sprintf(selectFate, "m.document_ref", "movements m") +
		`m.branch_id = $1 AND m.group_id = 0 AND m.document_type = 'session' AND m.recorded_at >= $2
		ORDER BY m.recorded_at DESC, m.id LIMIT $3`
)

// SessionFates tells what became of the movements of sessions that a branch has
// confirmed since a moment: the newest sessions, at most limit movements, more
// telling that there are others. They are in no order that can be relied on.
func (l *Ledger) SessionFates(ctx context.Context, branch string, since time.Time, limit int) (all []Fate, more bool, err error) {
	r := l.reader(ctx)
	id, ok, err := branchID(r, branch)
	if err != nil || !ok {
		return nil, false, classify(err)
	}
	for _, query := range []string{groupedFates, apartFates} {
		if err == nil {
			err = r.Rows(query, []any{id, since.UnixMilli(), limit + 1 - len(all)}, func(row Row) error {
				f, err := scanFate(row)
				all = append(all, f)
				return err
			})
		}
	}
	if more = len(all) > limit; more {
		all = all[:limit]
	}
	for i := range all {
		if err != nil {
			break
		}
		all[i].Identity, err = l.identity(r, all[i].ID)
	}
	if err != nil {
		return nil, false, classify(fmt.Errorf("sessions of %s: %w", branch, err))
	}
	return all, more, nil
}

func scanFate(row Row) (f Fate, err error) {
	var id, state, recorded, posted, since int64
	var name, why string
	if err := row.Scan(&id, &f.Session, &state, &recorded, &f.Document, &name, &posted, &f.Stage, &f.Reason, &f.Text, &since, &why); err != nil {
		return f, err
	}
	f.ID, f.State, f.RecordedAt = MovementID(id), State(state), timeOf(recorded)
	switch f.State {
	case Posted:
		if f.PostedAt = timeOf(posted); f.Document == "" {
			f.Document = name
		}
	case Excepted:
		f.Since = timeOf(since)
	}
	if f.State != Posted {
		f.Document = ""
	}
	if f.State != Excepted {
		f.Stage, f.Reason, f.Text = "", "", why
	}
	return f, nil
}

// NewestExceptions gives the movements of a branch that wait for a person, the
// newest first, at most limit, without their sources; all counts them. What a
// branch has lost is not among them.
func (l *Ledger) NewestExceptions(ctx context.Context, branch string, limit int) (list []Exception, all int64, err error) {
	r := l.reader(ctx)
	id, ok, err := branchID(r, branch)
	if err != nil || !ok {
		return nil, 0, classify(err)
	}
	err = r.Row(`SELECT COUNT(*) FROM exceptions WHERE branch_id = $1 AND last_seq = 0`, id).Scan(&all)
	if err == nil && all > 0 {
		err = r.Rows(`SELECT e.id, e.stage, e.reason, e.field, e.text, e.since, COALESCE(p.scheme, ''), COALESCE(p.code, ''),
				COALESCE(m.lot, ''), COALESCE(m.quantity, 0), COALESCE(m.kind, 0), COALESCE(m.document_type, ''), COALESCE(m.document_ref, ''),
				COALESCE(m.occurred_at, 0)
			FROM exceptions e LEFT JOIN movements m ON m.id = e.id LEFT JOIN products p ON p.id = m.product_id
			WHERE e.branch_id = $1 AND e.last_seq = 0 ORDER BY e.since DESC, e.id DESC LIMIT $2`, []any{id, limit}, func(row Row) error {
			var e Exception
			var id, since, quantity, kind, occurred int64
			err := row.Scan(&id, &e.Stage, &e.Reason, &e.Field, &e.Text, &since, &e.Product.Scheme, &e.Product.Code, &e.Lot, &quantity, &kind,
				&e.Document.Type, &e.Document.Ref, &occurred)
			e.ID, e.Since, e.OccurredAt = MovementID(id), timeOf(since), timeOf(occurred)
			e.Quantity, e.Kind = movement.Quantity(quantity), kindOf(kind)
			list = append(list, e)
			return err
		})
	}
	for i := range list {
		if err != nil {
			break
		}
		list[i].Identity, err = l.identity(r, list[i].ID)
	}
	if err != nil {
		return nil, 0, classify(fmt.Errorf("what waits of %s: %w", branch, err))
	}
	return list, all, nil
}
