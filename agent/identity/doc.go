// Package identity is what proves this PC to be its branch's: a key that was made
// here and never leaves, the certificate that the hub's authority signed for it,
// and that authority, by which the hub is proved. It enrols with a code, renews
// the certificate with a new key while the old one still counts, and gives the
// uplink what it connects with.
//
// No decision rests on this PC's clock, which may be years wrong. When to renew
// follows from the time that the hub tells, at the moment when it tells it. Of
// the hub's certificate it is asked whether it had ended at the latest time that
// both the hub and this clock have agreed to be over: a hub whose clock once ran
// ahead must not be locked out of its branches for good.
//
// A refusal never ends in an enrolment: that takes a person with a code. Until
// then the PC records as always, and asks now and then whether the refusal still
// stands.
package identity
