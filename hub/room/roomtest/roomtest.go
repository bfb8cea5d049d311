// Package roomtest makes control rooms with a real ledger and people, for tests.
package roomtest

import (
	"log/slog"
	"testing"
	"time"

	"branchline/hub/access"
	"branchline/hub/ledger"
	"branchline/hub/ledger/ledgertest"
	"branchline/hub/projection"
	"branchline/hub/room"
	"branchline/internal/movement"
	"branchline/internal/odoo"
)

// Desk is a control room. What stands around it (broker, poster, planner) is not
// there.
type Desk struct {
	*room.Room
	T      testing.TB
	Access *access.Access
	Ledger *ledger.Ledger
	Log    *slog.Logger
}

// New makes a room with an empty ledger.
func New(t testing.TB) *Desk {
	t.Helper()
	d := &Desk{T: t, Ledger: ledgertest.Open(t), Log: slog.New(slog.DiscardHandler)}
	d.Access = access.New(access.DefaultConfig(), d.Ledger, d.Log, nil)
	d.Room = room.New(room.Parts{Ledger: d.Ledger, Catalogue: goods{}, OdooURL: "https://odoo.example", Log: d.Log})
	return d
}

// Aspirin is the one product that the catalogue knows, by a name with markup.
var Aspirin = movement.Product{Scheme: movement.GTIN, Code: "04012345678901"}

type goods struct{ room.Knower }

func (goods) Find(p movement.Product) ([]odoo.Product, []movement.Quantity) {
	if p == Aspirin {
		return []odoo.Product{{ID: 1, Name: "Aspirin <b>500</b>"}}, []movement.Quantity{movement.QuantityScale}
	}
	return nil, nil
}

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
// the first is posted, and the third is not certain and waits for a person.
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
	ledgertest.NewSender("BR02", Epoch, movement.Bulk).Commit(d.T, d.Ledger, record(movement.Receipt, 20))
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
