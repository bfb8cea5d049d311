package projection_test

import (
	"strings"
	"testing"

	"branchline/hub/ledger"
	"branchline/hub/ledger/ledgertest"
	"branchline/hub/projection"
	"branchline/internal/movement"
)

// onForm is a line of a printed form.
func onForm(line int) func(*movement.Movement) {
	return func(m *movement.Movement) {
		m.Paper = movement.Paper{Form: "D7K2M9Q4X3", Line: line, TypedBy: "CD"}
		m.NaturalKey = "form/D7K2M9Q4X3/" + string(rune('0'+line))
		m.Source.Adapter = "paper"
	}
}

// A form counts once, wherever it is typed in: the second goes to a person, who may
// release it, and it stays so when all is made anew.
func TestAFormThatTwoBranchesTypeIn(t *testing.T) {
	l := ledgertest.Open(t)
	p := projector(l)
	senders := map[string]*ledgertest.Sender{}
	for _, branch := range []string{"BR02", "BR01"} {
		senders[branch] = ledgertest.NewSender(branch, epoch, movement.Live)
		senders[branch].Commit(t, l, ledgertest.Record(movement.Dispense, 2, onForm(1)))
		catchUp(t, p)
	}
	senders["BR01"].Commit(t, l, ledgertest.Record(movement.Dispense, 3, onForm(2)))
	catchUp(t, p)
	states := func(when string, want string) {
		t.Helper()
		var got []string
		for _, at := range []struct {
			branch string
			seq    uint64
		}{{"BR02", 1}, {"BR01", 1}, {"BR01", 2}} {
			m, err := l.Movement(t.Context(), senders[at.branch].Find(t, l, at.seq))
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, m.State.String())
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%s: %s, want %s", when, s, want)
		}
	}
	states("typed in", "pending exception pending")
	e, err := l.Exception(t.Context(), senders["BR01"].Find(t, l, 1))
	if err != nil || e.Reason != projection.ReasonFormElsewhere || !strings.Contains(e.Text, "BR02") {
		t.Errorf("%+v, %v", e, err)
	}
	if err := p.Rebuild(t.Context()); err != nil {
		t.Fatal(err)
	}
	states("made anew", "pending exception pending")
	if _, err := l.Decide(t.Context(), ledger.Decision{Choice: ledger.Retry, Movements: []ledger.MovementID{senders["BR01"].Find(t, l, 1)}, Who: "ann", Why: "two forms", At: ledgertest.Noon}); err != nil {
		t.Fatal(err)
	}
	catchUp(t, p)
	states("released", "pending pending pending")
}
