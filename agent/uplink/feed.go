package uplink

import (
	"context"
	"errors"
	"log/slog"

	"branchline/internal/fault"
	"branchline/internal/wire"
)

// Feed takes what the hub tells of Odoo, and says what it lacks. It comes after
// everything else: it is asked only when no movement can be sent.
type Feed interface {
	// Begin is called when a line is up, before anything is heard on it.
	Begin()
	// Hear takes a message of one of the channels of Odoo's documents. It is
	// called in the line's own goroutine, and must only enqueue.
	Hear(c wire.Channel, payload []byte)
	// Ready has a value when Next may give something.
	Ready() <-chan struct{}
	// Next is what to say in the want channel, nil for nothing. busy tells that
	// movements are on their way.
	Next(busy bool) []byte
}

// follow listens for what the feed takes. A broker that does not allow it must
// not keep movements from the hub.
func follow(ctx context.Context, l *line, feed Feed, log *slog.Logger) error {
	if feed == nil {
		return nil
	}
	feed.Begin()
	hear := func(topic string, payload []byte) {
		if branch, c, ok := wire.ParseTopic(topic); ok && branch == l.branch {
			feed.Hear(c, payload)
		}
	}
	var err error
	for _, c := range []wire.Channel{wire.Catalogue, wire.Deliveries, wire.Stock, wire.Outcomes, wire.Branches} {
		err = errors.Join(err, l.Subscribe(ctx, hear, wire.Topic(l.branch, c)))
	}
	if fault.ClassOf(err) == fault.Setup {
		log.Warn("the broker does not let this branch hear all that the hub tells; movements go on", "err", err)
		return nil
	}
	return err
}

// feedReady is nil, which never is ready, without a feed.
func (s *session) feedReady() <-chan struct{} {
	if s.u.Feed == nil {
		return nil
	}
	return s.u.Feed.Ready()
}

// wanted makes the message for what the feed lacks; nil for nothing.
func (s *session) wanted() *message {
	if s.u.Feed == nil {
		return nil
	}
	busy := false
	for _, c := range s.u.courses {
		busy = busy || len(c.flights) > 0
	}
	if payload := s.u.Feed.Next(busy); payload != nil {
		return &message{channel: wire.Want, payload: payload}
	}
	return nil
}
