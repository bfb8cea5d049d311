package uplink

import (
	"testing"
	"time"
)

func TestPausesStayWithinTheConfiguration(t *testing.T) {
	for _, c := range []Config{
		DefaultConfig(),
		{MinBackoff: 200 * time.Millisecond, MaxBackoff: time.Second},
		{MinBackoff: time.Minute, MaxBackoff: time.Minute},
	} {
		long := 0
		first := map[time.Duration]bool{}
		for range 50 {
			p := newPauses(&c)
			first[p.next()] = true
			for range 40 {
				got := p.next()
				if got < c.MinBackoff || got > c.MaxBackoff {
					t.Fatalf("a pause of %v, want %v to %v", got, c.MinBackoff, c.MaxBackoff)
				}
				if got >= c.MaxBackoff/4 {
					long++
				}
			}
			p.reset()
			if got := p.next(); got > min(3*c.MinBackoff, c.MaxBackoff) {
				t.Errorf("begun again with %v", got)
			}
		}
		if long < 50*25 {
			t.Errorf("only %d long pauses between %v and %v: they do not grow", long, c.MinBackoff, c.MaxBackoff)
		}
		if c.MinBackoff < c.MaxBackoff && len(first) < 10 {
			t.Errorf("only %d different first pauses: branches would come back at once", len(first))
		}
	}
}
