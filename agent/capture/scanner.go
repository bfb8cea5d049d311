package capture

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"branchline/internal/fault"
)

// runner is one scanner. Only its own goroutine touches it, but for status.
type runner struct {
	Options
	name string
	s    *Scanner
	// pending is a changed profile that is to be taken over.
	pending atomic.Pointer[Scanner]
	ports   *ports
	m       *metrics
	log     *slog.Logger
	status  guardedStatus
	reading reading
	timeout time.Duration
}

func newRunner(s *Scanner, o Options, shared *ports, m *metrics) *runner {
	r := &runner{Options: o, name: s.Name, s: s, ports: shared, m: m, log: o.Log.With("scanner", s.Name)}
	r.timeout = min(max(s.IdleGap, 100*time.Millisecond), 300*time.Millisecond)
	r.status.s = Status{Name: s.Name, Station: s.Station, For: s.For, Port: s.where(), Since: o.Now(),
		Code: "scanner_starting", Reason: "the scanner has not been opened yet"}
	m.up.WithLabelValues(s.Name).Set(0)
	return r
}

const codeStopping = "agent_stopping"

// run opens and reads until ctx ends.
func (r *runner) run(ctx context.Context) {
	pause := r.retryMin
	for {
		r.adopt()
		p, name, err := r.open(ctx)
		if err == nil {
			r.up(name)
			began := time.Now()
			err = r.read(ctx, p)
			if cerr := p.Close(); cerr != nil {
				r.log.Debug("closing the port", "err", cerr)
			}
			if time.Since(began) > 10*r.retryMin {
				pause = r.retryMin
			}
		}
		r.ports.release(r.s.Name)
		if ctx.Err() != nil {
			r.down(fault.New(fault.Transient, codeStopping, "the agent is stopping"))
			return
		}
		r.down(err)
		wait := time.NewTimer(pause/2 + rand.N(pause/2+1))
		select {
		case <-ctx.Done():
			wait.Stop()
		case <-wait.C:
		}
		pause = min(2*pause, r.retryMax)
	}
}

func (r *runner) open(ctx context.Context) (port, string, error) {
	if r.s.Network.used() {
		return openNetwork(ctx, &r.s.Network, r.timeout, r.down)
	}
	name, err := r.ports.take(r.s, r.find)
	if err != nil {
		return nil, "", err
	}
	p, err := r.Options.open(r.s, name, r.timeout)
	if err != nil {
		return nil, "", unopened(name, err)
	}
	return p, name, nil
}

// read cuts what comes into codes until ctx ends or the line is lost. Nobody
// else closes the port meanwhile: on Windows a read after that would use a
// handle that may already be another's.
func (r *runner) read(ctx context.Context, p port) error {
	f := newFramer(r.s.Terminator, maxFrame, r.s.IdleGap)
	sounds := r.speak(p)
	defer close(sounds)
	r.reading = reading{profile: r.s.GS1}
	handle := func(fr frame) { r.frame(ctx, fr, sounds) }
	defer f.lost(handle)

	buf := make([]byte, 1024)
	hasty := 0 // reads without bytes that ended long before their timeout
	for ctx.Err() == nil {
		began := time.Now()
		n, err := p.Read(buf)
		now := time.Now()
		changed, reopen := r.adopt()
		if changed && f.end != r.s.Terminator {
			f.lost(handle)
			f.end = r.s.Terminator
		}
		f.feed(buf[:n], now, handle)
		if reopen {
			return fault.New(fault.Transient, "scanner_starting", "the port is opened with its new settings")
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return r.lost("the line broke: %w", err)
		}
		if n > 0 {
			hasty = 0
			continue
		}
		f.silence(now, handle)
		if now.Sub(began) < r.timeout/2 {
			if hasty++; hasty >= 3 {
				return r.lost("the line is at its end")
			}
		} else {
			hasty = 0
		}
		if p.gone() {
			return r.lost("the device is gone")
		}
	}
	return ctx.Err()
}

func (r *runner) lost(format string, args ...any) error {
	if r.s.Network.used() {
		return fault.New(fault.Transient, "scanner_unplugged", "the connection to the scanner was lost: %w", fmt.Errorf(format, args...)).
			WithHint("switch the scanner on, and look at its network cable or radio")
	}
	return fault.New(fault.Transient, "scanner_unplugged", "the scanner was unplugged: %w", fmt.Errorf(format, args...)).
		WithHint("plug the scanner in")
}

// speak starts the writer of sounds for an open port. It is a goroutine of its
// own since a device that takes nothing can block a write; a sound that finds
// it busy is left out.
func (r *runner) speak(p port) chan []byte {
	sounds := make(chan []byte, 4)
	go func() {
		for b := range sounds {
			if _, err := p.Write(b); err != nil {
				r.log.Debug("the scanner took no sound", "err", err)
			}
		}
	}()
	return sounds
}

func (r *runner) up(name string) {
	r.m.up.WithLabelValues(r.s.Name).Set(1)
	r.m.opens.WithLabelValues(r.s.Name).Inc()
	r.status.set(func(s *Status) {
		s.Up, s.Since, s.Port, s.Code, s.Reason = true, r.Now(), name, "", ""
	})
	r.log.Info("scanner ready", "port", name)
}

func (r *runner) down(err error) {
	r.m.up.WithLabelValues(r.s.Name).Set(0)
	news := false
	r.status.set(func(s *Status) {
		code := fault.CodeOf(err)
		news = s.Up || s.Code != code
		if s.Up {
			s.Up, s.Since = false, r.Now()
		}
		s.Code, s.Reason = code, err.Error()
	})
	switch {
	case fault.CodeOf(err) == codeStopping:
		r.log.Debug("scanner let go, the agent is stopping")
	case news: // a scanner that stays away is logged once
		r.log.Warn("scanner down", "err", err)
	}
}
