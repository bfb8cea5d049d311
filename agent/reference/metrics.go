package reference

import (
	"github.com/prometheus/client_golang/prometheus"

	"branchline/internal/feed"
)

type metrics struct {
	store                                              *Store
	messages, bytes, refused, dropped, failed, renewed prometheus.Counter
	adopted                                            *prometheus.CounterVec
}

var (
	asOfDesc    = prometheus.NewDesc("branchline_agent_reference_as_of_seconds", "The moment for which a document of Odoo is known, in seconds since 1970; 0 for never.", []string{"document"}, nil)
	rowsDesc    = prometheus.NewDesc("branchline_agent_reference_rows", "Rows of a document of Odoo that is known.", []string{"document"}, nil)
	missingDesc = prometheus.NewDesc("branchline_agent_reference_missing_parts", "Parts of a newer version that have yet to come.", []string{"document"}, nil)
)

func newMetrics(reg prometheus.Registerer, s *Store) *metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Namespace: "branchline", Subsystem: "agent", Name: "reference_" + name, Help: help})
	}
	m := &metrics{store: s,
		messages: counter("messages_total", "Messages of the hub about Odoo."),
		bytes:    counter("bytes_total", "Bytes of those messages."),
		refused:  counter("refused_total", "Messages about Odoo that could not be used."),
		dropped:  counter("dropped_total", "Messages about Odoo for which there was no room; they are asked for again."),
		failed:   counter("failed_writes_total", "Times that what came could not be kept."),
		renewed:  counter("renewed_total", "Times that the file was damaged and made anew."),
		adopted: prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "branchline", Subsystem: "agent",
			Name: "reference_versions_total", Help: "Versions that became current."}, []string{"document"}),
	}
	if reg != nil {
		reg.MustRegister(m.messages, m.bytes, m.refused, m.dropped, m.failed, m.renewed, m.adopted, m)
	}
	return m
}

// Describe implements prometheus.Collector.
func (m *metrics) Describe(c chan<- *prometheus.Desc) { prometheus.DescribeByCollect(m, c) }

// Collect implements prometheus.Collector.
func (m *metrics) Collect(c chan<- prometheus.Metric) {
	missing := m.store.fetch.missing()
	m.store.mu.RLock()
	defer m.store.mu.RUnlock()
	for _, k := range feed.Kinds {
		asOf, rows := 0.0, 0.0
		if t := m.store.tables[k]; t != nil {
			asOf, rows = float64(t.asOf.Unix()), float64(t.rows)
		}
		c <- prometheus.MustNewConstMetric(asOfDesc, prometheus.GaugeValue, asOf, string(k))
		c <- prometheus.MustNewConstMetric(rowsDesc, prometheus.GaugeValue, rows, string(k))
		c <- prometheus.MustNewConstMetric(missingDesc, prometheus.GaugeValue, float64(missing[k]), string(k))
	}
}
