package ledger

import (
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
)

// What the board asks is led by indexes: it never goes through all movements, all
// postings or all hours there ever were.
func TestTheBoardGoesThroughNothingThatGrows(t *testing.T) {
	l, err := Open(t.Context(), Config{Path: filepath.Join(t.TempDir(), "ledger.db"), NoSync: true}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for query, args := range map[string][]any{
		allHours:      {int64(1), int64(2)},
		decidedLately: {int64(1), int64(2), int64(3)},
		overviewOpen:  nil,
		`SELECT branch_id, COUNT(*), MIN(recorded_at) FROM movements WHERE state = 1 GROUP BY branch_id`:           nil,
		`SELECT COUNT(*) FROM postings WHERE state = 'posted' AND kind = $1 AND changed_at >= $2`:                  {int64(1), int64(2)},
		`SELECT branch, at, online, why FROM branch_lines WHERE branch = $1 AND at >= $2 ORDER BY at DESC LIMIT 3`: {"BR01", int64(1)},
	} {
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
		for _, step := range plan {
			if strings.HasPrefix(step, "SCAN") && !strings.Contains(step, "movements_pending") && !strings.Contains(step, "postings_open") &&
				step != "SCAN b" && !strings.HasPrefix(step, "SCAN b USING") && step != "SCAN o" {
				t.Errorf("%s\n%s", query, strings.Join(plan, "\n"))
			}
		}
	}
}
