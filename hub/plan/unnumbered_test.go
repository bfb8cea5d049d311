package plan_test

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"branchline/hub/ledger"
	"branchline/hub/ledger/ledgertest"
	"branchline/hub/plan"
	"branchline/internal/movement"
)

// What is taken in without a box's number counts only against what was sent without
// one: all else was in a box, and would count once more when that is scanned.
func TestWhatIsTakenInWithoutANumber(t *testing.T) {
	type half struct {
		branch string
		kind   movement.Kind
		n      int64
		other  string
		number string
	}
	out := func(n int64) half { return half{"BR01", movement.TransferOut, n, "BR02", ""} }
	in := func(n int64) half { return half{"BR02", movement.TransferIn, n, "BR01", ""} }
	box := func(h half) half { h.number = "BR01/BR02/T260301-090000"; return h }
	for name, c := range map[string]struct {
		first, then []half
		postings    int // of BR02
		person      int
		text        string
	}{
		"sent without one, as exports do": {[]half{out(3)}, []half{in(3)}, 1, 0, ""},
		"in parts":                        {[]half{out(3)}, []half{in(1), in(2)}, 2, 0, ""},
		"more than was sent":              {[]half{out(3)}, []half{in(2), in(2)}, 1, 1, "BR01 sent 3; 2 taken in at BR02 already"},
		"nothing was sent":                {nil, []half{in(2)}, 0, 1, "without a number, BR01 sent none of it"},
		"it was in a box":                 {[]half{box(out(3))}, []half{in(3)}, 0, 1, "BR01 sent none of it"},
		"from nobody's branch":            {nil, []half{{"BR02", movement.TransferIn, 2, "CENTRAL", ""}}, 1, 0, ""},
		"the box, then by its branch":     {[]half{box(out(3)), box(in(3))}, []half{in(3)}, 1, 1, "without a box's number"},
		"by its branch, then the box":     {[]half{box(out(3)), in(3)}, []half{box(in(3))}, 1, 1, ""},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			cfg := plan.DefaultConfig()
			cfg.Branches = map[string]plan.BranchConfig{"BR01": {}, "BR02": {}}
			d.runner = plan.NewRunner(cfg, d.ledger, d.master, d.receipts, slog.New(slog.DiscardHandler), func() time.Time { return d.at }, nil)
			senders := map[string]*ledgertest.Sender{}
			record := func(list []half) {
				for i, h := range list {
					if senders[h.branch] == nil {
						senders[h.branch] = ledgertest.NewSender(h.branch, "abcdefghijkl", movement.Live)
					}
					senders[h.branch].Commit(t, d.ledger, ledgertest.Record(h.kind, h.n, func(m *movement.Movement) {
						m.Product, m.Counterpart = movement.Product{Scheme: movement.SKU, Code: "B"}, h.other
						m.Group = movement.Group{ID: string(h.kind) + string(rune('a'+i)) + h.number + string(rune('a'+len(list))), Size: 1}
						if m.RecordedAt = time.Now().UTC().Truncate(time.Millisecond); h.number != "" {
							m.Document = movement.Document{Type: "transfer", Ref: h.number}
						}
					}))
				}
				if err := d.projector.CatchUp(t.Context()); err != nil {
					t.Fatal(err)
				}
				d.once(t)
			}
			record(c.first)
			record(c.then)
			posted, err := d.ledger.OpenPostings(t.Context(), "BR02", ledgertest.Noon.AddDate(10, 0, 0), 10)
			if err != nil || len(posted) != c.postings {
				t.Errorf("%d postings, want %d (%v)", len(posted), c.postings, err)
			}
			waiting, err := d.ledger.Exceptions(t.Context(), ledger.ExceptionFilter{Branch: "BR02", Limit: 10})
			if err != nil || len(waiting) != c.person {
				t.Fatalf("%d wait for a person, want %d: %+v (%v)", len(waiting), c.person, waiting, err)
			}
			for _, e := range waiting {
				if e.Reason != plan.NoBoxNumber || !strings.Contains(e.Text, c.text) || !strings.Contains(e.Hint, "branchline-hub release") {
					t.Errorf("%+v", e)
				}
			}
		})
	}
}
