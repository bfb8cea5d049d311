//go:build linux

package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"branchline/internal/rig"
	"branchline/internal/ui/uitest"
)

// Rows that could not be read are settled at the branch's page: the corrected one
// is posted once, nobody at the hub is asked any more, and who said so is kept. The
// same file again changes nothing.
func TestRowsAreSettledAtTheBranch(t *testing.T) {
	o := newOffice(t)
	paracetamol := o.Chain.Products[3]
	agent := o.Agents[0]
	at := time.Now().UTC().Format(time.DateTime)
	file := []string{"R1;1;" + at + ";Erika;1958-03-14;" + paracetamol.GTIN + ";;two;CD", "R1;2;" + at + ";Erika;1958-03-14;" + paracetamol.GTIN + ";;x;CD"}
	o.drop("bad.csv", file...)
	o.until("bad_quantity", "exceptions")
	page := uitest.Open(t, agent.Page+"rows")
	page.WaitText("2 rows wait for a person")
	page.Click("tbody tr:first-child a.btn")
	page.WaitText("Line 2 of bad.csv")
	if strings.Contains(page.Text("body"), "Erika") || strings.Contains(page.Text("body"), "1958") {
		t.Error("a patient is on the page")
	}
	page.Wait("[...document.querySelectorAll('label')].some(l => l.textContent === 'qty')")
	uitest.Eval[string](page, "[...document.querySelectorAll('label')].find(l => l.textContent === 'qty').control.value = '2', ''")
	page.Click("#check")
	page.WaitText("It will be recorded as: dispense 2 of GTIN " + paracetamol.GTIN)
	page.Shot("e2e-row")
	page.Click("#why")
	page.Type("the receipt says 2")
	page.Click("#by")
	page.Type("AB")
	page.Press(uitest.Enter)
	page.WaitText("Line 2 of bad.csv is corrected")
	page.Click("tbody tr:first-child a.btn")
	page.WaitText("Line 3 of bad.csv")
	page.Click("#dismiss-why")
	page.Type("a test of the till")
	page.Press(uitest.Enter)
	page.WaitText("No row waits for a person")
	inOdoo := func(want float64) {
		t.Helper()
		if err := rig.Until(o.ctx, fmt.Sprintf("%g in Odoo", want), func() (bool, error) {
			stock, err := o.Chain.Stock(o.ctx, agent.Branch)
			return stock[rig.Item{GTIN: paracetamol.GTIN}] == want, err
		}); err != nil {
			t.Fatal(err)
		}
	}
	inOdoo(-2)
	if err := rig.Until(o.ctx, "no exception is open", func() (bool, error) {
		said, _ := o.hub("exceptions")
		return !strings.Contains(said, "bad_quantity"), nil
	}); err != nil {
		t.Fatal(err)
	}
	o.ok([]string{"movements"}, "discarded, corrected at the branch by AB: the receipt says 2 (by "+agent.Branch.Code+"/",
		"discarded, dismissed at the branch by AB: a test of the till (by ", "dismissal of till/R1/2!")
	o.drop("again.csv", file...)
	o.drop("after.csv", "R2;1;TIME;Erika;1958-03-14;"+paracetamol.GTIN+";;3;CD")
	inOdoo(-5)
	page.Go(agent.Page + "rows")
	page.WaitText("No row waits for a person")

	// One that people at the hub have settled is no task at the branch any more.
	o.drop("hub.csv", "R3;1;"+at+";Erika;1958-03-14;"+paracetamol.GTIN+";;three;CD")
	o.tells(agent.Page+"rows", "1 row waits for a person", true)
	o.until("bad_quantity", "exceptions")
	o.ok([]string{"discard", o.id("bad_quantity"), "--why", "the till was tried out"}, "1 discarded")
	for _, words := range []string{"No row waits for a person", "Line 2 of hub.csv", "discarded at the hub", "The till was tried out."} {
		o.tells(agent.Page+"rows", words, true)
	}
}
