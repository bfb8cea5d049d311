package outbox

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"branchline/internal/fault"
	"branchline/internal/movement"
)

// Write is what is recorded together, or not at all.
type Write struct {
	// Lane must be set where there are movements. What is of the bulk lane, notes
	// alone as well, gives way to the rest.
	Lane movement.Lane
	// Movements are validated; RecordedAt is set where it is zero. At most
	// [MaxWrite].
	Movements []*movement.Movement
	// Notes change in the same commit, the later one of a key last. They are
	// stored whether or not the movements were known already.
	Notes []Note
	// After is an earlier write without which this one must not happen: if it
	// fails, this fails with the same error. It lets a caller prepare the next
	// part of a file while the part before is being committed.
	After *Ticket
}

// Note is one piece of a stage's own state.
type Note struct {
	// Space names the stage, 1 to 64 bytes without NUL; Key is 1 to 512
	// bytes.
	Space string
	Key   string
	// Value of at most 1 MiB replaces what was there; nil deletes it.
	Value []byte
}

// Place is where a movement was recorded.
type Place struct {
	Epoch string
	Lane  movement.Lane
	Seq   uint64
	// Known says that the natural key had been recorded before: the movement
	// was not recorded again, and this is the place of the earlier one.
	Known bool
	// Print is the [movement.Movement.Print] of the earlier one, which is known
	// for as long as its key is, also when the record itself is no longer kept;
	// 0 where an earlier version recorded it. By is a time by which it was
	// recorded; zero where that was lately.
	Print uint64
	By    time.Time
}

// Bounds of one write.
const (
	// MaxWrite is the most movements of one write.
	MaxWrite = 10_000
	// maxWriteBytes bounds the memory of one write.
	maxWriteBytes = 32 << 20
	maxNote       = 1 << 20
)

// Ticket is a write under way.
type Ticket struct {
	o      *Outbox
	lane   movement.Lane
	blocks []*draft
	keys   []keyHash // one for each movement; zero for none
	prints []uint64  // those of the movements with a key
	notes  []Note
	after  *Ticket
	bytes  int

	// job is used instead of the above for other work that needs the turn.
	job func() error

	state  atomic.Int32
	places []Place
	err    error
	done   chan struct{}
}

const (
	waiting = iota
	taken
	withdrawn
)

func (t *Ticket) finish(err error) {
	t.err = err
	close(t.done)
}

// Done is closed when the outcome is known.
func (t *Ticket) Done() <-chan struct{} { return t.done }

// Wait blocks until the write is durable or has failed; it may do the commit
// itself, with what others wait for. Where ctx ends first,
// a write that nobody has begun is withdrawn; one that is being committed is
// waited for, so that an error always means "not recorded" but for a disk that
// fails in the very last step (code "outbox_unsure", which also ends the outbox:
// [Outbox.Failed]).
func (t *Ticket) Wait(ctx context.Context) ([]Place, error) {
	select {
	case <-t.done:
	case t.o.turn <- struct{}{}:
		t.o.serveUntil(t)
	case <-ctx.Done():
		if t.state.CompareAndSwap(waiting, withdrawn) {
			t.finish(ctx.Err())
			t.o.ring() // so that it does not stay in the queue
		}
		<-t.done
	}
	return t.places, t.err
}

// Append records w durably: when it returns without an error, all of it is on
// disk and survives a power cut. The places are those of w.Movements, in their
// order.
//
// Errors are faults: "invalid_movement", "invalid_note", "write_too_large"
// (class Data) leave everything as it was; "outbox_full" and "disk_full" (class
// Transient) mean that nothing was recorded and that capture must not claim it
// was; they pass by themselves when there is room again. "outbox_closed" comes
// after [Outbox.Close]. "outbox_unsure" (class Setup) leaves open whether w is
// on disk, and "outbox_damaged" and "outbox_unwritable" of class Setup say that
// nothing can be recorded before the agent is started again.
func (o *Outbox) Append(ctx context.Context, w Write) ([]Place, error) {
	t, err := o.prepare(w)
	if err != nil {
		return nil, err
	}
	if err := o.enqueue(ctx, t); err != nil {
		return nil, err
	}
	return t.Wait(ctx)
}

// Submit is the first half of [Outbox.Append]: it validates and encodes w on
// the caller's goroutine, queues it and returns; the movements are not looked at
// afterwards, so that the caller may use their memory again. Writes to one lane
// that are submitted one after the other are recorded in that order; those to the
// bulk lane let others go before them. The caller keeps few under way, as each
// holds its bytes in memory. It blocks while the queue is full, and for the bulk
// lane for a moment while somebody scans.
func (o *Outbox) Submit(ctx context.Context, w Write) (*Ticket, error) {
	t, err := o.prepare(w)
	if err != nil {
		return nil, err
	}
	if err := o.enqueue(ctx, t); err != nil {
		return nil, err
	}
	o.ring()
	return t, nil
}

func (o *Outbox) prepare(w Write) (*Ticket, error) {
	t := &Ticket{o: o, lane: w.Lane, notes: w.Notes, after: w.After, done: make(chan struct{})}
	for _, n := range w.Notes {
		if err := n.validate(); err != nil {
			return nil, err
		}
		t.bytes += len(n.Key) + len(n.Value) + 64
	}
	if len(w.Movements) == 0 {
		return t, nil
	}
	if !w.Lane.Valid() {
		return nil, fault.New(fault.Defect, "invalid_lane", "lane %d does not exist", w.Lane)
	}
	if len(w.Movements) > MaxWrite {
		return nil, fault.New(fault.Data, "write_too_large",
			"%d movements at once, more than %d", len(w.Movements), MaxWrite)
	}
	t.keys, t.prints = make([]keyHash, len(w.Movements)), make([]uint64, len(w.Movements))
	now := o.clock()
	var d *draft
	for i, m := range w.Movements {
		if m.RecordedAt.IsZero() {
			m.RecordedAt = now
		}
		if err := m.Validate(); err != nil {
			if len(w.Movements) > 1 {
				err = fmt.Errorf("movement %d of %d: %w", i+1, len(w.Movements), err)
			}
			return nil, err
		}
		if m.NaturalKey != "" {
			t.keys[i], t.prints[i] = hashKey(m.NaturalKey), m.Print()
		}
		if d == nil {
			if len(w.Movements) > 2 {
				d = largeDraft()
			} else {
				d = newDraft(1 << 10)
			}
			t.blocks = append(t.blocks, d)
		}
		n := d.add(m)
		if n > movement.MaxRecord {
			return nil, fault.New(fault.Data, "invalid_movement",
				"movement %d of %d has %d bytes, more than %d", i+1, len(w.Movements), n, movement.MaxRecord)
		}
		t.bytes += n + recordHead
		if t.bytes > maxWriteBytes {
			return nil, fault.New(fault.Data, "write_too_large",
				"the movements have more than %d bytes together", maxWriteBytes)
		}
		if len(d.buf) >= blockTarget {
			d = nil
		}
	}
	return t, nil
}

func (n *Note) validate() error {
	bad := func(format string, args ...any) error {
		return fault.New(fault.Data, "invalid_note", format, args...)
	}
	switch {
	case n.Space == "" || len(n.Space) > 64 || strings.ContainsRune(n.Space, 0):
		return bad("note space %.64q must be 1 to 64 bytes without NUL", n.Space)
	case n.Key == "" || len(n.Key) > 512:
		return bad("note key %.64q must be 1 to 512 bytes", n.Key)
	case len(n.Value) > maxNote:
		return bad("note %q has %d bytes, more than %d", n.Key, len(n.Value), maxNote)
	}
	return nil
}
