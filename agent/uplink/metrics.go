package uplink

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	batches, records, bytes, connects, timeouts prometheus.Counter
	answers                                     *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer, u *Uplink) *metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Namespace: "branchline", Subsystem: "agent", Name: name, Help: help})
	}
	m := &metrics{
		batches:  counter("uplink_batches_total", "Batches sent, repetitions included."),
		records:  counter("uplink_records_total", "Movements sent, repetitions included."),
		bytes:    counter("uplink_bytes_total", "Bytes of batches sent, compressed."),
		connects: counter("uplink_connects_total", "Connections made to the broker."),
		timeouts: counter("uplink_timeouts_total", "Times that the hub's answer did not come in time."),
		answers: prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "branchline", Subsystem: "agent",
			Name: "uplink_answers_total", Help: "Answers of the hub, by what they say."}, []string{"verdict"}),
	}
	reg.MustRegister(m.batches, m.records, m.bytes, m.connects, m.timeouts, m.answers,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: "branchline", Subsystem: "agent",
			Name: "uplink_connected", Help: "1 while there is a line to the broker."}, func() float64 {
			if u.Status().Connected {
				return 1
			}
			return 0
		}))
	return m
}

func (m *metrics) sent(records, bytes int) {
	m.batches.Inc()
	m.records.Add(float64(records))
	m.bytes.Add(float64(bytes))
}
