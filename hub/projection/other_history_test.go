package projection_test

import (
	"fmt"
	"testing"

	"branchline/hub/ledger"
	"branchline/hub/ledger/ledgertest"
	"branchline/internal/movement"
)

// chainOf is the chain's short hash after each record of a stream, by seq.
func chainOf(s *ledgertest.Sender, records [][]byte) map[uint64]string {
	out := map[uint64]string{}
	c := movement.NewChain(movement.Genesis(s.Branch, s.Epoch, s.Lane))
	for i, r := range records {
		out[uint64(i+1)] = ledger.ShortHash(c.Add(r))
	}
	return out
}

// parting is n dispensings, of which those after common are another history.
func parting(n, common int) [][]byte {
	all := dispensings(n)
	for i := common; i < n; i++ {
		all[i] = ledgertest.Record(movement.Dispense, int64(100+i))
	}
	return all
}

func (f fixture) adopts(id int64, runs ...ledger.Run) {
	f.Helper()
	for i := range runs {
		runs[i].Stream = f.s.Stream
	}
	if _, err := f.Adopt(f.Context(), ledger.Adopted{New: ledger.NewPosting{Name: ledger.PostingName(movement.Dispense, runs), Branch: "BR01", Kind: movement.Dispense},
		Odoo: ledger.OdooRef{Model: "stock.picking", ID: id, Name: fmt.Sprintf("DOC/%d", id)}, At: ledgertest.Noon, Runs: runs}); err != nil {
		f.Fatal(err)
	}
	catchUp(f.T, projector(f.Ledger))
}

// again holds the derived tables against those made anew.
func (f fixture) again() {
	f.Helper()
	before := ledgertest.Dump(f, f.Ledger)
	if err := projector(f.Ledger).Rebuild(f.Context()); err != nil {
		f.Fatal(err)
	}
	if after := ledgertest.Dump(f, f.Ledger); after != before {
		f.Errorf("made anew it is\n%s\nand was\n%s", after, before)
	}
}

func (f fixture) ended() bool {
	f.Helper()
	c, err := f.Cursor(f.Context(), f.s.Stream)
	if err != nil {
		f.Fatal(err)
	}
	return c.Ended
}

// The branch is at it was: what documents name is posted, whether it has come or
// is yet to come, in runs that overlap what has come, too.
func TestTheSameHistoryIsPosted(t *testing.T) {
	all := dispensings(9)
	f := newFixture(t, all[:5]...)
	chain := chainOf(f.s, all)
	f.adopts(7, ledger.Run{First: 1, Last: 2, Hash: chain[2]}, ledger.Run{First: 4, Last: 6, Hash: chain[6]})
	f.adopts(8, ledger.Run{First: 8, Last: 8, Hash: chain[8]})
	f.states(ledger.Posted, ledger.Posted, ledger.Pending, ledger.Posted, ledger.Posted)
	f.s.Commit(t, f.Ledger, all[5:]...)
	catchUp(t, projector(f.Ledger))
	f.states(ledger.Posted, ledger.Posted, ledger.Pending, ledger.Posted, ledger.Posted, ledger.Posted, ledger.Pending, ledger.Posted, ledger.Pending)
	if f.ended() {
		t.Error("the stream has ended")
	}
	f.again()
}

// Hub and branch were both put back, and the branch has recorded anew under the
// lost day's numbers. In each order of things what is certain is posted, what is
// not waits for a person, and the stream goes on no further.
func TestOtherMovementsUnderTheNumbersOfADocumentAreNotPosted(t *testing.T) {
	lost, now := dispensings(9), parting(9, 3)
	for name, order := range map[string]func(t *testing.T) fixture{
		"adopted after they came": func(t *testing.T) fixture {
			f := newFixture(t, now[:8]...)
			chain := chainOf(f.s, lost)
			f.post("planned", 2, 5) // and nothing of it is in Odoo
			f.adopts(7, ledger.Run{First: 1, Last: 2, Hash: chain[2]}, ledger.Run{First: 4, Last: 6, Hash: chain[6]})
			return f
		},
		"adopted before they come": func(t *testing.T) fixture {
			f := newFixture(t, now[:2]...)
			chain := chainOf(f.s, lost)
			f.adopts(7, ledger.Run{First: 1, Last: 2, Hash: chain[2]}, ledger.Run{First: 4, Last: 6, Hash: chain[6]})
			f.s.Commit(t, f.Ledger, now[2:8]...)
			catchUp(t, projector(f.Ledger))
			return f
		},
		"in between": func(t *testing.T) fixture {
			f := newFixture(t, now[:5]...)
			chain := chainOf(f.s, lost)
			f.adopts(7, ledger.Run{First: 1, Last: 2, Hash: chain[2]}, ledger.Run{First: 4, Last: 6, Hash: chain[6]})
			f.states(ledger.Posted, ledger.Posted, ledger.Pending, ledger.Posted, ledger.Posted) // nothing says otherwise yet
			f.s.Commit(t, f.Ledger, now[5:8]...)
			catchUp(t, projector(f.Ledger))
			return f
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := order(t)
			f.states(ledger.Posted, ledger.Posted, ledger.Pending, ledger.Excepted, ledger.Excepted, ledger.Excepted, ledger.Pending, ledger.Pending)
			if !f.ended() || len(f.trail("stream ended")) != 1 || len(f.trail("other movements in Odoo")) != 1 || len(f.trail("posted twice")) != 0 {
				t.Errorf("ended %t, %q, %q", f.ended(), f.trail("stream ended"), f.trail("other movements in Odoo"))
			}
			f.again()
			// A person: one is in the document, the others are new.
			f.decide(ledger.Discard, 4)
			if _, err := f.Release(t.Context(), ledger.Decision{Movements: f.ids(5, 6), Who: "ann", Why: "counted", At: ledgertest.Noon}); err != nil {
				t.Fatal(err)
			}
			catchUp(t, projector(f.Ledger))
			f.states(ledger.Posted, ledger.Posted, ledger.Pending, ledger.Discarded, ledger.Pending, ledger.Pending, ledger.Pending, ledger.Pending)
			id := f.post("new", 5, 6)
			f.change(id, ledger.PostingChange{State: ledger.PostingDone})
			f.states(ledger.Posted, ledger.Posted, ledger.Pending, ledger.Discarded, ledger.Posted, ledger.Posted, ledger.Pending, ledger.Pending)
			f.again()
		})
	}
}

// What a person releases is posted by another name than that of the document which
// holds others under the same numbers.
func TestWhatIsReleasedGetsAnotherName(t *testing.T) {
	lost, now := dispensings(4), parting(4, 1)
	f := newFixture(t, now...)
	f.adopts(7, ledger.Run{First: 2, Last: 4, Hash: chainOf(f.s, lost)[4]})
	taken := ledger.PostingName(movement.Dispense, []ledger.Run{{Stream: f.s.Stream, First: 2, Last: 4}})
	if _, err := f.Release(t.Context(), ledger.Decision{Movements: f.ids(2, 3, 4), Who: "ann", Why: "counted", At: ledgertest.Noon}); err != nil {
		t.Fatal(err)
	}
	catchUp(t, projector(f.Ledger))
	for range 2 { // the second finds what the first made
		id := f.post(taken, 2, 3, 4)
		p, err := f.Posting(t.Context(), id)
		want := ledger.ChainedName(movement.Dispense, []ledger.Run{{Stream: f.s.Stream, First: 2, Last: 4, Hash: chainOf(f.s, now)[4]}})
		if err != nil || p.Name != want || p.State != ledger.PostingPlanned {
			t.Errorf("%s is %s, want %s; %v", p.Name, p.State, want, err)
		}
	}
	f.states(ledger.Pending, ledger.Planned, ledger.Planned, ledger.Planned)
}

// The branch itself says that it has fewer movements than a document names.
func TestABranchThatEndsBeforeADocumentDoesWasPutBack(t *testing.T) {
	f := newFixture(t, parting(5, 3)...)
	chain := chainOf(f.s, dispensings(9))
	f.adopts(7, ledger.Run{First: 1, Last: 3, Hash: chain[3]}, ledger.Run{First: 4, Last: 9, Hash: chain[9]})
	f.states(ledger.Posted, ledger.Posted, ledger.Posted, ledger.Posted, ledger.Posted)
	for _, c := range []struct {
		last uint64
		want bool
	}{{9, false}, {5, true}, {5, false}} {
		if ended, err := f.NoteEnd(t.Context(), f.s.Stream, c.last, ledgertest.Noon); err != nil || ended != c.want {
			t.Errorf("the branch ends at %d: ended %t, %v", c.last, ended, err)
		}
	}
	catchUp(t, projector(f.Ledger))
	f.states(ledger.Posted, ledger.Posted, ledger.Posted, ledger.Excepted, ledger.Excepted)
	if !f.ended() {
		t.Error("the stream goes on")
	}
	f.again()
}

// A document of an older hub says nothing of the chain, and is taken as before.
func TestADocumentWithoutTheChainIsTakenAsItIs(t *testing.T) {
	f := newFixture(t, parting(5, 3)...)
	f.adopts(7, ledger.Run{First: 2, Last: 5})
	f.states(ledger.Pending, ledger.Posted, ledger.Posted, ledger.Posted, ledger.Posted)
	if f.ended() {
		t.Error("the stream has ended")
	}
}

// Where only the last run of many has a hash, all are in doubt.
func TestAHashOfTheLastRunSpeaksForTheOthers(t *testing.T) {
	f := newFixture(t, parting(5, 3)...)
	f.adopts(7, ledger.Run{First: 2, Last: 2}, ledger.Run{First: 4, Last: 5, Hash: chainOf(f.s, dispensings(5))[5]})
	f.states(ledger.Pending, ledger.Excepted, ledger.Pending, ledger.Excepted, ledger.Excepted)
}

func (f fixture) trail(action string) (all []string) {
	f.Helper()
	entries, err := f.AuditTrail(f.Context(), 0, 1000)
	if err != nil {
		f.Fatal(err)
	}
	for _, e := range entries {
		if e.Action == action {
			all = append(all, e.Subject+": "+e.Detail)
		}
	}
	return all
}
