// Package reconcile holds what the branches recorded against what is in Odoo, by
// itself every night and when a person asks. It corrects nothing, here or there: it
// says what is otherwise, and where.
//
// # Records
//
// Each movement that a branch captured is in one bucket: still at the branch, lost
// there, received and on its way, waiting for a person, taken out, a repetition, or
// posted; and what is posted is in a document of ours in Odoo that is done and as it
// was posted, in one that is otherwise, or in none. They are counted by the days on
// which they happened at the branch, over the last days that the configuration names.
// The counts are taken from the rows themselves, not from sums that are kept beside
// them. Three things are told apart from each other: the places that the branch says
// its outbox has given, the places up to which the hub has received, and the
// movements that the ledger holds; since ever, and by stream.
//
// Documents are read from Odoo by the ids that the postings keep, some hundred in a
// call. The schedule reads the lines of those only that are new, were otherwise, or
// have been written since the last time; when a person asks, all of them are read. Those that nobody in the ledger knows are looked for by package post, which
// adopts them, or keeps them for a person: these are among the differences.
//
// # Stock
//
// What the branches send are movements, so the ledger knows what was added and taken
// away and not what was there before. Odoo's stock is therefore compared from a start
// on: at the first comparison of a branch, what Odoo has of each product and lot
// beyond what the ledger's documents had moved there is taken as it is. From then on
// Odoo should have just that, plus what is posted. The opening stock, and whatever
// people in Odoo had done by then, is in the start.
//
// A count at a branch would be another start, and is none: it waits for a person, who
// records the difference and takes the count out (package plan), so that nothing of it
// stays in the ledger that could be held against Odoo later. After a stock-take in
// Odoo, a person with the right to decide has Odoo's stock taken as it is, with a word
// why: the comparison goes on from there.
//
// The whole warehouse is compared, so that goods that go from shelf to shelf are no
// difference. What waits to be posted is in no sum. Products of which a document is
// on its way at that moment are left out. A product of which the branch has moved
// something without a lot, or by serial number, is compared as a whole, since the lots
// in Odoo were chosen by others.
//
// # When Odoo is away
//
// What is to be compared stands in the ledger, branch by branch, and is taken out when
// it is done: a comparison goes on after a pause, or after a restart of the hub, with
// the branch where it stopped. Documents that were already looked at are not asked for
// again within the hour.
package reconcile
