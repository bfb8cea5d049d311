package uplink

import (
	"context"
	"maps"
	"slices"
	"time"

	"branchline/internal/fault"
	"branchline/internal/killpoint"
	"branchline/internal/movement"
	"branchline/internal/wire"
)

// heldAfterError is how long a stream waits that could not be read or forked.
const heldAfterError = 30 * time.Second

type streamKey struct {
	epoch string
	lane  movement.Lane
}

// session works on one connection. One goroutine runs it.
type session struct {
	u        *Uplink
	line     *line
	answered bool
	heard    time.Time // when the hub last answered, or the session began
	reportAt time.Time
	streams  []wire.Stream // as of the last look
	another  <-chan struct{}
}

// newSession begins all courses again after what is acknowledged. What went
// unanswered in the last session is tried in smaller batches, as a size that
// the line or the broker does not bear must not be tried for ever.
func newSession(u *Uplink, l *line) *session {
	now := time.Now()
	s := &session{u: u, line: l, heard: now, reportAt: now}
	for _, st := range u.store.Streams() {
		c := u.courses[streamKey{st.Epoch, st.Lane}]
		if c == nil {
			continue
		}
		if len(c.flights) > 0 && c.idle {
			c.limit = max(1, c.limit/2)
		}
		c.rewind(st.Acked + 1)
		c.retried, c.idle = 0, true
	}
	return s
}

func (s *session) run(ctx context.Context) error {
	w := newWriter(s.line)
	defer close(w.queue)
	timer := time.NewTimer(0)
	defer timer.Stop()
	var pending *message
	for {
		changed := s.u.store.Changed()
		s.look()
		if err := s.overdue(time.Now()); err != nil {
			return err
		}
		if pending == nil {
			pending = s.prepare(time.Now())
		}
		var out chan<- message
		var m message
		if pending != nil {
			// What changes now is seen when the next message is prepared.
			out, m, changed = w.queue, *pending, nil
		}
		now := time.Now()
		timer.Reset(s.wake(now, pending != nil).Sub(now))
		select {
		case <-ctx.Done():
			return nil
		case err := <-s.line.Lost():
			return err
		case a := <-s.line.answers:
			s.hear(a)
		case out <- m:
			pending = nil
		case <-changed:
		case <-s.feedReady():
		case <-s.another:
			return errAnother
		case <-timer.C:
		}
	}
}

// look takes in which streams there are.
func (s *session) look() {
	s.streams = s.u.store.Streams()
	for _, st := range s.streams {
		key := streamKey{st.Epoch, st.Lane}
		if s.u.courses[key] == nil {
			s.u.courses[key] = &course{epoch: st.Epoch, lane: st.Lane, next: st.Acked + 1,
				limit: s.u.cfg.BatchRecords, idle: true}
		}
	}
	if len(s.u.courses) > len(s.streams) {
		maps.DeleteFunc(s.u.courses, func(k streamKey, _ *course) bool { return s.stream(k) == nil })
	}
	inFlight, alarms := 0, []wire.Alarm(nil)
	for _, st := range s.streams {
		c := s.u.courses[streamKey{st.Epoch, st.Lane}]
		inFlight += len(c.flights)
		if c.alarm != nil {
			alarms = append(alarms, *c.alarm)
		}
	}
	s.u.setStatus(func(st *Status) { st.InFlight, st.Alarms = inFlight, alarms })
}

func (s *session) stream(k streamKey) *wire.Stream {
	i := slices.IndexFunc(s.streams, func(st wire.Stream) bool { return st.Epoch == k.epoch && st.Lane == k.lane })
	if i < 0 {
		return nil
	}
	return &s.streams[i]
}

// prepare makes the next message: a report that is due, else a batch of the
// first stream that has something and room in its window, else what the feed
// lacks; nil for nothing.
func (s *session) prepare(now time.Time) *message {
	if !now.Before(s.reportAt) {
		s.reportAt = now.Add(s.u.cfg.ReportEvery)
		if payload, err := s.u.state(s.streams).Marshal(); err == nil {
			return &message{channel: wire.Report, payload: payload}
		}
	}
	inFlight := map[movement.Lane]int{}
	for _, c := range s.u.courses {
		inFlight[c.lane] += c.bytes
	}
	for _, st := range s.streams {
		c := s.u.courses[streamKey{st.Epoch, st.Lane}]
		if c.next > st.Last || !c.room(now, &s.u.cfg, inFlight[c.lane]) {
			continue
		}
		if m := s.load(c, st, now); m != nil {
			return m
		}
	}
	return s.wanted()
}

// load reads and packs the next batch of a course. No artificial pause fills
// it up: while the window is open one record leaves at once, and while it is
// full records gather by themselves.
func (s *session) load(c *course, st wire.Stream, now time.Time) *message {
	log := s.u.log.With("epoch", c.epoch, "lane", c.lane.String(), "seq", c.next)
	for {
		b, err := s.u.store.Read(c.epoch, c.lane, c.next, c.limit, maxBatchBytes)
		if err != nil {
			log.Error("the outbox cannot be read", "err", err)
			c.hold(now.Add(heldAfterError), fault.CodeOf(err), err.Error())
			return nil
		}
		if b == nil {
			c.next = st.Last + 1 // nothing is left there
			return nil
		}
		payload, err := s.u.packer.Pack(nil, b)
		if err != nil {
			log.Error("a batch cannot be packed", "err", err)
			c.hold(now.Add(heldAfterError), fault.CodeOf(err), err.Error())
			return nil
		}
		if len(payload) > wire.MaxPayload && len(b.Records) > 1 {
			c.limit = max(1, len(b.Records)/2)
			continue
		}
		through := b.First + uint64(len(b.Records)) - 1
		c.sent(flight{of: wire.NameOf(payload), first: b.First, through: through, bytes: len(payload)}, now)
		s.u.metrics.sent(len(b.Records), len(payload))
		return &message{channel: wire.Movements, payload: payload, sent: func() { killpoint.Here("uplink.published") }}
	}
}

// maxBatchBytes is the most bytes of records in a batch, uncompressed: it keeps
// the packer's buffers small.
const maxBatchBytes = 512 << 10

// wake is when something must be done though nothing happens. While a message
// waits for the writer, a new one is of no use.
func (s *session) wake(now time.Time, waiting bool) time.Time {
	at := now.Add(time.Hour)
	if !waiting {
		at = earlier(at, s.reportAt)
	}
	for _, st := range s.streams {
		c := s.u.courses[streamKey{st.Epoch, st.Lane}]
		if len(c.flights) > 0 {
			at = earlier(at, c.since.Add(s.u.cfg.AckTimeout))
		}
		if !waiting && c.next <= st.Last && c.heldUntil.After(now) {
			at = earlier(at, c.heldUntil)
		}
	}
	return at
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// overdue begins those courses again whose answers do not come, in smaller
// batches; when the hub says nothing at all, the line is given up.
func (s *session) overdue(now time.Time) error {
	for _, st := range s.streams {
		c := s.u.courses[streamKey{st.Epoch, st.Lane}]
		if len(c.flights) == 0 || now.Before(c.since.Add(s.u.cfg.AckTimeout)) {
			continue
		}
		c.retried++
		if c.retried >= 10 || c.retried >= 2 && now.Sub(s.heard) >= s.u.cfg.AckTimeout {
			return fault.New(fault.Transient, "hub_silent", "the broker is there, but the hub has not answered for %v",
				now.Sub(s.heard).Round(time.Second))
		}
		s.u.metrics.timeouts.Inc()
		s.u.log.Warn("no answer of the hub in time, sending again", "epoch", c.epoch, "lane", c.lane.String(), "seq", st.Acked+1)
		c.limit = max(1, c.limit/2)
		c.rewind(st.Acked + 1)
	}
	return nil
}
