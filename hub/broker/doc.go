// Package broker carries messages between the hub and its branches over MQTT.
//
// [Embedded] is a broker inside the hub; [External] is a client of any other
// MQTT 3.1.1 broker. Both hand what branches say to a [Sink] and publish what
// the hub says to a branch. Neither is trusted with a movement: an agent keeps
// everything until the hub's own answer, so that losing a message costs a
// moment and nothing else.
package broker

import (
	"context"
	"time"

	"branchline/internal/wire"
)

// Sink takes what branches say. Receive is called concurrently for different
// branches. In the embedded broker, what it does comes before the branch's
// publication is acknowledged, and an error withholds the acknowledgement.
// reply publishes an answer to that branch; it may be used only during the
// call.
type Sink interface {
	Receive(ctx context.Context, branch string, c wire.Channel, payload []byte, reply func(wire.Answer)) error
}

// Broker is what the rest of the hub uses of either.
type Broker interface {
	// Publish says something to a branch. retained keeps it for a branch that
	// is not connected. An error means that it was not sent; there is no
	// sign that it has arrived.
	Publish(branch string, c wire.Channel, payload []byte, retained bool) error
	// Connections lists the branches that are or have been connected, by
	// name.
	Connections() []Connection
	// Tell calls f whenever a branch's line comes or goes, one after the other;
	// f must not wait, and not ask the broker. Lines that end with the broker
	// are not told. It is to be called before Run.
	Tell(f func(LineChange))
	// Trouble is why the broker cannot be used at the moment; nil when it
	// can.
	Trouble() error
	// Run works until ctx ends.
	Run(ctx context.Context) error
}

var (
	_ Broker = (*Embedded)(nil)
	_ Broker = (*External)(nil)
)

// LineChange is that a branch's line came, or went and why.
type LineChange struct {
	Branch string
	At     time.Time
	Online bool
	Why    string
}

// Connection is what is known of a branch's line.
type Connection struct {
	Branch string
	Online bool
	// Since is when it came or went, Heard when it last said anything.
	Since, Heard time.Time
	// Remote is its address, where the broker tells.
	Remote string
	// Takeovers is how often another connection of the same branch took the
	// place of one that was still open, TakenOver when last. Two copies of an
	// agent show by this number growing all the time.
	Takeovers int
	TakenOver time.Time
	// Refused is how many messages of it were refused for their topic, form
	// or size, LastRefusal why the last.
	Refused     int
	LastRefusal string
}
