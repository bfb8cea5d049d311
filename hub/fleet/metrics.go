package fleet

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	enrolled, renewed prometheus.Counter
	refused, copies   *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer, f *Fleet) *metrics {
	o := func(name, help string) prometheus.CounterOpts {
		return prometheus.CounterOpts{Namespace: "branchline", Subsystem: "hub", Name: name, Help: help}
	}
	m := &metrics{
		enrolled: prometheus.NewCounter(o("enrolments_total", "PCs that were enrolled.")),
		renewed:  prometheus.NewCounter(o("certificates_renewed_total", "Certificates of branches that were renewed.")),
		refused:  prometheus.NewCounterVec(o("identities_refused_total", "Enrolments, renewals and connections refused, by reason."), []string{"code"}),
		copies:   prometheus.NewCounterVec(o("copied_disks_total", "Copies of a branch's disk that were refused, once an hour each."), []string{"branch"}),
	}
	reg.MustRegister(m.enrolled, m.renewed, m.refused, m.copies, ends{f, prometheus.NewDesc("branchline_hub_branch_certificate_ends_timestamp_seconds",
		"When the newest certificate of the branch's PC ends.", []string{"branch"}, nil)})
	return m
}

// ends tells when certificates end, when it is asked.
type ends struct {
	f    *Fleet
	desc *prometheus.Desc
}

func (e ends) Describe(to chan<- *prometheus.Desc) { to <- e.desc }

func (e ends) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	all, err := e.f.Ledger.Identities(ctx, e.f.Now())
	if err != nil {
		return // branchline_hub_board_up says so
	}
	for _, i := range all {
		if i.Enrolment.Ended == "" {
			to <- prometheus.MustNewConstMetric(e.desc, prometheus.GaugeValue, float64(i.Certificate.EndsAt.Unix()), i.Enrolment.Branch)
		}
	}
}
