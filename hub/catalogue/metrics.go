package catalogue

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"branchline/internal/fault"
)

type metrics struct {
	products, lots prometheus.Gauge
	asOf           prometheus.Gauge
	readings       *prometheus.CounterVec
	took           prometheus.Histogram
}

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{
		products: prometheus.NewGauge(prometheus.GaugeOpts{Name: "branchline_hub_catalogue_products", Help: "Products known from Odoo."}),
		lots:     prometheus.NewGauge(prometheus.GaugeOpts{Name: "branchline_hub_catalogue_lots", Help: "Lots known from Odoo."}),
		asOf: prometheus.NewGauge(prometheus.GaugeOpts{Name: "branchline_hub_catalogue_as_of_seconds",
			Help: "When the catalogue was last read from Odoo, in seconds since 1970."}),
		readings: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "branchline_hub_catalogue_readings_total",
			Help: "Readings of Odoo's master data, by outcome."}, []string{"outcome"}),
		took: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "branchline_hub_catalogue_seconds",
			Help: "Time of one reading.", Buckets: prometheus.ExponentialBuckets(0.05, 3, 9)}),
	}
	if reg != nil {
		reg.MustRegister(m.products, m.lots, m.asOf, m.readings, m.took)
	}
	return m
}

func (m *metrics) size(d *data) {
	n := 0
	for _, l := range d.Lots {
		n += len(l)
	}
	m.products.Set(float64(len(d.Products)))
	m.lots.Set(float64(n))
}

func (m *metrics) read(took time.Duration, err error, asOf time.Time) {
	outcome := "ok"
	if err != nil {
		outcome = fault.ClassOf(err).String()
	}
	m.readings.WithLabelValues(outcome).Inc()
	m.took.Observe(took.Seconds())
	m.asOf.Set(float64(asOf.Unix()))
}
