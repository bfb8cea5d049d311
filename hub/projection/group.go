package projection

import (
	"database/sql"
	"errors"

	"branchline/hub/ledger"
	"branchline/internal/movement"
)

// groupBook counts the members of groups within one transaction.
type groupBook struct {
	open map[groupKey]*group
	last int64
}

type groupKey struct {
	branch      int64
	epoch, name string
}

type group struct {
	id, size, come, lastAt int64
	isNew, changed         bool
}

func (g *groupBook) init(tx *ledger.Tx) error {
	g.open = map[groupKey]*group{}
	return tx.Row(`SELECT COALESCE(MAX(id), 0) FROM groups`).Scan(&g.last)
}

// join counts a movement into its group. The first member's size holds; a
// member with another size, or one too many, is a misfit and counts as come.
func (g *groupBook) join(tx *ledger.Tx, b *batch, of movement.Group) (id int64, misfit bool, err error) {
	key := groupKey{b.BranchID, b.Stream.Epoch, of.ID}
	e := g.open[key]
	if e == nil {
		e = new(group)
		err = tx.Row(`SELECT id, size, come, last_at FROM groups WHERE branch_id = $1 AND epoch = $2 AND name = $3`,
			key.branch, key.epoch, key.name).Scan(&e.id, &e.size, &e.come, &e.lastAt)
		if errors.Is(err, sql.ErrNoRows) {
			g.last++
			*e, err = group{id: g.last, size: int64(of.Size), isNew: true}, nil
		}
		if err != nil {
			return 0, false, err
		}
		g.open[key] = e
	}
	misfit = e.size != int64(of.Size) || e.come >= e.size
	e.come++
	e.changed = true
	e.lastAt = max(e.lastAt, b.ReceivedAt.UnixMilli())
	return e.id, misfit, nil
}

// misfit keeps that a movement did not fit.
func (w *writing) misfit(id ledger.MovementID) error {
	_, err := w.tx.Exec(`INSERT INTO misfits (id) VALUES ($1) ON CONFLICT (id) DO NOTHING`, int64(id))
	return err
}

// didNotFit tells what [writing.misfit] kept.
func (w *writing) didNotFit(id ledger.MovementID) (bool, error) {
	var n int64
	err := w.tx.Row(`SELECT COUNT(*) FROM misfits WHERE id = $1`, int64(id)).Scan(&n)
	return n > 0, err
}

func (g *groupBook) flush(tx *ledger.Tx) error {
	for key, e := range g.open {
		var err error
		switch {
		case e.isNew:
			_, err = tx.Exec(`INSERT INTO groups (id, branch_id, epoch, name, size, come, last_at)
				VALUES ($1, $2, $3, $4, $5, $6, $7)`, e.id, key.branch, key.epoch, key.name, e.size, e.come, e.lastAt)
		case e.changed:
			_, err = tx.Exec(`UPDATE groups SET come = $1, last_at = $2 WHERE id = $3`, e.come, e.lastAt, e.id)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
