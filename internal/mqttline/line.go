// Package mqttline is one connection to an MQTT 3.1.1 broker, with what paho
// needs so that it does not claim what is not so: a client that reconnects by
// itself reports messages as delivered that were lost, so a [Line] is never
// reused. When it is lost it says so once, everything waiting fails, and the
// owner dials a new one after a pause of its own.
package mqttline

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/eclipse/paho.mqtt.golang/packets"

	"branchline/internal/fault"
)

// Options says where to connect and as whom.
type Options struct {
	// Server is mqtt://host:port, or mqtts://host:port with TLS.
	Server                       string
	ClientID, Username, Password string
	TLS                          *tls.Config
	// Timeout bounds connecting, each wait, and the writing of one message.
	Timeout time.Duration
	// KeepAlive is how often a silent line is probed.
	KeepAlive time.Duration
	// WillTopic gets WillPayload, retained, when the line breaks; empty for
	// no will.
	WillTopic, WillPayload string
	// Dial opens the connection; nil for TCP, with TLS for mqtts.
	Dial func(server *url.URL) (net.Conn, error)
}

// Line is one connection. Its methods may be called concurrently, but not from
// a handler.
type Line struct {
	client mqtt.Client
	o      Options
	lost   chan error
}

// CheckServer tells whether s names a broker, as a plain error for a
// configuration.
func CheckServer(s string) error {
	u, err := url.Parse(s)
	if err != nil || u.Hostname() == "" || u.Port() == "" || u.Scheme != "mqtt" && u.Scheme != "mqtts" {
		return errors.New("is not mqtt://host:port or mqtts://host:port")
	}
	return nil
}

// Dial connects. Errors, here and from the other methods, are faults:
// "broker_away" (Transient), or "login_refused" (Setup).
func Dial(ctx context.Context, o Options) (*Line, error) {
	l := &Line{o: o, lost: make(chan error, 1)}
	c := mqtt.NewClientOptions().
		AddBroker(o.Server).
		SetClientID(o.ClientID).
		SetUsername(o.Username).
		SetPassword(o.Password).
		SetProtocolVersion(4).
		SetCleanSession(true).
		SetAutoReconnect(false).
		SetConnectRetry(false).
		SetOrderMatters(true). // handlers only enqueue
		SetStore(mqtt.NewMemoryStore()).
		SetKeepAlive(o.KeepAlive).
		SetPingTimeout(o.Timeout).
		SetConnectTimeout(o.Timeout).
		SetWriteTimeout(o.Timeout).
		SetConnectionLostHandler(func(_ mqtt.Client, err error) { l.fail(err) })
	if o.WillTopic != "" {
		c.SetWill(o.WillTopic, o.WillPayload, 1, true)
	}
	if o.TLS != nil {
		c.SetTLSConfig(o.TLS)
	}
	if o.Dial != nil {
		c.SetCustomOpenConnectionFn(func(u *url.URL, _ mqtt.ClientOptions) (net.Conn, error) { return o.Dial(u) })
	}
	l.client = mqtt.NewClient(c)
	if err := l.wait(ctx, l.client.Connect()); err != nil {
		l.client.Disconnect(0)
		return nil, err
	}
	return l, nil
}

// Lost gets the reason once, when the line is gone.
func (l *Line) Lost() <-chan error { return l.lost }

// Subscribe listens with quality of service 1. hear must only enqueue: while it
// runs, nothing else comes in. The payload is its to keep.
func (l *Line) Subscribe(ctx context.Context, hear func(topic string, payload []byte), filters ...string) error {
	qos := map[string]byte{}
	for _, f := range filters {
		qos[f] = 1
	}
	t := l.client.SubscribeMultiple(qos, func(_ mqtt.Client, m mqtt.Message) { hear(m.Topic(), m.Payload()) })
	if err := l.wait(ctx, t); err != nil {
		return err
	}
	for f, granted := range t.(*mqtt.SubscribeToken).Result() {
		if granted > 2 {
			return fault.New(fault.Setup, "login_refused", "the broker at %s does not let this client hear %s", l.o.Server, f).
				WithHint("check the rights of this user at the broker")
		}
	}
	return nil
}

// Say publishes and waits until the broker has it.
func (l *Line) Say(ctx context.Context, topic string, retained bool, payload []byte) error {
	return l.wait(ctx, l.client.Publish(topic, 1, retained, payload))
}

// Send hands a message over to be written, for which it may wait for the
// timeout. That it returns nil says nothing about arriving.
func (l *Line) Send(topic string, retained bool, payload []byte) error {
	if !l.client.IsConnectionOpen() {
		return l.explain(errors.New("the connection is closed"))
	}
	t := l.client.Publish(topic, 1, retained, payload)
	select {
	case <-t.Done():
		if err := t.Error(); err != nil {
			l.fail(err)
			return l.explain(err)
		}
	default: // acknowledged by the broker later, or never
	}
	return nil
}

// Close says the last word, if there is one and still a line, and closes. It
// takes about a second at most.
func (l *Line) Close(topic string, payload []byte) {
	if topic != "" && l.client.IsConnectionOpen() {
		l.client.Publish(topic, 1, true, payload).WaitTimeout(time.Second)
	}
	l.client.Disconnect(250)
}

// wait bounds the wait for a token.
func (l *Line) wait(ctx context.Context, t mqtt.Token) error {
	timer := time.NewTimer(l.o.Timeout + time.Second)
	defer timer.Stop()
	select {
	case <-t.Done():
		return l.explain(t.Error())
	case <-ctx.Done():
		return l.explain(context.Cause(ctx))
	case <-timer.C:
		return l.explain(fmt.Errorf("no reply within %v", l.o.Timeout))
	}
}

func (l *Line) explain(err error) error {
	if err == nil {
		return nil
	}
	for _, refusal := range []error{packets.ErrorRefusedBadUsernameOrPassword, packets.ErrorRefusedNotAuthorised,
		packets.ErrorRefusedIDRejected} {
		if errors.Is(err, refusal) {
			return fault.New(fault.Setup, "login_refused", "the broker at %s refuses %s: %w", l.o.Server, l.o.Username, err).
				WithHint("check name and secret here and at the broker")
		}
	}
	return fault.New(fault.Transient, "broker_away", "no line to the broker at %s: %w", l.o.Server, err)
}

func (l *Line) fail(err error) {
	select {
	case l.lost <- l.explain(err):
	default:
	}
}
