package post_test

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"branchline/hub/ledger"
	"branchline/hub/ledger/ledgertest"
	"branchline/hub/plan"
	"branchline/hub/post"
	"branchline/internal/fault"
	"branchline/internal/movement"
	"branchline/internal/odoo"
)

// searching is an Odoo that keeps what it was searched for.
type searching struct {
	post.Odoo
	mu    sync.Mutex
	fails bool
	asked []string // prefix, and "all" or "since"
}

func (s *searching) OursSince(ctx context.Context, prefix string, since time.Time, after int64, limit int) ([]odoo.Picking, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fails {
		return nil, fault.New(fault.Transient, odoo.CodeBusy, "busy")
	}
	if after == 0 {
		s.asked = append(s.asked, prefix+map[bool]string{true: " all", false: " since"}[since.IsZero()])
	}
	return s.Odoo.OursSince(ctx, prefix, since, after, limit)
}

// asks starts a poster for these branches, and gives what it searches for.
func (w *world) asks(branches ...string) []string {
	w.t.Helper()
	s := &searching{}
	w.posts.Branches = branches
	w.betweenOdoo = func(o post.Odoo) post.Odoo { s.Odoo = o; return s }
	w.on(w.ledger)
	ctx, cancel := contextFor(w.t.(*testing.T))
	defer cancel()
	w.until(ctx, func() bool { return w.poster.Status().Adopted })
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}

// anotherBranch makes a second branch in the same Odoo.
func (w *world) anotherBranch(code string) odoo.Warehouse {
	w.t.Helper()
	ids, err := w.admin.Create(w.t.Context(), "stock.warehouse", map[string]any{"name": "Branch " + w.unique(), "code": code})
	must(w.t, err)
	all, err := w.user.Warehouses(w.t.Context())
	must(w.t, err)
	i := slices.IndexFunc(all, func(b odoo.Warehouse) bool { return b.ID == ids[0] })
	return all[i]
}

// A branch is put back together with the hub's configuration, as of before it was
// added, and is added again after days in which the others were posted.
func TestABranchThatIsAddedAgainDaysAfterARestoreIsPostedOnce(t *testing.T) {
	w := simulated(t, 19)
	p := w.product(odoo.ByQuantity)
	backup := filepath.Join(t.TempDir(), "backup.db")
	w.copyLedger(backup)
	w.send(w.moved(movement.Dispense, p, 1), w.moved(movement.Dispense, p, 1))
	w.settle()

	mine, sender, sent := w.branch, w.sender, w.sent
	w.branch = w.anotherBranch("ZZOTH")
	w.posts.Branches = []string{"ZZOTH"}
	w.plans.Branches = map[string]plan.BranchConfig{"ZZOTH": {}}
	w.on(ledgertest.OpenAt(t, backup))
	w.clock.forward(72 * time.Hour)
	w.sender, w.sent = ledgertest.NewSender("ZZOTH", movement.NewEpoch(), movement.Live), nil
	w.send(w.moved(movement.Dispense, p, 1))
	w.settle()

	w.branch = mine
	w.posts.Branches = []string{"ZZOTH", mine.Code}
	w.plans.Branches = map[string]plan.BranchConfig{"ZZOTH": {}, mine.Code: {}}
	w.plans.Movements = 1 // cut otherwise than then
	w.on(w.ledger)
	w.sender, w.sent = ledgertest.NewSender(mine.Code, sender.Epoch, movement.Live), nil
	w.send(sent...)
	w.settle()
	must(t, w.master.Refresh(t.Context()))
	if got := w.dispensed(p); got != movement.Units(2) {
		t.Errorf("%s left the branch in Odoo, want 2: posted twice", got)
	}
}

// The hub's clock was ahead when it last posted, and is right again, long before
// the backup is put back; meanwhile nothing is posted that would tell.
func TestWhereTheHubHasSearchedIsToldByOdoosClock(t *testing.T) {
	w := simulated(t, 19)
	p := w.product(odoo.ByQuantity)
	w.clock.forward(48 * time.Hour)
	w.send(w.moved(movement.Dispense, p, 1))
	w.settle()
	w.on(w.ledger) // searches once more
	ctx, cancel := contextFor(t)
	defer cancel()
	w.until(ctx, func() bool { return w.poster.Status().Adopted })
	backup := filepath.Join(t.TempDir(), "backup.db")
	w.copyLedger(backup)
	night := w.sender.At
	w.send(w.moved(movement.Dispense, p, 1), w.moved(movement.Dispense, p, 1))
	w.settle()
	// The restore is days later: the moment told by the hub's clock then is past,
	// and later than the documents.
	w.clock.forward(48 * time.Hour)
	w.plans.Movements = 1
	w.on(ledgertest.OpenAt(t, backup))
	again := ledgertest.NewSender(w.sender.Branch, w.sender.Epoch, w.sender.Lane)
	again.At = night
	w.sender = again
	resend := slices.Clone(w.sent[1:])
	w.sent = w.sent[:1]
	w.send(resend...)
	w.settle()
	must(t, w.master.Refresh(t.Context()))
	if got := w.dispensed(p); got != movement.Units(3) {
		t.Errorf("%s left in Odoo, want 3: posted twice", got)
	}
}

// All branches that were searched for alike are searched for at once, and only
// since then; a ledger that was never told, and a branch that is new, from the
// beginning, once.
func TestABranchIsSearchedForFromWhereItWas(t *testing.T) {
	w := simulated(t, 19)
	p := w.product(odoo.ByQuantity)
	own := w.branch.Code
	step := func(want []string, branches ...string) {
		t.Helper()
		if got := w.asks(branches...); !slices.Equal(got, want) {
			t.Errorf("searched for %q, want %q", got, want)
		}
	}
	step([]string{"BL/ all"}, own)
	step([]string{"BL/ all"}, own) // there was nothing whose time could be told
	w.send(w.moved(movement.Dispense, p, 1))
	w.settle()
	step([]string{"BL/ all"}, own)
	step([]string{"BL/ since"}, own)
	step([]string{"BL/NEW/ all", "BL/ since"}, own, "NEW")
	step([]string{"BL/ since"}, own, "NEW")
	marks, err := w.ledger.Searched(t.Context())
	must(t, err)
	must(t, w.ledger.MarkSearched(t.Context(), []string{"NEW"}, marks[own].Add(-time.Hour)))
	step([]string{"BL/NEW/ since", "BL/ since"}, own, "NEW")
	step([]string{"BL/ since"}, own, "NEW")
	must(t, w.ledger.MarkSearched(t.Context(), []string{own, "NEW"}, w.clock.now().Add(72*time.Hour)))
	step([]string{"BL/ all"}, own, "NEW") // no clock that was right told that
	step([]string{"BL/ since"}, own, "NEW")
}

// A search that broke off has searched nothing, and a moment is never later than
// what Odoo told, nor than the hub's own time.
func TestOnlyAWholeSearchCounts(t *testing.T) {
	w := simulated(t, 19)
	p := w.product(odoo.ByQuantity)
	s := w.stubborn()
	first, _ := w.lostNight(p)
	before := w.clock.now().Add(-time.Hour).Truncate(time.Second).UTC()
	must(t, w.ledger.MarkSearched(t.Context(), []string{w.branch.Code}, before))
	s.set(first.Name, fault.New(fault.Transient, "ledger_busy", "busy"))
	ctx, cancel := contextFor(t)
	defer cancel()
	looks := 0
	w.until(ctx, func() bool { looks++; return looks > 20 })
	mark := func() time.Time {
		t.Helper()
		marks, err := w.ledger.Searched(t.Context())
		must(t, err)
		return marks[w.branch.Code]
	}
	if at := mark(); !at.Equal(before) || w.poster.Status().Adopted {
		t.Errorf("searched through %v and then %v", before, at)
	}
	s.set("", nil)
	if !w.until(ctx, func() bool { return w.poster.Status().Adopted && w.rest(ctx) }) {
		t.Fatalf("it does not go on: %s", w.describe())
	}
	w.check()
	if at := mark(); !at.After(before) || at.After(time.Now()) {
		t.Errorf("searched through %v", at)
	}
}

// Postings of a branch that the hub serves no longer are posted all the same, once
// its documents have been searched for.
func TestABranchThatIsTakenAwayIsPostedToItsEnd(t *testing.T) {
	w := simulated(t, 19)
	p := w.product(odoo.ByQuantity)
	w.send(w.moved(movement.Dispense, p, 1))
	must(t, w.plan(t.Context()))
	if got := w.state(1); got != ledger.Planned {
		t.Fatal(got)
	}
	asked := w.asks("ELSE")
	if !strings.Contains(strings.Join(asked, ","), "BL/") {
		t.Errorf("searched for %q", asked)
	}
	w.settle()
	w.check()
	if got := w.state(1); got != ledger.Posted {
		t.Errorf("it is %s", got)
	}
}
