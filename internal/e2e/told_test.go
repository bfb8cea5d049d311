//go:build linux

package e2e

import (
	"fmt"
	"strings"
	"testing"

	"branchline/internal/rig"
)

// A file that does not fit its mapping keeps none waiting that comes after it,
// and everybody is told: the branch's staff, who watches its health, and the
// hub's operators. It is read when it is mended.
func TestAFileThatDoesNotFitKeepsNoneWaiting(t *testing.T) {
	o := newOffice(t)
	paracetamol := o.Chain.Products[3]
	agent := o.Agents[0]
	posted := func(want float64) {
		t.Helper()
		if err := rig.Until(o.ctx, fmt.Sprintf("%g in Odoo", want), func() (bool, error) {
			stock, err := o.Chain.Stock(o.ctx, o.Chain.Branches[0])
			return stock[rig.Item{GTIN: paracetamol.GTIN}] == want, err
		}); err != nil {
			said, _ := o.hub("movements")
			t.Fatalf("%v\n%s", err, said)
		}
	}
	const unfit = "the header has no column"
	strange := "receipt;line;time;patient;born;article;lot;qty;initials\nR1;1;2026-11-20 10:00:00;Erika;1958-03-14;" + paracetamol.GTIN + ";;1;CD\n"
	if err := agent.DropExport("strange.csv", strange); err != nil {
		t.Fatal(err)
	}
	places := []string{agent.Page + "healthz", agent.Page + "way", o.HubPage}
	for _, where := range places {
		o.tells(where, unfit, true)
	}
	o.until(unfit, "branches")
	o.tells(o.HubPage+"healthz", "1 branch says that a person should look at something: "+o.Chain.Branches[0].Code, true)
	o.drop("good.csv", "R2;1;TIME;Erika;1958-03-14;"+paracetamol.GTIN+";;2;CD")
	posted(-2)
	if err := agent.DropExport("strange.csv", strings.Replace(strange, "article", "gtin", 1)); err != nil {
		t.Fatal(err)
	}
	posted(-3)
	for _, where := range places {
		o.tells(where, unfit, false)
	}
}

// A scanner that is unplugged is seen at the branch and at the hub.
func TestAScannerThatIsUnpluggedIsTold(t *testing.T) {
	o := newOffice(t)
	agent := o.Agents[0]
	const down = "Scanner counter is down since "
	o.tells(agent.Page+"metrics", "branchline_agent_", true)
	o.tells(o.HubPage, down, false)
	agent.Counter.Unplug()
	o.tells(agent.Page+"healthz", down, true)
	o.tells(o.HubPage, down, true)
	o.tells(o.HubPage, "Scanner goods-in is down", false)
}
