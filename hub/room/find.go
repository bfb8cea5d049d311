package room

import (
	"context"
	"slices"
	"strings"

	"branchline/hub/ledger"
	"branchline/internal/movement"
	"branchline/internal/productcode"
)

// Found is a movement of a search, and how far it has come.
type Found struct {
	ledger.Way
	// Name is the product's in Odoo; empty where its code leads to none, or to
	// several.
	Name string
}

// Find lists movements, the newest event first. A product code is looked for as
// it was typed and in the form of each numbering that it can be of; the place to
// go on after may have its identity only.
func (m *Room) Find(ctx context.Context, s ledger.Search) ([]Found, error) {
	var codes []string
	for _, code := range s.Codes {
		codes = append(codes, Codes(code)...)
	}
	s.Codes = codes
	if s.After != nil && s.After.ID == 0 {
		id, err := m.Ledger.Find(ctx, s.After.Identity)
		if err != nil {
			return nil, err
		}
		s.After = &ledger.Movement{ID: id, OccurredAt: s.After.OccurredAt}
	}
	list, err := m.Ledger.Search(ctx, s)
	if err != nil {
		return nil, err
	}
	ways, err := m.Ledger.Ways(ctx, list)
	if err != nil {
		return nil, err
	}
	all := make([]Found, len(ways))
	for i := range ways {
		all[i] = Found{ways[i], m.Name(ways[i].Product)}
	}
	return all, nil
}

// Codes are the forms that a product code, as a person types it, can have in the
// records.
func Codes(typed string) []string {
	typed = strings.TrimSpace(typed)
	if typed == "" {
		return nil
	}
	all := []string{typed}
	for _, scheme := range movement.Schemes {
		p, err := productcode.Normal(movement.Product{Scheme: scheme, Code: typed})
		if err == nil && !slices.Contains(all, p.Code) {
			all = append(all, p.Code)
		}
	}
	return all
}

// Name is a product's in Odoo; empty where its code leads to none, or to several.
func (m *Room) Name(p movement.Product) string {
	if found, _ := m.Catalogue.Find(p); len(found) == 1 {
		return found[0].Name
	}
	return ""
}
