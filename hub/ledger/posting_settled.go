package ledger

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"branchline/internal/fault"
)

// SettleDocument writes down that a person has put right in Odoo what a document
// moved that could not be adopted: it counts for nothing any more, and its branch is
// posted again. The document is named by its name, or by its id in Odoo where
// several bear that name. These are faults of class Data, and nothing is done: a
// missing name or reason ("incomplete_decision"), and a document that waits for
// nobody, or not for one alone ("unknown_document").
func (l *Ledger) SettleDocument(ctx context.Context, document, who, why string, at time.Time) (u Unadopted, err error) {
	if err := checkDecision(who, why); err != nil {
		return u, err
	}
	kept, err := l.Unadopted(ctx)
	if err != nil {
		return u, err
	}
	var found []Unadopted
	var names []string
	for _, u := range kept {
		id := strconv.FormatInt(u.Odoo.ID, 10)
		if document == u.Odoo.Name || document == id {
			found = append(found, u)
		}
		names = append(names, u.Odoo.Name+" ("+id+")")
	}
	switch {
	case len(found) > 1:
		return u, fault.New(fault.Data, "unknown_document", "%d documents bear the name %q", len(found), document).
			WithHint("name one by its id: " + strings.Join(names, ", "))
	case len(found) == 0:
		return u, fault.New(fault.Data, "unknown_document", "no document %q keeps its branch from being posted", document).WithHint(someOf(names))
	}
	u = found[0]
	err = l.Write(ctx, func(tx *Tx) error {
		n, err := tx.Exec(`DELETE FROM unadopted WHERE odoo_id = $1`, u.Odoo.ID)
		if err != nil || n == 0 {
			return err // settled otherwise meanwhile
		}
		if _, err := tx.Exec(`INSERT INTO settled_documents (odoo_id, odoo_model, odoo_name, who, why, at) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (odoo_id) DO UPDATE SET who = excluded.who, why = excluded.why, at = excluded.at`,
			u.Odoo.ID, u.Odoo.Model, storable(u.Odoo.Name), storable(who), storable(why), at.UnixMilli()); err != nil {
			return err
		}
		tx.Tell(PostingsChanged)
		return tx.Audit(Entry{At: at, Who: who, Action: "document settled", Subject: u.Odoo.Name,
			Detail: fmt.Sprintf("%s %d: %s", u.Odoo.Model, u.Odoo.ID, why)})
	})
	return u, err
}

// IsSettled tells whether a person has settled a document with [Ledger.SettleDocument].
func (l *Ledger) IsSettled(ctx context.Context, d OdooRef) (bool, error) {
	var id int64
	err := l.reader(ctx).Row(`SELECT odoo_id FROM settled_documents WHERE odoo_id = $1 AND odoo_model = $2`, d.ID, d.Model).Scan(&id)
	if errors.Is(err, errNoRows) {
		return false, nil
	}
	return err == nil, classify(err)
}

// nameSettled tells whether a settled document bears a name: what is posted anew
// needs another one.
func (t *Tx) nameSettled(name string) (bool, error) {
	var n int64
	err := t.Row(`SELECT COUNT(*) FROM settled_documents WHERE odoo_name = $1`, name).Scan(&n)
	return n > 0, err
}
