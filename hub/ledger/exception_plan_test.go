package ledger

import (
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
)

// The movements that wait lie far apart in a large ledger: a list reads those that it
// shows, and what only counts reads none, unless it is asked about what is in them.
func TestWhatWaitsIsCountedWithoutItsMovements(t *testing.T) {
	l, err := Open(t.Context(), Config{Path: filepath.Join(t.TempDir(), "ledger.db"), NoSync: true}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	explain := func(query string, args ...any) (plan []string) {
		if err := l.reader(t.Context()).Rows(`EXPLAIN QUERY PLAN `+query, args, func(r Row) error {
			var id, parent, unused int64
			var step string
			err := r.Scan(&id, &parent, &unused, &step)
			plan = append(plan, step)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		return plan
	}
	read := func(plan []string, table string) (n int) {
		for _, step := range plan {
			if strings.HasPrefix(step+" ", "SEARCH "+table+" ") || strings.HasPrefix(step+" ", "SCAN "+table+" ") {
				n++
			}
		}
		return n
	}
	for name, c := range map[string]struct {
		filter           ExceptionFilter
		counted, listing int // how often their movements are read
	}{
		"all":          {ExceptionFilter{}, 0, 1},
		"of a branch":  {ExceptionFilter{Branch: "BR01"}, 0, 1},
		"for a reason": {ExceptionFilter{Reason: "no_lot"}, 0, 1},
		"of a product": {ExceptionFilter{Codes: []string{"1"}}, 1, 2},
		"with a text":  {ExceptionFilter{Text: "a"}, 1, 2},
	} {
		for _, query := range []func(*exceptionQuery) string{(*exceptionQuery).groups, func(q *exceptionQuery) string { return q.marks(9) }} {
			q := c.filter.query()
			text := query(q)
			if plan := explain(text, q.args...); read(plan, "m") != c.counted {
				t.Errorf("%s, counted: %s", name, strings.Join(plan, "; "))
			}
		}
		q := c.filter.query()
		text := q.list(9)
		plan := explain(text, q.args...)
		if said := strings.Join(plan, "; "); !strings.Contains(said, "SEARCH e USING INTEGER PRIMARY KEY (rowid=?)") || read(plan, "m") != c.listing || strings.Contains(said, "SCAN m") {
			t.Errorf("%s, listed: %s", name, said)
		}
	}
	plan := explain(lotUnknown)
	if said := strings.Join(plan, "; "); !strings.Contains(said, "movements USING COVERING INDEX movements_waiting") {
		t.Errorf("without a lot: %s", said)
	}
}
