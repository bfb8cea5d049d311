package projection_test

import (
	"database/sql"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"branchline/hub/ledger"
	"branchline/hub/ledger/ledgertest"
	"branchline/hub/projection"
	"branchline/internal/fault"
	"branchline/internal/movement"
)

// fixture is one branch with some projected movements.
type fixture struct {
	*testing.T
	*ledger.Ledger
	s *ledgertest.Sender
}

func newFixture(t *testing.T, records ...[]byte) fixture {
	t.Helper()
	f := fixture{t, ledgertest.Open(t), ledgertest.NewSender("BR01", epoch, movement.Bulk)}
	if len(records) > 0 {
		f.s.Commit(t, f.Ledger, records...)
		catchUp(t, projector(f.Ledger))
	}
	return f
}

func (f fixture) ids(seqs ...uint64) (ids []ledger.MovementID) {
	f.Helper()
	for _, seq := range seqs {
		ids = append(ids, f.s.Find(f.T, f.Ledger, seq))
	}
	return ids
}

// states holds the states of the movements 1… against what is wanted, and the
// derived tables against those built anew.
func (f fixture) states(want ...ledger.State) {
	f.Helper()
	var got []ledger.State
	for seq := range want {
		m, err := f.Movement(f.Context(), f.ids(uint64(seq + 1))[0])
		if err != nil {
			f.Fatal(err)
		}
		got = append(got, m.State)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		f.Errorf("states (- want, + got):\n%s", diff)
	}
	before := ledgertest.Dump(f.T, f.Ledger)
	if err := projector(f.Ledger).Rebuild(f.Context()); err != nil {
		f.Fatal(err)
	}
	if diff := cmp.Diff(before, ledgertest.Dump(f.T, f.Ledger)); diff != "" {
		f.Errorf("rebuilt otherwise (- before, + rebuilt):\n%s", diff)
	}
}

func (f fixture) decide(c ledger.Choice, seqs ...uint64) int {
	f.Helper()
	n, err := f.Decide(f.Context(), ledger.Decision{Choice: c, Movements: f.ids(seqs...), Who: "ann", Why: "seen it", At: ledgertest.Noon})
	if err != nil {
		f.Fatal(err)
	}
	catchUp(f.T, projector(f.Ledger))
	return n
}

func (f fixture) post(name string, seqs ...uint64) int64 {
	f.Helper()
	id, err := f.CreatePosting(f.Context(), ledger.NewPosting{Name: name, Branch: "BR01", Kind: movement.Dispense,
		Movements: f.ids(seqs...), Aliases: f.aliases()}, ledgertest.Noon)
	if err != nil {
		f.Fatal(err)
	}
	return id
}

func (f fixture) aliases() int64 {
	f.Helper()
	n, err := f.AliasGeneration(f.Context())
	if err != nil {
		f.Fatal(err)
	}
	return n
}

func (f fixture) change(id int64, c ledger.PostingChange) []int64 {
	f.Helper()
	c.At = ledgertest.Noon.Add(time.Minute)
	parts, err := f.ChangePosting(f.Context(), id, c)
	if err != nil {
		f.Fatal(err)
	}
	return parts
}

func dispensings(n int, change ...func(*movement.Movement)) (records [][]byte) {
	for range n {
		records = append(records, ledgertest.Record(movement.Dispense, 1, change...))
	}
	return records
}

func TestDecisions(t *testing.T) {
	t.Run("a problem that is released goes on", func(t *testing.T) {
		f := newFixture(t, dispensings(1, problem("expired"))...)
		f.states(ledger.Excepted)
		f.decide(ledger.Retry, 1)
		f.states(ledger.Pending)
	})
	t.Run("what was not understood cannot go on", func(t *testing.T) {
		f := newFixture(t, ledgertest.Record(movement.Dispense, 1, problem("not_gs1"),
			func(m *movement.Movement) { m.Product = movement.Product{} }), []byte("?"), ledgertest.Record(movement.Dispense, 1, problem("expired")))
		for _, seqs := range [][]uint64{{1}, {2}, {3, 2}} {
			d := ledger.Decision{Choice: ledger.Retry, Movements: f.ids(seqs...), Who: "ann", Why: "again", At: ledgertest.Noon}
			if n, err := f.Decide(t.Context(), d); n != 0 || fault.CodeOf(err) != "not_retryable" || fault.ClassOf(err) != fault.Data || fault.HintOf(err) == "" {
				t.Errorf("%v: %d, %v", seqs, n, err)
			}
		}
		if trail, err := f.AuditTrail(t.Context(), 0, 10); err != nil || len(trail) != 0 {
			t.Errorf("what was not done stands in the audit trail: %+v, %v", trail, err)
		}
		f.states(ledger.Excepted, ledger.Excepted, ledger.Excepted)
		f.decide(ledger.Discard, 1, 2)
		f.states(ledger.Discarded, ledger.Discarded, ledger.Excepted)
	})
	t.Run("of what never came", func(t *testing.T) {
		f := newFixture(t, dispensings(1, problem("x"))...)
		one := f.ids(1)[0]
		for name, id := range map[string]ledger.MovementID{"seq 0": one - 1, "beyond the last": one + 1, "another stream": ledger.MakeID(77, 1)} {
			d := ledger.Decision{Choice: ledger.Discard, Movements: []ledger.MovementID{one, id}, Who: "ann", Why: "seen", At: ledgertest.Noon}
			n, err := f.Decide(t.Context(), d)
			if n != 0 || fault.CodeOf(err) != "unknown_movement" || fault.ClassOf(err) != fault.Data {
				t.Errorf("%s: %d discarded, %v", name, n, err)
			}
			d.Movements = d.Movements[1:]
			if n, err := f.Release(t.Context(), d); n != 0 || fault.CodeOf(err) != "unknown_movement" {
				t.Errorf("%s: %d released, %v", name, n, err)
			}
		}
		if _, err := f.ChangePosting(t.Context(), 77, ledger.PostingChange{State: ledger.PostingWithdrawn}); fault.CodeOf(err) != "unknown_posting" {
			t.Error(err)
		}
		f.states(ledger.Excepted)
	})
	t.Run("a second event with the same key goes on", func(t *testing.T) {
		f := newFixture(t, ledgertest.Record(movement.Dispense, 1, keyed("k")), ledgertest.Record(movement.Dispense, 2, keyed("k")))
		f.decide(ledger.Retry, 2)
		f.states(ledger.Pending, ledger.Pending)
	})
	t.Run("what can no longer be read stays, and nothing waits for it", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "ledger.db")
		f := fixture{t, ledgertest.OpenAt(t, path), ledgertest.NewSender("BR01", epoch, movement.Bulk)}
		f.s.Commit(t, f.Ledger, dispensings(1, problem("expired"))...)
		f.s.Commit(t, f.Ledger, dispensings(1, problem("expired"))...)
		catchUp(t, projector(f.Ledger))
		db, err := sql.Open("sqlite", path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.Exec(`UPDATE batches SET payload = x'00' WHERE id = 1`); err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if e, err := f.Exceptions(t.Context(), ledger.ExceptionFilter{}); err != nil || len(e) != 2 {
			t.Errorf("exceptions %+v, %v", e, err)
		}
		if list, err := f.Movements(t.Context(), ledger.MovementFilter{}); err != nil || len(list) != 2 {
			t.Errorf("movements %+v, %v", list, err)
		} else if ways, err := f.Ways(t.Context(), list); err != nil || len(ways) != 2 || ways[1].ExceptionReason != "expired" {
			t.Errorf("ways %+v, %v", ways, err)
		}
		d := ledger.Decision{Choice: ledger.Retry, Movements: f.ids(1), Who: "ann", Why: "again", At: ledgertest.Noon}
		if n, err := f.Decide(t.Context(), d); n != 0 || fault.CodeOf(err) != "not_retryable" {
			t.Errorf("%d tried again, %v", n, err)
		}
		if _, err := f.Adopt(t.Context(), ledger.Adopted{New: ledger.NewPosting{Name: "P", Branch: "BR01", Kind: movement.Dispense},
			Runs: []ledger.Run{{Stream: f.s.Stream, First: 1, Last: 1}}, At: ledgertest.Noon}); err != nil {
			t.Fatal(err)
		}
		f.decide(ledger.Retry, 2)
		for seq, want := range map[uint64]ledger.State{1: ledger.Posted, 2: ledger.Pending} {
			if m, err := f.Movement(t.Context(), f.ids(seq)[0]); err != nil || m.State != want {
				t.Errorf("%d: %v, %v", seq, m.State, err)
			}
		}
		if left, err := f.Reconsider(t.Context(), 10); err != nil || len(left) != 0 {
			t.Errorf("still to be looked at: %v, %v", left, err)
		}
	})
	t.Run("what is no exception is passed over", func(t *testing.T) {
		f := newFixture(t, dispensings(2)...)
		if n := f.decide(ledger.Discard, 1, 2); n != 0 {
			t.Errorf("%d decided", n)
		}
		f.states(ledger.Pending, ledger.Pending)
	})
	t.Run("a decision needs a name and a reason", func(t *testing.T) {
		f := newFixture(t, dispensings(1, problem("x"))...)
		for _, d := range []ledger.Decision{{Choice: ledger.Retry, Why: "y"}, {Choice: ledger.Retry, Who: "x"},
			{Choice: ledger.Discard, Who: "x", Why: " \t\u00a0"}, {Choice: ledger.Discard, Who: "  ", Why: "y"},
			{Choice: ledger.Retry, Who: "x", Why: strings.Repeat("é", 1001)}, {Choice: "perhaps", Who: "x", Why: "y"}} {
			d.Movements = f.ids(1)
			if n, err := f.Decide(t.Context(), d); n != 0 || fault.CodeOf(err) != "incomplete_decision" {
				t.Errorf("%+v: %d, %v", d, n, err)
			}
		}
		f.states(ledger.Excepted)
		long := ledger.Decision{Choice: ledger.Retry, Movements: f.ids(1), Who: strings.Repeat("é", 128), Why: strings.Repeat("é", 1000)}
		if n, err := f.Decide(t.Context(), long); n != 1 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
	})
	t.Run("a release is for all or none, and says that it is one", func(t *testing.T) {
		f := newFixture(t, append(dispensings(1, problem("expired")), append(dispensings(2), []byte("nothing"))...)...)
		if err := f.Refuse(t.Context(), []ledger.Refusal{{Movement: f.ids(2)[0], Stage: "plan", Reason: "unknown_lot"},
			{Movement: f.ids(3)[0], Stage: "plan", Reason: "lot_missing"}}, ledgertest.Noon); err != nil {
			t.Fatal(err)
		}
		release := func(seqs ...uint64) (int, error) {
			return f.Release(t.Context(), ledger.Decision{Movements: f.ids(seqs...), Who: "ann", Why: "seen it", At: ledgertest.Noon})
		}
		for _, seq := range []uint64{3, 4} {
			n, err := release(1, 2, seq)
			if n != 0 || fault.CodeOf(err) != "not_releasable" || strings.Contains(err.Error(), "cannot be retried") {
				t.Errorf("with %d: %d released, %v", seq, n, err)
			}
		}
		f.states(ledger.Excepted, ledger.Excepted, ledger.Excepted, ledger.Excepted)
		if n, err := release(1, 2); n != 2 || err != nil {
			t.Fatalf("%d released, %v", n, err)
		}
		catchUp(t, projector(f.Ledger))
		f.states(ledger.Pending, ledger.Pending, ledger.Excepted, ledger.Excepted)
		for seq, want := range map[uint64]string{1: "", 3: "plan", 4: ledger.StageProjection} {
			if stage, err := f.ExceptionStage(t.Context(), f.ids(seq)[0]); stage != want || err != nil {
				t.Errorf("%d: stage %q, %v", seq, stage, err)
			}
		}
	})
	t.Run("it stands in the audit trail", func(t *testing.T) {
		f := newFixture(t, dispensings(1, problem("expired"))...)
		f.decide(ledger.Discard, 1)
		trail, err := f.AuditTrail(t.Context(), 0, 10)
		if err != nil || len(trail) != 1 || trail[0].Who != "ann" || trail[0].Action != "discard" ||
			trail[0].Subject != f.s.ID(1).String() || trail[0].Detail != "expired: seen it" {
			t.Errorf("%+v, %v", trail, err)
		}
		if n, err := f.VerifyAudit(t.Context()); n != 1 || err != nil {
			t.Error(n, err)
		}
	})
}

func TestAnAliasReleasesWhatWaitedForIt(t *testing.T) {
	f := newFixture(t, append(dispensings(2), ledgertest.Record(movement.Dispense, 1,
		func(m *movement.Movement) { m.Product.Code = "04012345678902" }))...)
	var refusals []ledger.Refusal
	for _, id := range f.ids(1, 2, 3) {
		refusals = append(refusals, ledger.Refusal{Movement: id, Stage: "plan", Reason: ledger.ReasonUnknownProduct, Text: "not in Odoo"})
	}
	if err := f.Refuse(t.Context(), refusals, ledgertest.Noon); err != nil {
		t.Fatal(err)
	}
	if err := f.Refuse(t.Context(), refusals[:1], ledgertest.Noon); !errors.Is(err, ledger.ErrNotPending) {
		t.Errorf("refused twice: %v", err)
	}
	f.states(ledger.Excepted, ledger.Excepted, ledger.Excepted)
	counts, err := f.CountExceptions(t.Context(), "BR01")
	if err != nil || len(counts) != 1 || counts[0].Count != 3 || !counts[0].Oldest.Equal(ledgertest.Noon) {
		t.Errorf("counts %+v, %v", counts, err)
	}
	alias := ledger.Alias{Product: ledgertest.Movement(movement.Dispense, 1).Product, ProductID: 42, ProductName: "Aspirin",
		Who: "ann", Why: "old code", At: ledgertest.Noon}
	if n, err := f.SetAlias(t.Context(), alias); n != 2 || err != nil {
		t.Errorf("released %d, %v", n, err)
	}
	if all, err := f.Aliases(t.Context()); err != nil || len(all) != 1 || all[0] != alias {
		t.Errorf("aliases %+v, %v", all, err)
	}
	f.states(ledger.Pending, ledger.Pending, ledger.Excepted)
	open, err := f.Exceptions(t.Context(), ledger.ExceptionFilter{Branch: "BR01", Reason: ledger.ReasonUnknownProduct})
	if err != nil || len(open) != 1 || open[0].Identity != f.s.ID(3) {
		t.Errorf("open %+v, %v", open, err)
	}
}

func TestPostings(t *testing.T) {
	t.Run("done", func(t *testing.T) {
		f := newFixture(t, dispensings(4)...)
		id := f.post("P", 1, 2, 4)
		f.states(ledger.Planned, ledger.Planned, ledger.Pending, ledger.Planned)
		f.change(id, ledger.PostingChange{State: ledger.PostingBegun, Step: "created", Odoo: ledger.OdooRef{Model: "stock.picking", ID: 9, Name: "P"}})
		f.change(id, ledger.PostingChange{State: ledger.PostingDone, Step: "validated"})
		f.states(ledger.Posted, ledger.Posted, ledger.Pending, ledger.Posted)
		runs, err := f.PostingRuns(t.Context(), id)
		if want := []ledger.Run{{Stream: f.s.Stream, First: 1, Last: 2}, {Stream: f.s.Stream, First: 4, Last: 4}}; err != nil || !cmp.Equal(want, runs) {
			t.Errorf("runs %+v, %v", runs, err)
		}
		if p, err := f.Posting(t.Context(), id); err != nil || p.Odoo != (ledger.OdooRef{Model: "stock.picking", ID: 9, Name: "P"}) {
			t.Errorf("%+v, %v", p, err)
		}
		if _, err := f.ChangePosting(t.Context(), id, ledger.PostingChange{State: ledger.PostingWithdrawn}); err == nil {
			t.Error("what is done was withdrawn")
		}
	})
	t.Run("the same name again", func(t *testing.T) {
		f := newFixture(t, dispensings(2)...)
		if a, b := f.post("P", 1, 2), f.post("P", 1, 2); a != b {
			t.Errorf("made twice: %d and %d", a, b)
		}
		f.change(1, ledger.PostingChange{State: ledger.PostingWithdrawn})
		f.states(ledger.Pending, ledger.Pending)
		f.post("P", 1, 2)
		f.states(ledger.Planned, ledger.Planned)
	})
	t.Run("a movement is in one posting only", func(t *testing.T) {
		f := newFixture(t, dispensings(3)...)
		f.post("P", 1, 2)
		_, err := f.CreatePosting(t.Context(), ledger.NewPosting{Name: "Q", Branch: "BR01", Kind: movement.Dispense,
			Movements: f.ids(2, 3)}, ledgertest.Noon)
		if !errors.Is(err, ledger.ErrNotPending) {
			t.Errorf("taken twice: %v", err)
		}
		f.states(ledger.Planned, ledger.Planned, ledger.Pending)
	})
	t.Run("split, with one refused", func(t *testing.T) {
		f := newFixture(t, dispensings(4)...)
		id := f.post("P", 1, 2, 3, 4)
		part := func(name string, seqs ...uint64) ledger.NewPosting {
			return ledger.NewPosting{Name: name, Branch: "BR01", Kind: movement.Dispense, Movements: f.ids(seqs...)}
		}
		parts := f.change(id, ledger.PostingChange{State: ledger.PostingSplit, Parts: []ledger.NewPosting{part("Q", 1, 2), part("R", 3)},
			Refused: []ledger.Refusal{{Movement: f.ids(4)[0], Stage: "post", Reason: "odoo_refused", Text: "no"}}})
		f.states(ledger.Planned, ledger.Planned, ledger.Planned, ledger.Excepted)
		f.change(parts[0], ledger.PostingChange{State: ledger.PostingDone})
		f.change(parts[1], ledger.PostingChange{State: ledger.PostingRefused,
			Refused: []ledger.Refusal{{Movement: f.ids(3)[0], Stage: "post", Reason: "odoo_refused", Text: "no"}}})
		f.states(ledger.Posted, ledger.Posted, ledger.Excepted, ledger.Excepted)
		if p, err := f.Posting(t.Context(), parts[0]); err != nil || p.Parent != id || p.Movements != 2 {
			t.Errorf("%+v, %v", p, err)
		}
		trace, err := f.Trace(t.Context(), f.s.ID(4))
		if err != nil || trace.Exception == nil || trace.Exception.PostingID != id || len(trace.Rulings) != 1 || trace.Rulings[0].Who != "post" {
			t.Errorf("%+v, %v", trace, err)
		}
	})
	t.Run("tried again later", func(t *testing.T) {
		f := newFixture(t, dispensings(1)...)
		id := f.post("P", 1)
		later := ledgertest.Noon.Add(time.Hour)
		words := ledger.WordsOf(fault.New(fault.Transient, "odoo_away", "Odoo does not answer"))
		f.change(id, ledger.PostingChange{Step: "create", NextAt: later, Attempt: ledger.Attempt{At: ledgertest.Noon,
			Took: time.Second, Step: "create", Fault: words}})
		if p, err := f.OpenPostings(t.Context(), "BR01", later.Add(-1), 10); len(p) != 0 || err != nil {
			t.Errorf("before its time: %+v, %v", p, err)
		}
		p, err := f.OpenPostings(t.Context(), "BR01", later, 10)
		if err != nil || len(p) != 1 || p[0].Attempts != 1 || p[0].Fault != words || p[0].State != ledger.PostingPlanned || !p[0].NextAt.Equal(later) {
			t.Errorf("%+v, %v", p, err)
		}
		if a, err := f.Attempts(t.Context(), id, 10); err != nil || len(a) != 1 || a[0].Took != time.Second || a[0].Fault != words {
			t.Errorf("%+v, %v", a, err)
		}
	})
}

// A hub put back from a backup finds documents in Odoo that it does not know.
func TestAdoption(t *testing.T) {
	adopt := func(f fixture, name string, first, last uint64) int64 {
		f.Helper()
		id, err := f.Adopt(f.Context(), ledger.Adopted{New: ledger.NewPosting{Name: name, Branch: "BR01", Kind: movement.Dispense},
			Odoo: ledger.OdooRef{Model: "stock.picking", ID: 5, Name: name}, At: ledgertest.Noon,
			Runs: []ledger.Run{{Stream: f.s.Stream, First: first, Last: last}}})
		if err != nil {
			f.Fatal(err)
		}
		catchUp(f.T, projector(f.Ledger))
		return id
	}
	t.Run("of movements that are there", func(t *testing.T) {
		f := newFixture(t, dispensings(3)...)
		if a, b := adopt(f, "P", 1, 2), adopt(f, "P", 1, 2); a != b {
			t.Errorf("adopted twice: %d, %d", a, b)
		}
		f.states(ledger.Posted, ledger.Posted, ledger.Pending)
	})
	t.Run("of movements that are yet to come", func(t *testing.T) {
		f := newFixture(t)
		adopt(f, "P", 1, 2)
		f.s.Commit(t, f.Ledger, dispensings(3)...)
		catchUp(t, projector(f.Ledger))
		f.states(ledger.Posted, ledger.Posted, ledger.Pending)
	})
	t.Run("of movements that are planned otherwise", func(t *testing.T) {
		f := newFixture(t, dispensings(3)...)
		id := f.post("Q", 2, 3)
		adopt(f, "P", 1, 2)
		f.states(ledger.Posted, ledger.Posted, ledger.Pending)
		if p, err := f.Posting(t.Context(), id); err != nil || p.State != ledger.PostingWithdrawn {
			t.Errorf("%+v, %v", p, err)
		}
	})
	t.Run("of one that is known and not done", func(t *testing.T) {
		f := newFixture(t, dispensings(2)...)
		if id := f.post("P", 1, 2); id != adopt(f, "P", 1, 2) {
			t.Error("another posting")
		}
		f.states(ledger.Posted, ledger.Posted)
	})
	t.Run("of a later copy of the same event", func(t *testing.T) {
		f := newFixture(t, dispensings(2, keyed("k"))...)
		f.states(ledger.Pending, ledger.Duplicate)
		adopt(f, "P", 2, 2)
		f.states(ledger.Duplicate, ledger.Posted)
		if s, err := f.BranchStock(t.Context(), "BR01"); err != nil || len(s) != 1 || s[0].WentOut != movement.Units(1) {
			t.Errorf("counted %+v, %v", s, err)
		}
	})
	t.Run("of a later copy that is yet to come", func(t *testing.T) {
		f := newFixture(t)
		adopt(f, "P", 2, 2)
		f.s.Commit(t, f.Ledger, dispensings(2, keyed("k"))...)
		catchUp(t, projector(f.Ledger))
		f.states(ledger.Duplicate, ledger.Posted)
	})
	t.Run("of a later copy of an event that is planned", func(t *testing.T) {
		f := newFixture(t, dispensings(3, keyed("k"))...)
		f.s.Commit(t, f.Ledger, dispensings(1)...)
		catchUp(t, projector(f.Ledger))
		id := f.post("Q", 1, 4)
		adopt(f, "P", 2, 2)
		f.states(ledger.Duplicate, ledger.Posted, ledger.Duplicate, ledger.Pending)
		if p, err := f.Posting(t.Context(), id); err != nil || p.State != ledger.PostingWithdrawn {
			t.Errorf("%+v, %v", p, err)
		}
	})
	t.Run("of a later copy of an event that is posted", func(t *testing.T) {
		f := newFixture(t, dispensings(2, keyed("k"))...)
		f.change(f.post("Q", 1), ledger.PostingChange{State: ledger.PostingDone, Odoo: ledger.OdooRef{Model: "stock.picking", ID: 4, Name: "OUT/4"}})
		adopt(f, "P", 2, 2)
		f.states(ledger.Posted, ledger.Posted)
		open := func() []ledger.Exception {
			t.Helper()
			catchUp(t, projector(f.Ledger))
			e, err := f.Exceptions(t.Context(), ledger.ExceptionFilter{})
			if err != nil {
				t.Fatal(err)
			}
			return e
		}
		if e := open(); len(e) != 1 || e[0].Reason != projection.ReasonPostedTwice || !strings.Contains(e[0].Text, "OUT/4") {
			t.Fatalf("nobody is told: %+v", e)
		}
		if s, err := f.BranchStock(t.Context(), "BR01"); err != nil || len(s) != 1 || s[0].WentOut != movement.Units(1) {
			t.Errorf("counted %+v, %v", s, err)
		}
		d := ledger.Decision{Choice: ledger.Retry, Movements: f.ids(2), Who: "a", Why: "b", At: ledgertest.Noon}
		if _, err := f.Decide(t.Context(), d); fault.CodeOf(err) != "not_retryable" {
			t.Errorf("what is in a document was tried again: %v", err)
		}
		d.Choice = ledger.Discard
		if n, err := f.Decide(t.Context(), d); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		f.states(ledger.Posted, ledger.Posted)
		if e := open(); len(e) != 0 {
			t.Errorf("what was dealt with is told again: %+v", e)
		}
	})
	t.Run("of an exception", func(t *testing.T) {
		f := newFixture(t, dispensings(1, problem("expired"))...)
		adopt(f, "P", 1, 1)
		f.states(ledger.Posted)
		if e, err := f.Exceptions(t.Context(), ledger.ExceptionFilter{}); err != nil || len(e) != 0 {
			t.Errorf("%+v, %v", e, err)
		}
	})
	t.Run("of nothing", func(t *testing.T) {
		f := newFixture(t)
		for _, runs := range [][]ledger.Run{nil, {{Stream: f.s.Stream, First: 2, Last: 1}}, {{Stream: f.s.Stream, First: 0, Last: 1}}} {
			_, err := f.Adopt(t.Context(), ledger.Adopted{New: ledger.NewPosting{Name: "P", Branch: "BR01"}, Runs: runs})
			if fault.CodeOf(err) != ledger.CodeNotAdoptable {
				t.Errorf("%+v: %v", runs, err)
			}
		}
	})
}
