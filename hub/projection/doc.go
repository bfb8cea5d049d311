// Package projection makes the ledger's derived tables from its batches.
//
// It reads the batches in the order in which they arrived, decides for each
// record what it is ([judge]), and writes movements, natural keys, groups,
// exceptions and implied stock in transactions of several thousand movements,
// each together with its cursor. What it decides depends on nothing but the
// batches up to there and what the ledger's facts say about the one movement
// (rulings, postings), so that all of it can be dropped and made again with the
// same result ([Projector.Rebuild]).
package projection
