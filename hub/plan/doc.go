// Package plan decides what is to be made in Odoo: it turns pending movements
// into postings, or into exceptions for a person, or lets them wait.
//
// [Plan] is a pure function of an [Input]. [Runner] asks the ledger, the
// catalogue and Odoo for that input and writes the outcome back.
//
// # Rules
//
//   - One posting is one branch, one kind, one direction and one day of the
//     branch, so that a day that was offline keeps its own date.
//   - A code names a trade item. Without a unit, a quantity counts that item: the
//     product, or the pack whose barcode it is. With a unit it counts the unit.
//   - Receipts leave as soon as their group is complete. What does not resolve
//     stays behind as an exception, and the rest goes on.
//   - Goods for an order go into the open receipts of that order. More than is
//     still expected, and goods that are not on it, go to a person. One order has
//     one posting under way per receipt; what comes meanwhile waits.
//   - Everything else is summed by product and lot, every few minutes or every few
//     hundred movements.
//   - A lot is known by its product and its name to the letter. Only receipts
//     make new lots, unless the settings say otherwise. A lot that is unknown but
//     on its way in an earlier posting is waited for.
//   - One lot has one expiry date. The date is compared as the branch's calendar
//     and UTC show it, since both are used to enter it in Odoo.
//   - A product that is not tracked takes no lot: the lot stays in the trace.
//   - A count says what lay there at one moment. What it means for the stock of
//     now depends on movements that may be yet to come, so a person decides it.
//
// Nothing is rounded and nothing is split: a movement goes into one posting as a
// whole.
package plan
