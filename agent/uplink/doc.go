// Package uplink sends what lies in the outbox to the hub, and forgets nothing
// until the hub itself has answered.
//
// # Words
//
//   - A session is the time between connecting and losing the connection. It
//     starts from what the hub has acknowledged; nothing is carried over.
//   - A flight is a batch that was sent and not yet answered. The window is what
//     may be in flight at a time, so that memory does not grow with a backlog.
//   - A course is what a session knows of one stream: what to send next, and
//     its flights.
//
// The MQTT broker's own acknowledgement counts for nothing. Where an answer
// does not come in time, the course begins again after the last acknowledged
// record; the hub tells apart what it has from what it has not.
//
// Streams have courses of their own: one that the hub refuses waits, with an
// alarm, and the others go on. Live streams go before bulk ones.
package uplink

import (
	"branchline/internal/movement"
	"branchline/internal/wire"
)

// Store is what the uplink uses of the outbox. One goroutine calls it.
type Store interface {
	// Streams lists the streams in sending order; it must be cheap.
	Streams() []wire.Stream
	// Read gives a contiguous run from seq from on, or from the first seq after
	// it that is still kept; nil where nothing is.
	Read(epoch string, lane movement.Lane, from uint64, maxRecords, maxBytes int) (*wire.Batch, error)
	// Ack notes that the hub has everything through a seq. A lower one than
	// before changes nothing.
	Ack(epoch string, lane movement.Lane, through uint64) error
	// Fork moves what follows common into a new stream.
	Fork(epoch string, lane movement.Lane, common uint64) error
	// Changed is closed when there is something new to send; it is taken before
	// Streams is called.
	Changed() <-chan struct{}
}
