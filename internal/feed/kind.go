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
	Branches   = Kind(wire.Branches)
)

// Kinds lists all kinds, in the order in which they are asked for: the small
// ones that people wait for first.
var Kinds = []Kind{Branches, Deliveries, Outcomes, Catalogue, OnHand}

// Shared tells whether all branches have the same document of the kind.
func (k Kind) Shared() bool { return k == Catalogue || k == Branches }

// Channel is the channel that carries the kind down.
func (k Kind) Channel() wire.Channel { return wire.Channel(k) }

// Valid tells whether it is one of [Kinds].
func (k Kind) Valid() bool { return slices.Contains(Kinds, k) }

// KindOf is the kind that a channel carries; ok is false for other channels.
func KindOf(c wire.Channel) (k Kind, ok bool) {
	k = Kind(c)
	return k, k.Valid()
}
