package uplink

import (
	"context"
	"log/slog"
	"sync"

	"branchline/internal/mqttline"
	"branchline/internal/wire"
)

// line is one connection to the broker, with the hub's answers.
type line struct {
	*mqttline.Line
	branch string
	// answers carries what the hub says. When it is full an answer is dropped,
	// which is as if the network had lost it.
	answers chan wire.Answer
}

// answersWaiting is how many answers may wait to be looked at: more than there
// can be flights.
const answersWaiting = 1024

// dial connects, listens for answers and says that the branch is online.
func dial(ctx context.Context, cfg *Config, to target, feed Feed, log *slog.Logger) (*line, error) {
	up, err := mqttline.Dial(ctx, mqttline.Options{
		Server: to.server, ClientID: "branchline-" + cfg.Branch, Username: to.username, Password: to.password,
		TLS: to.tls, Timeout: cfg.IOTimeout, KeepAlive: cfg.KeepAlive, Dial: cfg.Dial,
		WillTopic: wire.Topic(cfg.Branch, wire.Presence), WillPayload: wire.Offline,
	})
	if err != nil {
		return nil, err
	}
	l := &line{Line: up, branch: cfg.Branch, answers: make(chan wire.Answer, answersWaiting)}
	hear := func(_ string, payload []byte) {
		a, err := wire.ParseAnswer(payload)
		if err != nil {
			log.Warn("an answer of the hub cannot be read", "err", err)
			return
		}
		select {
		case l.answers <- a:
		default:
		}
	}
	err = up.Subscribe(ctx, hear, wire.Topic(cfg.Branch, wire.Ack))
	if err == nil {
		err = follow(ctx, l, feed, log)
	}
	if err == nil {
		err = up.Say(ctx, wire.Topic(cfg.Branch, wire.Presence), true, []byte(wire.Online))
	}
	if err != nil {
		up.Close("", nil)
		return nil, err
	}
	return l, nil
}

// hangUp says goodbye and closes the connection.
func (l *line) hangUp() {
	l.Close(wire.Topic(l.branch, wire.Presence), []byte(wire.Offline))
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
			_ = l.Send(wire.Topic(l.branch, m.channel), false, m.payload) // Lost tells
			if m.sent != nil {
				m.sent()
			}
		}
	})
	return w
}
