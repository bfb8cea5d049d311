package room

import (
	"encoding/csv"
	"fmt"
	"io"
	"time"

	"branchline/hub/ledger"
)

// bucketHeads and buckets are the columns of numbers in every table of counts.
var bucketHeads = []string{"captured", "lost", "received", "damaged", "arriving", "waiting", "for_a_person", "discarded", "repeated", "posted", "found_in_odoo", "changed_in_odoo", "missing_in_odoo", "accepted"}

func buckets(b *ledger.Buckets) []string {
	var row []string
	for _, n := range []int64{b.Captured, b.Lost, b.Received, b.Damaged, b.Arriving, b.Waiting, b.Person, b.Discarded, b.Repeated, b.Posted, b.Found, b.Changed, b.Missing, b.Accepted} {
		row = append(row, fmt.Sprint(n))
	}
	return row
}

func stampOf(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// WriteReconciliation writes how the branches compare as CSV, a line for each.
func WriteReconciliation(out io.Writer, r *Reconciliation) error {
	w := csv.NewWriter(out)
	_ = w.Write(append([]string{"branch", "name", "compared_at", "asked_by", "differences", "since", "of_records", "of_stock", "stock_not_compared", "not_sent_yet"}, bucketHeads...)) // Flush tells
	for _, row := range r.Rows {
		if row.Last == nil {
			_ = w.Write(append([]string{row.Code, Cell(row.Name)}, make([]string, 8+len(bucketHeads))...))
			continue
		}
		s := &row.Last.Summary
		_ = w.Write(append([]string{row.Code, Cell(row.Name), stampOf(row.Last.At), Cell(row.Last.Who), fmt.Sprint(row.Last.Differences), stampOf(row.Last.Since),
			fmt.Sprint(s.Records), fmt.Sprint(s.Stock), Cell(s.NoStock), fmt.Sprint(s.Unsent)}, buckets(&s.All)...))
	}
	w.Flush()
	return w.Error()
}

// WriteDays writes a branch's days as CSV.
func WriteDays(out io.Writer, c *ledger.Reconciled) error {
	w := csv.NewWriter(out)
	_ = w.Write(append([]string{"branch", "day"}, bucketHeads...)) // Flush tells
	for i := range c.Result.Days {
		d := &c.Result.Days[i]
		_ = w.Write(append([]string{c.Branch, d.Day.String()}, buckets(&d.Buckets)...))
	}
	w.Flush()
	return w.Error()
}

// WriteRecords writes the differences of a branch's records as CSV.
func WriteRecords(out io.Writer, c *ledger.Reconciled) error {
	w := csv.NewWriter(out)
	_ = w.Write([]string{"branch", "day", "what", "text", "count", "movements", "posting", "odoo_model", "odoo_id", "odoo_name", "accepted_by", "accepted_why"}) // Flush tells
	line := func(d *ledger.RecordDifference, who, why string) {
		_ = w.Write([]string{c.Branch, d.Day.String(), string(d.What), Cell(d.Text), fmt.Sprint(d.Count), d.Movements, d.Posting, d.OdooModel, fmt.Sprint(d.OdooID), Cell(d.OdooName), Cell(who), Cell(why)})
	}
	for i := range c.Result.Records {
		line(&c.Result.Records[i], "", "")
	}
	for i := range c.Result.Accepted {
		a := &c.Result.Accepted[i]
		line(&a.RecordDifference, a.Who, a.Why)
	}
	w.Flush()
	return w.Error()
}

// WriteStock writes the differences of a branch's stock as CSV: a line for each
// product and lot, after it one for each that somebody else moved.
func WriteStock(out io.Writer, c *ledger.Reconciled) error {
	w := csv.NewWriter(out)
	_ = w.Write([]string{"branch", "line", "product_id", "code", "product", "lot", "unit", "at_the_start", "posted_in_all", "expected", "in_odoo", "difference", "waiting",
		"moved_at", "moved_by", "document", "moved", "ours"}) // Flush tells
	for i := range c.Result.Stock.Differences {
		d := &c.Result.Stock.Differences[i]
		of := []string{fmt.Sprint(d.ProductID), Cell(d.Code), Cell(d.Name)}
		_ = w.Write(append(append([]string{c.Branch, "difference"}, of...), Cell(d.Lot), Cell(d.Unit), d.Start.String(), d.Moved.String(), d.Expected.String(), d.Odoo.String(),
			d.Off().String(), d.Waiting.String(), "", "", "", "", ""))
		for _, m := range d.Moves {
			unit, ours := m.Unit, ""
			if unit == "" {
				unit = d.Unit
			}
			if m.Ours {
				ours = "changed"
			}
			_ = w.Write(append(append([]string{c.Branch, "move"}, of...), Cell(m.Lot), Cell(unit), "", "", "", "", "", "", stampOf(m.At), Cell(m.Who), Cell(m.Document), m.Quantity.String(), ours))
		}
	}
	w.Flush()
	return w.Error()
}
