package ledger

import (
	"errors"

	"branchline/internal/movement"
)

// settled gives what the branch's own people said about a capture with a problem,
// and which record says so; ok is false where they have said nothing.
func settled(r reader, id MovementID, m *movement.Movement) (g TracedRuling, ok bool, err error) {
	if m.Problem == nil || m.NaturalKey == "" {
		return g, false, nil
	}
	var by, dismissed, at int64
	err = r.Row(`SELECT s.movement_id, s.dismissed, s.who, s.why, s.at FROM settlements s
		JOIN movements m ON m.branch_id = s.branch_id WHERE m.id = $1 AND s.settled_key = $2`, int64(id), m.NaturalKey).
		Scan(&by, &dismissed, &g.Who, &g.Text, &at)
	if errors.Is(err, errNoRows) {
		return g, false, nil
	}
	if err != nil {
		return g, false, err
	}
	name, err := r.l.identity(r, MovementID(by))
	g.At, g.What, g.Text = timeOf(at), "corrected at the branch", g.Text+" (by "+name.String()+")"
	if dismissed == 1 {
		g.What = "dismissed at the branch"
	}
	return g, err == nil, err
}

// settled adds to a way what the branch's own people said.
func (w *Way) settled(r reader, m *movement.Movement) error {
	if m.Settles.Key != "" {
		w.Settles, w.Said = m.Settles.Key, "by "+m.By+": "+m.Settles.Why
	}
	g, ok, err := settled(r, w.ID, m)
	if ok {
		w.Said = g.What + " by " + g.Who + ": " + g.Text
	}
	return err
}
