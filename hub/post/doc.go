// Package post carries postings out in Odoo, each exactly once, whatever fails
// in between.
//
// # Exactly once
//
// A document of our own bears the posting's name, which Odoo allows once, and is
// made whole in one call. So every run of a posting begins by looking for that
// name and goes on from the state found; a call that is repeated while its
// forerunner is still at work in Odoo waits for it there and is refused.
//
// A receipt goes into Odoo's own document. What we write carries a marker with
// the posting's name and its movements, and replaces lines that were read just
// before: a second write of the same, late or repeated, is refused since those
// lines are gone. Lines are read back before anything is validated, and only
// exactly the expected ones are.
//
// A document that is done and ours is posted. Done without us, somebody else did
// it: the planner decides anew.
//
// # When something fails
//
//   - Transient: the posting is tried again after a growing, jittered pause. When
//     Odoo seems away altogether, a circuit breaker holds all calls back, and lets
//     one through now and then.
//   - Data: what Odoo refuses is taken back there, halved and tried again, until
//     the movement that is refused stands alone and becomes an exception with
//     Odoo's own words. A dialog is a refusal: nothing was posted.
//   - Setup: all posting stops with an alarm, and is tried again now and then.
//   - Defect: tried again slowly and shown. A document of several movements is
//     halved after some tries, so that others do not wait behind one.
//
// # A ledger put back from a backup
//
// Before anything of a branch is posted, its documents in Odoo that were marked since
// the ledger last looked there are looked at, by Odoo's own clock: those that are
// done are adopted with the movements that their markers name, those that are not
// are taken back. One that is done and cannot be adopted, since somebody altered its
// marker, say, keeps its branch from being posted until a person has settled it. A
// document of our own is found by its name, too. A receipt bears Odoo's name: if
// somebody takes the marker out of its note, and the ledger is put back after that to
// before it was posted, its goods are planned once more, and go into what is still
// open of the order, or to a person if nothing is.
//
// What was changed in Odoo in an adopted document before it was validated is told as
// of any other, once its movements have come again and their codes are understood.
package post
