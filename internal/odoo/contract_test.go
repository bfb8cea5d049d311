package odoo_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"branchline/internal/fault"
	"branchline/internal/odoo"
	"branchline/internal/odoo/odootest"
)

// The contract suite says what Branchline relies on. It runs against the
// simulation as each version and over each transport, and against a real server
// when these are set (the second user has the group Inventory / User only):
//
//	ODOO_URL ODOO_DB ODOO_USER ODOO_KEY [ODOO_STOCK_USER ODOO_STOCK_KEY]
//
// It makes its own master data under names that differ from run to run and
// leaves them behind.

// world is one server under contract, with a branch of its own.
type world struct {
	ctx   context.Context
	admin *odoo.Client
	// user is whom the hub would be: the stock user where there is one.
	user      *odoo.Client
	stockUser bool
	cfg       odoo.Config
	// sim is nil for a real server.
	sim    *odootest.Server
	major  int
	run    string
	branch odoo.Warehouse
	places odoo.Places
}

// run tells apart the runs of the suite on one database.
var (
	runID   = strings.ToUpper(fmt.Sprintf("%x", time.Now().UnixMilli()&0xFFFFFFF))
	counter atomic.Int64
)

// contract runs f against every server.
func contract(t *testing.T, f func(t *testing.T, w *world)) {
	for _, sim := range []struct {
		version   int
		transport odoo.Transport
	}{{17, odoo.XMLRPC}, {18, odoo.XMLRPC}, {19, odoo.XMLRPC}, {19, odoo.JSON2}} {
		t.Run(fmt.Sprintf("simulated %d over %s", sim.version, sim.transport), func(t *testing.T) {
			t.Parallel()
			s, url := odootest.Start(t, odootest.Options{Version: sim.version})
			o := s.Options()
			w := connect(t, odoo.Config{URL: url, DB: o.DB, User: o.User, Key: odoo.Key(o.Key), Transport: sim.transport}, o.StockUser, o.StockKey)
			w.sim = s
			f(t, w)
		})
	}
	t.Run("real", func(t *testing.T) {
		url := os.Getenv("ODOO_URL")
		if url == "" {
			t.Skip("ODOO_URL, ODOO_DB, ODOO_USER and ODOO_KEY are not set: no real Odoo to compare with")
		}
		cfg := odoo.Config{URL: url, DB: os.Getenv("ODOO_DB"), User: os.Getenv("ODOO_USER"), Key: odoo.Key(os.Getenv("ODOO_KEY")), Transport: odoo.XMLRPC}
		f(t, connect(t, cfg, os.Getenv("ODOO_STOCK_USER"), os.Getenv("ODOO_STOCK_KEY")))
	})
	t.Run("real over json2", func(t *testing.T) {
		url := os.Getenv("ODOO_URL")
		if url == "" {
			t.Skip("ODOO_URL, ODOO_DB, ODOO_USER and ODOO_KEY are not set: no real Odoo to compare with")
		}
		cfg := odoo.Config{URL: url, DB: os.Getenv("ODOO_DB"), User: os.Getenv("ODOO_USER"), Key: odoo.Key(os.Getenv("ODOO_KEY")), Transport: odoo.JSON2}
		if v, err := client(t, cfg).Version(t.Context()); err != nil || v.Major < 19 {
			t.Skipf("this Odoo has no JSON-2 (%v, %v)", v, err)
		}
		f(t, connect(t, cfg, os.Getenv("ODOO_STOCK_USER"), os.Getenv("ODOO_STOCK_KEY")))
	})
}

func client(t *testing.T, cfg odoo.Config) *odoo.Client {
	t.Helper()
	c, err := odoo.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func connect(t *testing.T, cfg odoo.Config, stockUser, stockKey string) *world {
	t.Helper()
	w := &world{ctx: t.Context(), cfg: cfg, admin: client(t, cfg), run: fmt.Sprintf("%s%d", runID, counter.Add(1))}
	w.user = w.admin
	if stockUser != "" && stockKey != "" {
		cfg.User, cfg.Key = stockUser, odoo.Key(stockKey)
		w.user, w.stockUser = client(t, cfg), true
	}
	v, err := w.admin.Version(w.ctx)
	must(t, err)
	w.major = v.Major
	w.branch = w.newBranch(t, "A")
	w.places, err = w.user.Places(w.ctx, w.branch.CompanyID)
	must(t, err)
	return w
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// unique is a name that no other run has used.
func (w *world) unique(what string) string {
	return fmt.Sprintf("%s-%s-%d", what, w.run, counter.Add(1))
}

func (w *world) newBranch(t *testing.T, letter string) odoo.Warehouse {
	t.Helper()
	var code string
	var ids []int64
	var err error
	for range 5 { // a code has five characters, and earlier runs have used some
		code = letter + rand.Text()[:4]
		if ids, err = w.admin.Create(w.ctx, "stock.warehouse", map[string]any{"name": w.unique("Branch " + letter), "code": code}); fault.ClassOf(err) != fault.Data {
			break
		}
	}
	must(t, err)
	list, err := w.user.Warehouses(w.ctx)
	must(t, err)
	for _, b := range list {
		if b.ID == ids[0] {
			if b.Code != code || b.StockID == 0 || b.InTypeID == 0 || b.OutTypeID == 0 || b.IntTypeID == 0 || b.CompanyID == 0 {
				t.Fatalf("the branch is not complete: %+v", b)
			}
			return b
		}
	}
	t.Fatal("the branch is not among the warehouses")
	return odoo.Warehouse{}
}

// newProduct makes a storable product; expiring ones are tracked by lot.
func (w *world) newProduct(t *testing.T, tracking odoo.Tracking) odoo.Product {
	t.Helper()
	has, err := w.admin.Fields(w.ctx, "product.product")
	must(t, err)
	vals := map[string]any{"name": w.unique("Paracetamol"), "default_code": w.unique("C"), "barcode": w.unique("B"), "tracking": string(tracking)}
	if tracking != odoo.ByQuantity {
		vals["use_expiration_date"] = true
	}
	if has.Has("is_storable") {
		vals["type"], vals["is_storable"] = "consu", true
	} else {
		vals["detailed_type"] = "product"
	}
	ids, err := w.admin.Create(w.ctx, "product.product", vals)
	must(t, err)
	list, err := w.user.ProductsByID(w.ctx, ids)
	must(t, err)
	if len(list) != 1 {
		t.Fatalf("the product cannot be read: %+v", list)
	}
	return list[0]
}

func (w *world) newLot(t *testing.T, p odoo.Product, expires time.Time) int64 {
	t.Helper()
	id, err := w.user.CreateLot(w.ctx, p.ID, w.branch.CompanyID, w.unique("L"), expires)
	must(t, err)
	return id
}

type ordered struct {
	product  odoo.Product
	quantity float64
}

// purchase makes a confirmed order for the branch and gives its receipt.
func (w *world) purchase(t *testing.T, lines ...ordered) odoo.Receipt {
	t.Helper()
	partner, err := w.admin.Create(w.ctx, "res.partner", map[string]any{"name": w.unique("Wholesaler")})
	must(t, err)
	var list []any
	for _, l := range lines {
		list = append(list, []any{0, 0, map[string]any{"product_id": l.product.ID, "product_qty": l.quantity, "price_unit": 1.0, "name": l.product.Name}})
	}
	order, err := w.admin.Create(w.ctx, "purchase.order", map[string]any{"partner_id": partner[0], "picking_type_id": w.branch.InTypeID, "order_line": list})
	must(t, err)
	_, err = w.admin.Call(w.ctx, "purchase.order", "button_confirm", odoo.Args{IDs: order})
	must(t, err)
	named, err := w.admin.Read(w.ctx, "purchase.order", order, "name")
	must(t, err)
	receipts, err := w.user.OpenReceipts(w.ctx, w.branch)
	must(t, err)
	for _, r := range receipts {
		if r.Origin == named[0].String("name") {
			return r
		}
	}
	t.Fatalf("no open receipt of %s among %d", named[0].String("name"), len(receipts))
	return odoo.Receipt{}
}

// post makes a document by the three calls and validates it.
func (w *world) post(t *testing.T, typeID, from, to int64, confirm odoo.Confirm, moves ...odoo.NewMove) (odoo.Picking, odoo.Validated) {
	t.Helper()
	p := w.draft(t, typeID, from, to, moves...)
	v, err := w.user.Validate(w.ctx, p.ID, confirm)
	must(t, err)
	return p, v
}

func (w *world) draft(t *testing.T, typeID, from, to int64, moves ...odoo.NewMove) odoo.Picking {
	t.Helper()
	name := w.unique("BL/D")
	_, err := w.user.CreatePicking(w.ctx, odoo.NewPicking{Name: name, TypeID: typeID, FromID: from, ToID: to, Origin: "branchline"})
	must(t, err)
	p, found, err := w.user.PickingByName(w.ctx, w.branch.CompanyID, name)
	must(t, err)
	if !found || p.State != odoo.Draft || p.Name != name || p.FromID != from || p.ToID != to || p.Origin != "branchline" {
		t.Fatalf("the draft is not what was asked for: %v %+v", found, p)
	}
	must(t, w.user.CreateMoves(w.ctx, p, moves))
	return p
}

// onHand is the stock of a product at a location by lot name.
func (w *world) onHand(t *testing.T, location int64, p odoo.Product) map[string]float64 {
	t.Helper()
	rows, err := w.user.StockOf(w.ctx, location, []int64{p.ID})
	must(t, err)
	out := map[string]float64{}
	for _, r := range rows {
		if r.Quantity != 0 {
			out[r.LotName] += r.Quantity
		}
	}
	return out
}

func (w *world) lotName(t *testing.T, id int64) string {
	t.Helper()
	rows, err := w.user.Read(w.ctx, "stock.lot", []int64{id}, "name")
	must(t, err)
	return rows[0].String("name")
}

// refused checks the class and code of an error.
func refused(t *testing.T, err error, class fault.Class, code string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want %s", code)
	}
	if fault.ClassOf(err) != class || fault.CodeOf(err) != code {
		t.Fatalf("class %v, code %s, want %v, %s: %v", fault.ClassOf(err), fault.CodeOf(err), class, code, err)
	}
	if odoo.Unknown(err) {
		t.Fatalf("Odoo answered, but the outcome is said to be unknown: %v", err)
	}
}

func day(years int) time.Time {
	now := time.Now().UTC()
	return time.Date(now.Year()+years, 6, 30, 12, 0, 0, 0, time.UTC)
}
