//go:build linux

package e2e

import (
	"fmt"
	"strings"
	"testing"

	"branchline/internal/keyboard"
	"branchline/internal/rig"
	"branchline/internal/ui/uitest"
)

// A delivery is received on the branch's page with a scanner that types, the
// power fails in the middle of it, and in the end Odoo has what was scanned.
func TestADeliveryOnThePage(t *testing.T) {
	o := newOffice(t)
	a, amoxicillin, paracetamol := o.Agents[0], o.Chain.Products[0], o.Chain.Products[3]
	order, err := o.Chain.Order(o.ctx, a.Branch, rig.OrderLine{Product: amoxicillin, Quantity: 6}, rig.OrderLine{Product: paracetamol, Quantity: 20})
	if err != nil {
		t.Fatal(err)
	}
	page := uitest.Open(t, a.Page)
	page.WaitText("Which delivery?")
	page.WaitText(order) // it is expected: the hub has sent it down
	page.WaitText("Acme Wholesale")
	page.Shot("e2e-expected")
	page.Click("#open-" + order)
	page.WaitText("Amoxicillin 500 mg caps 21")
	page.Shot("e2e-open")
	pack := func(lot string) string { return "]d201" + amoxicillin.GTIN + "17290531" + "10" + lot }
	page.Scan(pack("A77B12"))
	page.WaitText("saved")
	page.Press(uitest.Key{Key: "F2", Code: "F2"})
	page.Type("6")
	page.Press(uitest.Enter)
	page.WaitText("complete")
	page.Scan(paracetamol.GTIN)
	page.WaitText("19 to come")
	page.Shot("e2e-scanned")

	a.Kill()
	if err := a.Start(o.ctx); err != nil {
		t.Fatal(err)
	}
	page.Wait("document.getElementById('lost').hidden")
	page.WaitText("19 to come")
	page.Press(uitest.Key{Key: "F9", Code: "F9"})
	page.WaitText("Is this all of " + order)
	page.Shot("e2e-review")
	page.Click("#by")
	page.Type("AB")
	page.Press(uitest.Enter)
	page.WaitText("is confirmed")
	page.WaitText("In Odoo as")
	page.Shot("e2e-receipt")
	if err := rig.Until(o.ctx, "the delivery is in Odoo", func() (bool, error) {
		stock, err := o.Chain.Stock(o.ctx, a.Branch)
		return stock[rig.Item{GTIN: amoxicillin.GTIN, Lot: "A77B12"}] == 6 && stock[rig.Item{GTIN: paracetamol.GTIN}] == 1, err
	}); err != nil {
		said, _ := o.hub("movements")
		t.Fatalf("%v\n%s", err, said)
	}
	// The branch knows what it has, and looking it up records nothing.
	page.Go(a.Page + "lookup")
	page.Scan(paracetamol.GTIN)
	page.WaitText("page · Looked up")
	page.Click("#q")
	page.Type("amoxi")
	page.Press(uitest.Enter)
	page.WaitText("followed by lot · GTIN " + amoxicillin.GTIN)
	page.Shot("e2e-lookup")
	// Dispensed at the page, at once.
	page.Go(a.Page + "dispense")
	page.Scan(pack("A77B12"))
	page.WaitText("saved")
	page.Shot("e2e-dispense")
	o.until(fmt.Sprintf("dispense 1 of gtin %s, lot A77B12", amoxicillin.GTIN), "movements")
	// A scanner is tested: what it sends is explained, and not recorded.
	page.Go(a.Page + "scanners")
	page.Click("#test-page")
	page.WaitText("Nothing that it scans is recorded.")
	page.Scan(pack("A77B12") + "\x1d" + "2155")
	page.WaitText("GS1 DataMatrix")
	page.Shot("e2e-scanners")
	page.Click("#test-page")
	page.Wait("!document.body.innerText.includes('Nothing that it scans is recorded.')")
	page.Scan(keyboard.Text)
	page.WaitText("The keyboard is right")
	page.Go(a.Page + "sheet")
	page.WaitText("BL-CONFIRM")
	page.WaitText("Keyboard check")
	page.Shot("e2e-sheet")
	said := o.ok([]string{"movements"}, fmt.Sprintf("receipt 6 of gtin %s, lot A77B12", amoxicillin.GTIN))
	if strings.Count(said, "\n") != 3 {
		t.Errorf("not three movements:\n%s", said)
	}
}
