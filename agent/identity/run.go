package identity

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"branchline/internal/trust"
)

// looks is how often the file is looked at that the command which enrols writes.
const looks = 2 * time.Second

// Run asks the hub now and then how this PC stands, and renews what is due, until
// ctx ends. Whatever goes wrong is tried again after a growing pause.
func (i *Identity) Run(ctx context.Context) {
	tick := time.NewTicker(looks)
	defer tick.Stop()
	var next, last time.Time // on the monotonic clock: at once
	pause := i.o.First
	for {
		changed := i.Changed()
		if now := time.Now(); !now.Before(next) && i.Enrolled() {
			last = now
			if i.check(ctx) {
				pause = i.o.First
				next = now.Add(i.o.Every - rand.N(i.o.Every/5+1))
			} else {
				next = now.Add(pause - rand.N(pause/5+1))
				pause = min(2*pause, i.o.Most)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-changed:
			// Enrolled or renewed. The line comes first: it is what shows the hub
			// that the new certificate has arrived.
			next, pause = time.Now().Add(i.o.First), i.o.First
		case <-i.doubted:
			if soon := last.Add(pause); soon.Before(next) {
				next = soon
			}
		case <-tick.C:
			i.reload()
		}
	}
}

// check asks and renews; good tells that all is well.
func (i *Identity) check(ctx context.Context) (good bool) {
	i.mu.Lock()
	h := i.held
	i.mu.Unlock()
	if h == nil {
		return true
	}
	s, err := i.standing(ctx, h)
	if err == nil {
		i.refuse(h, s.Refusal)
		ended := s.Refusal != nil && s.Refusal.Code == trust.CodeCertEnded
		if s.Refusal != nil && !ended {
			i.o.Log.Warn("the hub refuses this PC", "err", s.Refusal.Text)
			return false
		}
		if !ended && !due(h, s.Time) {
			return true
		}
		if err = i.renew(ctx, h); err == nil {
			i.o.Log.Info("the certificate of this PC is renewed")
			return true
		}
	}
	var no *refusedError
	if errors.As(err, &no) {
		i.refuse(h, &no.Refusal)
	}
	if ctx.Err() == nil {
		i.o.Log.Warn("the hub cannot be asked how this PC stands", "err", err)
	}
	return false
}

// due tells whether a certificate is to be renewed at the hub's time: when two
// thirds are over, or when it begins only in the future since the hub's clock was
// wrong when it was signed.
func due(h *held, hub time.Time) bool {
	return !hub.Before(trust.RenewAt(h.Certificate)) || hub.Before(h.Certificate.NotBefore)
}

// refuse notes why the hub refuses this PC; nil when it does not.
func (i *Identity) refuse(h *held, r *trust.Refusal) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.held != h {
		return // another was enrolled meanwhile
	}
	was := i.refusal != nil && i.refusal.Final()
	i.refusal = r
	if was && r == nil { // the line may be tried again
		close(i.changed)
		i.changed = make(chan struct{})
	}
}
