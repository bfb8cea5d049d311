// Package wire is what agent and hub say to each other over MQTT: topics,
// batches of movements going up, answers coming down. Everything here arrives
// from outside for one of the two, so all sizes are bounded and nothing
// panics.
package wire

// Bounds of one message.
const (
	// MaxPayload is the most bytes of an MQTT payload, compressed.
	MaxPayload = 1 << 20
	// MaxBatchBytes is the most bytes of a batch's records, decompressed.
	MaxBatchBytes = 4 << 20
	// MaxBatchRecords is the most records of a batch.
	MaxBatchRecords = 10_000
	// maxHeader is the most bytes of a batch's header line.
	maxHeader = 1 << 10
)
