// Package trust is what hub and branches both say about who they are: the code
// by which a branch is enrolled, the certificates and what must stand in them,
// the messages by which they are asked for and given, and how a certificate is
// checked by a program whose clock may be years wrong. It opens no file and no
// connection.
//
// Words: the authority is the hub's own; it signs the certificates of branches
// and of the hub. An enrolment is one PC being made a branch's; all
// certificates that follow from it by renewal bear its name. The pin is a
// fingerprint of the authority's public key, in every code, so that a branch
// knows the authority before it has ever met it.
package trust
