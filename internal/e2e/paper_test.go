//go:build linux

package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"branchline/internal/paper"
	"branchline/internal/rig"
	"branchline/internal/ui/uitest"
)

// A delivery and what was handed out were written on paper two days ago. They are
// typed in with the line down, the agent is killed in the middle, and all of it goes
// to Odoo with its own day once there is a line. A form that is typed in twice
// counts once; what it says otherwise waits with a person.
func TestWhatWasWrittenOnPaperComesToOdoo(t *testing.T) {
	o := newOffice(t)
	a, amoxicillin, paracetamol := o.Agents[0], o.Chain.Products[0], o.Chain.Products[3]
	order, err := o.Chain.Order(o.ctx, a.Branch, rig.OrderLine{Product: amoxicillin, Quantity: 6}, rig.OrderLine{Product: paracetamol, Quantity: 20})
	if err != nil {
		t.Fatal(err)
	}
	o.tells(a.Page+"paper", order, true)
	page := uitest.Open(t, a.Page+"paper/print?order="+order)
	page.WaitText("Write no names of patients")
	page.WaitText(amoxicillin.Name)
	page.Print()
	page.Shot("e2e-paper-form")
	received, err := paper.Parse(page.Text(".number b"))
	if err != nil {
		t.Fatal(err)
	}
	handed := paper.NewNumber(paper.Dispense)
	page = uitest.Open(t, a.Page+"paper")

	o.Hub.Kill()
	day := time.Now().AddDate(0, 0, -1)
	begin := func(n paper.Number, of string) {
		t.Helper()
		page.Go(a.Page + "paper")
		page.Click("#number")
		page.Type(n.String())
		if of != "" {
			page.Click("#order")
			page.Type(of)
		}
		page.Click("#open .primary")
		page.WaitText("as it stands on the form")
	}
	line := func(n int, at, code, lot string, packs int) {
		t.Helper()
		expiry := ""
		if lot != "" {
			expiry = "2029-05-31"
		}
		for id, value := range map[string]string{"form-line": fmt.Sprint(n), "day": day.Format(time.DateOnly), "time": at, "text": code, "lot": lot, "expiry": expiry, "packs": fmt.Sprint(packs), "by": "AB", "me": "CD"} {
			uitest.Eval[string](page, fmt.Sprintf("document.getElementById(%q).value = %q", id, value))
		}
		page.Click("#save")
		page.Wait(fmt.Sprintf(`document.querySelector("#typed").innerText.includes(%q)`, at))
	}
	confirm := func() {
		t.Helper()
		page.Click(`a[data-key="F9"]`)
		page.WaitText("Line by line, as the form says")
		page.Wait(`document.getElementById("by").value === "CD"`)
		page.Shot("e2e-paper-review")
		page.Click("form[action$='/confirm'] .primary")
		page.WaitText("Typed in from paper")
	}
	begin(received, order)
	line(1, "09:10", amoxicillin.GTIN, "A77B12", 6)
	page.Shot("e2e-paper-typing")
	a.Kill()
	if err := a.Start(o.ctx); err != nil {
		t.Fatal(err)
	}
	page.Wait("document.getElementById('lost').hidden")
	page.Go(a.Page + "paper")
	page.WaitText("1 line typed in")
	page.Click("#begun a")
	page.WaitText("A77B12")
	line(2, "09:15", paracetamol.GTIN, "", 18)
	confirm()
	begin(handed, "")
	line(1, "11:40", amoxicillin.GTIN, "A77B12", 2)
	line(2, "12:05", paracetamol.GTIN, "", 1)
	confirm()

	// Somebody else types the second form in once more, and reads a line otherwise.
	begin(handed, "")
	page.WaitText("It was typed in before, with 2 lines")
	line(1, "11:40", amoxicillin.GTIN, "A77B12", 2)
	line(2, "12:05", paracetamol.GTIN, "", 7)
	confirm()
	page.WaitText("1 line was recorded before, just so")
	page.WaitText("1 line says something else than when this form was typed in before")
	page.Shot("e2e-paper-again")

	if err := o.Hub.Start(o.ctx); err != nil {
		t.Fatal(err)
	}
	if err := rig.Until(o.ctx, "what is on the forms is in Odoo", func() (bool, error) {
		stock, err := o.Chain.Stock(o.ctx, a.Branch)
		return stock[rig.Item{GTIN: amoxicillin.GTIN, Lot: "A77B12"}] == 4 && stock[rig.Item{GTIN: paracetamol.GTIN}] == 17, err
	}); err != nil {
		said, _ := o.hub("movements")
		t.Fatalf("%v\n%s", err, said)
	}
	o.until("1 waits for a person", "exceptions")
	o.ok([]string{"exceptions"}, "conflicting_repeat")

	// The documents are of the day that the forms say.
	done, err := o.odoo.PickingsNamedLike(o.ctx, "BL/", 0, 0)
	if err != nil || len(done) == 0 {
		t.Fatalf("documents %+v, %v", done, err)
	}
	for _, p := range done { // one for both, or one for each where the lot was still on its way
		if at := p.Done.Local().Format("2006-01-02 15:04"); at != day.Format(time.DateOnly)+" 11:40" && at != day.Format(time.DateOnly)+" 12:05" {
			t.Errorf("in Odoo %s happened at %s", p.Name, at)
		}
	}
	said := o.ok([]string{"movements"})
	if strings.Count(said, "dispense") != 3 {
		t.Errorf("the hub has\n%s", said)
	}
}
