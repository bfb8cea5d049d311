package odoo

import (
	"context"
	"slices"
	"time"
)

// Lot is a lot or serial number of a product.
type Lot struct {
	ID        int64
	Name      string
	ProductID int64
	// CompanyID is 0 for a lot that all companies share (Odoo 18 and later).
	CompanyID int64
	// Expires is zero if Odoo knows no expiry; see [ExpiryDate].
	Expires time.Time
}

// Lots reads all lots of some products.
func (c *Client) Lots(ctx context.Context, productIDs []int64) ([]Lot, error) {
	var out []Lot
	for part := range slices.Chunk(productIDs, pageSize) {
		lots, err := c.lots(ctx, Domain{Where("product_id", "in", part)})
		if err != nil {
			return nil, err
		}
		out = append(out, lots...)
	}
	return out, nil
}

// LotsChanged reads the lots that were changed at or after since, or all if it
// is zero; see [Client.Products] for since.
func (c *Client) LotsChanged(ctx context.Context, since time.Time) ([]Lot, error) {
	var d Domain
	if !since.IsZero() {
		d = Domain{Where("write_date", ">=", Moment(since))}
	}
	return c.lots(ctx, d)
}

// LotByName finds a product's lot, the oldest if there are several. The name
// must be the same to the letter; there can be one in the company and one shared
// by all, the company's wins.
func (c *Client) LotByName(ctx context.Context, productID, companyID int64, name string) (Lot, bool, error) {
	lots, err := c.lots(ctx, Domain{Where("product_id", "=", productID), Where("name", "=", name), Where("company_id", "in", []any{companyID, false})})
	if err != nil || len(lots) == 0 {
		return Lot{}, false, err
	}
	for _, l := range lots {
		if l.CompanyID == companyID {
			return l, true, nil
		}
	}
	return lots[0], true, nil
}

func (c *Client) lots(ctx context.Context, d Domain) ([]Lot, error) {
	has, err := c.Fields(ctx, "stock.lot")
	if err != nil {
		return nil, err
	}
	want := []string{"name", "product_id", "company_id"}
	if has.Has("expiration_date") {
		want = append(want, "expiration_date")
	}
	var out []Lot
	err = c.eachPage(ctx, "stock.lot", Query{Domain: d, Fields: want}, nil, func(page []Record) {
		for _, r := range page {
			out = append(out, Lot{ID: r.ID(), Name: r.String("name"), ProductID: r.Int("product_id"), CompanyID: r.Int("company_id"), Expires: r.Time("expiration_date")})
		}
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// CreateLot makes a lot. Odoo refuses a second one of the same product, name
// and company with a Data fault. A zero expires makes a lot without an expiry;
// left to itself, Odoo would let it expire at once.
func (c *Client) CreateLot(ctx context.Context, productID, companyID int64, name string, expires time.Time) (int64, error) {
	has, err := c.Fields(ctx, "stock.lot")
	if err != nil {
		return 0, err
	}
	values := map[string]any{"product_id": productID, "company_id": companyID, "name": name}
	if has.Has("expiration_date") {
		values["expiration_date"] = Moment(expires)
	}
	ids, err := c.Create(ctx, "stock.lot", values)
	if err != nil {
		return 0, err
	}
	return ids[0], nil
}

// EnsureLot finds a lot or makes it. A lot that exists keeps its expiry, which
// the caller compares. It may be repeated.
//
// Odoo does not keep two calls at once from making the same lot twice; it only
// looks first. So this client makes one lot after the other. Where lots are
// doubled all the same, by several hubs or by people, the oldest is taken.
func (c *Client) EnsureLot(ctx context.Context, productID, companyID int64, name string, expires time.Time) (Lot, error) {
	lot, found, err := c.LotByName(ctx, productID, companyID, name)
	if err != nil || found {
		return lot, err
	}
	select {
	case <-c.makingLot:
		defer func() { c.makingLot <- struct{}{} }()
	case <-ctx.Done():
		return Lot{}, notSent("stock.lot", create, ctx.Err())
	}
	if lot, found, err = c.LotByName(ctx, productID, companyID, name); err != nil || found {
		return lot, err
	}
	id, err := c.CreateLot(ctx, productID, companyID, name, expires)
	if err == nil {
		return Lot{ID: id, Name: name, ProductID: productID, CompanyID: companyID, Expires: expires}, nil
	}
	// Somebody else may have made it, or our own call whose answer was lost.
	if lot, found, again := c.LotByName(ctx, productID, companyID, name); again == nil && found {
		return lot, nil
	}
	return Lot{}, err
}

// OnHand is the stock of one product and lot at one place.
type OnHand struct {
	ProductID int64
	LotID     int64 // 0 without a lot
	LotName   string
	// Quantity is in the product's own unit. It can be negative.
	Quantity float64
	// Reserved is promised to other documents, contained in Quantity.
	Reserved float64
}

// Stock reads what is on hand at a location and all locations below it, rows of
// the same product and lot summed, in the order of product and lot. Products
// without stock are not among them.
func (c *Client) Stock(ctx context.Context, locationID int64) ([]OnHand, error) {
	return c.stock(ctx, Domain{Where("location_id", "child_of", locationID)})
}

// StockOf is [Client.Stock] for some products.
func (c *Client) StockOf(ctx context.Context, locationID int64, productIDs []int64) ([]OnHand, error) {
	return c.stock(ctx, Domain{Where("location_id", "child_of", locationID), Where("product_id", "in", productIDs)})
}

func (c *Client) stock(ctx context.Context, d Domain) ([]OnHand, error) {
	rows, err := c.SearchRead(ctx, "stock.quant", Query{Domain: d, Fields: []string{"product_id", "lot_id", "quantity", "reserved_quantity"}})
	if err != nil {
		return nil, err
	}
	sums := map[[2]int64]*OnHand{}
	var out []*OnHand
	for _, r := range rows {
		lot := r.Ref("lot_id")
		key := [2]int64{r.Int("product_id"), lot.ID}
		h := sums[key]
		if h == nil {
			h = &OnHand{ProductID: key[0], LotID: lot.ID, LotName: lot.Name}
			sums[key] = h
			out = append(out, h)
		}
		h.Quantity += r.Float("quantity")
		h.Reserved += r.Float("reserved_quantity")
	}
	slices.SortFunc(out, func(a, b *OnHand) int {
		if a.ProductID != b.ProductID {
			return int(a.ProductID - b.ProductID)
		}
		return int(a.LotID - b.LotID)
	})
	list := make([]OnHand, len(out))
	for i, h := range out {
		list[i] = *h
	}
	return list, nil
}
