// Package edition is what hub and branches both say about the configuration that
// a branch is given from the centre: the document itself, how it is signed and
// opened, how secrets in it are sealed to one branch, and what an agent reports of
// it. It opens no file and no connection.
//
// Words: an edition is one numbered document with the whole configuration of one
// branch. Numbers count per branch from 1 and never go backwards: to go back to an
// older content is a new edition. The hash is the same for the same content, so
// that branches with the same configuration have the same hash, and says nothing
// of the secrets. A secret stands in the configuration as {secret: NAME} in the
// place of a text; its value travels beside it, sealed to the key of the branch.
package edition
