package broker

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/prometheus/client_golang/prometheus"

	"branchline/internal/fault"
	"branchline/internal/wire"
)

// EmbeddedConfig configures the broker inside the hub.
type EmbeddedConfig struct {
	// Listen is the address of the MQTT port; port 0 takes any free one.
	Listen string `yaml:"listen"`
	// MaxBranches bounds how many branches may be connected at a time.
	MaxBranches int `yaml:"max_branches"`
	// MaxMessages bounds the messages a second of one branch; what is above
	// waits.
	MaxMessages int `yaml:"max_messages_per_second"`
	// Plain lets branches in without TLS, by their secrets: for a line that is
	// private by itself, and for tests.
	Plain bool `yaml:"plain"`
	// TLS, if set, is spoken on the port.
	TLS *tls.Config `yaml:"-"`
	// Identities, if set, tell which branch a connection's certificate proves; no
	// secret is asked for. It needs TLS that asks for certificates.
	Identities Identities `yaml:"-"`
	// Listener, if set, is used instead of Listen.
	Listener net.Listener `yaml:"-"`
}

// DefaultEmbeddedConfig is the configuration of a small chain.
func DefaultEmbeddedConfig() EmbeddedConfig {
	return EmbeddedConfig{Listen: ":8883", MaxBranches: 500, MaxMessages: 500}
}

// Validate names the setting that is wrong.
func (c *EmbeddedConfig) Validate() error {
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		return fault.New(fault.Setup, "bad_configuration", "listen %q is not an address: %w", c.Listen, err)
	}
	if c.MaxBranches < 1 || c.MaxBranches > 20_000 {
		return fault.New(fault.Setup, "bad_configuration", "max_branches %d must be 1 to 20000", c.MaxBranches)
	}
	if c.MaxMessages < 1 {
		return fault.New(fault.Setup, "bad_configuration", "max_messages_per_second %d must be at least 1", c.MaxMessages)
	}
	return nil
}

// Secrets tells the SHA-256 of a branch's secret; ok is false for a branch that
// may not connect. It is called concurrently and must not block.
type Secrets func(branch string) (sum [sha256.Size]byte, ok bool)

// Identities know the certificates of branches. The methods are called
// concurrently.
type Identities interface {
	// Identify gives the branch of a certificate whose key was proved from an
	// address; an error says why it is not let in.
	Identify(ctx context.Context, leaf *x509.Certificate, address string) (branch string, err error)
	// Counts tells of one that was let in why it no longer counts, as a fault of
	// class Data; other errors say nothing about it.
	Counts(ctx context.Context, leaf *x509.Certificate) error
	// TookOver is told that a connection took the place of an open one.
	TookOver(branch string)
}

// Embedded is the broker inside the hub.
type Embedded struct {
	server   *mqtt.Server
	listener net.Listener
	gate     *gate
	register *register
	hook     *hook
}

// NewEmbedded binds the port and checks everything; connections are served
// when [Embedded.Run] runs. Errors are faults of class Setup.
func NewEmbedded(cfg EmbeddedConfig, secrets Secrets, sink Sink, log *slog.Logger, reg prometheus.Registerer) (*Embedded, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	l := cfg.Listener
	if l == nil {
		var err error
		if l, err = net.Listen("tcp", cfg.Listen); err != nil {
			return nil, fault.New(fault.Setup, "port_unusable", "the MQTT port %s cannot be opened: %w", cfg.Listen, err).
				WithHint("choose another port, or stop what uses it")
		}
	}
	if cfg.TLS != nil {
		l = tls.NewListener(l, cfg.TLS)
	}
	caps := mqtt.NewDefaultServerCapabilities()
	caps.MaximumClients = int64(cfg.MaxBranches)
	caps.MaximumMessageExpiryInterval = 0 // otherwise what is retained vanishes after a day
	caps.MaximumPacketSize = wire.MaxPayload + 1<<10
	caps.MaximumClientWritesPending = 1 << 10
	caps.MaximumInflight = 256
	caps.ReceiveMaximum = 256
	caps.TopicAliasMaximum = 0
	caps.MinimumProtocolVersion = 4
	caps.MaximumQos = 1
	caps.SharedSubAvailable = 0
	caps.WildcardSubAvailable = 0
	server := mqtt.New(&mqtt.Options{
		Capabilities:             caps,
		ClientNetReadBufferSize:  16 << 10,
		ClientNetWriteBufferSize: 4 << 10,
		Logger:                   slog.New(slog.DiscardHandler), // the hook says what matters
		SysTopicResendInterval:   24 * 3600,
		InlineClient:             true,
	})
	e := &Embedded{server: server, listener: l, register: newRegister(log, reg)}
	e.hook = newHook(cfg, secrets, sink, e)
	if err := server.AddHook(e.hook, nil); err != nil {
		return nil, fmt.Errorf("embedded broker: %w", err)
	}
	// Twice as many as branches, so that those which reconnect find room
	// beside their own dead connections.
	e.gate = newGate(l, 2*cfg.MaxBranches+16)
	if err := server.AddListener(listeners.NewNet("branches", e.gate)); err != nil {
		return nil, fmt.Errorf("embedded broker: %w", err)
	}
	return e, nil
}

// Addr is the address that is listened on.
func (e *Embedded) Addr() net.Addr { return e.listener.Addr() }

// Run serves connections until ctx ends; all are closed when it returns, and
// no call of the sink is running any more.
func (e *Embedded) Run(ctx context.Context) error {
	if err := e.server.Serve(); err != nil {
		_ = e.listener.Close()
		return fmt.Errorf("embedded broker: %w", err)
	}
	e.hook.lookAgain(ctx)
	e.register.close()
	e.hook.stop()
	_ = e.listener.Close()
	e.gate.closeStrangers()
	err := e.server.Close()
	e.hook.wait()
	return err
}

// Recheck has every connection looked at soon, and those cut whose certificate no
// longer counts. It does not wait.
func (e *Embedded) Recheck() {
	select {
	case e.hook.recheck <- struct{}{}:
	default: // it is to be done already
	}
}

// Publish implements [Broker].
func (e *Embedded) Publish(branch string, c wire.Channel, payload []byte, retained bool) error {
	if err := e.server.Publish(wire.Topic(branch, c), payload, retained, 0); err != nil {
		return fault.New(fault.Transient, "broker_away", "publishing to branch %s: %w", branch, err)
	}
	return nil
}

// Tell implements [Broker].
func (e *Embedded) Tell(f func(LineChange)) { e.register.tellTo(f) }

// Connections implements [Broker].
func (e *Embedded) Connections() []Connection { return e.register.connections() }

// Trouble implements [Broker]; a broker in the same process is always there.
func (e *Embedded) Trouble() error { return nil }
