package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"branchline/internal/movement"
)

// State is where a movement stands on its way to Odoo.
type State int8

// The numbers stand in the tables, and Pending in an index.
const (
	// Pending waits for the planner; with a group, until that is complete.
	Pending State = 1
	// Planned is in a posting that is not yet done.
	Planned State = 2
	// Posted is in Odoo.
	Posted State = 3
	// Excepted waits for a person.
	Excepted State = 4
	// Duplicate is the same event as an earlier movement.
	Duplicate State = 5
	// Discarded was taken out by a person.
	Discarded State = 6
)

// States are all of them.
var States = []State{Pending, Planned, Posted, Excepted, Duplicate, Discarded}

func (s State) String() string {
	names := []string{"", "pending", "planned", "posted", "exception", "duplicate", "discarded"}
	if s < 1 || int(s) >= len(names) {
		return fmt.Sprintf("state %d", int8(s))
	}
	return names[s]
}

// kinds gives each kind its number in the tables; the order is for ever.
var kinds = []movement.Kind{"", movement.Receipt, movement.Dispense, movement.Return, movement.Wastage,
	movement.TransferOut, movement.TransferIn, movement.Adjustment, movement.Count}

// KindNumber is the kind's number in the tables, 0 for none.
func KindNumber(k movement.Kind) int64 { return int64(max(slices.Index(kinds, k), 0)) }

func kindOf(n int64) movement.Kind {
	if n < 0 || n >= int64(len(kinds)) {
		return ""
	}
	return kinds[n]
}

// Movement is a row of the derived table: what the planner and people ask for.
// The whole record is kept in its batch ([Ledger.Record]).
type Movement struct {
	ID       MovementID
	Identity movement.ID
	Kind     movement.Kind
	State    State
	Product  movement.Product
	Lot      string
	Expiry   movement.Date
	Serial   string
	Quantity movement.Quantity
	// Unit is empty for the product's own stock unit.
	Unit string
	// OccurredAt has the branch's offset; RecordedAt is UTC.
	OccurredAt, RecordedAt time.Time
	Document               movement.Document
	Counterpart            string
	Reason                 string
	// GroupID and PostingID are 0 for none.
	GroupID, PostingID int64
	// Paper is the number and the line of the printed form from which it was typed
	// in: "D7K2M9Q4X/3". Empty for what was not.
	Paper string
}

const selectMovement = `SELECT m.id, m.kind, m.state, p.scheme, p.code, m.lot, m.expiry, m.serial, m.quantity, m.unit,
	m.occurred_at, m.occurred_offset, m.recorded_at, m.document_type, m.document_ref, m.counterpart, m.reason,
	m.group_id, m.posting_id, m.paper FROM movements m LEFT JOIN products p ON p.id = m.product_id `

func scanMovement(r Row) (m Movement, err error) {
	var id, kind, state, quantity, at, offset, recorded int64
	var scheme, code sql.NullString
	var expiry string
	if err := r.Scan(&id, &kind, &state, &scheme, &code, &m.Lot, &expiry, &m.Serial, &quantity, &m.Unit,
		&at, &offset, &recorded, &m.Document.Type, &m.Document.Ref, &m.Counterpart, &m.Reason,
		&m.GroupID, &m.PostingID, &m.Paper); err != nil {
		return m, err
	}
	m.ID, m.Kind, m.State, m.Quantity = MovementID(id), kindOf(kind), State(state), movement.Quantity(quantity)
	m.Product = movement.Product{Scheme: movement.Scheme(scheme.String), Code: code.String}
	m.OccurredAt, m.RecordedAt = atOffset(at, offset), time.UnixMilli(recorded).UTC()
	return m, m.Expiry.UnmarshalText([]byte(expiry))
}

func atOffset(ms, minutes int64) time.Time {
	t := time.UnixMilli(ms)
	if minutes == 0 {
		return t.UTC()
	}
	return t.In(time.FixedZone("", int(minutes)*60))
}

// movements runs a query that begins with selectMovement.
func (l *Ledger) movements(ctx context.Context, where string, args ...any) ([]Movement, error) {
	var all []Movement
	r := l.reader(ctx)
	err := r.Rows(selectMovement+where, args, func(row Row) error {
		m, err := scanMovement(row)
		all = append(all, m)
		return err
	})
	for i := range all {
		if err != nil {
			break
		}
		all[i].Identity, err = l.identity(r, all[i].ID)
	}
	if err != nil {
		return nil, classify(fmt.Errorf("movements: %w", err))
	}
	return all, nil
}

// Movement gives one movement. One that is not there, or not projected yet, is
// a fault of class Data, "unknown_movement".
func (l *Ledger) Movement(ctx context.Context, id MovementID) (Movement, error) {
	all, err := l.movements(ctx, `WHERE m.id = $1`, int64(id))
	if err == nil && len(all) == 0 {
		err = unknownMovement(fmt.Sprintf("%d of stream %d", id.Seq(), id.Stream()))
	}
	if err != nil {
		return Movement{}, err
	}
	return all[0], nil
}

// branchID looks a branch's number up; ok is false when it never sent anything.
func branchID(r rower, code string) (id int64, ok bool, err error) {
	err = r.Row(`SELECT id FROM branches WHERE code = $1`, code).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, false, nil
	}
	return id, err == nil, err
}
