package uplink

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"sync"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/eclipse/paho.mqtt.golang/packets"

	"branchline/internal/fault"
	"branchline/internal/wire"
)

// line is one connection to the broker. A new client is made for each: one that
// reconnects by itself reports messages as sent that were lost.
type line struct {
	client  mqtt.Client
	branch  string
	timeout time.Duration
	// answers carries what the hub says. When it is full an answer is dropped,
	// which is as if the network had lost it.
	answers chan wire.Answer
	// lost gets the reason once, when the connection is gone.
	lost chan error
}

// answersWaiting is how many answers may wait to be looked at: more than there
// can be flights.
const answersWaiting = 256

// dial connects, listens for answers and says that the branch is online. It
// returns within about three times the I/O timeout. Errors are faults:
// "broker_away" (Transient), "login_refused" (Setup).
func dial(ctx context.Context, cfg *Config, log *slog.Logger) (*line, error) {
	l := &line{branch: cfg.Branch, timeout: cfg.IOTimeout,
		answers: make(chan wire.Answer, answersWaiting), lost: make(chan error, 1)}
	o := mqtt.NewClientOptions().
		AddBroker(cfg.Server).
		SetClientID("branchline-"+cfg.Branch).
		SetUsername(cfg.username()).
		SetPassword(cfg.Secret).
		SetProtocolVersion(4).
		SetCleanSession(true).
		SetAutoReconnect(false).
		SetConnectRetry(false).
		SetOrderMatters(true). // the handler only enqueues
		SetStore(mqtt.NewMemoryStore()).
		SetKeepAlive(cfg.KeepAlive).
		SetPingTimeout(cfg.IOTimeout).
		SetConnectTimeout(cfg.IOTimeout).
		SetWriteTimeout(cfg.IOTimeout).
		SetWill(wire.Topic(cfg.Branch, wire.Presence), wire.Offline, 1, true).
		SetConnectionLostHandler(func(_ mqtt.Client, err error) { l.fail(err) })
	if cfg.TLS != nil {
		o.SetTLSConfig(cfg.TLS)
	}
	if cfg.Dial != nil {
		o.SetCustomOpenConnectionFn(func(u *url.URL, _ mqtt.ClientOptions) (net.Conn, error) { return cfg.Dial(u) })
	}
	l.client = mqtt.NewClient(o)
	if err := l.wait(ctx, l.client.Connect()); err != nil {
		l.client.Disconnect(0)
		return nil, connectFault(cfg, err)
	}
	hear := func(_ mqtt.Client, m mqtt.Message) {
		a, err := wire.ParseAnswer(m.Payload())
		if err != nil {
			log.Warn("an answer of the hub cannot be read", "branch", cfg.Branch, "err", err)
			return
		}
		select {
		case l.answers <- a:
		default:
		}
	}
	sub := l.client.Subscribe(wire.Topic(cfg.Branch, wire.Ack), 1, hear)
	err := l.wait(ctx, sub)
	if granted := sub.(*mqtt.SubscribeToken).Result()[wire.Topic(cfg.Branch, wire.Ack)]; err == nil && granted > 2 {
		err = packets.ErrorRefusedNotAuthorised
	}
	if err == nil {
		err = l.wait(ctx, l.client.Publish(wire.Topic(cfg.Branch, wire.Presence), 1, true, wire.Online))
	}
	if err != nil {
		l.client.Disconnect(0)
		return nil, connectFault(cfg, err)
	}
	return l, nil
}

func connectFault(cfg *Config, err error) error {
	for _, refusal := range []error{packets.ErrorRefusedBadUsernameOrPassword, packets.ErrorRefusedNotAuthorised,
		packets.ErrorRefusedIDRejected} {
		if errors.Is(err, refusal) {
			return fault.New(fault.Setup, "login_refused", "the broker at %s refuses this branch: %w", cfg.Server, err).
				WithHint("check the branch's code and its secret here and at the hub")
		}
	}
	return fault.New(fault.Transient, "broker_away", "the broker at %s cannot be reached: %w", cfg.Server, err)
}

// wait bounds the wait for a token.
func (l *line) wait(ctx context.Context, t mqtt.Token) error {
	timer := time.NewTimer(l.timeout + time.Second)
	defer timer.Stop()
	select {
	case <-t.Done():
		return t.Error()
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return fmt.Errorf("no reply within %v", l.timeout)
	}
}

func (l *line) fail(err error) {
	select {
	case l.lost <- err:
	default:
	}
}

// publish hands a message to the client, which writes it; it blocks for the I/O
// timeout at most. That it returns says nothing about arriving.
func (l *line) publish(c wire.Channel, payload []byte) {
	if !l.client.IsConnectionOpen() {
		l.fail(errors.New("the connection is closed"))
		return
	}
	t := l.client.Publish(wire.Topic(l.branch, c), 1, false, payload)
	select {
	case <-t.Done():
		if err := t.Error(); err != nil {
			l.fail(err)
		}
	default: // acknowledged later, or never: the hub's answer is what counts
	}
}

// hangUp says goodbye, in a second at most, and closes the connection.
func (l *line) hangUp() {
	if l.client.IsConnectionOpen() {
		bye := l.client.Publish(wire.Topic(l.branch, wire.Presence), 1, true, wire.Offline)
		bye.WaitTimeout(time.Second)
	}
	l.client.Disconnect(250)
}

// writer writes messages one after the other in a goroutine of its own, so that
// a slow line does not keep the session from hearing answers.
type writer struct {
	queue chan message
	done  sync.WaitGroup
}

type message struct {
	channel wire.Channel
	payload []byte
	sent    func()
}

func newWriter(l *line) *writer {
	w := &writer{queue: make(chan message)}
	w.done.Go(func() {
		for m := range w.queue {
			l.publish(m.channel, m.payload)
			if m.sent != nil {
				m.sent()
			}
		}
	})
	return w
}
