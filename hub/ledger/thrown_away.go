package ledger

import (
	"fmt"
	"strings"
	"time"

	"branchline/internal/movement"
)

// actionThrownAway is the action of [Tx.ThrownAway]; an index names it too.
const actionThrownAway = "thrown away at the branch"

// ThrownAway writes into the audit trail that people at a branch have thrown away
// what they had collected, as their record m says, at the moment at by the hub's clock. A
// record that stands there already is left as it stands, so that a rebuild adds
// nothing.
func (t *Tx) ThrownAway(id MovementID, m *movement.Movement, at time.Time) error {
	name, err := t.w.l.identity(t, id)
	if err != nil {
		return err
	}
	var known int64
	err = t.Row(`SELECT COUNT(*) FROM audit WHERE subject = $1 AND action = 'thrown away at the branch'`, name.String()).Scan(&known)
	if err != nil || known > 0 {
		return err
	}
	detail := fmt.Sprintf("%s %s at %s: %s", m.Document.Type, m.Document.Ref, m.OccurredAt.Format(time.RFC3339), m.Settles.Why)
	if m.Reason != "" {
		detail += " (" + m.Reason + ")"
	}
	return t.Audit(Entry{At: at, Who: m.By + " at " + name.Branch, Action: actionThrownAway, Subject: name.String(), Detail: strings.TrimSpace(detail)})
}
