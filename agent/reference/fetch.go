package reference

import (
	"sync"
	"time"

	"branchline/internal/feed"
)

// How the agent asks. One request is under way at a time, so that what is on
// its way down is never more than the window: an answer of the hub to movements
// waits behind no more than that.
const (
	minWindow = 8 << 10
	maxWindow = 128 << 10
	// quick and slow are how fast a request must be answered for the window to
	// grow, or to shrink.
	quick = 300 * time.Millisecond
	slow  = time.Second
	// patience is how long after the last of it a request may take before it is
	// made again; it doubles with each time that nothing comes at all.
	patience    = 20 * time.Second
	maxPatience = 5 * time.Minute
	// holdBad is how long a version rests of which something cannot be used.
	holdBad = 10 * time.Minute
)

// fetcher knows what is wanted and what has been asked for. It does no I/O.
type fetcher struct {
	ready chan struct{}

	mu      sync.Mutex
	targets map[feed.Kind]*target
	asked   *request
	window  int
	waits   time.Duration
}

// target is a version that is current at the hub and not here.
type target struct {
	version feed.ID
	asOf    time.Time
	// listed tells that the manifest has come; parts is all of it, missing what
	// is not here.
	listed    bool
	parts     []feed.PartRef
	missing   []feed.PartRef
	heldUntil time.Time
}

// request is what was asked for and has not all come.
type request struct {
	kind     feed.Kind
	version  feed.ID
	parts    map[feed.ID]bool // nil for the manifest
	at       time.Time
	deadline time.Time
}

func (f *fetcher) init() {
	f.ready = make(chan struct{}, 1)
	f.begin()
}

// begin forgets everything: a hub that does not speak of documents must not be
// asked for any.
func (f *fetcher) begin() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.targets, f.asked, f.window, f.waits = map[feed.Kind]*target{}, nil, minWindow, patience
}

// wake says that there may be something to ask for.
func (f *fetcher) wake() {
	select {
	case f.ready <- struct{}{}:
	default:
	}
}

// overdue wakes when a request must be made again.
func (f *fetcher) overdue(now time.Time) {
	f.mu.Lock()
	due := len(f.targets) > 0 && (f.asked == nil || !now.Before(f.asked.deadline))
	f.mu.Unlock()
	if due {
		f.wake()
	}
}

// aim sets what is wanted of a kind. have tells that it is here already.
func (f *fetcher) aim(k feed.Kind, version feed.ID, asOf time.Time, have bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	t := f.targets[k]
	switch {
	case have:
		f.drop(k)
	case t != nil && t.version == version:
		t.asOf = asOf
	default:
		f.drop(k)
		f.targets[k] = &target{version: version, asOf: asOf}
	}
	f.wake()
}

// drop forgets a target; the caller holds mu.
func (f *fetcher) drop(k feed.Kind) {
	delete(f.targets, k)
	if f.asked != nil && f.asked.kind == k {
		f.asked = nil
	}
}

// target gives the target of a kind, as a copy.
func (f *fetcher) target(k feed.Kind) (target, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	t := f.targets[k]
	if t == nil {
		return target{}, false
	}
	return *t, true
}

// listed takes in a manifest, with what of it is not here.
func (f *fetcher) listed(k feed.Kind, version feed.ID, parts, missing []feed.PartRef) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if t := f.targets[k]; t != nil && t.version == version {
		t.listed, t.parts, t.missing = true, parts, missing
	}
	if f.asked != nil && f.asked.kind == k && f.asked.parts == nil {
		f.asked, f.waits = nil, patience
	}
	f.wake()
}

// lacks tells whether a part is wanted and not here.
func (f *fetcher) lacks(k feed.Kind, id feed.ID) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	t := f.targets[k]
	return t != nil && t.at(id) >= 0
}

func (t *target) at(id feed.ID) int {
	for i := range t.missing {
		if t.missing[i].ID == id {
			return i
		}
	}
	return -1
}

// came notes that a part is here now.
func (f *fetcher) came(k feed.Kind, id feed.ID, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if t := f.targets[k]; t != nil {
		if i := t.at(id); i >= 0 {
			t.missing = append(t.missing[:i:i], t.missing[i+1:]...)
		}
	}
	r := f.asked
	if r == nil || r.kind != k || !r.parts[id] {
		return
	}
	delete(r.parts, id)
	f.waits = patience
	r.deadline = now.Add(f.waits)
	if len(r.parts) > 0 {
		return
	}
	switch took := now.Sub(r.at); {
	case took < quick:
		f.window = min(2*f.window, maxWindow)
	case took > slow:
		f.window = max(f.window/2, minWindow)
	}
	f.asked = nil
	f.wake()
}

// hold lets a version rest that cannot be used.
func (f *fetcher) hold(k feed.Kind, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if t := f.targets[k]; t != nil {
		t.heldUntil = now.Add(holdBad)
	}
	if f.asked != nil && f.asked.kind == k {
		f.asked = nil
	}
}

// next is what to ask for now; ok is false for nothing. While movements are on
// their way up it is one part at a time.
func (f *fetcher) next(now time.Time, busy bool) (w feed.Want, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.asked != nil {
		if now.Before(f.asked.deadline) {
			return w, false
		}
		f.asked, f.window, f.waits = nil, minWindow, min(2*f.waits, maxPatience)
	}
	for _, k := range feed.Kinds {
		t := f.targets[k]
		if t == nil || now.Before(t.heldUntil) || t.listed && len(t.missing) == 0 {
			continue
		}
		w = feed.Want{Kind: k, Version: t.version}
		f.asked = &request{kind: k, version: t.version, at: now, deadline: now.Add(f.waits)}
		if !t.listed {
			return w, true
		}
		f.asked.parts = map[feed.ID]bool{}
		room := f.window
		for _, p := range t.missing {
			if len(w.Parts) > 0 && (busy || p.Bytes > room || len(w.Parts) == feed.MaxWanted) {
				break
			}
			room -= p.Bytes
			w.Parts = append(w.Parts, p.ID)
			f.asked.parts[p.ID] = true
		}
		return w, true
	}
	return w, false
}

// missing counts what has yet to come of each kind; a manifest counts as one.
func (f *fetcher) missing() map[feed.Kind]int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := map[feed.Kind]int{}
	for k, t := range f.targets {
		n[k] = len(t.missing)
		if !t.listed {
			n[k] = 1
		}
	}
	return n
}
