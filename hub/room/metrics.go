package room

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// collector gives the figures of the business when they are asked for.
type collector struct {
	m        *Room
	branches branchMetrics

	connected, silent, unsent, unsentAge, clock, documents, exceptions, exceptionAge, reasons, alerts, up *prometheus.Desc

	compared, differences, otherwise *prometheus.Desc

	low, expiring *prometheus.Desc
}

// Collector gives what the board shows as metrics, by branch. A scrape that the
// ledger does not answer in time has branchline_hub_board_up 0 and no others.
func (m *Room) Collector() prometheus.Collector {
	of := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("branchline_hub_"+name, help, labels, nil)
	}
	return &collector{m: m, branches: newBranchMetrics(),
		up:           of("board_up", "1 when the ledger answered for the figures by branch."),
		connected:    of("branch_connected", "1 while the branch is connected.", "branch"),
		silent:       of("branch_silent_seconds", "For how long the branch has not been connected; 0 while it is.", "branch"),
		unsent:       of("branch_unsent_movements", "Movements that the branch last reported to have kept.", "branch"),
		unsentAge:    of("branch_unsent_oldest_seconds", "Age of the oldest of them; 0 for none.", "branch"),
		clock:        of("branch_clock_ahead_seconds", "By how much the branch's clock was ahead when it last reported, negative when behind.", "branch"),
		documents:    of("branch_waiting_documents", "Documents of the branch that are to be made in Odoo.", "branch"),
		exceptions:   of("branch_exceptions", "Movements of the branch that wait for a person.", "branch"),
		exceptionAge: of("branch_exceptions_oldest_seconds", "Age of the oldest of them; 0 for none.", "branch"),
		reasons:      of("exceptions", "Movements that wait for a person, by reason.", "reason"),
		alerts:       of("alerts", "What is wrong by the alert rules, by rule.", "rule"),
		low:          of("branch_low_stock_products", "Products of which the branch has less than Odoo's reordering rule says; not there while that is not known.", "branch"),
		expiring:     of("branch_expiring_lots", "Lots at the branch that expire soon; not there while that is not known.", "branch"),
		compared:     of("reconciled_timestamp_seconds", "When the branch was last compared with Odoo; 0 while it never was.", "branch"),
		differences:  of("reconciliation_differences", "What was otherwise between the branch and Odoo then.", "branch"),
		otherwise:    of("reconciliation_differences_seconds", "For how long something has been otherwise; 0 while nothing is.", "branch")}
}

// Describe implements [prometheus.Collector].
func (c *collector) Describe(to chan<- *prometheus.Desc) {
	for _, d := range append(c.branches.all(), c.connected, c.silent, c.unsent, c.unsentAge, c.clock, c.documents, c.exceptions, c.exceptionAge, c.reasons, c.alerts, c.up, c.compared, c.differences, c.otherwise, c.low, c.expiring) {
		to <- d
	}
}

// scrapePatience is how long the ledger has to answer.
const scrapePatience = 8 * time.Second

// Collect implements [prometheus.Collector].
func (c *collector) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapePatience)
	defer cancel()
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	w, err := c.m.Watch(ctx)
	if err != nil {
		gauge(c.up, 0)
		return
	}
	reasons, err := c.m.Ledger.CountExceptions(ctx, "")
	if err != nil {
		gauge(c.up, 0)
		return
	}
	board, err := c.m.snapshot(ctx)
	if err != nil {
		gauge(c.up, 0)
		return
	}
	wrong, _, err := c.m.Alerts(ctx)
	if err != nil {
		gauge(c.up, 0)
		return
	}
	gauge(c.up, 1)
	now := time.Now()
	c.branches.collect(board.rows, now, gauge)
	age := func(t time.Time) float64 {
		if t.IsZero() {
			return 0
		}
		return max(now.Sub(t).Seconds(), 0)
	}
	for i := range w.Branches {
		b := &w.Branches[i]
		connected, silent := 1.0, 0.0
		if !b.Connected {
			connected, silent = 0, age(b.Since)
		}
		gauge(c.connected, connected, b.Code)
		gauge(c.silent, silent, b.Code)
		gauge(c.unsent, float64(b.Unsent), b.Code)
		gauge(c.unsentAge, age(b.OldestUnsent), b.Code)
		gauge(c.clock, b.ClockAhead.Seconds(), b.Code)
		gauge(c.documents, float64(b.Documents), b.Code)
		gauge(c.exceptions, float64(b.Exceptions), b.Code)
		gauge(c.exceptionAge, age(b.OldestException), b.Code)
		compared := 0.0
		if !b.Compared.IsZero() {
			compared = float64(b.Compared.Unix())
		}
		gauge(c.compared, compared, b.Code)
		gauge(c.differences, float64(b.Differences), b.Code)
		gauge(c.otherwise, age(b.OtherwiseSince), b.Code)
		if b.Refilled {
			gauge(c.low, float64(len(b.Low)), b.Code)
			gauge(c.expiring, float64(len(b.Expiring)), b.Code)
		}
	}
	sums := map[string]float64{}
	for _, r := range reasons {
		sums[r.Reason] += float64(r.Count)
	}
	for reason, n := range sums {
		gauge(c.reasons, n, reason)
	}
	rules := map[string]float64{}
	for _, a := range wrong {
		rules[a.Rule]++
	}
	for rule, n := range rules {
		gauge(c.alerts, n, rule)
	}
}
