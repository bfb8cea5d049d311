package odoo

import (
	"context"
	"time"
)

// Tracking says how Odoo follows a product.
type Tracking string

const (
	ByQuantity Tracking = "none"
	ByLot      Tracking = "lot"
	BySerial   Tracking = "serial"
)

// Product is a variant as stock knows it.
type Product struct {
	ID       int64
	Name     string // with the variant's attributes, in the user's language
	Code     string // internal reference (default_code)
	Barcode  string
	Tracking Tracking
	// Expires tells that lots of it carry an expiry date.
	Expires bool
	// UoM is the unit that its stock is kept in.
	UoM Ref
	// Active is false for an archived product: known, but not to be moved.
	Active bool
	// Storable tells that Odoo keeps quantities of it.
	Storable bool
}

// Products reads all products, archived ones included, or only those that were
// changed at or after since. Odoo keeps changes to the second and stamps them
// at the begin of a transaction: ask again from a few minutes before the last
// time.
func (c *Client) Products(ctx context.Context, since time.Time) ([]Product, error) {
	var d Domain
	if !since.IsZero() {
		// Name, tracking and unit belong to the template, which has its own date.
		d = Domain{Or, Where("write_date", ">=", Moment(since)), Where("product_tmpl_id.write_date", ">=", Moment(since))}
	}
	return c.products(ctx, d)
}

// ProductsByID reads some products; those that do not exist are left out.
func (c *Client) ProductsByID(ctx context.Context, ids []int64) ([]Product, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	return c.products(ctx, Domain{Where("id", "in", ids)})
}

// ProductsNamed reads the products whose internal reference or barcode is text,
// to the letter.
func (c *Client) ProductsNamed(ctx context.Context, text string) ([]Product, error) {
	return c.products(ctx, Domain{Or, Where("default_code", "=", text), Where("barcode", "=", text)})
}

func (c *Client) products(ctx context.Context, d Domain) ([]Product, error) {
	has, err := c.Fields(ctx, "product.product")
	if err != nil {
		return nil, err
	}
	want := []string{"display_name", "default_code", "barcode", "tracking", "uom_id", "active"}
	if has.Has("use_expiration_date") { // module product_expiry
		want = append(want, "use_expiration_date")
	}
	kind := "type"
	switch {
	case has.Has("is_storable"):
		kind = "is_storable"
	case has.Has("detailed_type"):
		kind = "detailed_type"
	}
	// Without the code in brackets, which display_name shows otherwise.
	var out []Product
	one := func(r Record) Product {
		p := Product{
			ID: r.ID(), Name: r.String("display_name"), Code: r.String("default_code"), Barcode: r.String("barcode"),
			Tracking: Tracking(r.String("tracking")), Expires: r.Bool("use_expiration_date"), UoM: r.Ref("uom_id"), Active: r.Bool("active"),
			Storable: r.Bool("is_storable") || r.String(kind) == "product",
		}
		if p.Tracking == "" {
			p.Tracking = ByQuantity
		}
		return p
	}
	err = c.eachPage(ctx, "product.product", Query{Domain: d, Fields: append(want, kind), Archived: true}, map[string]any{"display_default_code": false},
		func(page []Record) {
			for _, r := range page {
				out = append(out, one(r))
			}
		})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// Pack is a barcode on a pack that holds several units of a product.
type Pack struct {
	ID        int64
	ProductID int64
	Barcode   string
	Name      string
	// Quantity is how many of the product's own unit are in the pack. Zero if
	// UoM says it instead.
	Quantity float64
	// UoM is the pack as a unit of measure (Odoo 19); its factor tells the
	// quantity. See [UoM.Ratio].
	UoM Ref
}

// Packs reads the barcodes of packs: product.packaging up to 18, product.uom
// from 19. None if this server has neither.
func (c *Client) Packs(ctx context.Context) ([]Pack, error) {
	has, err := c.Fields(ctx, "product.packaging")
	if err != nil {
		return nil, err
	}
	if has != nil {
		rows, err := c.SearchRead(ctx, "product.packaging", Query{Domain: Domain{Where("barcode", "!=", false), Where("product_id", "!=", false)},
			Fields: []string{"name", "barcode", "product_id", "qty"}})
		if err != nil {
			return nil, err
		}
		out := make([]Pack, len(rows))
		for i, r := range rows {
			out[i] = Pack{ID: r.ID(), ProductID: r.Int("product_id"), Barcode: r.String("barcode"), Name: r.String("name"), Quantity: r.Float("qty")}
		}
		return out, nil
	}
	if has, err = c.Fields(ctx, "product.uom"); err != nil || has == nil {
		return nil, err
	}
	rows, err := c.SearchRead(ctx, "product.uom", Query{Domain: Domain{Where("barcode", "!=", false)}, Fields: []string{"barcode", "product_id", "uom_id"}})
	if err != nil {
		return nil, err
	}
	out := make([]Pack, len(rows))
	for i, r := range rows {
		out[i] = Pack{ID: r.ID(), ProductID: r.Int("product_id"), Barcode: r.String("barcode"), Name: r.Ref("uom_id").Name, UoM: r.Ref("uom_id")}
	}
	return out, nil
}

// UoM is a unit of measure.
type UoM struct {
	ID   int64
	Name string
	// Ratio is how many of its family's reference unit one of it is: 12 for a
	// dozen of units, 0.001 for a gram of kilograms.
	Ratio float64
	// Rounding is the smallest step of a quantity in it.
	Rounding float64
	// Family is the same for units that convert into each other: the category
	// up to 18, the root of the tree of units from 19.
	Family int64
	Active bool
}

// UoMs reads all units of measure, archived ones included.
func (c *Client) UoMs(ctx context.Context) ([]UoM, error) {
	has, err := c.Fields(ctx, "uom.uom")
	if err != nil {
		return nil, err
	}
	tree := has.Has("relative_uom_id")
	want := []string{"name", "factor", "rounding", "active"}
	if tree {
		want = append(want, "relative_uom_id")
	} else {
		want = append(want, "category_id")
	}
	rows, err := c.SearchRead(ctx, "uom.uom", Query{Fields: want, Archived: true})
	if err != nil {
		return nil, err
	}
	out := make([]UoM, len(rows))
	parent := map[int64]int64{}
	for i, r := range rows {
		u := UoM{ID: r.ID(), Name: r.String("name"), Ratio: r.Float("factor"), Rounding: r.Float("rounding"), Family: r.Int("category_id"), Active: r.Bool("active")}
		// Up to 18 the factor says how many of this make one reference unit.
		if !tree && u.Ratio != 0 {
			u.Ratio = 1 / u.Ratio
		}
		parent[u.ID] = r.Int("relative_uom_id")
		out[i] = u
	}
	if tree {
		for i := range out {
			root := out[i].ID
			for range len(rows) {
				if parent[root] == 0 {
					break
				}
				root = parent[root]
			}
			out[i].Family = root
		}
	}
	return out, nil
}
