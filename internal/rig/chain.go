package rig

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"branchline/internal/gs1"
	"branchline/internal/odoo"
)

// Chain is a small pharmacy chain in Odoo: its products, branches and open
// purchase orders. It is made through Odoo's own interface, so that it is the
// same in a simulated and in a real one.
type Chain struct {
	Client   *odoo.Client
	Branches []*Branch
	Products []*Product
}

// Branch is one branch of the chain.
type Branch struct {
	Code, Name string
	// Warehouse is the branch in Odoo; its code is the branch's.
	Warehouse odoo.Warehouse
}

// Product is one product of the chain.
type Product struct {
	ID   int64
	Name string
	GTIN string
	// Tracking is how Odoo follows it.
	Tracking odoo.Tracking
}

// OrderLine is a product and how many of it are ordered.
type OrderLine struct {
	Product  *Product
	Quantity int
}

// productNames are what the sample chain sells, and how Odoo follows it.
var productNames = []struct {
	name     string
	tracking odoo.Tracking
}{
	{"Amoxicillin 500 mg caps 21", odoo.ByLot},
	{"Salbutamol 100 µg inhaler", odoo.ByLot},
	{"Metformin 850 mg tabs 56", odoo.ByLot},
	{"Paracetamol 500 mg tabs 16", odoo.ByQuantity},
	{"Insulin glargine 100 IU/ml pens 5", odoo.BySerial},
	{"Cetirizine 10 mg tabs 30", odoo.ByLot},
}

// FreeRun finds three digits that no run before has used in the database.
func FreeRun(ctx context.Context, c *odoo.Client) (run string, err error) {
	taken := map[string]bool{}
	for model, field := range map[string]string{"product.product": "default_code", "stock.warehouse": "code"} {
		rows, err := c.SearchRead(ctx, model, odoo.Query{Fields: []string{field}, Archived: true, Domain: odoo.Domain{odoo.Where(field, "=like", "B%")}})
		if err != nil {
			return "", err
		}
		for _, r := range rows {
			code := strings.TrimLeft(r.String(field), "BL")
			taken[code[:min(3, len(code))]] = true
		}
	}
	for n := range 999 {
		if run = fmt.Sprintf("%03d", n+1); !taken[run] {
			return run, nil
		}
	}
	return "", errors.New("the database is full of test branches: take another one")
}

// NewChain makes the products and n branches. Run is two to four digits that
// tell this run's records from those of others in the same database.
func NewChain(ctx context.Context, c *odoo.Client, run string, n int) (*Chain, error) {
	chain := &Chain{Client: c}
	if err := chain.makeProducts(ctx, run); err != nil {
		return nil, fmt.Errorf("making products: %w", err)
	}
	for i := range n {
		if err := chain.makeBranch(ctx, run, i+1); err != nil {
			return nil, fmt.Errorf("making branches: %w", err)
		}
	}
	return chain, nil
}

func (c *Chain) makeProducts(ctx context.Context, run string) error {
	has, err := c.Client.Fields(ctx, "product.product")
	if err != nil {
		return err
	}
	var values []map[string]any
	for i, p := range productNames {
		gtin := "0401" + strings.Repeat("0", 4-len(run)) + run + fmt.Sprintf("%05d", i+1)
		check, ok := gs1.CheckDigit(gtin)
		if !ok {
			return fmt.Errorf("run %q is not made of digits", run)
		}
		gtin += string(check)
		v := map[string]any{"name": p.name, "barcode": gtin, "default_code": fmt.Sprintf("BL%s-%02d", run, i+1),
			"tracking": string(p.tracking), "use_expiration_date": p.tracking != odoo.ByQuantity}
		if has.Has("is_storable") {
			v["type"], v["is_storable"] = "consu", true
		} else {
			v["detailed_type"] = "product"
		}
		values = append(values, v)
		c.Products = append(c.Products, &Product{Name: p.name, GTIN: gtin, Tracking: p.tracking})
	}
	ids, err := c.Client.Create(ctx, "product.product", values...)
	for i, id := range ids {
		c.Products[i].ID = id
	}
	return err
}

func (c *Chain) makeBranch(ctx context.Context, run string, n int) error {
	code := fmt.Sprintf("B%s", run)
	if run == "" {
		code = "BR0"
	}
	code += fmt.Sprint(n)
	name := fmt.Sprintf("Branch %s", code)
	if _, err := c.Client.Create(ctx, "stock.warehouse", map[string]any{"name": name, "code": code}); err != nil {
		return err
	}
	all, err := c.Client.Warehouses(ctx)
	if err != nil {
		return err
	}
	for _, w := range all {
		if w.Code == code {
			c.Branches = append(c.Branches, &Branch{Code: code, Name: name, Warehouse: w})
			return nil
		}
	}
	return fmt.Errorf("warehouse %s was made and is not there", code)
}

// Order makes a confirmed purchase order for a branch and returns its number.
func (c *Chain) Order(ctx context.Context, b *Branch, lines ...OrderLine) (string, error) {
	supplier, err := c.Client.Create(ctx, "res.partner", map[string]any{"name": "Acme Wholesale"})
	if err != nil {
		return "", err
	}
	var commands []any
	for _, l := range lines {
		commands = append(commands, []any{0, 0, map[string]any{
			"product_id": l.Product.ID, "product_qty": l.Quantity, "price_unit": 4.2}})
	}
	ids, err := c.Client.Create(ctx, "purchase.order", map[string]any{
		"partner_id": supplier[0], "picking_type_id": b.Warehouse.InTypeID, "order_line": commands})
	if err != nil {
		return "", err
	}
	if _, err := c.Client.Call(ctx, "purchase.order", "button_confirm", odoo.Args{IDs: ids}); err != nil {
		return "", err
	}
	rows, err := c.Client.Read(ctx, "purchase.order", ids, "name", "state")
	if err != nil {
		return "", err
	}
	if len(rows) != 1 || rows[0].String("state") != "purchase" {
		return "", fmt.Errorf("the purchase order was not confirmed: %v", rows)
	}
	return rows[0].String("name"), nil
}

// Stock is what Odoo has on hand at a branch: whole and partial units by GTIN
// and lot, zero left out.
func (c *Chain) Stock(ctx context.Context, b *Branch) (map[Item]float64, error) {
	rows, err := c.Client.Stock(ctx, b.Warehouse.StockID)
	if err != nil {
		return nil, err
	}
	gtins := map[int64]string{}
	for _, p := range c.Products {
		gtins[p.ID] = p.GTIN
	}
	out := map[Item]float64{}
	for _, r := range rows {
		if r.Quantity != 0 {
			out[Item{gtins[r.ProductID], r.LotName}] += r.Quantity
		}
	}
	return out, nil
}

// Item is a product and its lot (or serial), "" for none.
type Item struct{ GTIN, Lot string }
