package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"
)

const actionDouble = "posted twice"

// TellDouble writes down, once, that a document in Odoo is done which bears the
// marker of a posting that is done as another document: the stock was moved twice,
// and only a person can put that right in Odoo.
func (l *Ledger) TellDouble(ctx context.Context, posting string, d OdooRef, at time.Time) error {
	var is OdooRef
	if err := l.reader(ctx).Row(`SELECT odoo_model, odoo_id, odoo_name FROM postings WHERE name = $1 AND state = 'posted'`,
		posting).Scan(&is.Model, &is.ID, &is.Name); errors.Is(err, errNoRows) || err == nil && (is.ID == 0 || is.Model == d.Model && is.ID == d.ID) {
		return nil
	} else if err != nil {
		return classify(err)
	}
	return l.Write(ctx, func(tx *Tx) error {
		e := Entry{At: at, Who: "hub", Action: actionDouble, Subject: posting,
			Detail: fmt.Sprintf("%s %s (%d) bears this posting's marker, the posting is %s (%d), and both are done", d.Model, d.Name, d.ID, is.Name, is.ID)}
		var n int
		err := tx.Row(`SELECT 1 FROM audit WHERE action = $1 AND subject = $2 AND detail = $3 LIMIT 1`,
			e.Action, storable(e.Subject), storable(e.Detail)).Scan(&n)
		if err == nil || !errors.Is(err, errNoRows) {
			return err
		}
		return tx.Audit(e)
	})
}
