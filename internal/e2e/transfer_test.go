//go:build linux

package e2e

import (
	"fmt"
	"testing"

	"branchline/internal/rig"
	"branchline/internal/ui/uitest"
)

// Goods go from one branch to another: sent on the page, the agent killed in the
// middle, taken in by the number on the paper. Between the two they are in transit
// in Odoo, and after both are confirmed they are counted once.
func TestATransferBetweenBranches(t *testing.T) {
	o := officeOf(t, 3)
	from, to, amoxicillin := o.Agents[0], o.Agents[1], o.Chain.Products[0]
	pack := "]d201" + amoxicillin.GTIN + "17290531" + "10A77B12"
	at := rig.Item{GTIN: amoxicillin.GTIN, Lot: "A77B12"}
	has := func(here, there float64) {
		t.Helper()
		if err := rig.Until(o.ctx, fmt.Sprintf("%g stay and %g have come", here, there), func() (bool, error) {
			mine, err := o.Chain.Stock(o.ctx, from.Branch)
			if err != nil {
				return false, err
			}
			theirs, err := o.Chain.Stock(o.ctx, to.Branch)
			return mine[at] == here && theirs[at] == there, err
		}); err != nil {
			said, _ := o.hub("movements")
			t.Fatalf("%v\n%s", err, said)
		}
	}
	two := func(page *uitest.Page) {
		page.Press(uitest.Key{Key: "F2", Code: "F2"})
		page.Type("2")
		page.Press(uitest.Enter)
		page.Wait(`document.querySelector("#title .right b").textContent === "2"`)
	}
	order, err := o.Chain.Order(o.ctx, from.Branch, rig.OrderLine{Product: amoxicillin, Quantity: 6})
	if err != nil {
		t.Fatal(err)
	}
	received(o, order, pack, "BL-QTY-6", "BL-CONFIRM").WaitText("In Odoo as ")
	has(6, 0)

	page := uitest.Open(t, from.Page+"transfer_out")
	page.WaitText(to.Branch.Name) // the hub has sent the list of branches
	page.Shot("e2e-transfer-out")
	page.Click("#branch-" + to.Branch.Code)
	page.WaitText("to " + to.Branch.Name)
	page.Scan(pack)
	page.WaitText("saved")
	two(page)
	from.Kill()
	if err := from.Start(o.ctx); err != nil {
		t.Fatal(err)
	}
	page.Wait("document.getElementById('lost').hidden")
	page.Press(uitest.Key{Key: "F9", Code: "F9"})
	page.WaitText("It goes to " + to.Branch.Name)
	page.Click("#by")
	page.Type("AB")
	page.Press(uitest.Enter)
	page.WaitText("is confirmed")
	page.WaitText("In Odoo as ")
	page.Shot("e2e-transfer-receipt")
	number := page.Text(".slip dd b")
	has(4, 0) // in transit
	o.ok([]string{"transfers"}, number, "lot A77B12: 2 sent, 0 taken in")

	page.Go(to.Page + "transfer_in")
	page.WaitText("By the number on the paper in the box")
	page.Scan(number)
	page.WaitText("from " + from.Branch.Name)
	page.Scan(pack)
	page.WaitText("saved")
	two(page)
	page.Shot("e2e-transfer-in")
	page.Press(uitest.Key{Key: "F9", Code: "F9"})
	page.WaitText("It comes from " + from.Branch.Name)
	page.Click("#by")
	page.Type("CD")
	page.Press(uitest.Enter)
	page.WaitText("is confirmed")
	page.WaitText("In Odoo as ")
	has(4, 2)

	page.Go(to.Page + "transfer_in")
	page.Scan(number)
	page.WaitText("was taken in here before")
	has(4, 2)

	// The same box at a third branch, which knows nothing of it, goes to a person.
	third := o.Agents[2]
	page.Go(third.Page + "transfer_in")
	page.WaitText("By the number on the paper in the box")
	page.Scan(number)
	page.WaitText("but it was sent to " + to.Branch.Name)
	page.Scan(pack)
	page.WaitText("saved")
	page.Press(uitest.Key{Key: "F9", Code: "F9"})
	page.WaitText("It comes from " + from.Branch.Name)
	page.Click("#by")
	page.Type("EF")
	page.Press(uitest.Enter)
	page.WaitText("is confirmed")
	page.WaitText("Waits with a person at the hub: more than was sent")
	page.Shot("e2e-transfer-again")
	o.ok([]string{"exceptions"}, "more_than_sent", number, "branchline-hub release")
	if now, err := o.Chain.Stock(o.ctx, third.Branch); err != nil || now[at] != 0 {
		t.Errorf("%g were counted there (%v)", now[at], err)
	}
	has(4, 2)
	o.ok([]string{"transfers"}, "All that was sent from branch to branch")
	o.ok([]string{"movements"}, fmt.Sprintf("transfer_out 2 of gtin %s, lot A77B12", amoxicillin.GTIN), fmt.Sprintf("transfer_in 2 of gtin %s, lot A77B12", amoxicillin.GTIN))
}
