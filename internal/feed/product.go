package feed

import (
	"branchline/internal/movement"
)

// Tracking says how stock of a product is followed.
type Tracking string

const (
	ByQuantity Tracking = "none"
	ByLot      Tracking = "lot"
	BySerial   Tracking = "serial"
)

// Product is one row of the catalogue.
type Product struct {
	// Key is the product's own for ever; other documents name it by this.
	Key  string `json:"k"`
	Name string `json:"n"`
	// Reference is the chain's own number, Barcode what Odoo has as barcode;
	// either may be empty.
	Reference string `json:"r,omitempty"`
	Barcode   string `json:"b,omitempty"`
	// Packs are further barcodes, Aliases codes that people have said mean it.
	Packs   []Pack             `json:"p,omitempty"`
	Aliases []movement.Product `json:"a,omitempty"`

	Tracking Tracking `json:"t"`
	// Expires tells that its lots carry an expiry date.
	Expires bool `json:"e,omitempty"`
	// Unit is the name of the unit that its stock is kept in.
	Unit string `json:"u"`
	// Archived: known, but not to be moved any more. Unstocked: Odoo keeps no
	// quantities of it.
	Archived  bool `json:"x,omitempty"`
	Unstocked bool `json:"y,omitempty"`
}

// Pack is a barcode on a pack of several units.
type Pack struct {
	// GTIN has 14 digits.
	GTIN string `json:"g"`
	// Units is how many of the product's unit are in it.
	Units movement.Quantity `json:"q"`
}

// Code is a code by which a product is found.
type Code struct {
	movement.Product
	// Units is how many of the product's unit one item with the code is.
	Units movement.Quantity
	// Alias tells that people have said so; that comes before what Odoo says.
	Alias bool
}

// Active tells whether the product may be moved.
func (p *Product) Active() bool { return !p.Archived && !p.Unstocked }

// Codes lists all codes of the product, as the hub resolves them: aliases;
// barcodes of 8, 12, 13 or 14 digits as GTINs, padded to 14; and to the letter
// the reference and the barcode, under the scheme SKU, which stands for every
// scheme but GTIN.
func (p *Product) Codes() []Code {
	codes := make([]Code, 0, len(p.Aliases)+len(p.Packs)+3)
	for _, a := range p.Aliases {
		codes = append(codes, Code{a, movement.Units(1), true})
	}
	if g := GTIN14(p.Barcode); g != "" {
		codes = append(codes, Code{movement.Product{Scheme: movement.GTIN, Code: g}, movement.Units(1), false})
	}
	for _, k := range p.Packs {
		codes = append(codes, Code{movement.Product{Scheme: movement.GTIN, Code: k.GTIN}, k.Units, false})
	}
	if p.Reference != "" {
		codes = append(codes, Code{movement.Product{Scheme: movement.SKU, Code: p.Reference}, movement.Units(1), false})
	}
	if p.Barcode != "" && p.Barcode != p.Reference {
		codes = append(codes, Code{movement.Product{Scheme: movement.SKU, Code: p.Barcode}, movement.Units(1), false})
	}
	return codes
}

// Code is the code to name the product by: its GTIN, else its reference or
// other barcode; zero if it has none.
func (p *Product) Code() movement.Product {
	if g := GTIN14(p.Barcode); g != "" {
		return movement.Product{Scheme: movement.GTIN, Code: g}
	}
	if p.Reference != "" {
		return movement.Product{Scheme: movement.SKU, Code: p.Reference}
	}
	if p.Barcode != "" {
		return movement.Product{Scheme: movement.SKU, Code: p.Barcode}
	}
	return movement.Product{}
}

// GTIN14 pads a barcode that can be a GTIN to 14 digits; "" for any other. The
// check digit is not looked at: Odoo has what it has.
func GTIN14(barcode string) string {
	switch len(barcode) {
	case 8, 12, 13, 14:
	default:
		return ""
	}
	for _, r := range barcode {
		if r < '0' || r > '9' {
			return ""
		}
	}
	return "00000000000000"[len(barcode):] + barcode
}

// maxName bounds a name, in bytes.
const maxName = 300

// Name cuts a name, number or unit to 300 bytes, at the end of a character.
func Name(s string) string {
	if len(s) <= maxName {
		return s
	}
	cut := maxName
	for s[cut]&0xc0 == 0x80 { // inside a character
		cut--
	}
	return s[:cut]
}
