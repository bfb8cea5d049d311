package app

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"branchline/hub/ledger"
	"branchline/internal/fault"
	"branchline/internal/movement"
	"branchline/internal/odoo"
	"branchline/internal/productcode"
)

// product is an alias' code in the form by which codes are compared.
func (al *Alias) product() (movement.Product, error) {
	p := movement.Product{Scheme: movement.Scheme(al.Scheme), Code: al.Code}
	if !slices.Contains(movement.Schemes, p.Scheme) {
		return p, fault.New(fault.Data, "unknown_scheme", "%q is no numbering of products", al.Scheme).
			WithHint(fmt.Sprintf("it is one of %v, as branchline-hub exceptions shows it", movement.Schemes))
	}
	return productcode.Normal(p)
}

// alias says which product of Odoo a code means. A code that never came is
// refused, since a wrong digit would post another medicine later; so is one by
// which Odoo knows a product itself, unless the person has said that they know.
func (a *App) alias(r *http.Request, al Alias) (AliasMade, error) {
	code, err := al.product()
	if err != nil {
		return AliasMade{}, err
	}
	if !al.Ahead {
		known, err := a.ledger.KnowsProduct(r.Context(), code)
		if err != nil {
			return AliasMade{}, err
		}
		if !known {
			return AliasMade{}, fault.New(fault.Data, "unknown_code", "no movement ever came with %s %s", code.Scheme, code.Code).
				WithHint("compare it with branchline-hub exceptions, or say --ahead if it is still to come")
		}
	}
	ps, err := a.odoo.ProductsNamed(r.Context(), al.Product)
	if err != nil {
		return AliasMade{}, err
	}
	if len(ps) != 1 {
		return AliasMade{}, fault.New(fault.Data, "unknown_product", "%d products of Odoo have the reference or barcode %q", len(ps), al.Product).
			WithHint("name one by its internal reference")
	}
	p := ps[0]
	overruled, err := overruledBy(a.catalogue, code, &p, al.Overrule)
	if err != nil {
		return AliasMade{}, err
	}
	n, err := a.ledger.SetAlias(r.Context(), ledger.Alias{Product: code, ProductID: p.ID, ProductName: p.Name, Who: al.Who, Why: al.Why,
		At: time.Now(), Overrules: overruled})
	return AliasMade{Scheme: string(code.Scheme), Code: code.Code, Product: productWords(&p), Released: n, Overruled: overruled}, err
}

func (a *App) removeAlias(r *http.Request, al Alias) (AliasMade, error) {
	code, err := al.product()
	if err != nil {
		return AliasMade{}, err
	}
	n, err := a.ledger.RemoveAlias(r.Context(), ledger.Alias{Product: code, Who: al.Who, Why: al.Why, At: time.Now()})
	return AliasMade{Scheme: string(code.Scheme), Code: code.Code, Released: n}, err
}

// confirmAliases says that all aliases hold that are held since a restore.
func (a *App) confirmAliases(r *http.Request, al Alias) (AliasMade, error) {
	n, err := a.ledger.ConfirmAliases(r.Context(), al.Who, al.Why, time.Now())
	return AliasMade{Released: n}, err
}

// knower tells what Odoo itself knows by a code.
type knower interface {
	// AsOf is zero while nothing was read from Odoo.
	AsOf() time.Time
	// Known gives the products, and how many of each one's own unit an item is.
	Known(code movement.Product) ([]odoo.Product, []movement.Quantity)
}

// overruledBy tells what Odoo knows by a code that an alias to a product would
// overrule; empty for nothing. Unless that is meant, it is a fault of class
// Data, "known_code", and one of class Transient, "catalogue_not_read", while the
// hub cannot tell. An alias says nothing else than Odoo, or settles what Odoo
// leaves open: which of several products is meant, or what has taken the place of
// one that is archived.
func overruledBy(c knower, code movement.Product, to *odoo.Product, meant bool) (what string, err error) {
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
