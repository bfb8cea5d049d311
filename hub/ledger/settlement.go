package ledger

import (
	"errors"

	"branchline/internal/movement"
)

// settled adds what the branch's own people said about a capture with a problem,
// and which record says so.
func (t *Trace) settled(r reader) error {
	m, err := movement.Decode(t.Record.Bytes)
	if err != nil || m.Problem == nil || m.NaturalKey == "" {
		return nil // what is no movement can be settled by nobody
	}
	var by, dismissed, at int64
	var g TracedRuling
	err = r.Row(`SELECT s.movement_id, s.dismissed, s.who, s.why, s.at FROM settlements s
		JOIN movements m ON m.branch_id = s.branch_id WHERE m.id = $1 AND s.settled_key = $2`, int64(t.Movement.ID), m.NaturalKey).
		Scan(&by, &dismissed, &g.Who, &g.Text, &at)
	if errors.Is(err, errNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	name, err := r.l.identity(r, MovementID(by))
	if err != nil {
		return err
	}
	g.At, g.What, g.Text = timeOf(at), "corrected at the branch", g.Text+" (by "+name.String()+")"
	if dismissed == 1 {
		g.What = "dismissed at the branch"
	}
	t.Rulings = append(t.Rulings, g)
	return nil
}
