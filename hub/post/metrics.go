package post

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"branchline/hub/ledger"
	"branchline/internal/fault"
	"branchline/internal/odoo"
)

type metrics struct {
	movements, postings *prometheus.CounterVec
	failures            *prometheus.CounterVec
	splits, adopted     prometheus.Counter
	open, halted        prometheus.Gauge
	lag                 prometheus.Histogram
}

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{
		movements: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "branchline_hub_posted_movements_total",
			Help: "Movements posted in Odoo."}, []string{"branch"}),
		postings: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "branchline_hub_posted_documents_total",
			Help: "Documents posted in Odoo, by kind."}, []string{"kind"}),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "branchline_hub_post_failures_total",
			Help: "Tries of postings that failed, by class and reason. Transient ones are retried."}, []string{"class", "reason"}),
		splits: prometheus.NewCounter(prometheus.CounterOpts{Name: "branchline_hub_post_splits_total",
			Help: "Refused postings that were halved."}),
		adopted: prometheus.NewCounter(prometheus.CounterOpts{Name: "branchline_hub_post_adopted_total",
			Help: "Documents found in Odoo that the ledger did not know."}),
		open: prometheus.NewGauge(prometheus.GaugeOpts{Name: "branchline_hub_odoo_breaker_open",
			Help: "1 while calls to Odoo are held back since it is away."}),
		halted: prometheus.NewGauge(prometheus.GaugeOpts{Name: "branchline_hub_post_halted",
			Help: "1 while all posting stands still since Odoo's setup is at fault."}),
		lag: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "branchline_hub_event_to_odoo_seconds",
			Help: "From the last event in a document to its validation in Odoo.", Buckets: prometheus.ExponentialBuckets(1, 4, 10)}),
	}
	if reg != nil {
		reg.MustRegister(m.movements, m.postings, m.failures, m.splits, m.adopted, m.open, m.halted, m.lag)
	}
	return m
}

func (m *metrics) posted(p *ledger.Posting, body *ledger.PostingBody, now time.Time) {
	m.movements.WithLabelValues(p.Branch).Add(float64(p.Movements))
	m.postings.WithLabelValues(string(p.Kind)).Inc()
	m.lag.Observe(max(0, now.Sub(body.At).Seconds()))
}

func (m *metrics) failed(class, reason string) { m.failures.WithLabelValues(class, reason).Inc() }

func (m *metrics) breaker(open bool) {
	v := 0.0
	if open {
		v = 1
	}
	m.open.Set(v)
}

// Observer gives what a client of Odoo tells of its calls to the metrics.
func Observer(reg prometheus.Registerer) odoo.Observer {
	took := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "branchline_hub_odoo_call_seconds",
		Help: "Odoo's response times, by method and outcome.", Buckets: prometheus.ExponentialBuckets(0.005, 2.5, 12)},
		[]string{"model", "method", "outcome"})
	reg.MustRegister(took)
	return func(model, method string, d time.Duration, err error) {
		outcome := "ok"
		if err != nil {
			outcome = fault.ClassOf(err).String()
		}
		took.WithLabelValues(model, method, outcome).Observe(d.Seconds())
	}
}
