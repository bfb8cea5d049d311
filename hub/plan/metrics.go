package plan

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"branchline/hub/ledger"
)

type metrics struct {
	movements *prometheus.CounterVec
	postings  *prometheus.CounterVec
	reasons   *prometheus.CounterVec
	open      *prometheus.GaugeVec
	oldest    *prometheus.GaugeVec
	waiting   *prometheus.GaugeVec
	took      prometheus.Histogram
}

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{
		movements: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "branchline_hub_plan_movements_total",
			Help: "Movements planned or refused by the planner."}, []string{"outcome"}),
		postings: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "branchline_hub_plan_postings_total",
			Help: "Postings planned, by kind."}, []string{"kind"}),
		reasons: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "branchline_hub_plan_refusals_total",
			Help: "Movements that the planner gave to a person, by reason."}, []string{"reason"}),
		open: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "branchline_hub_pending_movements",
			Help: "Movements that wait for the planner."}, []string{"branch"}),
		oldest: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "branchline_hub_pending_oldest_seconds",
			Help: "Age of the oldest movement that waits for the planner, since it was recorded."}, []string{"branch"}),
		waiting: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "branchline_hub_plan_waiting",
			Help: "Movements that the last plan let wait, by what for."}, []string{"branch", "what"}),
		took: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "branchline_hub_plan_seconds",
			Help: "Time to plan one branch once.", Buckets: prometheus.ExponentialBuckets(0.0001, 4, 9)}),
	}
	if reg != nil {
		reg.MustRegister(m.movements, m.postings, m.reasons, m.open, m.oldest, m.waiting, m.took)
	}
	return m
}

func (m *metrics) pending(work []ledger.PendingWork, now time.Time) {
	m.open.Reset()
	m.oldest.Reset()
	oldest := map[string]time.Time{}
	for _, w := range work {
		m.open.WithLabelValues(w.Branch).Add(float64(w.Loose + w.Grouped))
		oldest[w.Branch] = earlier(oldest[w.Branch], w.Oldest)
	}
	for branch, at := range oldest {
		m.oldest.WithLabelValues(branch).Set(max(0, now.Sub(at).Seconds()))
	}
}

func (m *metrics) planned(p *Posting) {
	m.movements.WithLabelValues("planned").Add(float64(len(p.IDs)))
	m.postings.WithLabelValues(string(p.Kind)).Inc()
}

func (m *metrics) refused(all []ledger.Refusal) {
	m.movements.WithLabelValues("refused").Add(float64(len(all)))
	for _, r := range all {
		m.reasons.WithLabelValues(r.Reason).Inc()
	}
}

func (m *metrics) waits(branch string, waiting map[string]int) {
	m.waiting.DeletePartialMatch(prometheus.Labels{"branch": branch})
	for what, n := range waiting {
		m.waiting.WithLabelValues(branch, what).Set(float64(n))
	}
}
