package reference

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"branchline/internal/feed"
	"branchline/internal/movement"
)

// What became of a session is found by its number, all rows of it, and what waits
// with a person is listed, the newest first; both outlast the process.
func TestOutcomesAreKept(t *testing.T) {
	var rows []any
	var keys []string
	add := func(o feed.Outcome) {
		rows, keys = append(rows, o), append(keys, o.Key)
	}
	session := func(name string, runs ...feed.OutcomeRun) feed.Outcome {
		return feed.Outcome{Key: "s/" + name, Session: name, Epoch: "aaaaaaaaaaaa", Lane: movement.Live, Runs: runs}
	}
	for i := range 300 {
		add(session(fmt.Sprintf("P%05d@1", i), feed.OutcomeRun{First: uint64(i), Last: uint64(i), State: feed.Underway, At: 1}))
	}
	first := session("P00017/2@2", feed.OutcomeRun{First: 1, Last: 200, State: feed.Posted, At: 2, Document: "BR01/IN/00012"})
	second := session("P00017/2@2", feed.OutcomeRun{First: 201, Last: 201, State: feed.WithPerson, At: 3, Code: "over_receipt", Why: "more than was ordered"})
	add(first)
	add(second)
	wait := func(at int64) feed.Outcome {
		return feed.Outcome{Key: fmt.Sprint("w/", at), Runs: []feed.OutcomeRun{{First: 1, Last: 1, State: feed.WithPerson, At: at}},
			Goods: &feed.OutcomeGoods{Kind: movement.Dispense, Quantity: movement.Units(at)}}
	}
	add(wait(5))
	add(wait(7))
	add(wait(6))
	add(feed.Outcome{Key: "x", More: 12})
	atHub := feed.Outcome{Key: "h/aaaaaaaaaaaa/bulk/3", Epoch: "aaaaaaaaaaaa", Lane: movement.Bulk, Runs: []feed.OutcomeRun{
		{First: 3, Last: 9, State: feed.Discarded, At: 8, Who: "anna", Why: "a test"}, {First: 12, Last: 12, State: feed.Corrected, At: 9, Who: "bob", Why: "12"}}}
	add(atHub)

	h := newHub()
	h.make(t, feed.Outcomes, keys, rows)
	path := filepath.Join(t.TempDir(), "reference.db")
	s := opened(t, path)
	if s.Outcomes("P00017/2@2") != nil || s.Waiting().More != 0 {
		t.Error("an empty store knows something")
	}
	h.send(t, s, 0)
	check := func(s *Store) {
		t.Helper()
		if diff := cmp.Diff([]feed.Outcome{first, second}, s.Outcomes("P00017/2@2")); diff != "" {
			t.Error(diff)
		}
		if s.Outcomes("") != nil || s.Outcomes("P00017") != nil || len(s.Outcomes("P00099@1")) != 1 {
			t.Error("other sessions are not told apart")
		}
		w := s.Waiting()
		if w.More != 12 || len(w.Rows) != 3 || w.Rows[0].Key != "w/7" || w.Rows[2].Key != "w/5" {
			t.Errorf("%+v", w)
		}
		if diff := cmp.Diff([]feed.Outcome{atHub}, w.Settled); diff != "" {
			t.Error(diff)
		}
	}
	check(s)
	s.Close()
	check(opened(t, path))
}

// What cannot be a row of outcomes keeps the version away, not the agent.
func TestAStrangeOutcome(t *testing.T) {
	for name, row := range map[string]any{"no key": feed.Outcome{}, "another form": []int{1}, "a long name": feed.Outcome{Key: "s/x", Session: string(make([]byte, maxKey+1))}} {
		h := newHub()
		h.make(t, feed.Outcomes, []string{"k"}, []any{row})
		s := opened(t, filepath.Join(t.TempDir(), "reference.db"))
		h.send(t, s, 0)
		if !s.AsOf(feed.Outcomes).IsZero() {
			t.Errorf("%s was taken", name)
		}
	}
}
