// Package reference is what the branch knows of Odoo, kept on its own disk, so
// that it can be asked with the line down: products by their codes, expected
// deliveries, stock on hand with its lots; the other branches; and what the hub has told of the
// branch's own movements.
//
// It is a copy of what the hub sends down (package feed), and nothing but a
// copy: a file that cannot be read is thrown away and asked for again. Each
// kind is replaced as a whole, from one moment to the next, when all of a
// version has come.
//
// Nobody may rely on finding anything here. A branch that is new, or whose hub
// has not yet read Odoo, knows nothing, and receives all the same.
package reference
