// Package odootest is a simulated Odoo server for tests and demonstrations.
//
// It speaks XML-RPC and JSON-2 over HTTP and behaves, for the models that
// Branchline uses, as real servers of Odoo 17, 18 and 19 were seen to behave:
// the contract suite of package odoo runs against both, and what it proves of
// the simulation holds for the real ones. What no contract test covers is not
// promised.
//
// Beyond Odoo it can fail on demand (see [Mischief]), count what calls would
// have cost a real server (see [Costs]), and show its stock without a call.
//
// All state is in memory. A call is a transaction: it happens whole, one after
// the other, or leaves nothing behind. Everything is safe for concurrent use.
package odootest
