package capture

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	up    *prometheus.GaugeVec
	scans *prometheus.CounterVec
	opens *prometheus.CounterVec
	took  prometheus.Histogram
}

func newMetrics(r prometheus.Registerer) *metrics {
	m := &metrics{
		up: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "branchline_agent_scanner_up", Help: "1 while the scanner's port is open.",
		}, []string{"scanner"}),
		scans: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "branchline_agent_scans_total", Help: "Scans by the sound that answered them.",
		}, []string{"scanner", "sound"}),
		opens: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "branchline_agent_scanner_opens_total", Help: "How often the scanner's port was opened.",
		}, []string{"scanner"}),
		took: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "branchline_agent_scan_seconds", Help: "From the end of a code to its answer, the commit included.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, 1, 5},
		}),
	}
	if r != nil {
		r.MustRegister(m.up, m.scans, m.opens, m.took)
	}
	return m
}
