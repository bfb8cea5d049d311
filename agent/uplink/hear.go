package uplink

import (
	"time"

	"branchline/internal/fault"
	"branchline/internal/killpoint"
	"branchline/internal/wire"
)

// hear does what the hub says. An answer to something that is not in flight
// here is for another copy of this outbox, or late; it is not heeded.
func (s *session) hear(a wire.Answer) {
	now := time.Now()
	s.answered, s.heard = true, now
	s.u.setStatus(func(st *Status) { st.LastContact = now })
	c, i := s.addressee(a)
	if c == nil {
		s.u.metrics.answers.WithLabelValues("unknown").Inc()
		return
	}
	s.u.metrics.answers.WithLabelValues(string(a.Verdict)).Inc()
	switch {
	case i < 0:
		s.askedAgain(c, a)
	case a.Verdict == wire.Taken && a.Through == c.flights[i].through:
		s.taken(c, i, now)
	case a.Verdict == wire.Resend:
		s.resend(c, i, a, now)
	case a.Verdict == wire.Fork:
		s.fork(c, a, now)
	case a.Verdict == wire.Refused:
		s.refused(c, i, a, now)
	}
}

// addressee finds the flight that an answer is to; -1 is a demand of the hub
// without a flight.
func (s *session) addressee(a wire.Answer) (*course, int) {
	if a.Of == "" {
		if c := s.u.courses[streamKey{a.Epoch, a.Lane}]; c != nil && a.Verdict == wire.Resend {
			return c, -1
		}
		return nil, 0
	}
	for _, c := range s.u.courses {
		if i := c.find(a.Of); i >= 0 && (a.Epoch == "" || a.Epoch == c.epoch && a.Lane == c.lane) {
			return c, i
		}
	}
	return nil, 0
}

func (s *session) taken(c *course, i int, now time.Time) {
	through := c.taken(i, s.u.cfg.BatchRecords, now)
	if err := s.u.store.Ack(c.epoch, c.lane, through); err != nil {
		// The hub has it; it will be sent once more and answered again.
		s.u.log.Error("an acknowledgement cannot be recorded", "epoch", c.epoch, "lane", c.lane.String(),
			"seq", through, "err", err)
		c.alarm = &wire.Alarm{Code: fault.CodeOf(err), Text: err.Error()}
		return
	}
	killpoint.Here("uplink.acked")
}

// askedAgain: after a report, the hub asks for what it once had.
func (s *session) askedAgain(c *course, a wire.Answer) {
	st := s.stream(streamKey{c.epoch, c.lane})
	if st == nil || a.Through >= st.Acked || c.next <= a.Through+1 ||
		len(c.flights) > 0 && c.flights[0].first <= max(a.Through+1, st.Oldest) {
		return // on its way already
	}
	s.u.log.Warn("the hub asks for what it once had", "epoch", c.epoch, "lane", c.lane.String(), "seq", a.Through+1)
	c.rewind(a.Through + 1)
}

func (s *session) resend(c *course, i int, a wire.Answer, now time.Time) {
	first := c.flights[i].first
	s.u.log.Info("the hub asks to send again", "epoch", c.epoch, "lane", c.lane.String(), "seq", a.Through+1, "sent", first)
	c.rewind(a.Through + 1)
	if c.quarrel(first) > maxBacks {
		c.quarrelAt, c.backs = 0, 0
		c.hold(now.Add(s.u.cfg.RefusedRetry), "endless_resend",
			"the hub asks for the same records again and again; have hub and outbox looked at")
	}
}

func (s *session) fork(c *course, a wire.Answer, now time.Time) {
	log := s.u.log.With("epoch", c.epoch, "lane", c.lane.String(), "seq", a.Through)
	if err := s.u.store.Fork(c.epoch, c.lane, a.Through); err != nil {
		log.Error("the stream cannot be forked", "err", err)
		c.rewind(c.flights[0].first)
		c.hold(now.Add(heldAfterError), fault.CodeOf(err), err.Error())
		return
	}
	log.Error("this outbox is a copy, or was restored from one: it goes on in a new stream", "err", a.Text)
	delete(s.u.courses, streamKey{c.epoch, c.lane})
}

// refused looks for the record that a refusal is about by halving the batch;
// when one record alone is refused, or a smaller batch cannot help, the stream
// waits for a person, and the others go on.
func (s *session) refused(c *course, i int, a wire.Answer, now time.Time) {
	f := c.flights[i]
	c.rewind(f.first)
	smaller := a.Code == "oversized_batch" || a.Code == "malformed_batch" || a.Code == "broken_chain"
	if n := int(f.through - f.first + 1); smaller && n > 1 {
		c.limit = n / 2
		return
	}
	s.u.log.Error("the hub refuses what this branch sends", "epoch", c.epoch, "lane", c.lane.String(),
		"seq", f.first, "code", a.Code, "err", a.Text)
	c.hold(now.Add(s.u.cfg.RefusedRetry), a.Code, a.Text)
}
