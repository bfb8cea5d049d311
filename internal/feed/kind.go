package feed

import (
	"slices"

	"branchline/internal/wire"
)

// Kind is the kind of a document; each has a channel of its own.
type Kind string

const (
	Catalogue  = Kind(wire.Catalogue)
	Deliveries = Kind(wire.Deliveries)
	OnHand     = Kind(wire.Stock)
	Outcomes   = Kind(wire.Outcomes)
)

// Kinds lists all kinds, in the order in which they are asked for: the small
// ones that people wait for first.
var Kinds = []Kind{Deliveries, Outcomes, Catalogue, OnHand}

// Channel is the channel that carries the kind down.
func (k Kind) Channel() wire.Channel { return wire.Channel(k) }

// Valid tells whether it is one of [Kinds].
func (k Kind) Valid() bool { return slices.Contains(Kinds, k) }

// KindOf is the kind that a channel carries; ok is false for other channels.
func KindOf(c wire.Channel) (k Kind, ok bool) {
	k = Kind(c)
	return k, k.Valid()
}
