package ledger

import (
	"errors"

	"branchline/internal/fault"
	"branchline/internal/movement"
)

// This file is about bad rows of exports. Such a row has a natural key of its own
// (see [movement.BadRowKey]): mended in the dispensing system and exported again,
// or read again by a branch's new PC, it comes under another one. What a person at
// the hub makes of it is the same event all the same.

// claimRow keeps that a row of an export is what a person says by this, and
// refuses that of one which came otherwise, too. A whole one was set apart as an
// event of its own.
func (t *Tx) claimRow(c *Correcting, m *movement.Movement, whole bool, name movement.ID) error {
	var branch, own int64
	if err := t.Row(`SELECT branch_id FROM exceptions WHERE id = $1`, int64(c.Movement)).Scan(&branch); err != nil {
		return err
	}
	key, keyed := movement.RowKey(m.NaturalKey)
	if !keyed {
		key = movement.RowPlace(m)
	}
	if key == "" {
		return nil
	}
	if err := t.Row(`SELECT COUNT(*) FROM same_row WHERE id = $1`, int64(c.Movement)).Scan(&own); err != nil || own > 0 {
		return err // it was corrected before; what came later has been told
	}
	before, found, err := t.rowOf(branch, key, keyed)
	if err != nil {
		return err
	}
	switch {
	case found && keyed:
		return fault.New(fault.Data, CodeRowRecorded, "the row of %s is recorded as %s as well: corrected, it would be counted twice", name, before).
			WithHint("compare both, and discard this one; what is another event the branch records by hand")
	case found && !c.Again:
		return fault.New(fault.Data, CodeRowAgain, "%s stood in line %d of a file named %s, too, and was corrected: if it is the same row, this counts it twice", before, m.Source.Line, m.Source.File).
			WithHint("compare both, and discard this one; or say that it is another row")
	}
	if whole {
		return nil
	}
	_, err = t.Exec(`INSERT INTO same_row (id, branch_id, natural_key, bad) VALUES ($1, $2, $3, 1)`, int64(c.Movement), branch, key)
	return err
}

// rowOf finds what else is of a row: itself, or as it was corrected.
func (t *Tx) rowOf(branch int64, key string, keyed bool) (name movement.ID, found bool, err error) {
	var id int64
	err = t.Row(`SELECT id FROM same_row WHERE branch_id = $1 AND natural_key = $2 ORDER BY id LIMIT 1`, branch, key).Scan(&id)
	if errors.Is(err, errNoRows) && keyed {
		err = t.Row(`SELECT movement_id FROM natural_keys WHERE branch_id = $1 AND natural_key = $2`, branch, key).Scan(&id)
	}
	if errors.Is(err, errNoRows) {
		return name, false, nil
	}
	if err == nil {
		name, err = t.w.l.identity(t, MovementID(id))
	}
	return name, err == nil, err
}
