package uplink

import (
	"time"

	"branchline/internal/movement"
	"branchline/internal/wire"
)

// flight is a batch that was sent and not yet answered.
type flight struct {
	of             string
	first, through uint64
	bytes          int
}

// course is what a session knows of one stream. It holds no I/O: the session
// asks it what to read and tells it what was sent and answered.
type course struct {
	epoch   string
	lane    movement.Lane
	next    uint64 // the seq to send next
	flights []flight
	bytes   int // of all flights
	// limit is the most records of the next batch: less than configured after
	// a refusal, to find out which record it is about.
	limit int
	// since is when the oldest flight was sent, or the last answer came.
	since time.Time
	// heldUntil is when a stream that is set aside is tried again.
	heldUntil time.Time
	alarm     *wire.Alarm
	// idle: nothing was taken since the session began. retried counts the
	// timeouts since something was taken.
	idle    bool
	retried int
	// quarrelAt is the first batch for which the hub asked to begin again,
	// backs how often it did so at that batch.
	quarrelAt uint64
	backs     int
}

// maxBacks is how often the hub may ask to begin again at the same batch before
// the stream is set aside: more would be a quarrel without end.
const maxBacks = 20

// room tells whether another batch may be sent.
func (c *course) room(now time.Time, cfg *Config, laneBytes int) bool {
	return len(c.flights) < cfg.WindowBatches && (laneBytes == 0 || laneBytes < cfg.WindowBytes) &&
		!now.Before(c.heldUntil)
}

func (c *course) sent(f flight, now time.Time) {
	if len(c.flights) == 0 {
		c.since = now
	}
	c.flights = append(c.flights, f)
	c.bytes += f.bytes
	c.next = f.through + 1
}

// find gives the place of the flight that an answer is to, -1 for none.
func (c *course) find(of string) int {
	for i, f := range c.flights {
		if f.of == of {
			return i
		}
	}
	return -1
}

// taken drops the flights through the i-th: what is before it is proven too.
func (c *course) taken(i, limit int, now time.Time) (through uint64) {
	through = c.flights[i].through
	for _, f := range c.flights[:i+1] {
		c.bytes -= f.bytes
	}
	c.flights = append(c.flights[:0], c.flights[i+1:]...)
	c.since, c.idle, c.retried, c.alarm = now, false, 0, nil
	if through >= c.quarrelAt {
		c.quarrelAt, c.backs = 0, 0
	}
	c.limit = min(2*c.limit, limit)
	return through
}

// rewind forgets the flights and goes on from seq.
func (c *course) rewind(seq uint64) {
	c.flights, c.bytes, c.next = c.flights[:0], 0, seq
}

// quarrel counts that the hub asked to begin again at the batch that begins at
// first. Asking for ever earlier ones, while it looks for the place of a fork,
// does not count.
func (c *course) quarrel(first uint64) int {
	if first > c.quarrelAt {
		c.quarrelAt, c.backs = first, 0
	}
	if first == c.quarrelAt {
		c.backs++
	}
	return c.backs
}

// hold sets the stream aside with an alarm.
func (c *course) hold(until time.Time, code, text string) {
	c.heldUntil, c.alarm = until, &wire.Alarm{Code: code, Text: text}
}
