package web

import (
	"net/http"
	"strings"
	"time"

	"branchline/agent/scan"
	"branchline/internal/movement"
)

// Found is a product that was looked up, as the branch knows it.
type Found struct {
	Name, Unit string
	// Code is the product's own; zero where it has none.
	Code movement.Product
	// Codes are those by which it can be scanned, with what one of them holds
	// where that is more than one.
	Codes []string
	// Tracking says in words how it is followed: by lot, by serial number.
	Tracking string
	Lots     []FoundLot
}

// FoundLot is what is on hand of one lot, the one that should go first first.
type FoundLot struct {
	Lot      string
	Expiry   movement.Date
	Quantity movement.Quantity
	// Expired tells that it must not go any more.
	Expired bool
}

// Knowledge is what the branch knows of Odoo. It is asked from any goroutine.
type Knowledge interface {
	// Search finds products by words of their names or by codes.
	Search(text string) []Found
	// AsOf is how old it is; zero for a branch that knows nothing yet.
	AsOf() (catalogue, stock time.Time)
}

type lookupPage struct {
	Answer           *Answer
	Text             string
	Found            []Found
	Catalogue, Stock time.Time
}

// maxSearch bounds what is searched for, in bytes.
const maxSearch = 100

// lookup shows what is known of goods; nothing is recorded here.
func (p *Page) lookup(w http.ResponseWriter, r *http.Request) {
	body := lookupPage{Text: strings.TrimSpace(r.FormValue("q")), Answer: p.latest(string(scan.LookUp), Station)}
	if len(body.Text) > maxSearch {
		body.Text = strings.ToValidUTF8(body.Text[:maxSearch], "")
	}
	if p.Knowledge != nil {
		body.Catalogue, body.Stock = p.Knowledge.AsOf()
		if body.Text != "" {
			body.Found = p.Knowledge.Search(body.Text)
		}
	}
	p.show(w, http.StatusOK, "lookup.html", "/lookup", frame{Title: "Look up", Purpose: scan.LookUp, Body: body})
}
