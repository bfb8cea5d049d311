package ledger

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"branchline/internal/movement"
)

// OpenTransfer is a transfer of which not all that was sent has come, or more was
// taken in than was sent.
type OpenTransfer struct {
	// Ref is its number, From and To the branches in it, empty where it is no number
	// that an agent has made.
	Ref, From, To string
	// Since is when the first of it was recorded.
	Since time.Time
	// Lines are those that are not equal.
	Lines []TransferLine
}

// TransferLine is what was sent and came of one lot, as it was read.
type TransferLine struct {
	Product     movement.Product
	Lot, Serial string
	// Unit is empty for the product's own.
	Unit string
	// Arrived is what the other branch has recorded, Counted the part of it that is in
	// Odoo or on its way there and waits for nobody.
	Sent, Arrived, Counted movement.Quantity
}

// maxOpenLines bounds what is told of open transfers at once, with a number and without.
const maxOpenLines = 2000

// TransfersCut tells that [Ledger.OpenTransfers] may have left out younger lines.
func TransfersCut(all []OpenTransfer) bool {
	with, without := 0, 0
	for i := range all {
		if strings.HasSuffix(all[i].Ref, "/"+Unnumbered) {
			without += len(all[i].Lines)
		} else {
			with += len(all[i].Lines)
		}
	}
	return with >= maxOpenLines || without >= maxOpenLines
}

// OpenTransfers lists the transfers of which something was recorded since a moment and
// that are not equal, the oldest first. What was discarded counts on neither side.
// Where the branches have read different codes of a product, each is told by itself.
//
// What one branch sent to another without a number is told as one transfer, with
// [Unnumbered] in place of its time.
func (l *Ledger) OpenTransfers(ctx context.Context, since time.Time) (all []OpenTransfer, err error) {
	at := map[string]int{}
	for _, where := range []string{
		`m.document_ref AS ref, m.id AS id FROM movements m WHERE m.document_ref <> '' AND m.document_type = 'transfer' AND m.document_ref IN
			(SELECT document_ref FROM movements WHERE document_type = 'transfer' AND recorded_at >= $7)`,
		`b.code || '/' || m.counterpart || '/` + Unnumbered + `' AS ref, m.id AS id FROM movements m JOIN branches b ON b.id = m.branch_id
			WHERE m.counterpart <> '' AND m.document_type <> 'transfer' AND m.kind = $1 AND m.recorded_at >= $7
			AND m.counterpart IN (SELECT code FROM branches)
		UNION ALL SELECT m.counterpart || '/' || b.code || '/` + Unnumbered + `' AS ref, m.id AS id FROM movements m JOIN branches b ON b.id = m.branch_id
			WHERE m.counterpart <> '' AND m.document_type <> 'transfer' AND m.kind = $2 AND m.recorded_at >= $7
			AND m.counterpart IN (SELECT code FROM branches)`,
	} {
		if err = l.openTransfers(ctx, where, since, at, &all); err != nil {
			return nil, classify(err)
		}
	}
	return all, nil
}

// Unnumbered stands in a transfer's number for what was sent without one.
const Unnumbered = "unnumbered"

func (l *Ledger) openTransfers(ctx context.Context, which string, since time.Time, at map[string]int, all *[]OpenTransfer) error {
	return l.reader(ctx).Rows(`SELECT t.ref, p.scheme, p.code, MIN(m.lot), m.serial, m.unit, MIN(m.recorded_at),
			SUM(CASE WHEN m.kind = $1 THEN m.quantity ELSE 0 END), SUM(CASE WHEN m.kind = $2 THEN m.quantity ELSE 0 END),
			SUM(CASE WHEN m.kind = $2 AND m.state IN ($3, $4) THEN m.quantity ELSE 0 END)
		FROM (SELECT `+which+`) t JOIN movements m ON m.id = t.id LEFT JOIN products p ON p.id = m.product_id
		WHERE m.kind IN ($1, $2) AND m.state NOT IN ($5, $6)
		GROUP BY t.ref, p.scheme, p.code, UPPER(m.lot), m.serial, m.unit
		HAVING SUM(CASE WHEN m.kind = $1 THEN m.quantity ELSE 0 END) > SUM(CASE WHEN m.kind = $2 THEN m.quantity ELSE 0 END)
			OR SUM(CASE WHEN m.kind = $2 AND m.state IN ($3, $4) THEN m.quantity ELSE 0 END) > SUM(CASE WHEN m.kind = $1 THEN m.quantity ELSE 0 END)
		ORDER BY MIN(m.recorded_at), t.ref, p.code LIMIT $8`,
		[]any{KindNumber(movement.TransferOut), KindNumber(movement.TransferIn), int64(Planned), int64(Posted), int64(Duplicate), int64(Discarded),
			since.UnixMilli(), maxOpenLines}, func(r Row) error {
			var t OpenTransfer
			var line TransferLine
			var scheme, code sql.NullString
			var recorded, sent, arrived, counted int64
			if err := r.Scan(&t.Ref, &scheme, &code, &line.Lot, &line.Serial, &line.Unit, &recorded, &sent, &arrived, &counted); err != nil {
				return err
			}
			line.Product = movement.Product{Scheme: movement.Scheme(scheme.String), Code: code.String}
			line.Sent, line.Arrived, line.Counted = movement.Quantity(sent), movement.Quantity(arrived), movement.Quantity(counted)
			i, ok := at[t.Ref]
			if !ok {
				i, at[t.Ref] = len(*all), len(*all)
				if parts := strings.Split(t.Ref, "/"); len(parts) == 3 {
					t.From, t.To = parts[0], parts[1]
				}
				t.Since = timeOf(recorded)
				*all = append(*all, t)
			}
			(*all)[i].Lines = append((*all)[i].Lines, line)
			return nil
		})
}

// Words say what is not equal.
func (l *TransferLine) Words() string {
	text := l.Product.Words()
	if l.Lot != "" {
		text += ", lot " + l.Lot
	}
	if l.Serial != "" {
		text += ", serial number " + l.Serial
	}
	unit := ""
	if l.Unit != "" {
		unit = " " + l.Unit
	}
	text += ": " + l.Sent.String() + unit + " sent, " + l.Arrived.String() + " taken in"
	if l.Counted != l.Arrived {
		text += ", " + (l.Arrived - l.Counted).String() + " of it not in Odoo yet or with a person"
	}
	return text
}
