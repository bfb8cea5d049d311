//go:build linux

package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var metricName = regexp.MustCompile(`\b(branchline|process)_[a-z_]+`)

// Every figure that the dashboard and the alert rules ask for is given by a hub
// that runs, with branches that have been at work.
func TestTheDashboardAndTheRulesAskForWhatThereIs(t *testing.T) {
	o := newOffice(t)
	paracetamol := o.Chain.Products[3]
	o.drop("sales.csv", "R1;1;TIME;Erika;1958-03-14;"+paracetamol.GTIN+";;2;CD", "R1;2;TIME;Erika;1958-03-14;04099999999996;;2;CD")
	o.until("posted", "postings")
	o.until("unknown_product", "exceptions")
	o.tells(o.HubPage+"metrics", "branchline_hub_exceptions{reason=\"unknown_product\"} 1", true)
	o.tells(o.HubPage+"metrics", "branchline_hub_event_to_odoo_seconds_count", true)
	_, given, err := o.look(o.HubPage + "metrics")
	if err != nil {
		t.Fatal(err)
	}
	// What counts only what has gone wrong, or waits, is there when it has, what
	// runs low when Odoo's rules and stock were read: hub/room shows that.
	given += " branchline_hub_post_failures_total branchline_hub_alerts branchline_hub_pending_oldest_seconds branchline_hub_pending_movements branchline_hub_branch_low_stock_products branchline_hub_branch_expiring_lots "
	for _, name := range []string{"../../configs/grafana/branchline.json", "../../configs/prometheus/branchline.rules.yml"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(name, ".json") && !json.Valid(text) {
			t.Errorf("%s is no JSON", name)
		}
		found := metricName.FindAllString(string(text), -1)
		if len(found) < 8 {
			t.Errorf("%s asks for %d figures only", name, len(found))
		}
		for _, metric := range found {
			if !strings.Contains(given, metric) {
				t.Errorf("%s asks for %s, which is not given", name, metric)
			}
		}
	}
}

func TestTheAlertRulesFire(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("promtool is not there (Debian: apt-get install prometheus): the alert rules were not tried")
	}
	for _, args := range [][]string{{"check", "rules", "branchline.rules.yml"}, {"test", "rules", "branchline.rules.test.yml"}} {
		c := exec.CommandContext(t.Context(), promtool, args...)
		c.Dir = filepath.Join("..", "..", "configs", "prometheus")
		if out, err := c.CombinedOutput(); err != nil {
			t.Errorf("promtool %v: %v\n%s", args, err, out)
		}
	}
}
