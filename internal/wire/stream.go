package wire

import "branchline/internal/movement"

// Stream is the state of one stream in an agent's outbox.
type Stream struct {
	Epoch string
	Lane  movement.Lane
	// Oldest is the first seq that is still kept, Last the newest, 0 for
	// none; Acked the last that the hub has committed.
	Oldest, Last, Acked uint64
}

// Unsent is how many records the hub has not yet acknowledged.
func (s Stream) Unsent() uint64 { return s.Last - s.Acked }
