package api_test

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"branchline/hub/access"
	"branchline/hub/api"
	"branchline/hub/room/roomtest"
)

// caller is a program that asks the API, and holds every answer against the
// description.
type caller struct {
	*roomtest.Desk
	t      *testing.T
	api    *api.API
	url    string
	doc    map[string]any
	schema *jsonschema.Compiler
}

func newCaller(t *testing.T) *caller {
	t.Helper()
	c := &caller{Desk: roomtest.New(t), t: t}
	var err error
	c.api, err = api.New(api.Options{Room: c.Desk, Access: c.Access, Log: c.Log})
	c.Must(err)
	server := httptest.NewServer(c.api)
	t.Cleanup(server.Close)
	c.url = server.URL
	_, body, _ := c.ask("", "GET", "/api/v1/openapi.json")
	c.Must(json.Unmarshal(body, &c.doc))
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	c.Must(err)
	c.schema = jsonschema.NewCompiler()
	c.schema.AssertFormat()
	c.Must(c.schema.AddResource("api.json", parsed))
	return c
}

func (c *caller) ask(token, method, path string) (status int, body []byte, header http.Header) {
	c.t.Helper()
	return c.request(token, method, path, nil)
}

// send posts a body.
func (c *caller) send(token, path, text string) (status int, body []byte) {
	c.t.Helper()
	status, body, _ = c.request(token, "POST", path, strings.NewReader(text))
	return status, body
}

func (c *caller) request(token, method, path string, text io.Reader) (status int, body []byte, header http.Header) {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), method, c.url+path, text)
	c.Must(err)
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := http.DefaultClient.Do(req)
	c.Must(err)
	defer res.Body.Close()
	body, err = io.ReadAll(res.Body)
	c.Must(err)
	return res.StatusCode, body, res.Header
}

// check holds a JSON text against a place in the description.
func (c *caller) check(body []byte, place ...string) {
	c.t.Helper()
	pointer := "api.json#"
	for _, p := range place {
		pointer += "/" + strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D").Replace(p)
	}
	schema, err := c.schema.Compile(pointer)
	c.Must(err)
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	c.Must(err)
	if err := schema.Validate(v); err != nil {
		c.t.Errorf("%v\n%s", err, body)
	}
}

// get asks, wants the status, and checks the answer.
func (c *caller) get(token, path, template string, status int) []byte {
	c.t.Helper()
	got, body, _ := c.ask(token, "GET", path)
	if got != status {
		c.t.Fatalf("%s: %d %s, want %d", path, got, body, status)
	}
	if status != 200 {
		c.check(body, "components", "schemas", "Error")
	} else {
		c.check(body, "paths", template, "get", "responses", "200", "content", "application/json", "schema")
	}
	return body
}

func TestTheDescriptionIsOfTheRoutes(t *testing.T) {
	c := newCaller(t)
	var described, routed []string
	for path, methods := range c.doc["paths"].(map[string]any) {
		for method, op := range methods.(map[string]any) {
			needs, _ := op.(map[string]any)["x-needs"].(string)
			described = append(described, strings.ToUpper(method)+" "+path+" "+needs)
		}
	}
	for _, r := range c.api.Routes() {
		if r.Pattern == "/api/" {
			continue
		}
		needs := string(r.Needs)
		if r.Needs == access.Anyone {
			needs = ""
		}
		routed = append(routed, r.Pattern+" "+needs)
	}
	slices.Sort(described)
	slices.Sort(routed)
	if strings.Join(described, "\n") != strings.Join(routed, "\n") {
		t.Errorf("described:\n%s\nrouted:\n%s", strings.Join(described, "\n"), strings.Join(routed, "\n"))
	}
}

func TestNobodyGetsInWithoutTheScope(t *testing.T) {
	c := newCaller(t)
	c.Add("otto", access.Auditor)
	tokens := map[string]string{"": "", "foreign": "blt_AAAAAAAAAAAAAAAAAAAAAAAAAA", "see": c.Token("otto", access.See), "audit": c.Token("otto", access.Audit), "metrics": c.Token("otto", access.Metrics)}
	for _, r := range c.api.Routes() {
		if r.Needs == access.Anyone {
			continue
		}
		method, path, _ := strings.Cut(r.Pattern, " ")
		path = strings.NewReplacer("{branch}", "BR01", "{epoch}", roomtest.Epoch, "{lane}", "bulk", "{seq}", "1", "{id}", "1", "{name}", "BL%2Fx", "{code}", "BR01").Replace(path)
		for name, token := range tokens {
			if name == string(r.Needs) {
				continue
			}
			want := http.StatusForbidden
			if name == "" || name == "foreign" {
				want = http.StatusUnauthorized
			}
			status, body, _ := c.ask(token, method, path)
			if status != want {
				t.Errorf("%s with the token %q: %d, want %d", r.Pattern, name, status, want)
			}
			c.check(body, "components", "schemas", "Error")
		}
	}
}

func TestMovementsByPagesAndTheirWay(t *testing.T) {
	c := newCaller(t)
	c.Fill()
	c.Add("ann", access.Operator)
	see := c.Token("ann", access.See)
	const list = "/api/v1/movements"
	var ids []string
	for cursor, n := "", 0; n < 10; n++ {
		var page struct {
			Movements []struct{ ID, State, Product, Quantity string }
			Next      string
		}
		c.Must(json.Unmarshal(c.get(see, list+"?lot=A7701&limit=2&cursor="+cursor, list, 200), &page))
		for _, m := range page.Movements {
			ids = append(ids, m.ID)
		}
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	if len(ids) != 4 || len(slices.Compact(slices.Sorted(slices.Values(ids)))) != 4 {
		t.Errorf("by pages: %v", ids)
	}
	const one = list + "/{branch}/{epoch}/{lane}/{seq}"
	body := c.get(see, list+"/BR01/"+roomtest.Epoch+"/bulk/1", one, 200)
	for _, want := range []string{`"odoo_name":"WH/IN/00012"`, `"what":"Validated in Odoo"`, `"raw":"]d2`} {
		if !bytes.Contains(body, []byte(want)) {
			t.Errorf("no %s in %s", want, body)
		}
	}
	for path, status := range map[string]int{
		list: 400, list + "?branch=BR01&kind=theft": 400, list + "?branch=BR01&state=lost": 400, list + "?branch=BR01&limit=0": 400,
		list + "?branch=BR01&limit=1001": 400, list + "?branch=BR01&from=today": 400, list + "?branch=BR01&cursor=%21": 400,
		list + "?branch=BR01&cursor=e30": 400, list + "/BR01/" + roomtest.Epoch + "/bulk/99": 404, list + "/BR01/x/bulk/1": 400,
		"/api/v1/recall": 400, "/api/v1/none": 404, "/api/v1/feed/movements?format=xml": 400, "/api/v1/feed/movements?limit=x": 400,
	} {
		c.get(see, path, "", status)
	}
}

func TestARecallForPrograms(t *testing.T) {
	c := newCaller(t)
	c.Fill()
	c.Add("ann", access.Operator)
	var got struct {
		Lots []struct {
			Lot      string
			Asked    bool
			Waiting  int
			Products []struct {
				Branches    []struct{ Branch, On_hand string }
				Without_lot []struct{ Branch, Went_out string }
			}
		}
	}
	c.Must(json.Unmarshal(c.get(c.Token("ann", access.See), "/api/v1/recall?lot=A77-O1", "/api/v1/recall", 200), &got))
	if s := fmt.Sprint(got); s != "{[{A77-O1 true 1 [{[{BR01 10} {BR02 20}] [{BR01 1}]}]} {a7701 false 0 [{[{BR01 -2}] [{BR01 1}]}]}]}" {
		t.Error(s)
	}
}

func TestTheFeedGoesOnWhereItWas(t *testing.T) {
	c := newCaller(t)
	c.Fill()
	c.Add("ann", access.Operator)
	see := c.Token("ann", access.See)
	const feed = "/api/v1/feed/movements"
	var ids []string
	cursor := ""
	for range 10 {
		status, body, header := c.ask(see, "GET", feed+"?limit=2&cursor="+cursor)
		if status != 200 {
			t.Fatal(status, string(body))
		}
		for lines := bufio.NewScanner(bytes.NewReader(body)); lines.Scan(); {
			c.check(lines.Bytes(), "paths", feed, "get", "responses", "200", "content", "application/x-ndjson", "schema")
			var m struct{ ID, Cursor string }
			c.Must(json.Unmarshal(lines.Bytes(), &m))
			ids, cursor = append(ids, m.ID), m.Cursor
		}
		if header.Get("Branchline-Cursor") != cursor {
			t.Errorf("the header goes on at %q, the last line at %q", header.Get("Branchline-Cursor"), cursor)
		}
	}
	want := "BR01/aaaaaaaaaaaa/bulk/1 BR01/aaaaaaaaaaaa/bulk/2 BR01/aaaaaaaaaaaa/bulk/3 BR01/aaaaaaaaaaaa/bulk/4 BR02/aaaaaaaaaaaa/bulk/1"
	if got := strings.Join(ids, " "); got != want {
		t.Errorf("got %s", got)
	}
	_, body, header := c.ask(see, "GET", feed+"?format=csv")
	rows, err := csv.NewReader(bytes.NewReader(body)).ReadAll()
	if err != nil || len(rows) != 6 || !strings.HasPrefix(header.Get("Content-Type"), "text/csv") || rows[5][16] != cursor || rows[5][17] != "R7K2M9Q4X7/3" || rows[4][17] != "" {
		t.Errorf("%d rows, %v, %s", len(rows), err, body)
	}
}

func TestTheTrailForPrograms(t *testing.T) {
	c := newCaller(t)
	c.Add("otto", access.Auditor)
	audit := c.Token("otto", access.Audit)
	var page struct {
		Entries []struct {
			ID     int
			Action string
		}
		Next string
	}
	c.Must(json.Unmarshal(c.get(audit, "/api/v1/audit?limit=2", "/api/v1/audit", 200), &page))
	if len(page.Entries) != 2 || page.Entries[0].Action != "token made" || page.Next == "" {
		t.Errorf("%+v", page)
	}
	first := page.Entries[1].ID
	c.Must(json.Unmarshal(c.get(audit, "/api/v1/audit?limit=2&cursor="+page.Next, "/api/v1/audit", 200), &page))
	if page.Entries[0].ID != first-1 {
		t.Errorf("the next page begins with %d after %d", page.Entries[0].ID, first)
	}
	status, body, _ := c.ask(audit, "POST", "/api/v1/audit/verify")
	c.check(body, "paths", "/api/v1/audit/verify", "post", "responses", "200", "content", "application/json", "schema")
	if status != 200 || !bytes.Contains(body, []byte(`"whole":true`)) {
		t.Error(status, string(body))
	}
}
