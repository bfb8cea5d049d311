// Package feed tells the branches what Odoo has: the catalogue, the deliveries
// that each expects, and its stock; and what became of the movements that each
// has sent, as far as people at a branch look for it. It reads Odoo and the
// ledger, makes a document of each kind (package feed of internal), and says
// which version is current; what a branch lacks of it, the branch asks for.
//
// It comes after everything else. Odoo is read by one call at a time of each
// kind, with pauses, so that posting goes on; what goes down is bounded in bytes
// a second over all branches, and each branch gets one part before any gets its
// second.
//
// Nothing is kept over a restart: the branches have their copies, and each
// document is sent again only as far as it is another one once Odoo has been
// read anew.
package feed
