// Package outbox is the agent's only truth: every movement of the branch lies
// here, durable, from the moment it was captured until well after the hub has
// it.
//
// # Words
//
//   - A stream is one lane of one epoch ([movement.ID]). The newest of each lane
//     grows; older ones, left by a fork or by the salvage of a damaged file,
//     only drain.
//   - A [Write] is what must be recorded together or not at all: movements of
//     one lane, and notes.
//   - A note is a stage's own state (how far a file was read, an open delivery)
//     that changes in the same commit as the movements it is about.
//   - A block is one stored value: consecutive records of one stream, each with
//     the chain's hash before it, so that every block proves itself.
//   - The tail is where the newest small blocks of a growing stream lie, until
//     they are enough for one large one.
//   - The key memory knows the natural keys that were recorded, for longer than
//     the records themselves are kept.
//   - Missing records are those that the store once held and that damage took;
//     a reader jumps over them and says so ([wire.Header.Gone]).
//
// # The file
//
// One bbolt file, one bucket for each stream (key: seq of a block's first
// record), "tail", "notes", "keys", "acks" and "state". Only one process opens
// it: a lock file beside it says which. Opening checks every page in use, every
// record's hash and every sum with code that trusts nothing, a page at a time,
// and writes down which pages are free, so that bbolt need not look for itself.
//
// # Damage
//
// A damaged file is set aside under a name with the time, and a new one takes
// its place that holds whatever reads and verifies, found along the file's tree
// and byte by byte. Each old stream keeps its epoch and only drains from then
// on, since the hub may have records of it that were lost here; what is captured
// from now on goes into a new epoch, whose first record tells the hub what
// happened. What is missing in the middle of a stream shows as a batch that
// names how many records before it are gone. Damage that shows while the file is
// in use ends the outbox ([Outbox.Failed]); opening it again salvages. So does a
// disk that fails twice in the last step of a commit: what it holds is known
// only when the file is opened again.
//
// # Concurrency
//
// All methods of an [Outbox] may be called at the same time. One goroutine
// writes at a time, one of those that wait for their writes; it takes everything
// that waits into one commit. Readers never wait for it, but for the moment in
// which the file's map grows.
package outbox
