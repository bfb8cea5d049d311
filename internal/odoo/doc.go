// Package odoo speaks to an Odoo server: the calls, and the stock documents of
// Odoo that Branchline reads and makes, each behind a typed operation.
//
// # Layers
//
// A [Caller] carries one method call to Odoo. There are two transports behind
// it, XML-RPC (Odoo 17 and later, to be removed in 22) and JSON-2 (19 and
// later). A [Client] is a Caller that signs in, chooses the transport, and has
// the operations of this package as methods. Field names and values that differ
// between versions of Odoo are asked of fields_get and stay inside this
// package; nobody outside names a field.
//
// # Words
//
//   - picking: Odoo's document for a stock movement (stock.picking). Its name is
//     unique per company by a database constraint, which makes a name that is
//     derived from the posting an idempotency key.
//   - move: one product of a picking (stock.move). move line: one lot of a move.
//   - quant: what is on hand of one product and lot at one location. Odoo may
//     keep several rows for the same; they are always summed here.
//   - backorder: the picking Odoo makes for what a partial receipt left open.
//   - dialog: an answer that wants a person to confirm something. Nothing has
//     been posted then.
//
// # Errors
//
// Every failure is a fault of package fault, with an [*Error] as its cause that
// keeps Odoo's own words. Two questions decide what a caller may do next:
// [fault.ClassOf] (may it be tried again?) and [Unknown] (may it have been done
// in spite of the error? Then look before repeating).
package odoo
