// Package roomtest makes control rooms with a real ledger and people, for tests.
package roomtest

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"branchline/hub/access"
	"branchline/hub/ledger"
	"branchline/hub/ledger/ledgertest"
	"branchline/hub/projection"
	"branchline/hub/room"
	"branchline/internal/feed"
	"branchline/internal/movement"
	"branchline/internal/odoo"
	"branchline/internal/password"
)

// Desk is a control room. What stands around it (broker, poster, planner) is not
// there.
type Desk struct {
	*room.Room
	T      testing.TB
	Access *access.Access
	Ledger *ledger.Ledger
	Log    *slog.Logger
	// Lines are the branches' connections, as a broker would tell of them.
	Lines []room.Connection
}

// New makes a room with an empty ledger.
func New(t testing.TB) *Desk {
	t.Helper()
	d := &Desk{T: t, Ledger: ledgertest.Open(t), Log: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))}
	cfg := access.DefaultConfig()
	cfg.Cost = password.Least
	d.Access = access.New(cfg, d.Ledger, d.Log, nil)
	d.Room = room.New(room.Parts{Ledger: d.Ledger, Connections: func() []room.Connection { return d.Lines }, LineTrouble: func() error { return nil },
		Planning: func() map[string][]string { return nil }, OldCopies: func() []string { return nil },
		Catalogue: goods{}, Products: goods{}, Goods: goods{}.all, Product: goods{}.product,
		Place: func(_, id int64) string { return map[int64]string{8: "Riverside, stock", 5: "Dispensed"}[id] }, OdooURL: "https://odoo.example",
		Posting: func() room.Posting { return room.Posting{Adopted: true} }, Log: d.Log})
	return d
}

// Aspirin is the one product that the catalogue knows, by a name with markup; Case
// is ten of it, Till what a till calls it.
var (
	Aspirin = movement.Product{Scheme: movement.GTIN, Code: "04012345678901"}
	Case    = movement.Product{Scheme: movement.GTIN, Code: "24012345678905"}
	Till    = movement.Product{Scheme: movement.SKU, Code: "ASP-500"}
)

type goods struct{}

var aspirin = odoo.Product{ID: 1, Name: "Aspirin <b>500</b>", Code: "ASP-500", Barcode: Aspirin.Code, Active: true, UoM: odoo.Ref{ID: 1, Name: "Packs"}}

func (goods) AsOf() time.Time { return time.Now() }

func (g goods) Known(p movement.Product) ([]odoo.Product, []movement.Quantity) { return g.Find(p) }

func (goods) Find(p movement.Product) ([]odoo.Product, []movement.Quantity) {
	switch p {
	case Aspirin, Till:
		return []odoo.Product{aspirin}, []movement.Quantity{movement.QuantityScale}
	case Case:
		return []odoo.Product{aspirin}, []movement.Quantity{10 * movement.QuantityScale}
	}
	return nil, nil
}

func (goods) ProductsNamed(_ context.Context, name string) ([]odoo.Product, error) {
	if name == aspirin.Code || name == aspirin.Barcode {
		return []odoo.Product{aspirin}, nil
	}
	return nil, nil
}

func (goods) all() []feed.Product {
	return []feed.Product{{Key: "1", Name: aspirin.Name, Reference: aspirin.Code, Barcode: aspirin.Barcode, Unit: "Packs"},
		{Key: "2", Name: "Ibuprofen 400 mg, 50 tablets", Reference: "IBU-400", Unit: "Packs"}}
}

func (goods) product(id int64) (odoo.Product, bool) { return aspirin, id == aspirin.ID }

// Password is everybody's.
const Password = "vier Pferde ohne Hut"

const home = "192.0.2.1"

// Add makes a person who has chosen [Password].
func (d *Desk) Add(login string, roles ...access.Role) {
	d.T.Helper()
	ctx := d.T.Context()
	pass, err := d.Access.Add(ctx, "test", login, "", roles)
	d.Must(err)
	cookie, err := d.Access.SignIn(ctx, login, pass, home)
	d.Must(err)
	p, err := d.Access.Session(ctx, cookie, true)
	d.Must(err)
	d.Must(d.Access.ChangePassword(ctx, p, pass, Password, home))
}

// Token is one of a person, with the scopes.
func (d *Desk) Token(login string, scopes ...access.Right) string {
	d.T.Helper()
	ctx := d.T.Context()
	cookie, err := d.Access.SignIn(ctx, login, Password, home)
	d.Must(err)
	p, err := d.Access.Session(ctx, cookie, true)
	d.Must(err)
	text, err := d.Access.NewToken(ctx, p, "test", scopes, time.Now().Add(time.Hour))
	d.Must(err)
	return text
}

// Must ends the test on an error.
func (d *Desk) Must(err error) {
	d.T.Helper()
	if err != nil {
		d.T.Fatal(err)
	}
}

// Epoch is that of every branch, and Script what must never come out as markup.
const (
	Epoch  = "aaaaaaaaaaaa"
	Script = `<script>alert(1)</script>`
)

// Fill sends movements of lots that are written alike from two branches: of BR01
// the first is posted, and the third is not certain and waits for a person; that of
// BR02 was typed in from a form.
func (d *Desk) Fill() {
	d.T.Helper()
	ctx := d.T.Context()
	record := func(kind movement.Kind, n int64, change ...func(*movement.Movement)) []byte {
		return ledgertest.Record(kind, n, append([]func(*movement.Movement){func(m *movement.Movement) {
			m.Product, m.Lot, m.By = Aspirin, "A77-O1", "AB"
			m.Source = movement.Source{Adapter: "till", File: "sales" + Script + ".csv", Line: 17, Raw: "]d2010401234567890110A77-O1\x1d" + Script}
		}}, change...)...)
	}
	one := ledgertest.NewSender("BR01", Epoch, movement.Bulk)
	one.Commit(d.T, d.Ledger, record(movement.Receipt, 10), record(movement.Dispense, 2, func(m *movement.Movement) { m.Lot = "a7701" }),
		record(movement.Receipt, 5, func(m *movement.Movement) {
			m.Problem = &movement.Problem{Code: "lot_two_expiries", Text: "the lot has another expiry " + Script}
			m.Document = movement.Document{Type: "order", Ref: "P1" + Script}
			m.Product.Code = "04012345678918"
		}), record(movement.Dispense, 1, func(m *movement.Movement) { m.Lot = "" }))
	ledgertest.NewSender("BR02", Epoch, movement.Bulk).Commit(d.T, d.Ledger, record(movement.Receipt, 20, func(m *movement.Movement) {
		m.Paper = movement.Paper{Form: "R7K2M9Q4X7", Line: 3, TypedBy: "CD"}
	}))
	d.Must(projection.New(d.Ledger, d.Log, nil).CatchUp(ctx))
	aliases, err := d.Ledger.AliasGeneration(ctx)
	d.Must(err)
	p, err := d.Ledger.CreatePosting(ctx, ledger.NewPosting{Aliases: aliases, Branch: "BR01", Kind: movement.Receipt,
		Movements: []ledger.MovementID{one.Find(d.T, d.Ledger, 1)},
		Name:      ledger.PostingName(movement.Receipt, ledger.RunsOf([]movement.ID{one.ID(1)}))}, time.Now())
	d.Must(err)
	_, err = d.Ledger.ChangePosting(ctx, p, ledger.PostingChange{State: ledger.PostingDone, At: time.Now(), Odoo: ledger.OdooRef{Model: "stock.picking", ID: 12, Name: "WH/IN/00012"}})
	d.Must(err)
}

// Unknown is a code that no product has: that of a case of what [Aspirin] is one
// of.
var Unknown = movement.Product{Scheme: movement.GTIN, Code: "14012345678908"}

// FillWaiting sends what a person must decide about from BR03, the first three
// dispensings of [Unknown], then a lot that Odoo does not know, a bad row and a
// receipt over its order, and a posting that Odoo does not take. It gives the
// names in that order.
func (d *Desk) FillWaiting() []movement.ID {
	d.T.Helper()
	ctx := d.T.Context()
	from := func(line int, raw string) func(*movement.Movement) {
		return func(m *movement.Movement) {
			m.Product, m.Lot = Aspirin, "B22"
			m.Source = movement.Source{Adapter: "till", File: "sales_20261123.csv", Line: int64(line), Raw: raw}
		}
	}
	unknown := func(m *movement.Movement) { m.Product = Unknown }
	s := ledgertest.NewSender("BR03", Epoch, movement.Bulk)
	s.Commit(d.T, d.Ledger,
		ledgertest.Record(movement.Dispense, 1, from(2, "14012345678908;1;Aspirin 500"), unknown),
		ledgertest.Record(movement.Dispense, 2, from(3, "14012345678908;2;Aspirin 500"), unknown),
		ledgertest.Record(movement.Dispense, 1, from(4, "14012345678908;1;"+Script), unknown),
		ledgertest.Record(movement.Dispense, 4, from(5, "04012345678901;4;B22")),
		ledgertest.Record(movement.Dispense, 1, from(6, "04012345678901;one;B22"), func(m *movement.Movement) {
			m.Quantity = 0
			m.Problem = &movement.Problem{Code: "bad_quantity", Field: "quantity", Text: "the column \"qty\" holds \"one\", which is no number"}
		}),
		ledgertest.Record(movement.Receipt, 30, from(7, ""), func(m *movement.Movement) { m.Document = movement.Document{Type: "order", Ref: "P00012"} }),
		ledgertest.Record(movement.Dispense, 3, from(8, "")))
	d.Must(projection.New(d.Ledger, d.Log, nil).CatchUp(ctx))
	aliases, err := d.Ledger.AliasGeneration(ctx)
	d.Must(err)
	var refusals []ledger.Refusal
	for i, why := range [][2]string{{ledger.ReasonUnknownProduct, "Odoo knows no product by gtin 14012345678908"}, {ledger.ReasonUnknownProduct, "Odoo knows no product by gtin 14012345678908"},
		{ledger.ReasonUnknownProduct, "Odoo knows no product by gtin 14012345678908"}, {"unknown_lot", "Odoo has no lot B22 of Aspirin"}, {}, {"over_receipt", "30 came, 20 were ordered with P00012"}} {
		if why[0] != "" {
			refusals = append(refusals, ledger.Refusal{Movement: s.Find(d.T, d.Ledger, uint64(i+1)), Stage: "plan", Reason: why[0], Text: why[1], Aliases: aliases})
		}
	}
	d.Must(d.Ledger.Refuse(ctx, refusals, time.Now().Add(-50*time.Minute)))
	last := s.Find(d.T, d.Ledger, 7)
	plan := ledger.PostingBody{CompanyID: 1, WarehouseID: 3, TypeID: 7, FromID: 8, ToID: 5, At: time.Now(), Lines: []ledger.PostingLine{
		{ProductID: 1, UoMID: 1, Lot: "B22", Parts: []ledger.PostingPart{{Movement: last, Quantity: movement.Units(3)}}}}}
	body, err := plan.Encode()
	d.Must(err)
	p, err := d.Ledger.CreatePosting(ctx, ledger.NewPosting{Aliases: aliases, Branch: "BR03", Kind: movement.Dispense, Body: body, Movements: []ledger.MovementID{last},
		Name: ledger.PostingName(movement.Dispense, ledger.RunsOf([]movement.ID{s.ID(7)}))}, time.Now())
	d.Must(err)
	_, err = d.Ledger.ChangePosting(ctx, p, ledger.PostingChange{At: time.Now(), NextAt: time.Now().Add(time.Minute), Attempt: ledger.Attempt{At: time.Now(), Took: 1200 * time.Millisecond,
		Step: "create", Fault: ledger.FaultWords{Class: "transient", Code: "odoo_unreachable", Text: "the connection was refused " + Script}}})
	d.Must(err)
	var names []movement.ID
	for seq := uint64(1); seq <= 7; seq++ {
		names = append(names, s.ID(seq))
	}
	return names
}
