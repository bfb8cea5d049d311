package room

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"branchline/hub/ledger"
	"branchline/internal/fault"
	"branchline/internal/movement"
	"branchline/internal/odoo"
	"branchline/internal/productcode"
)

// Alias says which product of Odoo a code means.
type Alias struct {
	Scheme string `json:"scheme"`
	Code   string `json:"code"`
	// Product is its internal reference or barcode in Odoo.
	Product string `json:"product"`
	// Ahead allows a code that no movement has had yet.
	Ahead bool `json:"ahead"`
	// Overrule allows a code by which Odoo itself knows a product.
	Overrule bool   `json:"overrule"`
	Who      string `json:"who"`
	Why      string `json:"why"`
	// MayApprove says that who has the approver's right, which overruling needs.
	MayApprove bool `json:"-"`
}

// AliasMade is the answer to an [Alias].
type AliasMade struct {
	// Scheme and Code are in the form by which codes are compared.
	Scheme string `json:"scheme"`
	Code   string `json:"code"`
	// Product is its name in Odoo; Released counts what goes on by it.
	Product  string `json:"product"`
	Released int    `json:"released"`
	// Overruled is what Odoo itself knows by the code, empty for nothing.
	Overruled string `json:"overruled,omitempty"`
}

// product is an alias' code in the form by which codes are compared.
func (al *Alias) product() (movement.Product, error) {
	p := movement.Product{Scheme: movement.Scheme(al.Scheme), Code: al.Code}
	if !slices.Contains(movement.Schemes, p.Scheme) {
		return p, fault.New(fault.Data, "unknown_scheme", "%q is no numbering of products", al.Scheme).
			WithHint(fmt.Sprintf("it is one of %v, as branchline-hub exceptions shows it", movement.Schemes))
	}
	return productcode.Normal(p)
}

// Alias says which product of Odoo a code means. A code that never came is
// refused, since a wrong digit would post another medicine later; so is one by
// which Odoo knows a product itself, unless the person has said that they know.
func (m *Room) Alias(ctx context.Context, al Alias) (AliasMade, error) {
	if al.Overrule && !al.MayApprove {
		return AliasMade{}, fault.New(fault.Data, CodeNeedsApprover, "to overrule what Odoo knows of a code is for an approver").WithHint("ask an approver, or mend the code in Odoo")
	}
	code, err := al.product()
	if err != nil {
		return AliasMade{}, err
	}
	if !al.Ahead {
		known, err := m.Ledger.KnowsProduct(ctx, code)
		if err != nil {
			return AliasMade{}, err
		}
		if !known {
			return AliasMade{}, fault.New(fault.Data, "unknown_code", "no movement ever came with %s %s", code.Scheme, code.Code).
				WithHint("compare it with branchline-hub exceptions, or say --ahead if it is still to come")
		}
	}
	ps, err := m.Products.ProductsNamed(ctx, al.Product)
	if err != nil {
		return AliasMade{}, err
	}
	if len(ps) != 1 {
		return AliasMade{}, fault.New(fault.Data, "unknown_product", "%d products of Odoo have the reference or barcode %q", len(ps), al.Product).
			WithHint("name one by its internal reference")
	}
	p := ps[0]
	overruled, err := overruledBy(m.Catalogue, code, &p, al.Overrule)
	if err != nil {
		return AliasMade{}, err
	}
	n, err := m.Ledger.SetAlias(ctx, ledger.Alias{Product: code, ProductID: p.ID, ProductName: p.Name, Who: al.Who, Why: al.Why,
		At: time.Now(), Overrules: overruled})
	return AliasMade{Scheme: string(code.Scheme), Code: code.Code, Product: productWords(&p), Released: n, Overruled: overruled}, err
}

// RemoveAlias takes back what was said of a code.
func (m *Room) RemoveAlias(ctx context.Context, al Alias) (AliasMade, error) {
	code, err := al.product()
	if err != nil {
		return AliasMade{}, err
	}
	n, err := m.Ledger.RemoveAlias(ctx, ledger.Alias{Product: code, Who: al.Who, Why: al.Why, At: time.Now()})
	return AliasMade{Scheme: string(code.Scheme), Code: code.Code, Released: n}, err
}

// ConfirmAliases says that all aliases hold that are held since a restore.
func (m *Room) ConfirmAliases(ctx context.Context, al Alias) (AliasMade, error) {
	n, err := m.Ledger.ConfirmAliases(ctx, al.Who, al.Why, time.Now())
	return AliasMade{Released: n}, err
}

// Knower tells what Odoo itself knows by a code.
type Knower interface {
	// AsOf is zero while nothing was read from Odoo.
	AsOf() time.Time
	// Known gives the products, and how many of each one's own unit an item is.
	Known(code movement.Product) ([]odoo.Product, []movement.Quantity)
	// Find is Known, by what people have said of the code where they have.
	Find(code movement.Product) ([]odoo.Product, []movement.Quantity)
}

// overruledBy tells what Odoo knows by a code that an alias to a product would
// overrule; empty for nothing. Unless that is meant, it is a fault of class
// Data, "known_code", and one of class Transient, "catalogue_not_read", while the
// hub cannot tell. An alias says nothing else than Odoo, or settles what Odoo
// leaves open: which of several products is meant, or what has taken the place of
// one that is archived.
func overruledBy(c Knower, code movement.Product, to *odoo.Product, meant bool) (what string, err error) {
	if c.AsOf().IsZero() {
		if meant {
			return "not known to the hub, which had not read Odoo's products yet", nil
		}
		return "", fault.New(fault.Transient, "catalogue_not_read", "the hub has not read Odoo's products yet, so it cannot tell whether Odoo itself knows %s %s",
			code.Scheme, code.Code).WithHint("try again in a few minutes, or say --overrule to make the alias whatever Odoo knows")
	}
	found, per := c.Known(code)
	same := slices.IndexFunc(found, func(p odoo.Product) bool { return p.ID == to.ID })
	switch {
	case len(found) == 0, len(found) > 1 && same >= 0, len(found) == 1 && !found[0].Active,
		len(found) == 1 && same == 0 && per[0] == movement.QuantityScale:
		return "", nil
	}
	names := make([]string, len(found))
	for i := range found {
		names[i] = productWords(&found[i])
		if per[i] != movement.QuantityScale {
			names[i] += fmt.Sprintf(", %s %s each", per[i], found[i].UoM.Name)
		}
	}
	what = strings.Join(names, "; ")
	if meant {
		return what, nil
	}
	return "", fault.New(fault.Data, "known_code", "Odoo itself knows %s %s: it is %s there", code.Scheme, code.Code, what).
		WithHint("mend the code at the product in Odoo if that is wrong; --overrule makes the alias for one piece of " + productWords(to) + " all the same")
}

func productWords(p *odoo.Product) string {
	if p.Code == "" {
		return p.Name
	}
	return fmt.Sprintf("%s (%s)", p.Name, p.Code)
}
