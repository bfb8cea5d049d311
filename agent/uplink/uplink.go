package uplink

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"branchline/internal/fault"
	"branchline/internal/wire"
)

// Uplink sends the outbox to the hub. [Uplink.Run] is called once; Status may be
// called at any time.
type Uplink struct {
	cfg     Config
	store   Store
	log     *slog.Logger
	metrics *metrics
	// Describe, if set before Run, fills in what the uplink does not know of
	// the agent's state: version, unsent, bytes, alarms. It must be quick.
	Describe func(*wire.State)
	// Feed, if set before Run, is what else the hub speaks with.
	Feed Feed

	packer  *wire.Packer
	courses map[streamKey]*course // Run's own
	started time.Time

	mu     sync.Mutex
	status Status
}

// Status is how the line to the hub is, for a page.
type Status struct {
	Server    string
	Connected bool
	// Since is when the line came up or went down.
	Since time.Time
	// LastContact is when the hub itself last answered; zero for never since
	// the agent started.
	LastContact time.Time
	// LastError is why there is no line, or why the last one ended, in words;
	// nil while all is well.
	LastError error
	// InFlight is how many batches are sent and not answered.
	InFlight int
	// Alarms is what a person should look at: streams that the hub refuses.
	Alarms []wire.Alarm
}

// New makes an Uplink with its metrics in reg. An error is a fault of class
// Setup.
func New(cfg Config, store Store, log *slog.Logger, reg prometheus.Registerer) (*Uplink, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if cfg.Server == "" && cfg.Identity == nil {
		return nil, fault.New(fault.Setup, "bad_configuration", "server is missing")
	}
	now := time.Now()
	u := &Uplink{cfg: cfg, store: store, log: log, packer: wire.NewPacker(),
		courses: map[streamKey]*course{}, started: now, status: Status{Server: cfg.Server, Since: now}}
	u.metrics = newMetrics(reg, u)
	return u, nil
}

// Status tells how the line is.
func (u *Uplink) Status() Status {
	u.mu.Lock()
	defer u.mu.Unlock()
	s := u.status
	s.Alarms = append([]wire.Alarm(nil), s.Alarms...)
	return s
}

func (u *Uplink) setStatus(change func(*Status)) {
	u.mu.Lock()
	defer u.mu.Unlock()
	change(&u.status)
}

// Run keeps a line to the hub and sends, until ctx ends. Whatever goes wrong on
// the line is tried again, with growing pauses as long as the hub does not
// answer; it returns nil.
func (u *Uplink) Run(ctx context.Context) error {
	pauses := newPauses(&u.cfg)
	for ctx.Err() == nil {
		another := u.another()
		answered, err := u.connectOnce(ctx, another)
		if ctx.Err() != nil {
			break
		}
		if answered {
			pauses.reset()
		}
		if errors.Is(err, errAnother) {
			u.log.Info("the line is opened again, with the new certificate")
			continue
		}
		if u.cfg.Identity != nil {
			u.cfg.Identity.Doubt()
		}
		pause := pauses.next()
		u.log.Warn("no line to the hub", "err", err, "retry_in", pause.Round(time.Millisecond))
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
		case <-another:
		case <-timer.C:
		}
		timer.Stop()
	}
	return nil
}

// connectOnce connects and works until the line is lost; answered tells whether
// the hub itself was heard.
func (u *Uplink) connectOnce(ctx context.Context, another <-chan struct{}) (answered bool, err error) {
	to, err := u.target()
	if err != nil {
		u.setStatus(func(s *Status) { s.LastError = err })
		return false, err
	}
	l, err := dial(ctx, &u.cfg, to, u.Feed, u.log)
	if err != nil {
		u.setStatus(func(s *Status) { s.LastError = err })
		return false, err
	}
	u.metrics.connects.Inc()
	u.log.Info("connected", "server", to.server)
	u.setStatus(func(s *Status) { s.Server, s.Connected, s.Since, s.LastError = to.server, true, time.Now(), nil })
	s := newSession(u, l)
	s.another = another
	err = s.run(ctx)
	l.hangUp()
	u.setStatus(func(s *Status) { s.Connected, s.Since, s.LastError, s.InFlight = false, time.Now(), err, 0 })
	return s.answered, err
}
