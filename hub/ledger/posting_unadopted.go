package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// CodeNotAdoptable is the code of faults that are about one document in Odoo
// only: it cannot be taken over, and that hides no other.
const CodeNotAdoptable = "not_adoptable"

// Unadopted is a document of ours that is done in Odoo, that the ledger does not
// know so, and that it cannot take over: which movements are in it is not
// certain.
type Unadopted struct {
	Odoo OdooRef
	// Branch and Posting are those that the document names.
	Branch, Posting string
	// Why is a sentence for a person.
	Why     string
	NotedAt time.Time
}

// Words say what stands still and what a person can do, in sentences.
func (u *Unadopted) Words() string {
	return fmt.Sprintf("Branch %s: nothing of it is posted, since it is not certain which movements are in the document %s in Odoo (id %d): %s. "+
		"If it holds goods that are not posted here (branchline-hub movements --branch %s), return it in Odoo; then branchline-hub settle %s --why WORD, "+
		"and they are posted anew.", u.Branch, u.Odoo.Name, u.Odoo.ID, u.Why, u.Branch, u.Odoo.Name)
}

// KnowsDocument tells whether a posting that is alive is known to be this
// document, or bears its name. It takes time with the number of postings.
func (l *Ledger) KnowsDocument(ctx context.Context, d OdooRef) (bool, error) {
	var id int64
	err := l.reader(ctx).Row(`SELECT id FROM postings WHERE (name = $1 OR odoo_id = $2 AND odoo_model = $3) AND state IN `+aliveStates+` LIMIT 1`,
		d.Name, d.ID, d.Model).Scan(&id)
	if errors.Is(err, errNoRows) {
		return false, nil
	}
	return err == nil, classify(err)
}

// KeepUnadopted remembers a document until [Ledger.SettleUnadopted]. It goes into
// the audit trail, again only when Why has changed.
func (l *Ledger) KeepUnadopted(ctx context.Context, u Unadopted) error {
	return l.Write(ctx, func(tx *Tx) error {
		why := storable(u.Why)
		var was string
		err := tx.Row(`SELECT why FROM unadopted WHERE odoo_id = $1`, u.Odoo.ID).Scan(&was)
		if err == nil && was == why || err != nil && !errors.Is(err, errNoRows) {
			return err
		}
		branch, err := tx.ensureBranch(u.Branch)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(`INSERT INTO unadopted (odoo_id, odoo_model, odoo_name, branch_id, posting, why, noted_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (odoo_id) DO UPDATE SET why = excluded.why`,
			u.Odoo.ID, u.Odoo.Model, storable(u.Odoo.Name), branch, storable(u.Posting), why, u.NotedAt.UnixMilli()); err != nil {
			return err
		}
		return tx.Audit(Entry{At: u.NotedAt, Who: "hub", Action: "document not adopted", Subject: u.Odoo.Name,
			Detail: fmt.Sprintf("%s %d: %s", u.Odoo.Model, u.Odoo.ID, u.Why)})
	})
}

// SettleUnadopted ends what [Ledger.KeepUnadopted] began; how goes into the audit
// trail. A document that is not kept is passed over.
func (l *Ledger) SettleUnadopted(ctx context.Context, odooID int64, how string, at time.Time) error {
	return l.Write(ctx, func(tx *Tx) error {
		var model, name string
		err := tx.Row(`DELETE FROM unadopted WHERE odoo_id = $1 RETURNING odoo_model, odoo_name`, odooID).Scan(&model, &name)
		if errors.Is(err, errNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		return tx.Audit(Entry{At: at, Who: "hub", Action: "document settled", Subject: name,
			Detail: fmt.Sprintf("%s %d: %s", model, odooID, how)})
	})
}

// Unadopted lists the documents that are kept, by their ids in Odoo.
func (l *Ledger) Unadopted(ctx context.Context) ([]Unadopted, error) {
	var all []Unadopted
	err := l.reader(ctx).Rows(`SELECT u.odoo_id, u.odoo_model, u.odoo_name, b.code, u.posting, u.why, u.noted_at
		FROM unadopted u JOIN branches b ON b.id = u.branch_id ORDER BY u.odoo_id`, nil, func(r Row) error {
		var u Unadopted
		var at int64
		err := r.Scan(&u.Odoo.ID, &u.Odoo.Model, &u.Odoo.Name, &u.Branch, &u.Posting, &u.Why, &at)
		u.NotedAt = timeOf(at)
		all = append(all, u)
		return err
	})
	return all, classify(err)
}
