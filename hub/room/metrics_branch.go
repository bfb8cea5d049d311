package room

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// branchMetrics are the figures of the board that are of single branches.
type branchMetrics struct {
	lag, scanners, adapters, rows, disk *prometheus.Desc
}

func newBranchMetrics() branchMetrics {
	of := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc("branchline_hub_branch_"+name, help, []string{"branch"}, nil)
	}
	return branchMetrics{
		lag:      of("lag_seconds", "Age of the branch's oldest movement that is known of and neither in Odoo nor waits for a person; 0 for none."),
		scanners: of("scanners_down", "Scanners of the branch that do not work, as it last reported."),
		adapters: of("adapters_down", "Readers of exported files of the branch that do not read, as it last reported."),
		rows:     of("bad_rows", "Rows of exported files that wait for a person at the branch, as it last reported."),
		disk:     of("disk_free_bytes", "What the branch's disk had left, to 64 MiB, as it last reported; not there where it did not.")}
}

func (b *branchMetrics) all() []*prometheus.Desc {
	return []*prometheus.Desc{b.lag, b.scanners, b.adapters, b.rows, b.disk}
}

func (b *branchMetrics) collect(rows []Row, now time.Time, gauge func(d *prometheus.Desc, v float64, labels ...string)) {
	for i := range rows {
		r := &rows[i]
		lag := 0.0
		if !r.OnItsWay.IsZero() {
			lag = max(now.Sub(r.OnItsWay).Seconds(), 0)
		}
		gauge(b.lag, lag, r.Code)
		gauge(b.scanners, float64(len(r.ScannersDown)), r.Code)
		gauge(b.adapters, float64(len(r.AdaptersDown)), r.Code)
		gauge(b.rows, float64(r.BadRows), r.Code)
		if r.DiskFree >= 0 {
			gauge(b.disk, float64(r.DiskFree), r.Code)
		}
	}
}
