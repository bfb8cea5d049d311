package odootest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"branchline/internal/fault"
	"branchline/internal/odoo"
	"branchline/internal/odoo/odootest"
)

func connect(t testing.TB, o odootest.Options, transport odoo.Transport) (*odootest.Server, string, *odoo.Client) {
	t.Helper()
	s, url := odootest.Start(t, o)
	o = s.Options()
	c, err := odoo.New(odoo.Config{URL: url, DB: o.DB, User: o.User, Key: odoo.Key(o.Key), Transport: transport})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return s, url, c
}

// branch is a seeded branch with what its documents need.
type branch struct {
	odootest.Branch
	product   int64
	customers int64
}

func seed(t testing.TB, s *odootest.Server, c *odoo.Client, product odootest.Product) branch {
	t.Helper()
	b, err := s.AddBranch("B7", "Branch 7")
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.AddProduct(product)
	if err != nil {
		t.Fatal(err)
	}
	places, err := c.Places(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	return branch{b, p, places.Customers}
}

func (b branch) dispense(t testing.TB, c *odoo.Client, name string, moves ...odoo.NewMove) (odoo.Validated, error) {
	t.Helper()
	id, err := c.CreatePicking(t.Context(), odoo.NewPicking{Name: name, TypeID: b.OutTypeID, FromID: b.StockID, ToID: b.customers})
	if err != nil {
		return odoo.Validated{}, err
	}
	if err := c.CreateMoves(t.Context(), odoo.Picking{ID: id, Name: name, FromID: b.StockID, ToID: b.customers}, moves); err != nil {
		return odoo.Validated{}, err
	}
	return c.Validate(t.Context(), id, odoo.Confirm{})
}

func TestSeedsAreMasterData(t *testing.T) {
	for _, version := range []int{17, 18, 19} {
		t.Run(fmt.Sprint(version), func(t *testing.T) {
			s, _, c := connect(t, odootest.Options{Version: version}, odoo.Auto)
			b := seed(t, s, c, odootest.Product{Name: "Ibuprofen", Code: "IBU", Barcode: "04012345678901", Tracking: "lot", Expires: true})
			if err := s.AddPack(b.product, "14012345678908", 10); err != nil {
				t.Fatal(err)
			}
			products, err := c.Products(t.Context(), time.Time{})
			if err != nil || len(products) != 1 {
				t.Fatalf("%+v, %v", products, err)
			}
			if p := products[0]; p.ID != b.product || p.Name != "Ibuprofen" || p.Code != "IBU" || p.Barcode != "04012345678901" || p.Tracking != odoo.ByLot || !p.Expires || !p.Storable {
				t.Errorf("%+v", p)
			}
			packs, err := c.Packs(t.Context())
			if err != nil || len(packs) != 1 || packs[0].Barcode != "14012345678908" {
				t.Errorf("%+v, %v", packs, err)
			}
			order, err := s.AddPurchase(b.Branch, "Wholesaler", odootest.OrderLine{ProductID: b.product, Quantity: 5})
			if err != nil {
				t.Fatal(err)
			}
			warehouses, err := c.Warehouses(t.Context())
			if err != nil || len(warehouses) != 2 || warehouses[1].Code != "B7" {
				t.Fatalf("%+v, %v", warehouses, err)
			}
			open, err := c.OpenReceipts(t.Context(), warehouses[1])
			if err != nil || len(open) != 1 || open[0].Origin != order || open[0].Moves[0].Ordered != 5 {
				t.Errorf("%+v, %v", open, err)
			}
			if err := s.SetStock(b.Branch, b.product, "L1", 12); err != nil {
				t.Fatal(err)
			}
			want := odootest.Stock{Location: "B7/Stock", ProductID: b.product, Code: "IBU", Lot: "L1", Quantity: 12}
			if got := s.Stock(); len(got) != 2 || got[0] != want {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestMischiefIsAimed(t *testing.T) {
	s, _, c := connect(t, odootest.Options{}, odoo.JSON2)
	b := seed(t, s, c, odootest.Product{Name: "Ibuprofen"})
	other, err := s.AddProduct(odootest.Product{Name: "Aspirin", Tracking: "lot"})
	if err != nil {
		t.Fatal(err)
	}
	lot, err := c.CreateLot(t.Context(), other, 1, "BAD", time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	good, bad := odoo.NewMove{ProductID: b.product, Quantity: 1}, odoo.NewMove{ProductID: other, LotID: lot, Quantity: 1}
	t.Run("at a product", func(t *testing.T) {
		s.Cause(odootest.Mischief{Kind: odootest.Refusal, Method: "button_validate", Product: other, Words: "Not this one."})
		t.Cleanup(s.Behave)
		if v, err := b.dispense(t, c, "D1", good); err != nil || !v.Done() {
			t.Errorf("%+v, %v", v, err)
		}
		_, err := b.dispense(t, c, "D2", good, bad)
		if fault.ClassOf(err) != fault.Data || odoo.Words(err) != "Not this one." {
			t.Errorf("%v", err)
		}
	})
	t.Run("at a lot", func(t *testing.T) {
		s.Cause(odootest.Mischief{Kind: odootest.Refusal, Model: "stock.move", Lot: "BAD"})
		t.Cleanup(s.Behave)
		if _, err := b.dispense(t, c, "D3", bad); fault.ClassOf(err) != fault.Data {
			t.Errorf("%v", err)
		}
		if _, err := b.dispense(t, c, "D4", good); err != nil {
			t.Error(err)
		}
	})
	t.Run("at the third call, twice", func(t *testing.T) {
		s.Cause(odootest.Mischief{Kind: odootest.Serialization, Model: "res.users", Skip: 2, Count: 2})
		t.Cleanup(s.Behave)
		var got []bool
		for range 6 {
			_, err := c.Call(t.Context(), "res.users", "context_get", odoo.Args{})
			got = append(got, err == nil)
		}
		if want := []bool{true, true, false, false, true, true}; !reflect.DeepEqual(got, want) {
			t.Errorf("%v", got)
		}
	})
	t.Run("by chance, the same with the same seed", func(t *testing.T) {
		play := func(seed uint64) (out string) {
			s.Cause(odootest.Mischief{Kind: odootest.Serialization, Model: "res.users", Chance: 0.3, Seed: seed})
			defer s.Behave()
			for range 60 {
				_, err := c.Call(t.Context(), "res.users", "context_get", odoo.Args{})
				out += map[bool]string{true: ".", false: "x"}[err == nil]
			}
			return out
		}
		first := play(1)
		if first != play(1) || first == play(2) || strings.Count(first, "x") < 5 || strings.Count(first, "x") > 35 {
			t.Errorf("%s", first)
		}
	})
}

// A refused call leaves nothing behind, whatever it had done before.
func TestRefusedCallsChangeNothing(t *testing.T) {
	s, _, c := connect(t, odootest.Options{Version: 17}, odoo.XMLRPC)
	b := seed(t, s, c, odootest.Product{Name: "Ibuprofen"})
	tracked, err := s.AddProduct(odootest.Product{Name: "Aspirin", Tracking: "serial"})
	if err != nil {
		t.Fatal(err)
	}
	lot, err := c.CreateLot(t.Context(), tracked, 1, "S1", time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	if v, err := b.dispense(t, c, "D1", odoo.NewMove{ProductID: tracked, LotID: lot, Quantity: 1}); err != nil || !v.Done() {
		t.Fatalf("%+v, %v", v, err)
	}
	before := s.Stock()
	// The first line is posted before the second is found to be impossible.
	_, err = b.dispense(t, c, "D2", odoo.NewMove{ProductID: b.product, Quantity: 5}, odoo.NewMove{ProductID: tracked, LotID: lot, Quantity: 1})
	if fault.ClassOf(err) != fault.Data {
		t.Fatalf("%v", err)
	}
	if after := s.Stock(); !reflect.DeepEqual(before, after) {
		t.Errorf("before %+v, after %+v", before, after)
	}
	p, found, err := c.PickingByName(t.Context(), 1, "D2")
	if err != nil || !found || p.State != odoo.Assigned {
		t.Errorf("%v %+v %v", found, p, err)
	}
	// A list of which the last is refused.
	_, err = c.Create(t.Context(), "res.partner", map[string]any{"name": "A"}, map[string]any{"name": ""})
	if fault.ClassOf(err) != fault.Data {
		t.Fatalf("%v", err)
	}
	rows, err := c.SearchRead(t.Context(), "res.partner", odoo.Query{Domain: odoo.Domain{odoo.Where("name", "=", "A")}, Fields: []string{"name"}})
	if err != nil || len(rows) != 0 {
		t.Errorf("%v, %v", rows, err)
	}
}

func TestControl(t *testing.T) {
	_, closed, _ := connect(t, odootest.Options{}, odoo.XMLRPC)
	ask := func(method, url, body string) (int, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(b)
	}
	if status, _ := ask("POST", closed+"/_control/mischief", `{"kind":"gateway"}`); status != http.StatusNotFound {
		t.Errorf("control is open although nobody asked for it: %d", status)
	}
	s, url, c := connect(t, odootest.Options{Control: true}, odoo.XMLRPC)
	if status, said := ask("POST", url+"/_control/mischief", `{"kind":"gateway","model":"stock.warehouse","count":1}`); status != 200 {
		t.Fatalf("%d %s", status, said)
	}
	if _, err := c.Warehouses(t.Context()); !odoo.Unknown(err) {
		t.Errorf("%v", err)
	}
	if _, err := c.Warehouses(t.Context()); err != nil {
		t.Error(err)
	}
	for _, bad := range []string{"", "{", `{"kind":"none"}`, `{"kind":"lost","nonsense":1}`} {
		if status, _ := ask("POST", url+"/_control/mischief", bad); status != http.StatusBadRequest {
			t.Errorf("%q: %d", bad, status)
		}
	}
	if _, said := ask("GET", url+"/_control/hits", ""); strings.TrimSpace(said) != `{"gateway":1}` {
		t.Error(said)
	}
	ask("POST", url+"/_control/mischief", `{"kind":"refusal"}`)
	if status, _ := ask("DELETE", url+"/_control/mischief", ""); status != 200 {
		t.Error(status)
	}
	if _, err := c.Warehouses(t.Context()); err != nil {
		t.Error(err)
	}
	var spent odootest.Spent
	_, said := ask("GET", url+"/_control/spent", "")
	if err := json.Unmarshal([]byte(said), &spent); err != nil || spent.Calls != s.Spent().Calls || spent.Methods["stock.warehouse.search_read"] != 2 {
		t.Errorf("%+v, %v", spent, err)
	}
	if status, _ := ask("POST", url+"/_control/down?for=never", ""); status != http.StatusBadRequest {
		t.Error(status)
	}
}

// Requests that no client of ours makes get an answer, never a panic, and leave
// the server at work.
func TestMalformedRequests(t *testing.T) {
	s := odootest.New(odootest.Options{Version: 19, Control: true})
	o := s.Options()
	for _, path := range []string{"/", "/xmlrpc/2/common", "/xmlrpc/2/object", "/json/2", "/json/2/stock.picking/search_read", "/json/2/a/b/c", "/_control/down"} {
		for _, body := range malformed {
			for _, method := range []string{"POST", "GET"} {
				r := httptest.NewRequest(method, path, strings.NewReader(body))
				r.Header.Set("Content-Type", "application/json")
				r.Header.Set("Authorization", "bearer "+o.Key)
				w := httptest.NewRecorder()
				s.ServeHTTP(w, r)
				if w.Code == 0 {
					t.Errorf("%s %s %q: no status", method, path, body)
				}
			}
		}
	}
}

var malformed = []string{
	"", "null", "[]", "{", `{"domain":5}`, `{"domain":["|"]}`, `{"domain":[["id","=",1,2]]}`, `{"domain":[[1,2,3]]}`, `{"domain":[["note","~",1]]}`,
	`{"ids":"x"}`, `{"ids":[1.5]}`, `{"ids":[1e400]}`, `{"fields":{}}`, `{"fields":[1]}`, `{"limit":"x","offset":-5}`, `{"context":7}`, `{"order":"name"}`,
	"<methodCall/>", "<methodCall><methodName>execute_kw</methodName><params></params></methodCall>", "<a><b></a>",
	"<methodCall><methodName>authenticate</methodName><params><param><value><nil/></value></param></params></methodCall>",
	"<!DOCTYPE x [<!ENTITY a 'b'>]><methodCall><methodName>&a;</methodName></methodCall>",
	"<methodCall><methodName>x</methodName><params><param>" + strings.Repeat("<value><array><data>", 5000),
}

func FuzzRequests(f *testing.F) {
	for _, b := range malformed {
		f.Add("/xmlrpc/2/object", []byte(b))
		f.Add("/json/2/stock.picking/search_read", []byte(b))
	}
	s := odootest.New(odootest.Options{Version: 19})
	key := s.Options().Key
	f.Add("/xmlrpc/2/object", []byte("<methodCall><methodName>execute_kw</methodName><params><param><value><string>odoo</string></value></param><param><value><int>2</int></value></param><param><value><string>"+key+"</string></value></param><param><value><string>stock.picking</string></value></param><param><value><string>create</string></value></param><param><value><array><data><value><struct><member><name>name</name><value><string>a</string></value></member></struct></value></data></array></value></param></params></methodCall>"))
	f.Add("/json/2/stock.picking/write", []byte(`{"ids":[1],"vals":{"move_line_ids":[[0,0,{"product_id":1,"quantity":1.5}],[2,1,0]]}}`))
	f.Add("/json/2/stock.move/create", []byte(`{"vals_list":[{"product_id":1,"location_id":1,"location_dest_id":2,"product_uom_qty":3}]}`))
	f.Fuzz(func(t *testing.T, path string, body []byte) {
		if !strings.HasPrefix(path, "/json/2/") {
			path = "/xmlrpc/2/object"
		}
		r := httptest.NewRequest("POST", "/", bytes.NewReader(body))
		r.URL.Path = path
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "bearer "+key)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
	})
}

func TestManyAtOnce(t *testing.T) {
	s, _, c := connect(t, odootest.Options{Version: 18}, odoo.XMLRPC)
	b := seed(t, s, c, odootest.Product{Name: "Ibuprofen"})
	const writers, each = 8, 20
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			for j := range each {
				v, err := b.dispense(t, c, fmt.Sprintf("D/%d/%d", i, j), odoo.NewMove{ProductID: b.product, Quantity: 2})
				if err != nil || !v.Done() {
					t.Errorf("%+v, %v", v, err)
					return
				}
			}
		})
	}
	wg.Wait()
	got, err := c.Stock(t.Context(), b.StockID)
	if err != nil || len(got) != 1 || got[0].Quantity != -2*writers*each {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestCostsAreCounted(t *testing.T) {
	costs := odootest.MeasuredCosts()
	spend := func(documents, lines int) odootest.Spent {
		s, _, c := connect(t, odootest.Options{Version: 18, Costs: costs}, odoo.XMLRPC)
		b := seed(t, s, c, odootest.Product{Name: "Ibuprofen"})
		s.ResetSpent()
		for i := range documents {
			moves := make([]odoo.NewMove, lines)
			for j := range moves {
				moves[j] = odoo.NewMove{ProductID: b.product, Quantity: 1}
			}
			if _, err := b.dispense(t, c, fmt.Sprint("D", i), moves...); err != nil {
				t.Fatal(err)
			}
		}
		return s.Spent()
	}
	one, many := spend(1, 40), spend(40, 1)
	if one.Lines != 40 || many.Lines != 40 || one.Methods["stock.picking.button_validate"] != 1 || many.Methods["stock.picking.button_validate"] != 40 {
		t.Errorf("%+v\n%+v", one, many)
	}
	// As measured: about a tenth for one document of many lines.
	if ratio := many.Time.Seconds() / one.Time.Seconds(); ratio < 5 || ratio > 20 {
		t.Errorf("one document %v, one a movement %v", one.Time, many.Time)
	}
	if want := time.Duration(one.Calls)*costs.Call + 40*costs.Line + costs.Picking; one.Time != want {
		t.Errorf("%v, want %v", one.Time, want)
	}
}

func BenchmarkDispense(b *testing.B) {
	s, _, c := connect(b, odootest.Options{Version: 19}, odoo.XMLRPC)
	br := seed(b, s, c, odootest.Product{Name: "Ibuprofen"})
	products := make([]int64, 170)
	for i := range products {
		var err error
		if products[i], err = s.AddProduct(odootest.Product{Name: fmt.Sprint("P", i)}); err != nil {
			b.Fatal(err)
		}
	}
	n := 0
	for b.Loop() {
		moves := make([]odoo.NewMove, len(products))
		for i, p := range products {
			moves[i] = odoo.NewMove{ProductID: p, Quantity: 1}
		}
		if _, err := br.dispense(b, c, fmt.Sprint("D", n), moves...); err != nil {
			b.Fatal(err)
		}
		n++
	}
	b.ReportMetric(float64(n*len(products))/b.Elapsed().Seconds(), "movements/s")
}
