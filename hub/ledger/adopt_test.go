package ledger_test

import (
	"strings"
	"testing"

	"branchline/hub/ledger"
	"branchline/hub/ledger/ledgertest"
	"branchline/internal/fault"
	"branchline/internal/movement"
)

func trail(t *testing.T, l *ledger.Ledger, action string) (all []string) {
	t.Helper()
	entries, err := l.AuditTrail(t.Context(), 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Action == action {
			all = append(all, e.Subject+": "+e.Detail)
		}
	}
	return all
}

// That two documents hold one movement, and both are done, is never taken
// without a word.
func TestADocumentThatHoldsWhatAnotherHoldsIsTold(t *testing.T) {
	l := ledgertest.Open(t)
	stream := ledger.Stream{Branch: "BR01", Epoch: epoch, Lane: movement.Live}
	adopt := func(name string, id int64, first, last uint64) {
		t.Helper()
		if _, err := l.Adopt(t.Context(), ledger.Adopted{New: ledger.NewPosting{Name: name, Branch: "BR01", Kind: movement.Dispense},
			Odoo: ledger.OdooRef{Model: "stock.picking", ID: id, Name: name}, At: ledgertest.Noon,
			Runs: []ledger.Run{{Stream: stream, First: first, Last: last}}}); err != nil {
			t.Fatal(err)
		}
	}
	adopt("one", 7, 1, 4)
	adopt("next", 8, 5, 6)
	if told := trail(t, l, "posted twice"); len(told) != 0 {
		t.Fatalf("told of %q", told)
	}
	adopt("other", 9, 4, 5)
	told := strings.Join(trail(t, l, "posted twice"), "\n")
	for _, want := range []string{"other: ", "one (7)", "next (8)"} {
		if !strings.Contains(told, want) {
			t.Errorf("the trail tells %q, want %q in it", told, want)
		}
	}
}

func TestADocumentThatCannotBeAdoptedIsKeptUntilItIsSettled(t *testing.T) {
	l := ledgertest.Open(t)
	u := ledger.Unadopted{Odoo: ledger.OdooRef{Model: "stock.picking", ID: 7, Name: "BL/BR01/x"}, Branch: "BR01", Posting: "BL/BR01/x",
		Why: "its marker was altered", NotedAt: ledgertest.Noon}
	kept := func() []ledger.Unadopted {
		t.Helper()
		all, err := l.Unadopted(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	for range 2 {
		if err := l.KeepUnadopted(t.Context(), u); err != nil {
			t.Fatal(err)
		}
	}
	if all := kept(); len(all) != 1 || all[0] != u {
		t.Errorf("kept: %+v", all)
	}
	for range 2 {
		if err := l.SettleUnadopted(t.Context(), 7, "a person looked", ledgertest.Noon); err != nil {
			t.Fatal(err)
		}
	}
	if all := kept(); len(all) != 0 {
		t.Errorf("kept: %+v", all)
	}
	if a, b := trail(t, l, "document not adopted"), trail(t, l, "document settled"); len(a) != 1 || len(b) != 1 || !strings.Contains(b[0], "looked") {
		t.Errorf("the trail tells %q, %q", a, b)
	}
}

// A posting that is done as one document, while another one that bears its marker
// is done too, is told once, however often it is looked at.
func TestASecondDocumentOfAPostingIsToldOnce(t *testing.T) {
	l := ledgertest.Open(t)
	ref := func(id int64) ledger.OdooRef {
		return ledger.OdooRef{Model: "stock.picking", ID: id, Name: "WH/IN/" + string(rune('0'+id))}
	}
	if _, err := l.Adopt(t.Context(), ledger.Adopted{New: ledger.NewPosting{Name: "one", Branch: "BR01", Kind: movement.Receipt}, Odoo: ref(7), At: ledgertest.Noon,
		Runs: []ledger.Run{{Stream: ledger.Stream{Branch: "BR01", Epoch: epoch, Lane: movement.Live}, First: 1, Last: 2}}}); err != nil {
		t.Fatal(err)
	}
	for _, id := range []int64{7, 8, 8} {
		if err := l.TellDouble(t.Context(), "one", ref(id), ledgertest.Noon); err != nil {
			t.Fatal(err)
		}
	}
	if told := trail(t, l, "posted twice"); len(told) != 1 || !strings.Contains(told[0], "WH/IN/8 (8)") {
		t.Errorf("told %q", told)
	}
}

// Only a person settles a document whose marker is gone, by name or id, and says why.
func TestAPersonSettlesADocument(t *testing.T) {
	l := ledgertest.Open(t)
	for id, name := range map[int64]string{7: "BL/BR01/x", 8: "BL/BR01/y", 9: "BL/BR01/y"} {
		if err := l.KeepUnadopted(t.Context(), ledger.Unadopted{Odoo: ledger.OdooRef{Model: "stock.picking", ID: id, Name: name},
			Branch: "BR01", Posting: name, Why: "it has no marker", NotedAt: ledgertest.Noon}); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ document, who, why, code string }{
		{"BL/BR01/x", "AB", " ", "incomplete_decision"},
		{"BL/BR01/x", "", "returned", "incomplete_decision"},
		{"BL/BR01/z", "AB", "returned", "unknown_document"},
		{"BL/BR01/y", "AB", "returned", "unknown_document"}, // two bear it
		{"BL/BR01/x", "AB", "returned", ""},
		{"BL/BR01/x", "AB", "returned", "unknown_document"}, // no longer
		{"9", "AB", "returned", ""},
		{"BL/BR01/y", "AB", "returned", ""},
	} {
		u, err := l.SettleDocument(t.Context(), c.document, c.who, c.why, ledgertest.Noon)
		if (err == nil) != (c.code == "") || err != nil && fault.CodeOf(err) != c.code || err == nil && u.Branch != "BR01" {
			t.Errorf("%+v: %+v, %v", c, u, err)
		}
	}
	for id, want := range map[int64]bool{6: false, 7: true, 8: true, 9: true} {
		if settled, err := l.IsSettled(t.Context(), ledger.OdooRef{Model: "stock.picking", ID: id}); err != nil || settled != want {
			t.Errorf("document %d: settled %v, %v", id, settled, err)
		}
	}
	if told := trail(t, l, "document settled"); len(told) != 3 || !strings.Contains(told[0], "BL/BR01/x: stock.picking 7: returned") {
		t.Errorf("the trail tells %q", told)
	}
	if kept, err := l.Unadopted(t.Context()); err != nil || len(kept) != 0 {
		t.Errorf("kept: %+v, %v", kept, err)
	}
}
