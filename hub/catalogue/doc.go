// Package catalogue is the hub's mirror of Odoo's master data: products with all
// their codes, units of measure, lots, branches and places, and the aliases that
// people have given to codes.
//
// It is read whole now and then and what has changed in between, and kept in a
// file, so that it can be used while Odoo is away.
//
// Codes are compared whole. A barcode of 8, 12, 13 or 14 digits is a GTIN and is
// padded to 14 digits; any other number is compared to the letter with the
// product's internal reference and its barcode. A code that belongs to two products is never
// decided here: both are found.
package catalogue
