package projection_test

import (
	"database/sql"
	"errors"
	"path/filepath"
	"testing"

	"branchline/hub/ledger"
	"branchline/hub/ledger/ledgertest"
	"branchline/internal/fault"
	"branchline/internal/movement"
)

// The tables are made anew at every update that changes their form. Until the
// projector has come to the last batch, what is pending in them is not what is
// pending, and nothing may be planned by it: here an event that a later record,
// which is in Odoo, has made a duplicate.
func TestNothingIsPlannedFromHalfMadeTables(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	f := fixture{t, ledgertest.OpenAt(t, path), ledgertest.NewSender("BR01", epoch, movement.Bulk)}
	f.s.Commit(t, f.Ledger, append(dispensings(1, keyed("k")), dispensings(4200)...)...)
	f.s.Commit(t, f.Ledger, dispensings(1, keyed("k"))...)
	catchUp(t, projector(f.Ledger))
	f.adopt("P", 4202)
	first := f.ids(1)[0]
	if m, err := f.Movement(t.Context(), first); err != nil || m.State != ledger.Duplicate {
		t.Fatal(m.State, err)
	}
	if err := f.ResetDerived(t.Context()); err != nil { // as Open does after an update
		t.Fatal(err)
	}
	// Stands for the moment before the second chunk is written, or for a hub that is
	// stopped there.
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(`CREATE TRIGGER stop BEFORE UPDATE ON projection WHEN NEW.batch_id > 1 BEGIN SELECT RAISE(ABORT, 'stopped'); END`); err != nil {
		t.Fatal(err)
	}
	if err := projector(f.Ledger).CatchUp(t.Context()); err == nil {
		t.Fatal("not stopped")
	}
	work, err := f.PendingWork(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(work) == 0 {
		t.Fatal("nothing looks pending, so that this tries nothing")
	}
	plan := func(name string, m ledger.MovementID) error {
		_, err := f.CreatePosting(t.Context(), ledger.NewPosting{Name: name, Branch: "BR01", Kind: movement.Dispense,
			Movements: []ledger.MovementID{m}, Aliases: f.aliases()}, ledgertest.Noon)
		return err
	}
	refusal := []ledger.Refusal{{Movement: first, Stage: "plan", Reason: "unknown_lot", Text: "no", Aliases: f.aliases()}}
	if err := plan("twice", first); !errors.Is(err, ledger.ErrBeingMade) || !errors.Is(err, ledger.ErrNotPending) {
		t.Errorf("an event that is in Odoo is planned once more: %v", err)
	}
	if err := f.Refuse(t.Context(), refusal, ledgertest.Noon); !errors.Is(err, ledger.ErrBeingMade) {
		t.Errorf("refused: %v", err)
	}
	lot := "B2"
	if err := f.Correct(t.Context(), ledger.Correcting{Movement: first, To: ledger.Correction{Lot: &lot}, Who: "ann", Why: "x", At: ledgertest.Noon}); fault.CodeOf(err) != ledger.CodeBeingMade || fault.ClassOf(err) != fault.Transient {
		t.Errorf("corrected: %v", err)
	}
	if _, err := db.Exec(`DROP TRIGGER stop`); err != nil {
		t.Fatal(err)
	}
	catchUp(t, projector(f.Ledger))
	if err := plan("twice", first); !errors.Is(err, ledger.ErrNotPending) || errors.Is(err, ledger.ErrBeingMade) {
		t.Errorf("made anew: %v", err)
	}
	if err := plan("other", f.ids(2)[0]); err != nil {
		t.Errorf("made anew, what is pending is not planned: %v", err)
	}
}
