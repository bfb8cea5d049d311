// Package paper makes the forms on which a branch writes by hand what it receives
// and dispenses while nothing else works, and from which that is typed in later.
//
// A form is one sheet. It bears a [Number] of its own and its lines are numbered:
// number and line together are what a movement is known by, so that a form that is
// typed in twice counts once. Nothing is kept of a form that was printed; whoever
// has its number can type it in.
package paper

import (
	"embed"
	"html/template"
	"time"

	"branchline/internal/feed"
	"branchline/internal/movement"
	"branchline/internal/symbol"
)

// Kind is what a form is for.
type Kind string

const (
	Receipt  Kind = "receipt"
	Dispense Kind = "dispense"
)

// Kinds lists all kinds.
var Kinds = []Kind{Receipt, Dispense}

// letter begins the numbers of forms of that kind.
func (k Kind) letter() byte {
	if k == Receipt {
		return 'R'
	}
	return 'D'
}

// Lines is how many lines a form has, all of them on one sheet of A4.
const Lines = 12

// MaxSheets bounds what is printed at once.
const MaxSheets = 40

// Form is one sheet.
type Form struct {
	Number Number
	Kind   Kind
	// Branch is as people call it.
	Branch string
	// Document is the order or delivery that is expected, Partner who sends it; both
	// empty on a form that is for any.
	Document, Partner string
	// Sheet and Sheets count what is printed for one delivery, from 1.
	Sheet, Sheets int
	// Rows are Lines rows, numbered from 1; what is not known beforehand is empty.
	Rows []Row
	// Printed is when; AsOf how old what it says of the order is, zero for a form
	// that says nothing.
	Printed, AsOf time.Time
}

// Row is a line of a form.
type Row struct {
	Line int
	// Name, Code and Ordered are printed where they are known.
	Name, Code, Ordered string
}

// Order is a delivery that is expected, for the forms of it.
type Order struct {
	Document, Partner string
	AsOf              time.Time
	Products          []Product
}

// Product is one that is expected.
type Product struct {
	Name    string
	Code    movement.Product
	Ordered movement.Quantity
	Unit    string
}

// OrderOf is what is still to come of a delivery, as it was known at asOf.
func OrderOf(d *feed.Delivery, asOf time.Time) Order {
	o := Order{Document: d.Document().Ref, Partner: d.Partner, AsOf: asOf}
	for i := range d.Lines {
		if l := &d.Lines[i]; l.Open() > 0 {
			o.Products = append(o.Products, Product{Name: l.Name, Code: l.Code, Ordered: l.Open(), Unit: l.Unit})
		}
	}
	return o
}

// Blank makes empty forms of a kind, each with a number of its own, at most
// [MaxSheets].
func Blank(k Kind, branch string, sheets int, now time.Time) []Form {
	forms := make([]Form, min(max(sheets, 1), MaxSheets))
	for i := range forms {
		forms[i] = Form{Number: NewNumber(k), Kind: k, Branch: branch, Sheet: 1, Sheets: 1, Rows: rows(nil), Printed: now}
	}
	return forms
}

// ForOrder makes the forms of a delivery that is expected: a line for each product,
// with room for a second lot or what is not on the order at the end.
func ForOrder(o Order, branch string, now time.Time) []Form {
	const spare = 3
	sheets := min((len(o.Products)+spare+Lines-1)/Lines, MaxSheets)
	forms := make([]Form, sheets)
	for i := range forms {
		on := o.Products[min(i*Lines, len(o.Products)):min((i+1)*Lines, len(o.Products))]
		forms[i] = Form{Number: NewNumber(Receipt), Kind: Receipt, Branch: branch, Document: o.Document, Partner: o.Partner,
			Sheet: i + 1, Sheets: sheets, Rows: rows(on), Printed: now, AsOf: o.AsOf}
	}
	return forms
}

func rows(products []Product) []Row {
	list := make([]Row, Lines)
	for i := range list {
		list[i].Line = i + 1
		if i < len(products) {
			p := &products[i]
			list[i].Name, list[i].Ordered = p.Name, p.Ordered.String()
			if p.Unit != "" {
				list[i].Ordered += " " + p.Unit
			}
			if p.Code.Code != "" {
				list[i].Code = p.Code.Words()
			}
		}
	}
	return list
}

// Barcode is the number drawn.
func (f Form) Barcode() (template.HTML, error) { return draw(f.Number.Barcode(), f.Number.String()) }

// DocumentBarcode is the order's number drawn; empty where there is none, or where
// it is too long.
func (f Form) DocumentBarcode() template.HTML {
	if f.Document == "" || len(f.Document) > 24 {
		return ""
	}
	drawn, err := draw(f.Document, f.Document)
	if err != nil {
		return "" // it has a sign that no barcode has, and is typed in
	}
	return drawn
}

func draw(text, title string) (template.HTML, error) {
	s, err := symbol.Code128(text, title, 30)
	return template.HTML(s.Text), err //nolint:gosec // drawn by ourselves
}

//go:embed form.html
var files embed.FS

// Templates adds the template "forms" to a page's own: it draws a list of [Form],
// each on its own sheet, and needs base.css of package ui.
func Templates(t *template.Template) (*template.Template, error) {
	return t.ParseFS(files, "form.html")
}
