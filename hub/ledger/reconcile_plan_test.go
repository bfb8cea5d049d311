package ledger

import (
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
)

// A comparison reads one branch's own movements, by an index, and never all.
func TestAReconciliationReadsOneBranch(t *testing.T) {
	l, err := Open(t.Context(), Config{Path: filepath.Join(t.TempDir(), "ledger.db"), NoSync: true}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	explain := func(query string, args ...any) string {
		var plan []string
		if err := l.reader(t.Context()).Rows(`EXPLAIN QUERY PLAN `+query, args, func(r Row) error {
			var id, parent, unused int64
			var step string
			err := r.Scan(&id, &parent, &unused, &step)
			plan = append(plan, step)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		return strings.Join(plan, "; ")
	}
	if said := explain(dayCounts, 1, 5, 5); strings.Count(said, "USING INDEX movements_branch (branch_id=? AND occurred_at") != 2 || strings.Contains(said, "SCAN movements") {
		t.Errorf("the days: %s", said)
	}
	for _, where := range unposted {
		if said := explain(selectUnposted(where), 1); strings.Contains(said, "SCAN m") || strings.Contains(said, "SCAN w") || strings.Contains(said, "SCAN o") || strings.Contains(said, "SCAN e") {
			t.Errorf("%s: %s", where, said)
		}
	}
	if said := explain(unclear, 1); strings.Contains(said, "SCAN m") || strings.Contains(said, "SCAN e") || strings.Contains(said, "SCAN p") {
		t.Errorf("what is not clear: %s", said)
	}
	if said := explain(branchBehind, "BR01"); !strings.Contains(said, "SEARCH t ") {
		t.Errorf("the batches: %s", said)
	}
	if said := explain(postedSign, "BR01"); strings.Contains(said, "SCAN postings") {
		t.Errorf("the sign: %s", said)
	}
}
