// Package fleet knows which PC is which branch's. It has the hub's authority,
// makes the codes by which PCs are enrolled, signs their certificates, renews
// and revokes them, and tells of each connection whether its certificate still
// counts. The door is where branches ask for all that, over HTTPS.
//
// What was signed, used, replaced and revoked stands in the ledger; the keys of
// the authority stand in a folder of their own and nowhere else. Whoever has
// that folder can play every branch and the hub: it belongs into a backup that
// is kept as well as it is itself. A hub without it can take none of its
// branches back, so that it does not start when the ledger knows certificates
// and the folder is gone.
//
// Time is the hub's clock alone.
package fleet
