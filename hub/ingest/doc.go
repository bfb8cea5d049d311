// Package ingest takes in what the branches send: it checks a batch against
// what the hub has of its stream, commits it with the stream's cursor, and only
// then answers.
//
// # The rule
//
// [Decide] is the whole rule, a pure function. Its ground is the chain: equal
// hashes after a seq mean equal records through that seq. So
//
//   - "taken" is said only of a batch whose every record, and all before it, the
//     hub has as the branch has them;
//   - a batch that begins where the hub ends, and with the hub's hash, is
//     committed;
//   - one that begins later is asked for from where the hub ends, unless the
//     branch has nothing older: then it is committed, and the gap is recorded;
//   - one that begins earlier is compared with what is stored. Where it first
//     differs is the place of a fork; if already its beginning has another
//     past, the branch is asked for earlier records until the place is found.
//
// Nothing in memory decides anything: the hub may be killed, restored from a
// backup or run several times over.
package ingest
