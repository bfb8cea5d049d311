package access

import (
	"net/netip"
	"sync"
	"time"

	"branchline/internal/fault"
)

// What one address may try, whatever names it tries: after so many wrong ones
// within the time nothing from there is looked at for the rest of it.
const (
	triesOfAddress = 20
	triesTime      = 10 * time.Minute
	// maxAddresses bounds the memory; beyond it the oldest are forgotten.
	maxAddresses = 10_000
)

// After so many wrong passwords in a row a person cannot sign in for a while.
const (
	wrongOfUser = 8
	lockedFor   = 10 * time.Minute
)

// Codes of what is refused at a sign-in.
const (
	CodeWrong   = "wrong_password"
	CodeTooMany = "too_many_tries"
)

// tries counts what went wrong from each address.
type tries struct {
	now func() time.Time
	mu  sync.Mutex
	of  map[netip.Prefix]*count
}

type count struct {
	wrong int
	since time.Time
}

func newTries(now func() time.Time) *tries { return &tries{now: now, of: map[netip.Prefix]*count{}} }

// network is what one attacker has: an address of version 4, a /64 of version 6.
func network(address string) netip.Prefix {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return netip.Prefix{}
	}
	bits := 32
	if a = a.Unmap().WithZone(""); a.Is6() {
		bits = 64
	}
	p, _ := a.Prefix(bits) // the bits fit
	return p
}

// allowed is a fault of class Data, [CodeTooMany], when there were too many.
func (t *tries) allowed(address string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.of[network(address)]
	if c == nil || c.wrong < triesOfAddress {
		return nil
	}
	left := triesTime - t.now().Sub(c.since)
	if left <= 0 {
		return nil
	}
	return fault.New(fault.Data, CodeTooMany, "too many sign-ins from this address went wrong").
		WithHint("try again in " + left.Round(time.Minute).String())
}

func (t *tries) wrong(address string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now, at := t.now(), network(address)
	c := t.of[at]
	if c == nil || now.Sub(c.since) >= triesTime {
		t.forget(now)
		c = &count{since: now}
		t.of[at] = c
	}
	c.wrong++
}

// forget makes room: all that have ended, and when that is not enough, any.
func (t *tries) forget(now time.Time) {
	if len(t.of) < maxAddresses {
		return
	}
	for at, c := range t.of {
		if now.Sub(c.since) >= triesTime {
			delete(t.of, at)
		}
	}
	for at := range t.of {
		if len(t.of) < maxAddresses {
			return
		}
		delete(t.of, at)
	}
}
