package projection

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

type metrics struct {
	movements prometheus.Counter
	behind    prometheus.Gauge
	seconds   prometheus.Histogram
}

func newMetrics(reg prometheus.Registerer) *metrics {
	f := promauto.With(reg)
	return &metrics{
		movements: f.NewCounter(prometheus.CounterOpts{Name: "branchline_hub_projection_movements_total",
			Help: "Records that were projected."}),
		behind: f.NewGauge(prometheus.GaugeOpts{Name: "branchline_hub_projection_behind_batches",
			Help: "Committed batches that are not yet projected."}),
		seconds: f.NewHistogram(prometheus.HistogramOpts{Name: "branchline_hub_projection_seconds",
			Help: "Time of one transaction of the projector.", Buckets: prometheus.ExponentialBuckets(0.001, 2, 12)}),
	}
}

func (m *metrics) wrote(c *chunk, took time.Duration) {
	m.movements.Add(float64(c.movements))
	m.seconds.Observe(took.Seconds())
	m.behind.Sub(float64(c.through - c.after))
}
