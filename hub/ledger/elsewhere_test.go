package ledger_test

import (
	"strings"
	"testing"
	"time"

	"branchline/hub/ledger"
	"branchline/hub/ledger/ledgertest"
	"branchline/internal/movement"
)

// What a branch says of a stream that the ledger never held holds up no other, as
// long as it says so alone; the ledger's own streams, and several such branches, are
// the sign of a ledger that was put back.
func TestABranchFromAnotherHubHoldsUpNoOther(t *testing.T) {
	held := ledger.Stream{Branch: "BR01", Epoch: "aaaaaaaaaaaa", Lane: movement.Live}
	pilot := ledger.Stream{Branch: "BR77", Epoch: "pppppppppppp", Lane: movement.Live}
	pilotFiles := ledger.Stream{Branch: "BR77", Epoch: "pppppppppppp", Lane: movement.Bulk}
	second := ledger.Stream{Branch: "BR78", Epoch: "qqqqqqqqqqqq", Lane: movement.Live}
	for name, c := range map[string]struct {
		ahead    []ledger.Stream
		apart    time.Duration
		restored bool
		told     string
	}{
		"one from another hub":               {[]ledger.Stream{pilot}, 0, false, "BR77"},
		"it says so again, in both lanes":    {[]ledger.Stream{pilot, pilotFiles, pilot}, time.Minute, false, "BR77"},
		"the only one that is connected":     {[]ledger.Stream{held}, 0, true, ""},
		"one from another hub, and our own":  {[]ledger.Stream{pilot, held}, time.Minute, true, "BR77"},
		"two at a time":                      {[]ledger.Stream{pilot, second}, time.Minute, true, "BR77 BR78"},
		"two in two weeks, each by itself":   {[]ledger.Stream{pilot, second}, 7 * 24 * time.Hour, false, "BR77 BR78"},
		"a stream that was made here lately": {[]ledger.Stream{{Branch: "BR01", Epoch: "bbbbbbbbbbbb", Lane: movement.Live}}, 0, false, "BR01"},
	} {
		t.Run(name, func(t *testing.T) {
			l := ledgertest.Open(t)
			ledgertest.NewSender(held.Branch, held.Epoch, held.Lane).Commit(t, l, ledgertest.Record(movement.Dispense, 1))
			if _, err := l.SetAlias(t.Context(), ledger.Alias{Product: movement.Product{Scheme: movement.SKU, Code: "B"}, ProductID: 1,
				Who: "ann", Why: "the old number", At: ledgertest.Noon}); err != nil {
				t.Fatal(err)
			}
			at := time.Now()
			for _, s := range c.ahead {
				if _, err := l.NoteAhead(t.Context(), s, at); err != nil {
					t.Fatal(err)
				}
				at = at.Add(c.apart)
			}
			aliases, err := l.Aliases(t.Context())
			if err != nil || len(aliases) != 1 || aliases[0].Held != c.restored || len(restores(t, l)) > 0 != c.restored {
				t.Errorf("put back: %v, want %t; aliases %+v, %v", restores(t, l), c.restored, aliases, err)
			}
			all, err := l.Elsewhere(t.Context(), time.Time{})
			var told []string
			for _, e := range all {
				told = append(told, e.Branch)
				if w := e.Words(); !strings.Contains(w, "Branch "+e.Branch) || !strings.Contains(w, "branchline-hub restored") {
					t.Errorf("says %q", w)
				}
			}
			if err != nil || strings.Join(told, " ") != c.told {
				t.Errorf("told of %q, want %q, %v", told, c.told, err)
			}
			if _, err := l.SettleRestores(t.Context(), "ann", "looked", at); err != nil {
				t.Fatal(err)
			}
			if all, err := l.Elsewhere(t.Context(), time.Time{}); err != nil || len(all)+len(restores(t, l)) != 0 {
				t.Errorf("settled, and still told: %v, %v", all, err)
			}
		})
	}
}

// Once this hub has taken the stream of a branch that came from another one, it is a
// stream like any other: if the ledger is put back later, it says so.
func TestABranchFromAnotherHubBelongsHereOnceItIsTaken(t *testing.T) {
	l := ledgertest.Open(t)
	ledgertest.NewSender("BR01", "aaaaaaaaaaaa", movement.Live).Commit(t, l, ledgertest.Record(movement.Dispense, 1))
	pilot := ledgertest.NewSender("BR77", "pppppppppppp", movement.Live)
	if noted, err := l.NoteAhead(t.Context(), pilot.Stream, time.Now()); noted || err != nil {
		t.Fatal(noted, err)
	}
	pilot.Commit(t, l, ledgertest.Record(movement.Dispense, 1))
	if noted, err := l.NoteAhead(t.Context(), pilot.Stream, time.Now()); !noted || err != nil {
		t.Errorf("put back, and not noted: %v, %v", noted, err)
	}
}
