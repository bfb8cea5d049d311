// Package feed is what the hub tells a branch: of Odoo, its catalogue, the
// deliveries that it expects, and its stock on hand; what became of the branch's
// own movements; and which branches there are. There is nothing about patients in it, and no price.
//
// # Words
//
//   - A document is all of one kind: the catalogue or the list of branches,
//     which are the same for every branch, or the deliveries, the stock or the outcomes of one branch. It is
//     a list of rows in the order of their keys.
//   - A row is one product, one branch, one delivery, the stock of one product,
//     or what became of one session's movements.
//   - A part is some neighbouring rows, named by the hash of their bytes. Where
//     one part ends follows from the keys alone, so that a changed row changes
//     its own part and no other.
//   - A version is the hash of a document's parts. Two documents of one version
//     are equal.
//   - A manifest lists the parts of a version; a notice only names the version
//     that is current and says as of when.
//
// The hub gives notice, and the branch asks: for the manifest of a version that
// it does not have, then for the parts that it lacks, some at a time. Nothing
// needs to be kept by the broker: what gets lost is asked for again, and what
// has come is not.
package feed
