package ledger

import (
	"errors"
	"strings"

	"branchline/internal/fault"
	"branchline/internal/movement"
)

// ReadMovement reads a movement from its record. An error says that it is none,
// or none that a table can hold; m is then what could be read of it. understood
// tells whether it is a whole movement, though the branch may have marked it
// with a problem.
func ReadMovement(record []byte) (m movement.Movement, understood bool, err error) {
	if m, err = movement.Decode(record); err != nil {
		return movement.Movement{}, false, err
	}
	if err = m.Validate(); err == nil {
		err = holdsNoNUL(&m)
	}
	if err != nil || m.Problem == nil {
		return m, err == nil, err
	}
	whole := m
	whole.Problem = nil
	return m, whole.Validate() == nil, nil
}

// holdsNoNUL refuses what a database's text cannot hold; agents never make it.
func holdsNoNUL(m *movement.Movement) error {
	for _, s := range []string{m.Product.Code, m.Lot, m.Serial, m.Unit, m.Document.Ref, m.Counterpart, m.Reason,
		m.NaturalKey, m.Group.ID, m.Settles.Key, m.Settles.Why, m.By} {
		if strings.IndexByte(s, 0) >= 0 {
			return fault.New(fault.Data, "invalid_movement", "a field of the movement holds a NUL character")
		}
	}
	if p := m.Problem; p != nil && !Storable(p.Field+p.Text) {
		return fault.New(fault.Data, "invalid_movement", "problem.text holds a NUL character")
	}
	return nil
}

// opener reads records, and keeps the batch that it opened last: neighbours are
// often in the same one.
type opener struct {
	l       *Ledger
	r       rower
	batch   *Batch
	records [][]byte
}

// errUnreadable says that the ledger does not hold a record, or no longer as it
// came.
var errUnreadable = errors.New("the record cannot be read from the ledger")

// record gives the bytes of a movement, or [errUnreadable].
func (o *opener) record(id MovementID) ([]byte, error) {
	seq := id.Seq()
	if b := o.batch; b == nil || b.StreamID != id.Stream() || seq < b.First || seq > b.Last {
		b, err := o.l.batchAt(o.r, id.Stream(), seq)
		if errors.Is(err, errNoRows) || err == nil && seq < b.First {
			return nil, errUnreadable
		}
		if err != nil {
			return nil, err
		}
		o.batch = nil
		if o.records, err = b.Records(); err != nil {
			return nil, errors.Join(errUnreadable, err)
		}
		o.batch = b
	}
	return o.records[seq-o.batch.First], nil
}
