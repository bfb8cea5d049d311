package odoo_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"branchline/internal/fault"
	"branchline/internal/odoo"
	"branchline/internal/odoo/odootest"
)

// simulated makes a server and a client of one transport.
func simulated(t *testing.T, version int, transport odoo.Transport, watch func(stage odootest.Stage, model, method string)) (*odootest.Server, *odoo.Client) {
	t.Helper()
	s, url := odootest.Start(t, odootest.Options{Version: version, Watch: watch})
	o := s.Options()
	c := client(t, odoo.Config{URL: url, DB: o.DB, User: o.User, Key: odoo.Key(o.Key), Transport: transport})
	if _, err := c.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s, c
}

var transports = map[odoo.Transport]int{odoo.XMLRPC: 17, odoo.JSON2: 19}

func TestFailures(t *testing.T) {
	cases := map[odootest.Kind]struct {
		class   fault.Class
		code    string
		unknown bool
		done    bool
		// giveUp is when the client stops waiting, for kinds that do not answer.
		giveUp odootest.Stage
	}{
		odootest.Lost:          {fault.Transient, odoo.CodeAway, true, true, ""},
		odootest.HangAfter:     {fault.Transient, odoo.CodeAway, true, true, odootest.Worked},
		odootest.Late:          {fault.Transient, odoo.CodeAway, true, true, odootest.Worked},
		odootest.GatewayAfter:  {fault.Transient, odoo.CodeAway, true, true, ""},
		odootest.Dropped:       {fault.Transient, odoo.CodeAway, true, false, ""},
		odootest.Hang:          {fault.Transient, odoo.CodeAway, true, false, odootest.Arrived},
		odootest.Gateway:       {fault.Transient, odoo.CodeAway, true, false, ""},
		odootest.Serialization: {fault.Transient, odoo.CodeBusy, false, false, ""},
		odootest.Outage:        {fault.Transient, odoo.CodeAway, false, false, ""},
		odootest.Refusal:       {fault.Data, odoo.CodeRefused, false, false, ""},
	}
	for transport, version := range transports {
		for kind, want := range cases {
			t.Run(string(transport)+" "+string(kind), func(t *testing.T) {
				t.Parallel()
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				s, c := simulated(t, version, transport, func(stage odootest.Stage, model, method string) {
					if model == "res.partner" && stage == want.giveUp {
						cancel()
					}
				})
				s.Cause(odootest.Mischief{Kind: kind, Model: "res.partner", Method: "create", Count: 1, Delay: time.Hour, Words: "No."})
				_, err := c.Create(ctx, "res.partner", map[string]any{"name": "Wholesaler"})
				if fault.ClassOf(err) != want.class || fault.CodeOf(err) != want.code || odoo.Unknown(err) != want.unknown {
					t.Fatalf("class %v, code %s, unknown %v: %v", fault.ClassOf(err), fault.CodeOf(err), odoo.Unknown(err), err)
				}
				rows, err := c.SearchRead(t.Context(), "res.partner", odoo.Query{Domain: odoo.Domain{odoo.Where("name", "=", "Wholesaler")}, Fields: []string{"name"}})
				if err != nil {
					t.Fatalf("the next call: %v", err)
				}
				if done := len(rows) == 1; done != want.done {
					t.Errorf("done: %v", done)
				}
				if n := s.Hits()[kind]; n != 1 {
					t.Errorf("%d calls were hit", n)
				}
			})
		}
	}
}

// Odoo does not notice that its client has gone.
func TestSlowIsStillDone(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	worked := make(chan struct{})
	s, c := simulated(t, 18, odoo.XMLRPC, func(stage odootest.Stage, model, method string) {
		switch {
		case method == "create" && stage == odootest.Arrived:
			cancel()
		case method == "create":
			close(worked)
		}
	})
	s.Cause(odootest.Mischief{Kind: odootest.Slow, Method: "create", Count: 1, Delay: 100 * time.Millisecond})
	if _, err := c.Create(ctx, "res.partner", map[string]any{"name": "Late"}); !odoo.Unknown(err) {
		t.Fatalf("%v", err)
	}
	select {
	case <-worked:
	case <-time.After(time.Minute):
		t.Fatal("the work was never done")
	}
	rows, err := c.SearchRead(t.Context(), "res.partner", odoo.Query{Domain: odoo.Domain{odoo.Where("name", "=", "Late")}, Fields: []string{"name"}})
	if err != nil || len(rows) != 1 {
		t.Errorf("%v, %v", rows, err)
	}
}

func TestDown(t *testing.T) {
	for transport, version := range transports {
		t.Run(string(transport), func(t *testing.T) {
			s, c := simulated(t, version, transport, nil)
			s.Down()
			c.Close() // a connection that was open might take the call with it
			_, err := c.Warehouses(t.Context())
			refused(t, err, fault.Transient, odoo.CodeAway) // and surely not done
			if err := s.Up(); err != nil {
				t.Fatal(err)
			}
			if w, err := c.Warehouses(t.Context()); err != nil || len(w) != 1 {
				t.Errorf("up again: %v, %v", w, err)
			}
		})
	}
}

func TestGivenUp(t *testing.T) {
	hang := odootest.Mischief{Kind: odootest.Hang, Method: "search_read", Count: 1}
	t.Run("before it was sent", func(t *testing.T) {
		_, c := simulated(t, 17, odoo.XMLRPC, nil)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := c.Warehouses(ctx)
		refused(t, err, fault.Transient, odoo.CodeAway)
	})
	t.Run("while Odoo is at work", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		s, c := simulated(t, 17, odoo.XMLRPC, func(_ odootest.Stage, _, method string) {
			if method == "search_read" {
				cancel()
			}
		})
		s.Cause(hang)
		_, err := c.Warehouses(ctx)
		if fault.ClassOf(err) != fault.Transient || !odoo.Unknown(err) {
			t.Errorf("%v", err)
		}
	})
	t.Run("at the time limit of the configuration", func(t *testing.T) {
		s, url := odootest.Start(t, odootest.Options{})
		o := s.Options()
		s.Cause(odootest.Mischief{Kind: odootest.Hang})
		c := client(t, odoo.Config{URL: url, DB: o.DB, Key: odoo.Key(o.Key), Transport: odoo.JSON2, Timeout: 50 * time.Millisecond})
		_, err := c.Warehouses(t.Context())
		refused(t, err, fault.Transient, odoo.CodeAway) // only the sign-in was sent
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
	})
}

// A server that is not Odoo, or not as it should be.
func TestStrangeServers(t *testing.T) {
	long := strings.Repeat("x", 200<<10)
	ok := "<?xml version='1.0'?><methodResponse><params><param><value>%s</value></param></params></methodResponse>"
	cases := map[string]struct {
		status  int
		kind    string
		body    string
		header  string
		class   fault.Class
		code    string
		unknown bool
	}{
		"a portal's page":          {200, "text/html", "<html><h1>Log in to the guest network</h1></html>", "", fault.Transient, odoo.CodeAway, true},
		"a proxy that gave up":     {504, "text/html", "<html>Gateway Time-out</html>", "", fault.Transient, odoo.CodeAway, true},
		"maintenance":              {503, "text/html", "<html>Back soon</html>", "", fault.Transient, odoo.CodeAway, true},
		"too many calls":           {429, "text/plain", "slow down", "", fault.Transient, odoo.CodeAway, false},
		"no Odoo here":             {404, "text/html", "<html>Not Found</html>", "", fault.Setup, odoo.CodeAddress, false},
		"an address that moved":    {301, "text/html", "", "https://elsewhere.example", fault.Setup, odoo.CodeAddress, false},
		"a proxy with a login":     {401, "text/html", "", "", fault.Setup, odoo.CodeDenied, false},
		"a proxy with a low limit": {413, "text/html", "", "", fault.Setup, odoo.CodeAddress, false},
		"an answer too large":      {200, "text/xml", strings.Replace(ok, "%s", "<string>"+long+"</string>", 1), "", fault.Defect, odoo.CodeTooLarge, true},
		"an answer cut short":      {200, "text/xml", strings.Replace(ok, "%s", "<int>1</int>", 1)[:80], "", fault.Transient, odoo.CodeAway, true},
		"an empty answer":          {200, "text/xml", "", "", fault.Transient, odoo.CodeAway, true},
		"a page called XML":        {200, "text/xml", "<html><body>Oops</body></html>", "", fault.Transient, odoo.CodeAway, true},
		"no rows":                  {200, "text/xml", strings.Replace(ok, "%s", "<int>1</int>", 1), "", fault.Defect, odoo.CodeDefect, true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.HasSuffix(r.URL.Path, "/common") {
					w.Header().Set("Content-Type", "text/xml")
					_, _ = w.Write([]byte(strings.Replace(ok, "%s", "<int>2</int>", 1)))
					return
				}
				w.Header().Set("Content-Type", c.kind)
				if c.header != "" {
					w.Header().Set("Location", c.header)
				}
				w.WriteHeader(c.status)
				_, _ = w.Write([]byte(c.body))
			}))
			t.Cleanup(s.Close)
			cl := client(t, odoo.Config{URL: s.URL, DB: "d", User: "u", Key: "some-key", Transport: odoo.XMLRPC, MaxResponse: 64 << 10})
			_, err := cl.Warehouses(t.Context())
			if fault.ClassOf(err) != c.class || fault.CodeOf(err) != c.code || odoo.Unknown(err) != c.unknown {
				t.Errorf("class %v, code %s, unknown %v: %v", fault.ClassOf(err), fault.CodeOf(err), odoo.Unknown(err), err)
			}
		})
	}
}

// Odoo says that it cannot say None only after it has committed.
func TestNothingToSayIsDone(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/xml")
		v := "<params><param><value><int>2</int></value></param></params>"
		if strings.HasSuffix(r.URL.Path, "/object") {
			v = "<fault><value><struct><member><name>faultCode</name><value><int>1</int></value></member><member><name>faultString</name><value><string>TypeError: cannot marshal None unless allow_none is enabled</string></value></member></struct></value></fault>"
		}
		_, _ = w.Write([]byte("<?xml version='1.0'?>\n<methodResponse>\n" + v + "\n</methodResponse>\n"))
	}))
	t.Cleanup(s.Close)
	c := client(t, odoo.Config{URL: s.URL, DB: "d", User: "u", Key: "some-key", Transport: odoo.XMLRPC})
	v, err := c.Call(t.Context(), "stock.picking", "action_nothing", odoo.Args{IDs: []int64{1}})
	if v != nil || err != nil {
		t.Errorf("%v, %v", v, err)
	}
}

func TestAutoChooses(t *testing.T) {
	for version, want := range map[int]odoo.Transport{17: odoo.XMLRPC, 18: odoo.XMLRPC, 19: odoo.JSON2} {
		s, url := odootest.Start(t, odootest.Options{Version: version})
		o := s.Options()
		c := client(t, odoo.Config{URL: url + "/", DB: o.DB, User: o.User, Key: odoo.Key(o.Key)})
		if got, err := c.Connect(t.Context()); err != nil || got != want {
			t.Errorf("%d: %s, %v", version, got, err)
		}
	}
	t.Run("XML-RPC where JSON-2 does not take the password", func(t *testing.T) {
		s := odootest.New(odootest.Options{Version: 19})
		web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, "/json/") {
				r.Header.Del("Authorization")
			}
			s.ServeHTTP(w, r)
		}))
		t.Cleanup(web.Close)
		o := s.Options()
		c := client(t, odoo.Config{URL: web.URL, DB: o.DB, User: o.User, Key: odoo.Key(o.Key)})
		if got, err := c.Connect(t.Context()); err != nil || got != odoo.XMLRPC {
			t.Errorf("%s, %v", got, err)
		}
	})
}

func TestConnectOnceForAll(t *testing.T) {
	s, url := odootest.Start(t, odootest.Options{Version: 17})
	o := s.Options()
	var signIns, calls atomic.Int64
	c := client(t, odoo.Config{URL: url, DB: o.DB, User: o.User, Key: odoo.Key(o.Key), Observe: func(model, method string, took time.Duration, err error) {
		if method == "authenticate" {
			signIns.Add(1)
		}
		if took <= 0 || err != nil {
			t.Errorf("%s.%s took %v, %v", model, method, took, err)
		}
		calls.Add(1)
	}})
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			if _, err := c.Warehouses(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	// version, authenticate, and the sixteen
	if signIns.Load() != 1 || calls.Load() != 18 {
		t.Errorf("%d sign-ins among %d calls", signIns.Load(), calls.Load())
	}
}

func TestPaging(t *testing.T) {
	_, c := simulated(t, 19, odoo.JSON2, nil)
	values := make([]map[string]any, 4100)
	for i := range values {
		values[i] = map[string]any{"name": "Partner"}
	}
	ids, err := c.Create(t.Context(), "res.partner", values...)
	if err != nil {
		t.Fatal(err)
	}
	q := odoo.Query{Domain: odoo.Domain{odoo.Or, odoo.Where("name", "=", "Partner"), odoo.Where("name", "=", "nobody")}, Fields: []string{"name"}}
	for _, limit := range []int{0, 1999, 2000, 2001, 9000} {
		q.Limit = limit
		rows, err := c.SearchRead(t.Context(), "res.partner", q)
		want := len(ids)
		if limit > 0 {
			want = min(want, limit)
		}
		if err != nil || len(rows) != want {
			t.Fatalf("limit %d: %d rows, %v", limit, len(rows), err)
		}
		for i, r := range rows {
			if r.ID() != ids[i] {
				t.Fatalf("row %d is %d, want %d", i, r.ID(), ids[i])
			}
		}
	}
	rows, err := c.Read(t.Context(), "res.partner", ids, "name")
	if err != nil || len(rows) != len(ids) {
		t.Errorf("%d rows, %v", len(rows), err)
	}
}

func TestStockIsSummed(t *testing.T) {
	s, url := odootest.Start(t, odootest.Options{Version: 18, SplitQuants: true})
	o := s.Options()
	c := client(t, odoo.Config{URL: url, DB: o.DB, User: o.User, Key: odoo.Key(o.Key)})
	b, err := s.AddBranch("B7", "Branch 7")
	must(t, err)
	p, err := s.AddProduct(odootest.Product{Name: "Paracetamol", Tracking: "lot"})
	must(t, err)
	for i, q := range []float64{5, 9, 2.5, 7} {
		must(t, s.SetStock(b, p, "L1", q))
		rows, err := c.SearchRead(t.Context(), "stock.quant", odoo.Query{Domain: odoo.Domain{odoo.Where("location_id", "=", b.StockID)}, Fields: []string{"quantity"}})
		must(t, err)
		if i == 3 && len(rows) < 2 {
			t.Fatalf("only %d rows: nothing to sum", len(rows))
		}
		got, err := c.Stock(t.Context(), b.StockID)
		if err != nil || len(got) != 1 || got[0].Quantity != q || got[0].LotName != "L1" {
			t.Fatalf("%+v, %v; want %v", got, err, q)
		}
	}
}
