package broker

import (
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// register keeps what is known of each branch's line, for pages and metrics.
type register struct {
	log       *slog.Logger
	online    prometheus.Gauge
	takeovers *prometheus.CounterVec
	refused   *prometheus.CounterVec
	logins    prometheus.Counter

	mu   sync.Mutex
	list map[string]*Connection
	// told hears of lines that come and go; closing: the broker itself ends them.
	told    func(LineChange)
	closing bool
}

func (r *register) tellTo(f func(LineChange)) { r.told = f }

func (r *register) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closing = true
}

// tell is called with mu held.
func (r *register) tell(c *Connection, why string) {
	if r.told != nil && !r.closing {
		r.told(LineChange{Branch: c.Branch, At: c.Since, Online: c.Online, Why: why})
	}
}

func newRegister(log *slog.Logger, reg prometheus.Registerer) *register {
	r := &register{
		log:  log,
		list: map[string]*Connection{},
		online: prometheus.NewGauge(prometheus.GaugeOpts{Namespace: "branchline", Subsystem: "hub",
			Name: "branches_connected", Help: "Branches that are connected."}),
		takeovers: prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "branchline", Subsystem: "hub",
			Name: "broker_takeovers_total", Help: "Connections that took the place of an open one of the same branch."},
			[]string{"branch"}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "branchline", Subsystem: "hub",
			Name: "broker_refused_total", Help: "Messages refused before they were read, by reason."},
			[]string{"branch", "code"}),
		logins: prometheus.NewCounter(prometheus.CounterOpts{Namespace: "branchline", Subsystem: "hub",
			Name: "broker_logins_refused_total", Help: "Connections refused for their name, secret or protocol."}),
	}
	reg.MustRegister(r.online, r.takeovers, r.refused, r.logins)
	return r
}

func (r *register) entry(branch string) *Connection {
	c := r.list[branch]
	if c == nil {
		c = &Connection{Branch: branch}
		r.list[branch] = c
	}
	return c
}

func (r *register) came(branch, remote string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c, now := r.entry(branch), time.Now()
	came := !c.Online
	if came {
		r.online.Inc()
		c.Since = now
	}
	c.Online, c.Remote, c.Heard = true, remote, now
	if came {
		r.tell(c, "")
	}
	r.log.Info("branch connected", "branch", branch, "remote", remote)
}

func (r *register) tookOver(branch, before, after string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.entry(branch)
	c.Takeovers++
	c.TakenOver = time.Now()
	r.takeovers.WithLabelValues(branch).Inc()
	r.log.Warn("a second connection of the branch takes the place of the first", "branch", branch,
		"remote", after, "before", before)
}

func (r *register) went(branch, why string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.entry(branch)
	if c.Online {
		r.online.Dec()
		c.Online, c.Since = false, time.Now()
		r.tell(c, why)
		r.log.Info("branch disconnected", "branch", branch, "reason", why)
	}
}

func (r *register) heard(branch string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.entry(branch).Heard = time.Now()
}

func (r *register) refuse(branch, code, why string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.entry(branch)
	c.Refused++
	c.LastRefusal = why
	r.refused.WithLabelValues(branch, code).Inc()
	r.log.Warn("a message of the branch is refused", "branch", branch, "code", code, "err", why)
}

func (r *register) connections() []Connection {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := make([]Connection, 0, len(r.list))
	for _, c := range r.list {
		all = append(all, *c)
	}
	slices.SortFunc(all, func(a, b Connection) int { return strings.Compare(a.Branch, b.Branch) })
	return all
}
