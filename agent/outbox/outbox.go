package outbox

import (
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	bolt "go.etcd.io/bbolt"

	"branchline/internal/fault"
	"branchline/internal/movement"
	"branchline/internal/wire"
)

// Outbox is an open outbox. Its methods may be called concurrently.
type Outbox struct {
	cfg   Config
	log   *slog.Logger
	clock func() time.Time
	lock  *fileLock

	// failed is closed with failure set when the file can no longer be used:
	// it turned out to be damaged, or the disk leaves open what is on it.
	failed  chan struct{}
	failure atomic.Pointer[fault.Error]

	// dbMu is held for reading while db is used, for writing while a file
	// that can no longer be mapped is opened anew.
	dbMu sync.RWMutex
	db   *bolt.DB
	// transact is [bolt.DB.Update], but in tests of a disk that fails.
	transact func(*bolt.DB, func(*bolt.Tx) error) error

	// queue holds what is to be written, urgent that of it which a person waits
	// for; who writes holds the turn by filling it. bell tells the outbox's own goroutine of what nobody waits for.
	queue  chan *Ticket
	urgent chan *Ticket
	turn   chan struct{}
	// scanned is when something urgent was last committed, partTook how long
	// the latest commit of the rest was, in nanoseconds.
	scanned  atomic.Pointer[time.Time]
	partTook atomic.Int64

	bell    chan struct{}
	gate    sync.RWMutex // held for reading while queueing, so that none comes after Close
	closed  bool
	quit    chan struct{}
	stopped chan struct{}

	// mu guards what follows. Only who writes changes it, but for acked.
	mu      sync.RWMutex
	streams []*stream // in the order in which they were made
	current map[movement.Lane]*stream
	changed chan struct{} // nil while nobody has asked for it
	alarms  []Alarm
	trouble error // why the last commit found no room; nil when it did

	// Of whoever has the turn.
	kept  *Ticket // taken from the queue, and the next to be served
	keys  *keyMemory
	crowd int // how many shared the last commit
	// favoured tells that the last commit was of what is urgent.
	favoured bool
	order    uint64       // of the newest stream
	tended   time.Time    // when old records were last looked for
	trimmed  atomic.Int64 // bytes read since pages were given back
}

// Open opens or makes the outbox. It takes the lock file, checks the file and
// the chain of what is unsent, salvages what a damaged file still holds, and
// compacts a file that is mostly free space; that may take seconds for a large
// file. clock is nil for time.Now.
//
// Errors are faults: "outbox_locked" when another process has it,
// "outbox_foreign" when it belongs to another branch, "invalid_setting",
// "outbox_unreadable" (class Setup), "disk_full" (class Transient).
func Open(cfg Config, log *slog.Logger, clock func() time.Time) (*Outbox, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if clock == nil {
		clock = time.Now
	}
	o := &Outbox{
		cfg: cfg, log: log, clock: clock,
		queue:   make(chan *Ticket, 128),
		urgent:  make(chan *Ticket, 128),
		turn:    make(chan struct{}, 1),
		bell:    make(chan struct{}, 1),
		quit:    make(chan struct{}),
		stopped: make(chan struct{}),
		current: make(map[movement.Lane]*stream),
		failed:  make(chan struct{}),

		transact: (*bolt.DB).Update,
	}
	lock, err := lockFile(cfg.Path)
	if err != nil {
		return nil, err
	}
	o.lock = lock
	if err := o.open(); err != nil {
		if o.db != nil {
			o.db.Close()
		}
		lock.release()
		return nil, err
	}
	go o.run()
	return o, nil
}

// Close waits for what is queued, writes down the acknowledgements and closes
// the file. Later calls of other methods fail with "outbox_closed".
func (o *Outbox) Close() error {
	o.gate.Lock()
	if o.closed {
		o.gate.Unlock()
		<-o.stopped
		return nil
	}
	o.closed = true
	o.gate.Unlock()
	close(o.quit)
	<-o.stopped
	o.dbMu.Lock()
	defer o.dbMu.Unlock()
	defer o.lock.release()
	db := o.db
	o.db = nil
	if db == nil {
		return nil
	}
	if o.failure.Load() == nil {
		return db.Close()
	}
	// A panic may have left bbolt's locks held.
	done := make(chan error, 1)
	go func() { done <- db.Close() }()
	select {
	case err := <-done:
		return err
	case <-time.After(time.Second):
		return o.failure.Load()
	}
}

// Failed is closed when the file has been damaged while it was in use, or when
// the disk has failed so that nobody knows what is on it: nothing can be
// recorded or read any more, and only opening anew, which salvages, helps. The
// agent should end with [Outbox.Failure], to be started again.
func (o *Outbox) Failed() <-chan struct{} { return o.failed }

// Failure says why [Outbox.Failed] is closed; nil where it is not.
func (o *Outbox) Failure() error {
	if f := o.failure.Load(); f != nil {
		return f
	}
	return nil
}

// fail notes that the file is damaged.
func (o *Outbox) fail(err error) error {
	return o.end(fault.New(fault.Setup, "outbox_damaged", "%s is damaged: %w", o.cfg.Path, err).
		WithHint("restart the agent; it sets the file aside and carries over what can be read"))
}

// end notes why the file can no longer be used, unless that is known already.
func (o *Outbox) end(f *fault.Error) error {
	if o.failure.CompareAndSwap(nil, f) {
		o.log.Error("The outbox cannot be used any more.", "file", o.cfg.Path, "err", f)
		close(o.failed)
	}
	return o.failure.Load()
}

// usable is the failure, or that the outbox is closed. o.dbMu is held.
func (o *Outbox) usable() error {
	if f := o.failure.Load(); f != nil {
		return f
	}
	if o.db == nil {
		return closedFault()
	}
	return nil
}

func closedFault() error {
	return fault.New(fault.Transient, "outbox_closed", "the outbox is closed since the agent is stopping")
}

// Streams lists the streams in the order in which they are to be sent: live
// before bulk, older epochs before newer; empty ones are left out. A forked stream ends where the hub's
// own begins to differ. It reads memory only.
func (o *Outbox) Streams() []wire.Stream {
	o.mu.RLock()
	defer o.mu.RUnlock()
	list := make([]wire.Stream, 0, len(o.streams))
	for _, lane := range movement.Lanes {
		for _, s := range o.streams {
			if s.lane == lane && s.oldest > 0 && s.oldest <= s.end() {
				list = append(list, s.wire())
			}
		}
	}
	return list
}

// Changed returns a channel that is closed when there is something new to
// send. Take it before looking at [Outbox.Streams], so that nothing is missed.
func (o *Outbox) Changed() <-chan struct{} {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.changed == nil {
		o.changed = make(chan struct{})
	}
	return o.changed
}

// signal wakes who waits for Changed; o.mu is held for writing.
func (o *Outbox) signal() {
	if o.changed != nil {
		close(o.changed)
		o.changed = nil
	}
}

// find returns the stream, or nil. o.mu is held.
func (o *Outbox) find(epoch string, lane movement.Lane) *stream {
	i := slices.IndexFunc(o.streams, func(s *stream) bool { return s.epoch == epoch && s.lane == lane })
	if i < 0 {
		return nil
	}
	return o.streams[i]
}

func unknownStream(epoch string, lane movement.Lane) error {
	return fault.New(fault.Data, "unknown_stream", "this outbox has no stream %s/%s", epoch, lane)
}
