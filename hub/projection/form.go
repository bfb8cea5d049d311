package projection

import (
	"database/sql"
	"errors"
	"fmt"

	"branchline/hub/ledger"
)

// checkForm finds out whether another branch has typed in the same line of a printed
// form: a form is one piece of paper, so the goods moved at one of them. The line that
// came first goes on, unless the other is in a document already, as after the ledger
// was put back; the other goes to a person. Within a branch the natural key tells.
func (w *writing) checkForm(b *ledger.Batch, branch int64, id ledger.MovementID, r *reading, c *circumstances) error {
	p := &r.m.Paper
	if r.bad != nil || p.Form == "" || c.repeat {
		return nil
	}
	held := 0
	if c.holding != nil {
		held = 1
	}
	if _, err := w.tx.Exec(`INSERT INTO form_lines (form, line, branch_id, id, batch_id, held) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (form, line, branch_id) DO UPDATE SET held = excluded.held`, p.Form, p.Line, branch, int64(id), b.ID, held); err != nil {
		return err
	}
	if held == 1 { // one that goes on elsewhere must not
		_, err := w.tx.Exec(`INSERT INTO reconsider (id) SELECT m.id FROM form_lines f JOIN movements m ON m.id = f.id
			WHERE f.form = $1 AND f.line = $2 AND f.branch_id <> $3 AND f.held = 0 AND m.state = $4 ON CONFLICT (id) DO NOTHING`,
			p.Form, p.Line, branch, int64(ledger.Pending))
		return err
	}
	if c.doubt != nil {
		return nil
	}
	var first string
	err := w.tx.Row(`SELECT b.code FROM form_lines f JOIN branches b ON b.id = f.branch_id
		WHERE f.form = $1 AND f.line = $2 AND f.branch_id <> $3 AND (f.held = 1 OR f.batch_id < $4) ORDER BY f.held DESC, f.batch_id LIMIT 1`,
		p.Form, p.Line, branch, b.ID).Scan(&first)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err == nil {
		c.doubt = &objection{reason: ReasonFormElsewhere,
			text: fmt.Sprintf("line %d of form %s was typed in at %s as well, and the goods moved at one of them", p.Line, p.Form, first),
			hint: "ask whose form it is: if it is " + first + "'s, branchline-hub discard takes this one out; if it is not, branchline-hub release posts this one, and the other is to be put right"}
	}
	return err
}
