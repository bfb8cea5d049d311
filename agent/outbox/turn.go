package outbox

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"time"
)

// Whoever waits for a write takes the turn and commits all that is queued, his
// own among it: a scan is then on disk without one goroutine having woken
// another. One goroutine of the outbox's own takes the turn for what nobody
// waits for, and for the housekeeping.

// tendEvery is how often acknowledgements are written down and old records
// deleted.
const tendEvery = time.Second

func (o *Outbox) enqueue(ctx context.Context, t *Ticket) error {
	o.gate.RLock()
	defer o.gate.RUnlock()
	if o.closed {
		return closedFault()
	}
	select {
	case o.queue <- t:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// ring has everything committed that is queued by now.
func (o *Outbox) ring() {
	select {
	case o.bell <- struct{}{}:
	default: // it rings already
	}
}

// run does what nobody else does.
func (o *Outbox) run() {
	defer close(o.stopped)
	tick := time.NewTicker(tendEvery)
	defer tick.Stop()
	inTurn := func(fn func()) {
		o.turn <- struct{}{}
		o.write(fn)
	}
	for {
		select {
		case <-o.bell:
			inTurn(func() {
				for o.serve() {
					select {
					case <-tick.C:
						o.tend()
					default:
					}
				}
			})
		case <-tick.C:
			inTurn(o.tend)
		case <-o.quit:
			inTurn(func() {
				for o.serve() {
				}
				o.saveAcks()
			})
			return
		}
	}
}

// write runs fn in the turn that the caller has taken, and gives it back.
func (o *Outbox) write(fn func()) {
	// A page that the disk no longer gives is an error, not the end.
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			// A defect, in the middle of a commit: nobody above may recover.
			stack := debug.Stack()
			go func() { panic(fmt.Sprintf("%v\n%s", p, stack)) }()
			select {}
		}
		<-o.turn
	}()
	fn()
}

// serveUntil commits until t is done; the caller has taken the turn.
func (o *Outbox) serveUntil(t *Ticket) {
	o.write(func() {
		for {
			select {
			case <-t.done:
				return
			default:
				o.serve() // t is queued
			}
		}
	})
}

// next is the ticket that waits longest; nil for none.
func (o *Outbox) next() *Ticket {
	if t := o.kept; t != nil {
		o.kept = nil
		return t
	}
	select {
	case t := <-o.queue:
		return t
	default:
		return nil
	}
}

// serve commits what waits, up to the next job, or does that job. It tells
// whether anything waited.
func (o *Outbox) serve() bool {
	if o.crowd > 1 {
		runtime.Gosched() // whom the commit before has just released may queue again
	}
	t := o.next()
	if t == nil {
		o.crowd = 0
		return false
	}
	var group []*Ticket
	for size := 0; t != nil; t = o.next() {
		if t.job != nil && len(group) > 0 {
			o.kept = t // so that nobody whose write is done waits for a job
			break
		}
		if !t.state.CompareAndSwap(waiting, taken) {
			continue // withdrawn
		}
		if t.job != nil {
			t.finish(t.job())
			return true
		}
		group = append(group, t)
		if size += t.bytes; size >= groupBytes {
			break
		}
	}
	o.crowd = len(group)
	o.commit(group)
	return true
}

// job runs fn between two commits, in a turn.
func (o *Outbox) job(fn func() error) error {
	t := &Ticket{o: o, job: fn, done: make(chan struct{})}
	if err := o.enqueue(context.Background(), t); err != nil {
		return err
	}
	_, err := t.Wait(context.Background())
	return err
}
