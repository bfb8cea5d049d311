package ledger

import (
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"branchline/internal/movement"
)

// Each search is led by the index of its narrowest part, whatever else it says,
// and those by branch and by product come in order without sorting.
func TestSearchesAreLedByAnIndex(t *testing.T) {
	l, err := Open(t.Context(), Config{Path: filepath.Join(t.TempDir(), "ledger.db"), NoSync: true}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := l.Write(t.Context(), func(tx *Tx) error {
		for _, q := range []string{`INSERT INTO branches (id, code) VALUES (1, 'BR01')`, `INSERT INTO products VALUES (1, 'gtin', 'P')`, `INSERT INTO lots VALUES ('A', 'A')`} {
			if _, err := tx.Exec(q); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	all := Search{Branch: "BR01", Codes: []string{"P"}, Lot: "A", Serial: "S", Document: "D", Kind: movement.Receipt, State: Posted,
		From: time.Unix(1, 0), To: time.Unix(9, 0), After: &Movement{ID: 5, OccurredAt: time.Unix(5, 0)}, Limit: 10}
	for index, change := range map[string]func(*Search){
		"movements_item":     func(*Search) {},
		"movements_serial":   func(s *Search) { s.Lot = "" },
		"movements_document": func(s *Search) { s.Lot, s.Serial = "", "" },
		"movements_product":  func(s *Search) { s.Lot, s.Serial, s.Document = "", "", "" },
		"movements_branch":   func(s *Search) { s.Lot, s.Serial, s.Document, s.Codes = "", "", "", nil },
	} {
		s := all
		change(&s)
		leads, err := l.leads(t.Context(), &s)
		if err != nil || len(leads) != 1 {
			t.Fatalf("%s: %v, %v", index, leads, err)
		}
		query, args, ok, err := l.query(t.Context(), &s, leads[0])
		if err != nil || !ok {
			t.Fatal(ok, err)
		}
		var plan []string
		if err := l.reader(t.Context()).Rows(`EXPLAIN QUERY PLAN `+selectMovement+query, args, func(r Row) error {
			var id, parent, unused int64
			var step string
			err := r.Scan(&id, &parent, &unused, &step)
			plan = append(plan, step)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		said := strings.Join(plan, "; ")
		ordered := index == "movements_product" || index == "movements_branch"
		if !strings.Contains(said, "USING INDEX "+index+" ") || strings.Contains(said, "SCAN m") || ordered && strings.Contains(said, "TEMP B-TREE") {
			t.Errorf("%s: %s", index, said)
		}
	}
}

// A recall reads what it tells and no more: not every movement of a lot, nor every lot
// of a product.
func TestARecallIsLedByItsOwnIndices(t *testing.T) {
	l, err := Open(t.Context(), Config{Path: filepath.Join(t.TempDir(), "ledger.db"), NoSync: true}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for index, query := range map[string]string{
		"movements_waiting (lot=?)":          selectMovement + recallWaiting + ` ORDER BY m.id LIMIT 200`,
		"stock_lot (lot=? AND product_id=?)": selectStock + withoutLot,
		"stock_lot (lot=?)":                  selectStock + recallStock,
		"movements_waiting (lot=?) ":         `SELECT COUNT(*) FROM movements m` + recallWaiting,
	} {
		args := []any{"A", "gtin"}
		var plan []string
		if err := l.reader(t.Context()).Rows(`EXPLAIN QUERY PLAN `+query, args[:strings.Count(query, "$")], func(r Row) error {
			var id, parent, unused int64
			var step string
			err := r.Scan(&id, &parent, &unused, &step)
			plan = append(plan, step)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if said := strings.Join(plan, "; "); !strings.Contains(said, strings.TrimSpace(index)) || strings.Contains(said, "SCAN m") || strings.Contains(said, "SCAN s") {
			t.Errorf("%s: %s", index, said)
		}
	}
}
