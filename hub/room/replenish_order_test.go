package room_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"branchline/hub/ledger"
	"branchline/hub/room"
	"branchline/hub/room/roomtest"
	"branchline/internal/fault"
	"branchline/internal/odoo"
)

// Who asked is in the audit trail before Odoo is asked, and what came of it after,
// whatever Odoo answers and though who asked has gone meanwhile.
func TestOdooIsAskedToOrder(t *testing.T) {
	lost := &fault.Error{Class: fault.Transient, Code: odoo.CodeAway, Message: "Odoo took too long", Err: &odoo.Error{Outcome: odoo.Perhaps}}
	for _, c := range []struct {
		name   string
		answer odoo.Replenished
		err    error
		want   string
	}{
		{"ordered", odoo.Replenished{Wanted: 7, Order: "P00012"}, nil, "ordered 7 Packs, P00012 in Odoo"},
		{"by a way without a name", odoo.Replenished{Wanted: 7.5}, nil, "ordered 7.5 Packs"},
		{"enough by Odoo's forecast", odoo.Replenished{}, nil, "nothing was ordered"},
		{"less than was missing", odoo.Replenished{Wanted: 7, Left: 2, Order: "P00012"}, nil, "7 Packs were missing by Odoo's forecast, 2 still are"},
		{"refused", odoo.Replenished{}, fault.New(fault.Data, odoo.CodeRefused, "Odoo refused: no vendor"), "not ordered: Odoo refused: no vendor"},
		{"without the right", odoo.Replenished{}, fault.New(fault.Setup, odoo.CodeRight, "no"), "the user of replenishment.order"},
		{"no answer", odoo.Replenished{}, lost, "not known whether Odoo has ordered; to ask again orders nothing twice"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := roomtest.New(t)
			d.Replenish()
			ctx, gone := context.WithCancel(t.Context())
			var before []ledger.Entry
			d.Order(func(rule int64) (odoo.Replenished, error) {
				before = trail(t, d)
				if rule != 1 {
					t.Errorf("rule %d", rule)
				}
				gone()
				return c.answer, c.err
			})
			done, err := d.OrderStock(ctx, room.OrderStock{Branch: "BR01", Rule: 1, Who: "ina"})
			if !errors.Is(err, c.err) || !strings.Contains(done.Words(), c.want) {
				t.Errorf("%q, %v", done.Words(), err)
			}
			after := trail(t, d)
			if len(before) != 1 || before[0].Action != "replenishment asked" || before[0].Who != "ina" || before[0].Subject != "BR01" {
				t.Errorf("before Odoo was asked: %+v", before)
			}
			if len(after) != 2 || after[1].Action != "replenishment answered" || !strings.Contains(after[1].Detail, c.want) {
				t.Errorf("after: %+v", after)
			}
			if kept := d.StockOrders("BR01"); len(kept) != 1 || kept[0] != done {
				t.Errorf("kept: %+v", kept)
			}
		})
	}
}

func trail(t *testing.T, d *roomtest.Desk) (found []ledger.Entry) {
	t.Helper()
	all, err := d.Ledger.AuditTrail(context.WithoutCancel(t.Context()), 0, 1000)
	d.Must(err)
	for _, e := range all {
		if strings.HasPrefix(e.Action, "replenishment ") {
			found = append(found, e)
		}
	}
	return found
}

func TestOdooIsNotAskedToOrder(t *testing.T) {
	d := roomtest.New(t)
	d.Replenish()
	ask := func(branch string, rule int64, code string) {
		t.Helper()
		if _, err := d.OrderStock(t.Context(), room.OrderStock{Branch: branch, Rule: rule, Who: "ina"}); fault.CodeOf(err) != code {
			t.Errorf("%s, rule %d: %v, want %s", branch, rule, err, code)
		}
	}
	ask("BR01", 1, room.CodeNoOrders)
	d.Order(func(int64) (odoo.Replenished, error) { t.Error("Odoo was asked"); return odoo.Replenished{}, nil })
	ask("BR01", 2, "not_low")
	ask("BR02", 1, "not_low")
	ask("NONE", 1, room.CodeUnknownBranch)
	if all := trail(t, d); len(all) != 0 {
		t.Errorf("%+v", all)
	}
}
