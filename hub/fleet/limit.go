package fleet

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Bounds of what strangers may ask. A code cannot be guessed; this keeps the hub
// free for others, and makes it show when somebody tries.
const (
	wrongBurst = 10             // wrong tries of one address at once
	wrongEvery = time.Minute    // and one more each
	asksPer    = rate.Limit(50) // requests a second of all together
	asksBurst  = 200
	maxWatched = 10_000 // addresses
	triesShown = time.Hour
	manyTries  = 20
)

type limits struct {
	now func() time.Time
	all *rate.Limiter

	mu    sync.Mutex
	wrong map[netip.Prefix]*rate.Limiter
	tries []time.Time // the last wrong ones, at most manyTries
}

func newLimits(now func() time.Time) *limits {
	return &limits{now: now, all: rate.NewLimiter(asksPer, asksBurst), wrong: map[netip.Prefix]*rate.Limiter{}}
}

// network is what counts as one asker: an address, or of IPv6 the network that one
// customer has.
func network(remote netip.Addr) netip.Prefix {
	remote = remote.Unmap().WithZone("")
	bits := remote.BitLen()
	if remote.Is6() {
		bits = 64
	}
	p, _ := remote.Prefix(bits)
	return p
}

// may tells whether an address may try a code; only wrong ones are counted
// against it, since many branches may share an address.
func (l *limits) may(remote netip.Addr) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	w := l.wrong[network(remote)]
	return w == nil || w.TokensAt(l.now()) >= 1
}

// wrongTry counts one.
func (l *limits) wrongTry(remote netip.Addr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now, from := l.now(), network(remote)
	if l.wrong[from] == nil {
		if len(l.wrong) >= maxWatched {
			for k, w := range l.wrong { // those that have long been quiet, or else any
				if w.TokensAt(now) >= wrongBurst {
					delete(l.wrong, k)
				}
			}
			for k := range l.wrong {
				if len(l.wrong) < maxWatched {
					break
				}
				delete(l.wrong, k)
			}
		}
		l.wrong[from] = rate.NewLimiter(rate.Every(wrongEvery), wrongBurst)
	}
	l.wrong[from].AllowN(now, 1)
	if len(l.tries) >= manyTries {
		l.tries = l.tries[1:]
	}
	l.tries = append(l.tries, now)
}

// many tells whether there were many wrong tries lately.
func (l *limits) many() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.tries) >= manyTries && l.now().Sub(l.tries[0]) <= triesShown
}
