package uplink

import (
	"time"

	"github.com/cenkalti/backoff/v5"
)

// pauses are those between two attempts to connect: growing, spread at random
// so that branches do not come back all at once, and never outside of what the
// configuration says.
type pauses struct {
	grow     *backoff.ExponentialBackOff
	min, max time.Duration
}

func newPauses(c *Config) *pauses {
	p := &pauses{grow: backoff.NewExponentialBackOff(), min: c.MinBackoff, max: c.MaxBackoff}
	// A pause is half to one and a half of the interval.
	p.grow.InitialInterval, p.grow.MaxInterval = 2*p.min, p.max*2/3
	p.grow.RandomizationFactor, p.grow.Multiplier = 0.5, 2
	return p
}

func (p *pauses) next() time.Duration { return min(max(p.grow.NextBackOff(), p.min), p.max) }

func (p *pauses) reset() { p.grow.Reset() }
