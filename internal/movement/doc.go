// Package movement is the canonical record of Branchline: one change of one
// product's stock at one branch, as it was captured.
//
// # Words
//
//   - A movement is what happened at the branch: a pack received, dispensed,
//     returned, wasted, sent, counted.
//   - A record is a movement's bytes (one JSON object on one line, see
//     [Movement.AppendJSON]). They are made once, at capture, and are stored,
//     sent, hashed and kept as evidence exactly as they are.
//   - A stream is one lane of one epoch of one branch's outbox. A movement's
//     identity is its place in a stream: branch, epoch, lane, seq ([ID]). The
//     place is not part of the record: the stream's chain binds it.
//   - The chain is a hash over a stream's records, each over the one before
//     ([Hash]): a gap, a fork and an alteration all show.
//   - The natural key is what makes a movement the same event when it is read
//     again (a receipt number and line of an export, a serial in a delivery).
//   - A problem is why a capture could not be understood with certainty. A
//     movement with a problem is kept and sent like any other, and goes to a
//     person instead of to Odoo.
//   - A settlement is what a person at the branch decides about such a capture: a
//     record of its own that names it by its natural key, and either is the
//     movement that it should have been, or says that nothing was moved.
package movement
