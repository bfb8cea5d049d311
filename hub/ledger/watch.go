package ledger

import "sync"

// Event is what a transaction has changed.
type Event uint8

const (
	// BatchCommitted: there is a batch to project.
	BatchCommitted Event = 1 << iota
	// Projected: there are new movements.
	Projected
	// Ruled: a movement was refused, released or discarded, or an alias made.
	Ruled
	// PostingsChanged: a posting was made or changed its state.
	PostingsChanged
	// ReconciliationChanged: a comparison with Odoo is asked for, or done.
	ReconciliationChanged
)

type watchers struct {
	mu  sync.Mutex
	all map[chan struct{}]Event
}

// Watch gives a channel that gets a value after every commit that changed one
// of events; several may be merged into one value. End the watch with stop.
func (l *Ledger) Watch(events Event) (changed <-chan struct{}, stop func()) {
	c := make(chan struct{}, 1)
	w := &l.watchers
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.all == nil {
		w.all = map[chan struct{}]Event{}
	}
	w.all[c] = events
	return c, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.all, c)
	}
}

func (w *watchers) wake(events Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c, wants := range w.all {
		if wants&events == 0 {
			continue
		}
		select {
		case c <- struct{}{}:
		default:
		}
	}
}
