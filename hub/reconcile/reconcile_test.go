package reconcile_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"branchline/hub/ledger"
	"branchline/hub/reconcile"
	"branchline/internal/fault"
	"branchline/internal/movement"
	"branchline/internal/odoo"
	"branchline/internal/odoo/odootest"
)

// Whatever the branch had before it began, equal is equal; and each movement is in
// one bucket, by the day on which it happened.
func TestWhatIsPostedIsFound(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		tracked, plain := w.product(odoo.ByLot), w.product(odoo.ByQuantity)
		w.opening(tracked, "A1", 50)
		w.opening(plain, "", 7)
		w.send(w.moved(movement.Dispense, tracked, 3, lot("A1")))
		w.post()
		first := w.equal()
		if !first.Result.Stock.Start.Equal(first.Result.Stock.At) || first.Result.Stock.StartWho != "ann" {
			t.Errorf("the start is %+v", first.Result.Stock)
		}
		w.send(w.moved(movement.Dispense, tracked, 2, lot("A1"), ago(25*time.Hour)), w.moved(movement.Return, plain, 1), w.moved(movement.Wastage, plain, 4),
			w.moved(movement.Dispense, odoo.Product{Code: "NO-SUCH"}, 1))
		w.post()
		w.send(w.moved(movement.Dispense, plain, 2)) // waits for the planner
		w.said(8, 5)
		c := w.equal()
		b := c.Summary.All
		if b.Captured != 6 || b.Received != 6 || b.Posted != 4 || b.Found != 4 || b.Person != 1 || b.Waiting != 1 || c.Summary.Unsent != 2 || !c.Summary.Heard {
			t.Errorf("%+v, unsent %d", b, c.Summary.Unsent)
		}
		if len(c.Result.Days) != 2 || c.Result.Days[1].Posted != 1 || c.Result.Days[0].Posted != 3 || !c.Result.Days[1].Day.Before(c.Result.Days[0].Day) {
			t.Errorf("days %+v", c.Result.Days)
		}
		if s := c.Result.Streams; len(s) != 1 || s[0].Appended != 8 || s[0].Received != 6 {
			t.Errorf("streams %+v", s)
		}
		if !c.Result.Stock.Start.Equal(first.Result.Stock.Start) || c.Result.Stock.Compared < 2 {
			t.Errorf("%+v", c.Result.Stock)
		}
		trail, _, err := w.ledger.AuditEntries(t.Context(), ledger.AuditFilter{Action: "reconciled", Who: "ann"})
		must(t, err)
		if len(trail) != 2 || trail[0].Subject != w.sender.Branch || !strings.Contains(trail[0].Detail, "captured 6, received 6, posted 4, found in Odoo 4, waiting 1, for a person 1") {
			t.Errorf("the trail says %+v", trail)
		}
	})
}

// What somebody does in Odoo to the stock, or to a document of ours, is named: where,
// how much, in what, by whom.
func TestWhatSomebodyDidInOdooIsNamed(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		tracked, plain := w.product(odoo.ByLot), w.product(odoo.ByQuantity)
		w.opening(tracked, "A1", 50)
		w.send(w.moved(movement.Dispense, tracked, 3, lot("A1")), w.moved(movement.Dispense, plain, 5))
		w.post()
		w.equal()

		w.counted(tracked, "A1", 40)
		w.counted(tracked, "B2", 6)
		doc := w.document()
		lines, err := w.admin.LinesOf(t.Context(), []int64{doc.Odoo.ID})
		must(t, err)
		i := slices.IndexFunc(lines[doc.Odoo.ID], func(l odoo.Line) bool { return l.ProductID == plain.ID })
		must(t, w.admin.Write(t.Context(), "stock.move.line", []int64{lines[doc.Odoo.ID][i].ID}, map[string]any{"quantity": 4.0}))

		c := w.check()
		if c.Summary.Records != 1 || c.Summary.Stock != 3 || c.Differences != 4 || c.Since.IsZero() || c.Summary.All.Changed != 2 || c.Summary.All.Found != 0 {
			t.Fatalf("%+v\n%+v", c, c.Result)
		}
		r := c.Result.Records[0]
		if r.What != ledger.DocumentChanged || r.OdooID != doc.Odoo.ID || r.Posting != doc.Name || r.Count != 2 || !strings.HasPrefix(r.Text, "1 too few of "+plain.Name) ||
			r.Movements != w.sender.Epoch+"/live:1-2" {
			t.Errorf("%+v", r)
		}
		at := func(p odoo.Product, lot string) ledger.StockDifference {
			for _, d := range c.Result.Stock.Differences {
				if d.ProductID == p.ID && d.Lot == lot {
					return d
				}
			}
			t.Fatalf("no difference of %s %s: %+v", p.Name, lot, c.Result.Stock.Differences)
			return ledger.StockDifference{}
		}
		a := at(tracked, "A1")
		if a.Off() != movement.Units(-7) || a.Expected != movement.Units(47) || a.Start != movement.Units(50) || a.Moved != movement.Units(-3) || a.Name != tracked.Name || len(a.Moves) == 0 {
			t.Errorf("%+v", a)
		}
		if m := a.Moves[0]; m.Quantity != movement.Units(-7) || m.Who == "" || m.Document == "" || m.OdooID != 0 || m.Lot != "A1" || m.Ours {
			t.Errorf("%+v", m)
		}
		if b := at(tracked, "B2"); b.Off() != movement.Units(6) || len(b.Moves) != 1 || b.Moves[0].Quantity != movement.Units(6) {
			t.Errorf("%+v", b)
		}
		if p := at(plain, ""); p.Off() != movement.Units(1) || len(p.Moves) != 1 || !p.Moves[0].Ours || p.Moves[0].OdooID != doc.Odoo.ID {
			t.Errorf("%+v", p)
		}

		// It goes on until a person says that Odoo's stock is right, with a word why.
		again := w.check()
		if again.Differences != 4 || !again.Since.Equal(c.Since) {
			t.Errorf("%d differences since %s, then %s", again.Differences, c.Since, again.Since)
		}
		must(t, w.ledger.AskStockStart(t.Context(), w.sender.Branch, "bob", "counted by hand", w.clock()))
		queue, err := w.ledger.ReconcileQueue(t.Context())
		must(t, err)
		must(t, w.runner.One(t.Context(), queue[0], w.parts.Branches[0]))
		c, _, err = w.ledger.Reconciliation(t.Context(), w.sender.Branch)
		must(t, err)
		if c.Summary.Stock != 0 || c.Summary.Records != 1 || c.Result.Stock.StartWho != "bob" || c.Result.Stock.StartWhy != "counted by hand" {
			t.Errorf("%+v", c)
		}
		if queue, err = w.ledger.ReconcileQueue(t.Context()); len(queue) != 0 || err != nil {
			t.Errorf("%+v, %v", queue, err)
		}
	})
}

// What is right in Odoo, as a person says, is no difference any more, and stays told;
// once it is otherwise in another way it is one again.
func TestWhatIsAcceptedIsNoDifference(t *testing.T) {
	w := simulated(t, 17)
	plain := w.product(odoo.ByQuantity)
	w.send(w.moved(movement.Dispense, plain, 5), w.moved(movement.Dispense, plain, 1))
	w.post()
	w.equal()
	doc := w.document()
	set := func(quantity float64) {
		lines, err := w.admin.LinesOf(t.Context(), []int64{doc.Odoo.ID})
		must(t, err)
		must(t, w.admin.Write(t.Context(), "stock.move.line", []int64{lines[doc.Odoo.ID][0].ID}, map[string]any{"quantity": quantity}))
	}
	set(4)
	c := w.check()
	d := c.Result.Records[0]
	accept := ledger.Accepted{Posting: d.Posting, What: d.What, Text: d.Text, At: w.clock(), Who: "pia", Why: "broken on the way"}
	for name, a := range map[string]ledger.Accepted{"another text": {Posting: d.Posting, What: d.What, Text: "x", Who: "pia", Why: "y"},
		"another kind": {Posting: d.Posting, What: ledger.DocumentGone, Text: d.Text, Who: "pia", Why: "y"}, "another document": {Posting: "x", What: d.What, Text: d.Text, Who: "pia", Why: "y"}} {
		if err := w.ledger.AcceptDifference(t.Context(), w.sender.Branch, a); fault.CodeOf(err) != ledger.CodeNoDifference {
			t.Errorf("%s: %v", name, err)
		}
	}
	must(t, w.ledger.AcceptDifference(t.Context(), w.sender.Branch, accept))
	must(t, w.ledger.AskStockStart(t.Context(), w.sender.Branch, "pia", "broken on the way", w.clock()))
	queue, err := w.ledger.ReconcileQueue(t.Context())
	must(t, err)
	must(t, w.runner.One(t.Context(), queue[0], w.parts.Branches[0]))
	c, _, err = w.ledger.Reconciliation(t.Context(), w.sender.Branch)
	must(t, err)
	if c.Differences != 0 || !c.Since.IsZero() || c.Summary.All.Accepted != 2 || c.Summary.All.Changed != 0 || len(c.Result.Accepted) != 1 ||
		c.Result.Accepted[0].Who != "pia" || c.Result.Accepted[0].Why != "broken on the way" || c.Result.Accepted[0].Text != d.Text {
		t.Errorf("%+v\n%+v", c, c.Result)
	}

	set(3)
	c = w.check()
	if c.Summary.Records != 1 || len(c.Result.Accepted) != 0 || c.Summary.All.Changed != 2 {
		t.Errorf("%+v\n%+v", c, c.Result)
	}
	trail, _, err := w.ledger.AuditEntries(t.Context(), ledger.AuditFilter{Action: "difference accepted", Who: "pia"})
	must(t, err)
	if len(trail) != 1 || !strings.Contains(trail[0].Detail, "broken on the way") {
		t.Errorf("%+v", trail)
	}
}

// A document can be cancelled when it is done, by modules that add this to Odoo, and
// deleted by hand in the database.
func TestACancelledDocumentIsNamed(t *testing.T) {
	w := simulated(t, 17)
	plain := w.product(odoo.ByQuantity)
	w.send(w.moved(movement.Dispense, plain, 5))
	w.post()
	w.equal()
	doc := w.document()
	must(t, w.sim.Undo(doc.Odoo.ID))
	c := w.check()
	if c.Summary.All.Missing != 1 || c.Summary.All.Found != 0 || len(c.Result.Records) != 1 || c.Result.Records[0].What != ledger.DocumentCancelled ||
		c.Result.Records[0].OdooName != doc.Name || c.Result.Records[0].Day != movement.DateOf(w.clock().UTC()) {
		t.Errorf("%+v", c.Result)
	}
	if d := c.Result.Stock.Differences; len(d) != 1 || d[0].Off() != movement.Units(5) {
		t.Errorf("%+v", d)
	}
	must(t, w.admin.Unlink(t.Context(), "stock.picking", []int64{doc.Odoo.ID}))
	if c = w.check(); len(c.Result.Records) != 1 || c.Result.Records[0].What != ledger.DocumentGone || c.Summary.All.Missing != 1 {
		t.Errorf("%+v", c.Result)
	}
}

// What the branch lost is named by its places, until a person has dealt with it.
func TestLostRecordsAreNamed(t *testing.T) {
	w := simulated(t, 19)
	plain := w.product(odoo.ByQuantity)
	w.send(w.moved(movement.Dispense, plain, 5))
	m := w.moved(movement.Dispense, plain, 1)
	lost := w.sender.Batch(t, m.AppendJSON(nil), m.AppendJSON(nil), m.AppendJSON(nil)) // never arrives
	after := w.sender.Batch(t, m.AppendJSON(nil))
	after.After, after.Lost = lost.After, true
	must(t, w.ledger.Commit(t.Context(), after))
	must(t, w.projector.CatchUp(t.Context()))
	w.post()
	c := w.check()
	if b := c.Summary.All; b.Captured != 5 || b.Lost != 3 || b.Received != 2 || b.Found != 2 {
		t.Errorf("%+v", b)
	}
	if len(c.Result.Records) != 1 || c.Result.Records[0].What != ledger.RecordLost || c.Result.Records[0].Movements != w.sender.Epoch+"/live:2-4" ||
		c.Result.Records[0].Count != 3 || c.Result.Records[0].Day != movement.DateOf(w.clock().UTC()) {
		t.Errorf("%+v", c.Result.Records)
	}
}

// The branch's word about its outbox counts: what the hub does not have though it said
// so, and what the branch does not have though it sent it.
func TestTheOutboxIsHeldAgainstTheLedger(t *testing.T) {
	w := simulated(t, 19)
	plain := w.product(odoo.ByQuantity)
	w.send(w.moved(movement.Dispense, plain, 5), w.moved(movement.Dispense, plain, 5))
	w.post()
	for name, c := range map[string]struct {
		last, acked uint64
		want        string
	}{
		"equal":                    {2, 2, ""},
		"more to come":             {9, 2, ""},
		"the hub was put back":     {9, 5, "/live:3-5"},
		"the outbox was put back":  {1, 1, "/live:2"},
		"both before anything was": {0, 0, "/live:1-2"},
	} {
		w.said(c.last, c.acked)
		got := w.check()
		switch {
		case c.want == "" && got.Differences != 0, c.want != "" && (len(got.Result.Records) != 1 || got.Result.Records[0].What != ledger.RecordBehind || got.Result.Records[0].Movements != w.sender.Epoch+c.want):
			t.Errorf("%s: %+v", name, got.Result.Records)
		}
	}
	// An old word says nothing of what came since.
	w.said(1, 1)
	w.report.At = time.Time{}.Add(time.Hour)
	if got := w.check(); got.Differences != 0 {
		t.Errorf("%+v", got.Result.Records)
	}
}

// Odoo goes away in the middle: it is said, nothing of what was found before is lost,
// and it goes on by itself.
func TestItGoesOnWhenOdooIsBack(t *testing.T) {
	w := simulated(t, 19)
	plain := w.product(odoo.ByQuantity)
	w.send(w.moved(movement.Dispense, plain, 5))
	w.post()
	before := w.equal()
	must(t, w.ledger.AskReconcile(t.Context(), []string{w.sender.Branch}, "ann", w.clock()))
	w.sim.Cause(odootest.Mischief{Kind: odootest.Outage, Model: "stock.quant"})
	ended := make(chan error, 1)
	changed, stop := w.ledger.Watch(ledger.ReconciliationChanged)
	defer stop()
	ctx, cancel := context.WithCancel(t.Context())
	go func() { ended <- w.runner.Run(ctx) }()
	poll(t, func() bool { return w.runner.Status().Waiting != "" })
	s := w.runner.Status()
	if s.Branch != w.sender.Branch || s.WaitingSince.IsZero() || s.Documents != 1 || s.Of != 1 {
		t.Errorf("%+v", s)
	}
	if c, _, _ := w.ledger.Reconciliation(t.Context(), w.sender.Branch); !c.At.Equal(before.At) {
		t.Error("half a comparison is kept")
	}
	w.sim.Behave()
	for c := before; c.At.Equal(before.At); c, _, _ = w.ledger.Reconciliation(t.Context(), w.sender.Branch) {
		select {
		case <-changed:
		case <-time.After(30 * time.Second):
			t.Fatal("it does not go on")
		}
	}
	poll(t, func() bool { s := w.runner.Status(); return s.Waiting == "" && s.Branch == "" })
	cancel()
	<-ended
	if q, err := w.ledger.ReconcileQueue(t.Context()); len(q) != 0 || err != nil {
		t.Errorf("%+v, %v", q, err)
	}
	w.equal()
}

// While the poster knows that Odoo is away, it is not asked.
func TestOdooIsNotAskedWhileItIsAway(t *testing.T) {
	w := simulated(t, 19)
	must(t, w.master.Refresh(t.Context()))
	w.away = "it did not answer"
	w.sim.ResetSpent()
	err := w.runner.One(t.Context(), ledger.ToReconcile{Branch: w.sender.Branch, AskedAt: w.clock(), Who: "ann"}, w.parts.Branches[0])
	if fault.ClassOf(err) != fault.Transient || w.sim.Spent().Calls != 0 {
		t.Errorf("%v after %+v", err, w.sim.Spent())
	}
}

// A new hub waits for its first night; one that was down at the time does it when it
// is up again, once; and who is no longer configured is forgotten.
func TestTheScheduleAsksOnceADay(t *testing.T) {
	w := simulated(t, 19)
	must(t, w.master.Refresh(t.Context()))
	ran := func() int {
		before, _, err := w.ledger.AuditEntries(t.Context(), ledger.AuditFilter{Action: "reconciled"})
		must(t, err)
		was, err := w.ledger.ReconcileScheduled(t.Context())
		must(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- w.runner.Run(ctx) }()
		poll(t, func() bool {
			is, err := w.ledger.ReconcileScheduled(t.Context())
			q, err2 := w.ledger.ReconcileQueue(t.Context())
			return err == nil && err2 == nil && is.After(was) && len(q) == 0
		})
		cancel()
		<-ended
		after, _, err := w.ledger.AuditEntries(t.Context(), ledger.AuditFilter{Action: "reconciled"})
		must(t, err)
		return len(after) - len(before)
	}
	if n := ran(); n != 0 {
		t.Errorf("a new hub compared %d at once", n)
	}
	must(t, w.ledger.AskReconcile(t.Context(), []string{"GONE"}, "ann", w.clock()))
	w.forward(24 * time.Hour)
	if n := ran(); n != 1 {
		t.Errorf("compared %d on the next day", n)
	}
	w.forward(5 * 24 * time.Hour)
	if n := ran(); n != 1 {
		t.Errorf("compared %d after five days", n)
	}
}

// The lots that the hub chose, or nobody named, are compared together.
func TestWithoutALotTheProductIsComparedAsAWhole(t *testing.T) {
	w := simulated(t, 19)
	tracked := w.product(odoo.ByLot)
	w.opening(tracked, "A1", 10)
	w.opening(tracked, "B2", 10)
	w.equal()
	w.send(w.moved(movement.Dispense, tracked, 3)) // for a person, who has a lot put to it
	w.post()
	c := w.equal()
	if c.Summary.All.Person != 1 || c.Result.Stock.Compared == 0 {
		t.Errorf("%+v", c)
	}
	w.counted(tracked, "A1", 9)
	if c = w.check(); len(c.Result.Stock.Differences) != 1 || c.Result.Stock.Differences[0].Off() != movement.Units(-1) {
		t.Errorf("%+v", c.Result.Stock)
	}
}

func TestTheConfigurationIsChecked(t *testing.T) {
	for want, change := range map[string]func(*reconcile.Config){
		"":                  func(*reconcile.Config) {},
		"at: \"half past\"": func(c *reconcile.Config) { c.At = "half past" },
		"days: 0":           func(c *reconcile.Config) { c.Days = 0 },
		"days: 400":         func(c *reconcile.Config) { c.Days = 400 },
		"calls_per_second":  func(c *reconcile.Config) { c.CallsPerSecond = 0 },
	} {
		c := reconcile.DefaultConfig()
		change(&c)
		err := c.Validate()
		if (err == nil) != (want == "") || err != nil && !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v", want, err)
		}
	}
	never := reconcile.Config{Days: 1, CallsPerSecond: 1}
	must(t, never.Validate())
}

// The schedule does not read again what nobody has written since, and sees all the
// same what somebody changes, cancels or deletes.
func TestTheScheduleReadsWhatIsNew(t *testing.T) {
	w := simulated(t, 19)
	plain := w.product(odoo.ByQuantity)
	night := func() (ledger.Reconciled, map[string]int) {
		t.Helper()
		w.forward(72 * time.Hour)
		must(t, w.master.Refresh(t.Context()))
		w.sim.ResetSpent()
		must(t, w.runner.One(t.Context(), ledger.ToReconcile{Branch: w.sender.Branch, AskedAt: w.clock(), Who: ledger.Schedule}, w.parts.Branches[0]))
		c, _, err := w.ledger.Reconciliation(t.Context(), w.sender.Branch)
		must(t, err)
		return c, w.sim.Spent().Methods
	}
	w.send(w.moved(movement.Dispense, plain, 5))
	w.post()
	if c, calls := night(); c.Differences != 0 || c.Summary.All.Found != 1 || calls["stock.move.search_read"] != 1 {
		t.Errorf("%+v by %v", c.Summary, calls)
	}
	if c, calls := night(); c.Differences != 0 || c.Summary.All.Found != 1 || calls["stock.move.search_read"] != 0 {
		t.Errorf("the second night: %+v by %v", c.Summary, calls)
	}
	doc := w.document().Odoo.ID
	lines, err := w.admin.LinesOf(t.Context(), []int64{doc})
	must(t, err)
	must(t, w.admin.Write(t.Context(), "stock.move.line", []int64{lines[doc][0].ID}, map[string]any{"quantity": 4.0}))
	for range 2 {
		if c, _ := night(); c.Summary.All.Changed != 1 {
			t.Errorf("changed: %+v", c.Summary)
		}
	}
	must(t, w.sim.Undo(doc))
	if c, _ := night(); c.Summary.All.Missing != 1 {
		t.Errorf("cancelled: %+v", c.Summary)
	}
	if c, _ := night(); c.Summary.All.Missing != 1 {
		t.Errorf("still cancelled: %+v", c.Summary)
	}
}

// Of a product that is on its way to Odoo nobody can tell what Odoo should have.
func TestWhatIsOnItsWayIsLeftOut(t *testing.T) {
	w := simulated(t, 17)
	plain := w.product(odoo.ByQuantity)
	begin := func() {
		t.Helper()
		w.send(w.moved(movement.Dispense, plain, 5))
		_, err := w.planner.Once(t.Context())
		must(t, err)
		all, err := w.ledger.Postings(t.Context(), ledger.PostingFilter{Branch: w.sender.Branch, State: ledger.PostingPlanned})
		must(t, err)
		for _, p := range all {
			_, err = w.ledger.ChangePosting(t.Context(), p.ID, ledger.PostingChange{At: w.clock(), State: ledger.PostingBegun, Step: "create"})
			must(t, err)
		}
		if len(all) != 1 {
			t.Fatalf("%d postings", len(all))
		}
	}
	must(t, w.master.Refresh(t.Context()))
	begin()
	if c := w.check(); !strings.Contains(c.Summary.NoStock, "on its way") || c.Summary.All.Waiting != 1 {
		t.Errorf("%+v", c.Summary)
	}
	w.post()
	if c := w.equal(); c.Result.Stock.Compared != 1 {
		t.Errorf("%+v", c.Result.Stock)
	}
	begin()
	w.counted(plain, "", 9)
	if c := w.equal(); c.Result.Stock.Compared != 0 {
		t.Errorf("%+v", c.Result.Stock)
	}
	w.post()
	if c := w.check(); len(c.Result.Stock.Differences) != 1 || c.Result.Stock.Differences[0].Off() != movement.Units(14) {
		t.Errorf("%+v", c.Result.Stock)
	}
}

// A batch that no longer opens is in a bucket of its own, and named.
func TestDamagedRecordsAreNamed(t *testing.T) {
	w := simulated(t, 19)
	plain := w.product(odoo.ByQuantity)
	w.send(w.moved(movement.Dispense, plain, 5), w.moved(movement.Dispense, plain, 6))
	w.send(w.moved(movement.Dispense, plain, 7))
	must(t, w.ledger.Write(t.Context(), func(tx *ledger.Tx) error {
		_, err := tx.Exec(`UPDATE batches SET payload = $1 WHERE first_seq = 1`, []byte("x"))
		return err
	}))
	must(t, w.ledger.ResetDerived(t.Context()))
	must(t, w.master.Refresh(t.Context()))
	if c := w.check(); c.Summary.All.Arriving != 3 || c.Summary.All.Received != 3 || c.Summary.NoStock == "" {
		t.Errorf("while the tables are made anew: %+v", c.Summary)
	}
	must(t, w.projector.CatchUp(t.Context()))
	c := w.check()
	if b := c.Summary.All; b.Damaged != 2 || b.Received != 3 || b.Waiting != 1 {
		t.Errorf("%+v", b)
	}
	if len(c.Result.Records) != 1 || c.Result.Records[0].What != ledger.RecordDamaged || c.Result.Records[0].Movements != w.sender.Epoch+"/live:1-2" {
		t.Errorf("%+v", c.Result.Records)
	}
}

// What a PC said once of its outbox holds, also of one from which nothing ever came.
func TestWhatAPCSaidBeforeItDiedHolds(t *testing.T) {
	w := simulated(t, 17)
	plain := w.product(odoo.ByQuantity)
	w.send(w.moved(movement.Dispense, plain, 5))
	w.post()
	own := w.sender.Epoch
	w.sender.Epoch = movement.NewEpoch() // a new PC, whose movements do not come
	w.said(40, 0)
	if c := w.check(); c.Summary.Unsent != 40 {
		t.Fatalf("%+v", c.Summary)
	}
	w.sender.Epoch = own
	w.said(1, 1)
	if c := w.check(); c.Summary.Unsent != 40 {
		t.Errorf("40 movements of which the branch told are forgotten: %+v %+v", c.Summary, c.Result.Streams)
	}
}
