package wire

import (
	"slices"
	"strings"

	"branchline/internal/movement"
)

// Channel is the last part of a topic: what is said in it.
type Channel string

const (
	// Movements carries batches up, [Report] the agent's state, Presence
	// "online" or "offline" (retained, with a last will).
	Movements Channel = "movements"
	Report    Channel = "report"
	Presence  Channel = "presence"
	// Want carries up what the agent lacks of the five that follow Ack.
	Want Channel = "want"
	// Ack carries the hub's answers down; the others what a branch needs to
	// know of Odoo, what became of its movements, the other branches, and its settings.
	Ack        Channel = "ack"
	Catalogue  Channel = "catalogue"
	Deliveries Channel = "deliveries"
	Stock      Channel = "stock"
	Outcomes   Channel = "outcomes"
	Branches   Channel = "branches"
	Settings   Channel = "config"
)

// Channels lists all channels, those that lead up first.
var Channels = []Channel{Movements, Report, Presence, Want, Ack, Catalogue, Deliveries, Stock, Outcomes, Branches, Settings}

// Up tells whether a branch may publish on the channel; on the others it may
// only listen.
func (c Channel) Up() bool { return c == Movements || c == Report || c == Presence || c == Want }

const topicRoot = "branchline/1/"

// Topic is "branchline/1/<branch>/<channel>".
func Topic(branch string, c Channel) string { return topicRoot + branch + "/" + string(c) }

// AllBranches is the filter that hears one channel of every branch.
func AllBranches(c Channel) string { return Topic("+", c) }

// ParseTopic takes a topic apart; ok is false for any other form.
func ParseTopic(topic string) (branch string, c Channel, ok bool) {
	rest, ok := strings.CutPrefix(topic, topicRoot)
	if !ok {
		return "", "", false
	}
	branch, channel, ok := strings.Cut(rest, "/")
	if !ok || !movement.ValidBranch(branch) {
		return "", "", false
	}
	if !slices.Contains(Channels, Channel(channel)) {
		return "", "", false
	}
	return branch, Channel(channel), true
}

// What stands in a presence message.
const (
	Online  = "online"
	Offline = "offline"
)
