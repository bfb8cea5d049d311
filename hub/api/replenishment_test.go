package api_test

import (
	"bytes"
	"testing"
	"time"

	"branchline/hub/access"
	"branchline/hub/ledger/ledgertest"
	"branchline/hub/projection"
	"branchline/hub/room"
	"branchline/internal/movement"
	"branchline/internal/odoo"
)

func TestReplenishmentForPrograms(t *testing.T) {
	c := newCaller(t)
	c.Replenish()
	c.Add("ann", access.Operator)
	see := c.Token("ann", access.See)
	const list, one = "/api/v1/replenishment", "/api/v1/replenishment/{branch}"
	for path, want := range map[string][]string{
		list:           {`"branch":"BR01"`, `"low":1`, `"expiring":1`, `"branch":"BR02"`, `"why":"the hub has not read`},
		list + "/BR01": {`"together":"3"`, `"odoo":"9"`, `"unposted":"-6"`, `"min":"4"`, `"auto":true`, `"lot":"A77"`, `"over":false`, `"left":["`},
		list + "/BR02": {`"low_stock":[]`, `"expiring_stock":[]`, `"left":[]`},
	} {
		template := list
		if path != list {
			template = one
		}
		body := c.get(see, path, template, 200)
		for _, w := range want {
			if !bytes.Contains(body, []byte(w)) {
				t.Errorf("%s: no %s in %s", path, w, body)
			}
		}
	}
	c.get(see, list+"/NONE", "", 404)
	decide := c.Token("ann", access.Decide)
	const path, template = list + "/BR01/order", one + "/order"
	c.post(decide, path, template, `{"rule_id": 1}`, 503)
	c.Order(func(int64) (odoo.Replenished, error) { return odoo.Replenished{Wanted: 7, Order: "P00012"}, nil })
	if body := c.post(decide, path, template, `{"rule_id": 1}`, 200); !bytes.Contains(body, []byte(`"wanted":"7"`)) || !bytes.Contains(body, []byte(`"order":"P00012"`)) {
		t.Errorf("%s", body)
	}
	c.post(decide, path, template, `{"rule_id": 2}`, 409)
	c.post(decide, path, template, `[`, 400)
	c.post(see, path, template, `{"rule_id": 1}`, 403)
}

func TestTransfersForPrograms(t *testing.T) {
	c := newCaller(t)
	c.Add("ann", access.Operator)
	see := c.Token("ann", access.See)
	const path, number = "/api/v1/transfers", "BR01/BR02/T260301-080000"
	if body := c.get(see, path, path, 200); !bytes.Contains(body, []byte(`"transfers":[]`)) {
		t.Errorf("nothing was sent: %s", body)
	}
	box := func(m *movement.Movement) {
		m.Document, m.Lot, m.RecordedAt = movement.Document{Type: "transfer", Ref: number}, "A1", time.Now().Add(-8*24*time.Hour).UTC().Truncate(time.Millisecond)
	}
	catchUp := func() { c.Must(projection.New(c.Ledger, c.Log, nil).CatchUp(t.Context())) }
	to := ledgertest.NewSender("BR02", "bbbbbbbbbbbb", movement.Live)
	ledgertest.NewSender("BR01", "aaaaaaaaaaaa", movement.Live).Commit(t, c.Ledger, ledgertest.Record(movement.TransferOut, 3, box))
	to.Commit(t, c.Ledger, ledgertest.Record(movement.TransferIn, 1, box))
	catchUp()
	body := c.get(see, path, path, 200)
	for _, w := range []string{`"number":"` + number + `"`, `"from":"BR01"`, `"to":"BR02"`, `"sent":"3"`, `"arrived":"1"`, `"counted":"0"`, `"lot":"A1"`} {
		if !bytes.Contains(body, []byte(w)) {
			t.Errorf("no %s in %s", w, body)
		}
	}
	c.Room.Branches = []room.Branch{{Code: "BR01", Zone: time.UTC}, {Code: "BR02", Zone: time.UTC}}
	w, err := c.Room.Watch(t.Context())
	c.Must(err)
	late := map[string][]string{}
	for i := range w.Branches {
		late[w.Branches[i].Code] = w.Branches[i].Late(time.Now().Add(-7 * 24 * time.Hour))
		if early := w.Branches[i].Late(time.Now().Add(-9 * 24 * time.Hour)); len(early) > 0 {
			t.Errorf("late after nine days: %v", early)
		}
	}
	if len(late["BR02"]) != 1 || late["BR02"][0] != number || len(late["BR01"]) != 0 {
		t.Errorf("told of as late: %v", late)
	}
	to.Commit(t, c.Ledger, ledgertest.Record(movement.TransferIn, 2, box))
	catchUp()
	if body := c.get(see, path, path, 200); !bytes.Contains(body, []byte(`"transfers":[]`)) {
		t.Errorf("all has come: %s", body)
	}
}
