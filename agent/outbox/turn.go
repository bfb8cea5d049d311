package outbox

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"time"

	"branchline/internal/movement"
)

// Whoever waits for a write takes the turn and commits all that is queued, his
// own among it: a scan is then on disk without one goroutine having woken
// another. One goroutine of the outbox's own takes the turn for what nobody
// waits for, and for the housekeeping.

// tendEvery is how often acknowledgements are written down and old records
// deleted.
const tendEvery = time.Second

func (o *Outbox) enqueue(ctx context.Context, t *Ticket) error {
	queue := o.queue
	switch {
	case t.urgent():
		queue = o.urgent
	case t.job == nil:
		o.giveWay(ctx)
	}
	o.gate.RLock()
	defer o.gate.RUnlock()
	if o.closed {
		return closedFault()
	}
	select {
	case queue <- t:
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

// urgent tells that a person may wait for t: not for the parts of files, nor for
// jobs.
func (t *Ticket) urgent() bool { return t.job == nil && t.after == nil && t.lane != movement.Bulk }

const (
	// lately is for how long somebody who has scanned may be about to scan again.
	lately = time.Second
	// mostRest bounds the rest before a part of a file.
	mostRest = 100 * time.Millisecond
)

// giveWay rests, while somebody scans, for twice as long as the latest part of a
// file took to be committed: a scan then seldom meets one, and finds a processor.
func (o *Outbox) giveWay(ctx context.Context) {
	at := o.scanned.Load()
	if at == nil || time.Since(*at) > lately {
		return
	}
	rest := time.NewTimer(min(2*time.Duration(o.partTook.Load()), mostRest))
	defer rest.Stop()
	select {
	case <-rest.C:
	case <-o.quit:
	case <-ctx.Done():
	}
}

// next is the ticket that waits longest, of those that are urgent or of the
// others; nil for none.
func (o *Outbox) next(urgent bool) *Ticket {
	queue := o.urgent
	if !urgent {
		if t := o.kept; t != nil {
			o.kept = nil
			return t
		}
		queue = o.queue
	}
	select {
	case t := <-queue:
		return t
	default:
		return nil
	}
}

// serve commits what waits, up to the next job, or does that job. It tells
// whether anything waited. What is urgent goes first and by itself: a scan waits
// for the commit that is under way, and not for the parts of a file that queue
// behind it. After it comes the turn of the others, so that no flood of scans
// holds up a file for ever.
func (o *Outbox) serve() bool {
	if o.crowd > 1 || o.favoured {
		runtime.Gosched() // whom the commit before has just released goes on, and may queue again
	}
	urgent := !o.favoured
	t := o.next(urgent)
	if t == nil {
		urgent = !urgent
		t = o.next(urgent)
	}
	o.favoured = urgent && t != nil
	if t == nil {
		o.crowd = 0
		return false
	}
	var group []*Ticket
	for size := 0; t != nil; t = o.next(urgent) {
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
	began := time.Now()
	o.commit(group)
	if urgent {
		o.scanned.Store(&began)
	} else {
		o.partTook.Store(int64(time.Since(began)))
	}
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
