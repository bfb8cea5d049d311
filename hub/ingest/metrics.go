package ingest

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	batches *prometheus.CounterVec
	records *prometheus.CounterVec
	refused *prometheus.CounterVec
	gaps    prometheus.Counter
	forks   prometheus.Counter
	failed  prometheus.Counter
	seconds prometheus.Histogram
}

func newMetrics(reg prometheus.Registerer) *metrics {
	counter := func(name, help string) prometheus.CounterOpts {
		return prometheus.CounterOpts{Namespace: "branchline", Subsystem: "hub", Name: name, Help: help}
	}
	m := &metrics{
		batches: prometheus.NewCounterVec(counter("ingest_batches_total",
			"Batches that could be read, by the answer to them."), []string{"verdict"}),
		records: prometheus.NewCounterVec(counter("ingest_records_total",
			"Movements committed."), []string{"branch"}),
		refused: prometheus.NewCounterVec(counter("ingest_refused_total",
			"Messages refused, by reason."), []string{"branch", "code"}),
		gaps: prometheus.NewCounter(counter("ingest_gaps_total",
			"Runs of movements that a branch no longer had.")),
		forks: prometheus.NewCounter(counter("ingest_forks_total",
			"Outboxes found to be copies, or restored from one.")),
		failed: prometheus.NewCounter(counter("ingest_failed_total",
			"Batches that could not be committed for now; the branches send them again.")),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{Namespace: "branchline", Subsystem: "hub",
			Name: "ingest_seconds", Help: "Time from a batch's arrival to its answer.",
			Buckets: prometheus.ExponentialBuckets(0.001, 2.5, 10)}),
	}
	reg.MustRegister(m.batches, m.records, m.refused, m.gaps, m.forks, m.failed, m.seconds)
	return m
}
