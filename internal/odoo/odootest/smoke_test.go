package odootest_test

import (
	"context"
	"testing"

	"branchline/internal/odoo"
	"branchline/internal/odoo/odootest"
)

func TestSmoke(t *testing.T) {
	for _, v := range []int{17, 18, 19} {
		s, url := odootest.Start(t, odootest.Options{Version: v})
		c, err := odoo.New(odoo.Config{URL: url, DB: s.Options().DB, User: s.Options().User, Key: odoo.Key(s.Options().Key)})
		if err != nil {
			t.Fatal(err)
		}
		w, err := c.Warehouses(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		t.Log(w)
		p, err := c.Places(context.Background(), w[0].CompanyID)
		t.Log(p, err)
	}
}
