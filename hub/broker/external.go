package broker

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/url"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/prometheus/client_golang/prometheus"

	"branchline/internal/conf"
	"branchline/internal/fault"
	"branchline/internal/mqttline"
	"branchline/internal/wire"
)

// ExternalConfig configures the use of another broker. That broker must let a
// branch use only its own topics, and bound the size of a message to 1 MiB.
type ExternalConfig struct {
	// Server is mqtt://host:port, or mqtts://host:port with TLS.
	Server   string `yaml:"server"`
	Username string `yaml:"username"`
	// Secret is the hub's password at the broker, alone in its file.
	Secret conf.Secret `yaml:"secret_file"`
	// ClientID must be unique at the broker.
	ClientID string      `yaml:"client_id"`
	TLS      *tls.Config `yaml:"-"`
	// Timeout bounds connecting and each message; MinBackoff and MaxBackoff
	// the pause between two attempts to connect.
	Timeout    time.Duration `yaml:"timeout"`
	MinBackoff time.Duration `yaml:"min_backoff"`
	MaxBackoff time.Duration `yaml:"max_backoff"`
	// Dial opens the connection; nil for TCP.
	Dial func(server *url.URL) (net.Conn, error) `yaml:"-"`
}

// DefaultExternalConfig lacks server and secret.
func DefaultExternalConfig() ExternalConfig {
	return ExternalConfig{Username: "branchline-hub", ClientID: "branchline-hub",
		Timeout: 20 * time.Second, MinBackoff: time.Second, MaxBackoff: 30 * time.Second}
}

// Validate names the setting that is wrong.
func (c *ExternalConfig) Validate() error {
	bad := func(format string, args ...any) error {
		return fault.New(fault.Setup, "bad_configuration", format, args...)
	}
	if err := mqttline.CheckServer(c.Server); err != nil {
		return bad("server %q %w", c.Server, err)
	}
	if c.ClientID == "" {
		return bad("client_id is missing")
	}
	if c.Timeout < 100*time.Millisecond || c.MinBackoff < 10*time.Millisecond || c.MaxBackoff < c.MinBackoff {
		return bad("timeout %v, min_backoff %v or max_backoff %v is too small", c.Timeout, c.MinBackoff, c.MaxBackoff)
	}
	return nil
}

// Bounds of what waits for the sink. What is above is dropped: the branch sends
// it again.
const (
	maxWaiting      = 64 << 20 // bytes, of all branches
	maxWaitingCount = 64       // messages, of one branch
)

// External is a broker outside of the hub.
type External struct {
	cfg      ExternalConfig
	known    func(branch string) bool
	sink     Sink
	log      *slog.Logger
	register *register
	dropped  prometheus.Counter

	mu      sync.Mutex
	line    *mqttline.Line // nil when there is none
	trouble error
	bytes   int
	waiting map[string][]letter // by branch; present while its goroutine runs
	running sync.WaitGroup
}

type letter struct {
	channel wire.Channel
	payload []byte
}

// NewExternal checks the configuration; [External.Run] connects. known tells
// which branches there are.
func NewExternal(cfg ExternalConfig, known func(branch string) bool, sink Sink, log *slog.Logger, reg prometheus.Registerer) (*External, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	e := &External{cfg: cfg, known: known, sink: sink, log: log, register: newRegister(log, reg),
		waiting: map[string][]letter{},
		trouble: fault.New(fault.Transient, "broker_away", "not yet connected to the broker at %s", cfg.Server),
		dropped: prometheus.NewCounter(prometheus.CounterOpts{Namespace: "branchline", Subsystem: "hub",
			Name: "broker_dropped_total", Help: "Messages dropped since too many waited; the branches send them again."})}
	reg.MustRegister(e.dropped)
	return e, nil
}

// Run keeps a line to the broker until ctx ends; no call of the sink is running
// when it returns.
func (e *External) Run(ctx context.Context) error {
	pauses := backoff.NewExponentialBackOff()
	pauses.InitialInterval, pauses.MaxInterval, pauses.Multiplier = e.cfg.MinBackoff, e.cfg.MaxBackoff, 2
	for ctx.Err() == nil {
		start := time.Now()
		err := e.work(ctx)
		e.setLine(nil, err)
		if ctx.Err() != nil {
			break
		}
		if time.Since(start) > e.cfg.MaxBackoff {
			pauses.Reset()
		}
		pause := pauses.NextBackOff()
		e.log.Warn("no line to the broker", "err", err, "retry_in", pause.Round(time.Millisecond))
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		timer.Stop()
	}
	e.running.Wait()
	return nil
}

// work connects and listens until the line is lost.
func (e *External) work(ctx context.Context) error {
	l, err := mqttline.Dial(ctx, mqttline.Options{Server: e.cfg.Server, ClientID: e.cfg.ClientID,
		Username: e.cfg.Username, Password: e.cfg.Secret.Reveal(), TLS: e.cfg.TLS, Timeout: e.cfg.Timeout,
		KeepAlive: 30 * time.Second, Dial: e.cfg.Dial})
	if err != nil {
		return err
	}
	defer l.Close("", nil)
	e.setLine(l, nil)
	err = l.Subscribe(ctx, func(topic string, payload []byte) { e.enqueue(ctx, topic, payload) },
		wire.AllBranches(wire.Movements), wire.AllBranches(wire.Report), wire.AllBranches(wire.Presence), wire.AllBranches(wire.Want))
	if err != nil {
		return err
	}
	e.log.Info("connected to the broker", "server", e.cfg.Server)
	select {
	case <-ctx.Done():
		return nil
	case err := <-l.Lost():
		return err
	}
}

func (e *External) setLine(l *mqttline.Line, trouble error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.line, e.trouble = l, trouble
}

// enqueue runs in the client's own goroutine and never waits.
func (e *External) enqueue(ctx context.Context, topic string, payload []byte) {
	branch, c, ok := wire.ParseTopic(topic)
	switch {
	case !ok || !c.Up():
		return
	case !e.known(branch):
		e.register.refuse("unknown", "unknown_branch", "a message came for a branch that the hub does not know")
		return
	case len(payload) > wire.MaxPayload:
		e.register.refuse(branch, "oversized_message", "a message was too large")
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	queue, busy := e.waiting[branch]
	if ctx.Err() != nil || len(queue) >= maxWaitingCount || e.bytes+len(payload) > maxWaiting {
		e.dropped.Inc()
		return
	}
	e.bytes += len(payload)
	e.waiting[branch] = append(queue, letter{c, payload})
	if !busy {
		e.running.Go(func() { e.deliver(ctx, branch) })
	}
}

// deliver gives one branch's messages to the sink, one after the other, until
// none is waiting.
func (e *External) deliver(ctx context.Context, branch string) {
	for {
		e.mu.Lock()
		queue := e.waiting[branch]
		if len(queue) == 0 {
			delete(e.waiting, branch)
			e.mu.Unlock()
			return
		}
		next := queue[0]
		queue[0] = letter{}
		e.waiting[branch] = queue[1:]
		e.bytes -= len(next.payload)
		e.mu.Unlock()
		e.hand(ctx, branch, next)
	}
}

func (e *External) hand(ctx context.Context, branch string, m letter) {
	if m.channel == wire.Presence {
		e.presence(branch, string(m.payload))
		return
	}
	e.register.heard(branch)
	err := e.sink.Receive(ctx, branch, m.channel, m.payload, func(a wire.Answer) {
		payload, err := a.Marshal()
		if err == nil {
			err = e.Publish(branch, wire.Ack, payload, false)
		}
		if err != nil {
			e.log.Warn("an answer to the branch could not be sent", "branch", branch, "err", err)
		}
	})
	if err != nil && ctx.Err() == nil {
		e.log.Warn("a message of the branch could not be dealt with", "branch", branch, "err", err)
	}
}

func (e *External) presence(branch, what string) {
	switch what {
	case wire.Online:
		e.register.came(branch, "")
	case wire.Offline:
		e.register.went(branch, "the broker says so")
	default:
		e.register.refuse(branch, "malformed_presence", "the presence is neither online nor offline")
	}
}

// Publish implements [Broker].
func (e *External) Publish(branch string, c wire.Channel, payload []byte, retained bool) error {
	e.mu.Lock()
	l, trouble := e.line, e.trouble
	e.mu.Unlock()
	if l == nil {
		return fault.New(fault.Transient, "broker_away", "publishing to branch %s: %w", branch, trouble)
	}
	return l.Send(wire.Topic(branch, c), retained, payload)
}

// Tell implements [Broker].
func (e *External) Tell(f func(LineChange)) { e.register.tellTo(f) }

// Connections implements [Broker].
func (e *External) Connections() []Connection { return e.register.connections() }

// Trouble implements [Broker].
func (e *External) Trouble() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.trouble
}
