package odootest

import (
	"fmt"
	"sort"
)

// TB is what Start needs of a *testing.T, so that programs that serve a
// simulated Odoo do not carry package testing.
type TB interface {
	Helper()
	Fatal(args ...any)
	Cleanup(f func())
}

// Start makes a server that listens on a free port of this machine until the
// test ends.
func Start(t TB, o Options) (*Server, string) {
	t.Helper()
	s := New(o)
	url, err := s.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Down)
	return s, url
}

// Product is a product to be seeded.
type Product struct {
	Name, Code, Barcode string
	// Tracking is "none" (also if empty), "lot" or "serial".
	Tracking string
	// Expires gives its lots an expiry date.
	Expires bool
}

// Branch is a seeded warehouse.
type Branch struct {
	ID, StockID, InTypeID, OutTypeID int64
	Code                             string
}

// OrderLine is one product of a purchase order.
type OrderLine struct {
	ProductID int64
	Quantity  float64
}

// do runs f as a transaction of the administrator.
func (s *Server) do(f func(d *database) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.db
	d.tx, d.as, d.context = &transaction{}, admin, nil
	err := f(d)
	if err != nil {
		d.tx.rollback()
	}
	d.tx = nil
	return err
}

// AddProduct makes a storable product and gives its id.
func (s *Server) AddProduct(p Product) (id int64, err error) {
	vals := map[string]any{"name": p.Name, "use_expiration_date": p.Expires}
	if p.Code != "" {
		vals["default_code"] = p.Code
	}
	if p.Barcode != "" {
		vals["barcode"] = p.Barcode
	}
	if p.Tracking != "" {
		vals["tracking"] = p.Tracking
	}
	if s.options.Version >= 18 {
		vals["type"], vals["is_storable"] = "consu", true
	} else {
		vals["detailed_type"] = "product"
	}
	err = s.do(func(d *database) error {
		id, err = d.create(d.models["product.product"], vals)
		return err
	})
	return id, err
}

// AddBranch makes a warehouse. The code has at most five characters.
func (s *Server) AddBranch(code, name string) (b Branch, err error) {
	err = s.do(func(d *database) error {
		id, err := d.create(d.models["stock.warehouse"], map[string]any{"name": name, "code": code})
		if err != nil {
			return err
		}
		w := d.tables["stock.warehouse"].rows[id]
		b = Branch{ID: id, StockID: integerOf(w["lot_stock_id"]), InTypeID: integerOf(w["in_type_id"]), OutTypeID: integerOf(w["out_type_id"]), Code: code}
		return nil
	})
	return b, err
}

// AddPack puts a barcode on a pack of n units of a product.
func (s *Server) AddPack(productID int64, barcode string, n float64) error {
	return s.do(func(d *database) error {
		name := fmt.Sprintf("Pack of %g", n)
		if d.version < 19 {
			_, err := d.create(d.models["product.packaging"], map[string]any{"name": name, "product_id": productID, "barcode": barcode, "qty": n})
			return err
		}
		unit, err := d.create(d.models["uom.uom"], map[string]any{"name": name, "relative_uom_id": d.places.units, "relative_factor": n, "factor": n})
		if err != nil {
			return err
		}
		_, err = d.create(d.models["product.uom"], map[string]any{"product_id": productID, "uom_id": unit, "barcode": barcode})
		return err
	})
}

// AddPurchase makes a confirmed purchase order for a branch and gives its name;
// the receipt stands ready.
func (s *Server) AddPurchase(b Branch, vendor string, lines ...OrderLine) (name string, err error) {
	err = s.do(func(d *database) error {
		partner, err := d.create(d.models["res.partner"], map[string]any{"name": vendor})
		if err != nil {
			return err
		}
		var list []any
		for _, l := range lines {
			list = append(list, []any{int64(0), int64(0), map[string]any{"product_id": l.ProductID, "product_qty": l.Quantity}})
		}
		id, err := d.create(d.models["purchase.order"], map[string]any{"partner_id": partner, "picking_type_id": b.InTypeID, "order_line": list})
		if err != nil {
			return err
		}
		name, _ = d.tables["purchase.order"].rows[id]["name"].(string)
		return d.order(id)
	})
	return name, err
}

// Stock is what lies of a product and lot at a location.
type Stock struct {
	Location  string  `json:"location"`
	ProductID int64   `json:"product"`
	Code      string  `json:"code,omitempty"`
	Lot       string  `json:"lot,omitempty"`
	Quantity  float64 `json:"quantity"`
}

// Stock lists all stock that is not zero, of every location, sorted by location,
// product and lot.
func (s *Server) Stock() []Stock {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.db
	var out []Stock
	for _, r := range d.tables["stock.quant"].rows {
		q := floatOf(r["quantity"])
		if q == 0 {
			continue
		}
		code, _ := d.tables["product.product"].rows[integerOf(r["product_id"])]["default_code"].(string)
		lot, _ := d.tables["stock.lot"].rows[integerOf(r["lot_id"])]["name"].(string)
		out = append(out, Stock{Location: d.placeName(d.tables["stock.location"].rows[integerOf(r["location_id"])]), ProductID: integerOf(r["product_id"]),
			Code: code, Lot: lot, Quantity: q})
	}
	sort.Slice(out, func(i, j int) bool {
		a, b := out[i], out[j]
		switch {
		case a.Location != b.Location:
			return a.Location < b.Location
		case a.ProductID != b.ProductID:
			return a.ProductID < b.ProductID
		}
		return a.Lot < b.Lot
	})
	return out
}

// SetStock makes what lies at a branch of a product and lot equal to quantity,
// as a stock count does. lot may be empty.
func (s *Server) SetStock(b Branch, productID int64, lot string, quantity float64) error {
	return s.do(func(d *database) error {
		lotID := int64(0)
		if lot != "" {
			if lotID = d.lotNamed(productID, d.places.company, lot); lotID == 0 {
				var err error
				if lotID, err = d.create(d.models["stock.lot"], map[string]any{"name": lot, "product_id": productID, "company_id": d.places.company}); err != nil {
					return err
				}
			}
		}
		have := 0.0
		for _, id := range d.tables["stock.quant"].by("product_id", productID) {
			if r := d.tables["stock.quant"].rows[id]; r["location_id"] == b.StockID && integerOf(r["lot_id"]) == lotID {
				have += floatOf(r["quantity"])
			}
		}
		if err := d.addStock(d.places.inventory, productID, lotID, have-quantity); err != nil {
			return err
		}
		return d.addStock(b.StockID, productID, lotID, quantity-have)
	})
}
