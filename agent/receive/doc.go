// Package receive is the branch's desk: it collects what was scanned of a
// delivery, counted, sent to another branch, or brought to the counter together, until a person
// confirms it; then all of it becomes one group of movements. The branch page
// and the scanner alone work on the same desk.
//
// # Words
//
//   - A session is one delivery being received, one count, one transfer to or
//     from another branch, or one lot of goods handed out, returned or wasted
//     together. It belongs to a document, and to
//     the stations (scanners, or the page) that work on it. It stays open,
//     however long, until it is confirmed or cancelled, also over a power cut.
//   - An entry is one scan, with its quantity. Entries are never joined: each
//     becomes a movement of its own, so that a quantity in Odoo leads back to
//     the scans.
//   - A finding is what is wrong, or worth a look, with an entry. Findings are
//     not kept: they follow from the entries and from what the branch knows of
//     Odoo, and are found anew each time. So they go away when what they are
//     about is mended, and come when the order becomes known.
//   - A question is a finding that must be answered before the session can be
//     confirmed, or left to a person: which lot it is, or whether many times the
//     order really came.
//   - [Session] is pure: what can be done is asked of it, and gives a [Change];
//     the change is made durable by [Desk] first, and applied then. Whatever
//     is refused leaves the session as it was.
//
// # What is told first
//
// A scan has one answer. Where there is more than one thing to say, it is the
// first of: the same serial twice (not counted), the same lot with another
// expiry, expired, a lot, serial or expiry that is asked for, an unknown code,
// not on the order, many times the order, more than ordered, a lot that should go first, short-dated.
// All of them stand on the page.
//
// # What goes to a person
//
// Entries of a lot that came with two expiries, what is damaged or missing, and
// what was left to a person become movements with a problem. What is only worth
// a look (short-dated, beyond the order) is posted or refused by the hub, which
// knows the order best.
package receive
