package ledger_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"branchline/hub/ledger"
	"branchline/hub/ledger/ledgertest"
	"branchline/internal/fault"
	"branchline/internal/movement"
)

func restores(t *testing.T, l *ledger.Ledger) []ledger.Restore {
	t.Helper()
	all, err := l.Restores(t.Context(), time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// A backup that is put in the ledger's place is known as one at once, as of when
// it was made, and told of once.
func TestABackupPutBackIsNoticed(t *testing.T) {
	dir := t.TempDir()
	l := ledgertest.OpenAt(t, filepath.Join(dir, "ledger.db"))
	s := ledgertest.NewSender("BR01", epoch, movement.Live)
	s.Commit(t, l, []byte("1"))
	began := time.Now().Truncate(time.Millisecond)
	path := filepath.Join(dir, "backup.db")
	if err := l.Backup(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	if all := restores(t, l); len(all) != 0 {
		t.Errorf("the ledger that was copied says %+v", all)
	}
	ended := time.Now()
	for range 2 { // the second time it is a ledger like any other
		b, err := ledger.Open(t.Context(), ledger.Config{Path: path}, quiet)
		if err != nil {
			t.Fatal(err)
		}
		all := restores(t, b)
		if len(all) != 1 || !all[0].Exact || all[0].AsOf.Before(began) || all[0].AsOf.After(ended) {
			t.Fatalf("noted: %+v", all)
		}
		told := trail(t, b, "ledger put back")
		if len(told) != 1 || !strings.Contains(told[0], all[0].AsOf.Format(time.DateTime)) || !strings.Contains(told[0], "aliases") {
			t.Errorf("the trail tells %q", told)
		}
		// Nor is it noticed again by a branch that is ahead.
		if noted, err := b.NoteAhead(t.Context(), s.Stream, time.Now()); noted || err != nil {
			t.Errorf("noted again: %v, %v", noted, err)
		}
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// Any other copy is noticed by the first branch that had sent more, once, and as
// of the newest that the ledger knew.
func TestALedgerThatLacksWhatItHadAcknowledgedIsNoticed(t *testing.T) {
	l := ledgertest.Open(t)
	s := ledgertest.NewSender("BR01", epoch, movement.Live)
	if noted, err := l.NoteAhead(t.Context(), s.Stream, ledgertest.Noon); !noted || err != nil {
		t.Fatalf("an empty ledger: %v, %v", noted, err)
	}
	if all := restores(t, l); len(all) != 1 || !strings.Contains(all[0].Words(), "put back, empty (branch BR01") {
		t.Errorf("noted: %+v", all)
	}

	path := filepath.Join(t.TempDir(), "ledger.db")
	first, err := ledger.Open(t.Context(), ledger.Config{Path: path}, quiet)
	if err != nil {
		t.Fatal(err)
	}
	s.Commit(t, first, []byte("1"))
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	l = ledgertest.OpenAt(t, path)
	for i, at := range []time.Time{time.Now(), time.Now().Add(time.Minute)} {
		if noted, err := l.NoteAhead(t.Context(), s.Stream, at); noted != (i == 0) || err != nil {
			t.Errorf("%d: %v, %v", i, noted, err)
		}
		other := ledger.Stream{Branch: "BR02", Epoch: epoch, Lane: movement.Bulk}
		if noted, err := l.NoteAhead(t.Context(), other, at); noted || err != nil {
			t.Errorf("another branch: %v, %v", noted, err)
		}
		s.Commit(t, l, []byte("2"))
	}
	if all := restores(t, l); len(all) != 1 || all[0].Exact || !all[0].AsOf.Equal(ledgertest.Noon) || !strings.Contains(all[0].Words(), "or earlier") {
		t.Errorf("noted: %+v", all)
	}
	if told := trail(t, l, "ledger put back"); len(told) != 1 {
		t.Errorf("the trail tells %q", told)
	}
}

// An alias that a backup brings back may have been taken back after it was made:
// it is held until it is said again, or somebody says that all hold.
func TestAliasesOfABackupAreHeld(t *testing.T) {
	dir := t.TempDir()
	l := ledgertest.OpenAt(t, filepath.Join(dir, "ledger.db"))
	alias := func(l *ledger.Ledger, code string) {
		t.Helper()
		if _, err := l.SetAlias(t.Context(), ledger.Alias{Product: movement.Product{Scheme: movement.SKU, Code: code}, ProductID: 7, ProductName: "Seven",
			Who: "AB", Why: "test", At: time.Now()}); err != nil {
			t.Fatal(err)
		}
	}
	held := func(l *ledger.Ledger) (codes string) {
		t.Helper()
		all, err := l.Aliases(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range all {
			if a.Held {
				codes += a.Product.Code
			}
		}
		return codes
	}
	for _, code := range []string{"A", "B", "C"} {
		alias(l, code)
	}
	if got := held(l); got != "" {
		t.Errorf("held without a restore: %s", got)
	}
	path := filepath.Join(dir, "backup.db")
	if err := l.Backup(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	b, err := ledger.Open(t.Context(), ledger.Config{Path: path}, quiet)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if got := held(b); got != "ABC" {
		t.Errorf("held: %s", got)
	}
	after := time.Now().Add(time.Second)
	if _, err := b.SetAlias(t.Context(), ledger.Alias{Product: movement.Product{Scheme: movement.SKU, Code: "B"}, ProductID: 8, ProductName: "Eight",
		Who: "AB", Why: "test", At: after}); err != nil {
		t.Fatal(err)
	}
	if got := held(b); got != "AC" {
		t.Errorf("held: %s", got)
	}
	if _, err := b.ConfirmAliases(t.Context(), "AB", " ", after); err == nil {
		t.Error("confirmed without a word why")
	}
	if n, err := b.ConfirmAliases(t.Context(), "AB", "compared with the list", after); n != 2 || err != nil || held(b) != "" {
		t.Errorf("confirmed %d, %v; held: %s", n, err, held(b))
	}
	if told := trail(t, b, "alias confirmed"); len(told) != 2 || !strings.Contains(told[0], "still means Seven (7): compared with the list") {
		t.Errorf("the trail tells %q", told)
	}
}

// A person ends the warning before its week is over, with a word why; the next
// restore warns again.
func TestARestoreIsSettledByAPerson(t *testing.T) {
	l := ledgertest.Open(t)
	s := ledgertest.NewSender("BR01", epoch, movement.Live)
	if noted, err := l.NoteAhead(t.Context(), s.Stream, time.Now()); !noted || err != nil {
		t.Fatal(noted, err)
	}
	if n, err := l.SettleRestores(t.Context(), "ann", " ", time.Now()); n != 0 || fault.CodeOf(err) != "incomplete_decision" || len(restores(t, l)) != 1 {
		t.Errorf("without a word why: %d, %v", n, err)
	}
	for _, want := range []int{1, 0} {
		if n, err := l.SettleRestores(t.Context(), "ann", "all decided again", time.Now()); n != want || err != nil || len(restores(t, l)) != 0 {
			t.Errorf("%d settled, want %d, %v", n, want, err)
		}
	}
	if told := trail(t, l, "restore settled"); len(told) != 1 || !strings.Contains(told[0], "all decided again") {
		t.Errorf("the trail tells %q", told)
	}
	if noted, err := l.NoteAhead(t.Context(), s.Stream, time.Now().Add(time.Minute)); noted || err != nil {
		t.Errorf("the same restore is noted again: %t, %v", noted, err)
	}
}
