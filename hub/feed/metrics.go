package feed

import (
	"github.com/prometheus/client_golang/prometheus"

	"branchline/internal/feed"
)

type metrics struct {
	feed              *Feed
	readings          *prometheus.CounterVec
	versions          *prometheus.CounterVec
	messages, bytes   *prometheus.CounterVec
	wants             prometheus.Counter
	catalogue, onWire prometheus.Gauge
}

var behindDesc = prometheus.NewDesc("branchline_hub_feed_behind",
	"Branches that last reported another version of a document than the hub's.", []string{"document"}, nil)

func newMetrics(reg prometheus.Registerer, f *Feed) *metrics {
	vec := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "branchline_hub_feed_" + name, Help: help}, labels)
	}
	m := &metrics{feed: f,
		readings: vec("readings_total", "Readings of what the branches should know, by outcome.", "document", "outcome"),
		versions: vec("versions_total", "Versions made of the documents for branches.", "document"),
		messages: vec("messages_total", "Messages sent to branches about Odoo.", "document"),
		bytes:    vec("bytes_total", "Bytes of those messages.", "document"),
		wants:    prometheus.NewCounter(prometheus.CounterOpts{Name: "branchline_hub_feed_wants_total", Help: "Requests of branches for parts of documents."}),
		catalogue: prometheus.NewGauge(prometheus.GaugeOpts{Name: "branchline_hub_feed_catalogue_products",
			Help: "Products in the catalogue for branches."}),
		onWire: prometheus.NewGauge(prometheus.GaugeOpts{Name: "branchline_hub_feed_catalogue_bytes",
			Help: "Bytes of the whole catalogue for branches as it is sent."}),
	}
	if reg != nil {
		reg.MustRegister(m.readings, m.versions, m.messages, m.bytes, m.wants, m.catalogue, m.onWire, m)
	}
	return m
}

func (m *metrics) size(d *feed.Document) {
	m.catalogue.Set(float64(d.Rows))
	m.onWire.Set(float64(d.Bytes()))
}

// Describe implements prometheus.Collector.
func (m *metrics) Describe(c chan<- *prometheus.Desc) { c <- behindDesc }

// Collect implements prometheus.Collector.
func (m *metrics) Collect(c chan<- prometheus.Metric) {
	m.feed.mu.Lock()
	defer m.feed.mu.Unlock()
	behind := map[feed.Kind]int{}
	for branch, docs := range m.feed.heard {
		for _, d := range docs {
			k, ok := feed.KindOf(d.Kind)
			if cur := m.feed.current[keyOf(k, branch)]; ok && cur != nil && d.Version != cur.doc.Version.String() {
				behind[k]++
			}
		}
	}
	for _, k := range feed.Kinds {
		c <- prometheus.MustNewConstMetric(behindDesc, prometheus.GaugeValue, float64(behind[k]), string(k))
	}
}
