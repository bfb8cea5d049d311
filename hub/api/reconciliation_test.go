package api_test

import (
	"bytes"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"branchline/hub/access"
)

func TestReconciliationForPrograms(t *testing.T) {
	c := newCaller(t)
	c.Reconcile()
	c.Add("ann", access.Operator)
	see, decide := c.Token("ann", access.See), c.Token("ann", access.Decide)
	const list, one = "/api/v1/reconciliation", "/api/v1/reconciliation/{branch}"
	for path, want := range map[string][]string{
		list:           {`"state":"otherwise"`, `"state":"equal"`, `"state":"never"`, `"missing":374`, `"waiting":"Odoo is not asked now: it did not answer"`, `"queued":1`},
		list + "/BR01": {`"what":"cancelled"`, `"odoo_id":13`, `"difference":"-8"`, `"who":"Marc Demo","document":"WH/OUT/00031"`, `"ours":true`, `"accepted_by":"pia"`},
		list + "/BR02": {`"stock_not_compared":"the hub knows no warehouse`, `"records":[]`},
		list + "/BR03": {`"days":[]`, `"state":"never"`},
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

	post := func(token, path, template, body string) (int, string) {
		req, err := http.NewRequestWithContext(t.Context(), "POST", c.url+path, strings.NewReader(body))
		c.Must(err)
		req.Header.Set("Authorization", "Bearer "+token)
		res, err := http.DefaultClient.Do(req)
		c.Must(err)
		defer res.Body.Close()
		var got bytes.Buffer
		_, err = got.ReadFrom(res.Body)
		c.Must(err)
		if res.StatusCode == 200 {
			c.check(got.Bytes(), "paths", template, "post", "responses", "200", "content", "application/json", "schema")
		} else {
			c.check(got.Bytes(), "components", "schemas", "Error")
		}
		return res.StatusCode, got.String()
	}
	ask := func(body string) (int, string) { return post(decide, list, list, body) }
	for body, want := range map[string]string{`{"branch":"BR01"}`: `200 {"queued":1}`, "": `200 {"queued":3}`, `{"branch":"NONE"}`: "404 ", "nonsense": "400 ", `{"branch":"` + strings.Repeat("x", 2000) + `"}`: "400 "} {
		status, got := ask(body)
		if !strings.HasPrefix(strings.Join([]string{strconv.Itoa(status), got}, " "), want) {
			t.Errorf("%.40q: %d %s", body, status, got)
		}
	}
	queue, err := c.Ledger.ReconcileQueue(t.Context())
	c.Must(err)
	if len(queue) != 3 || !strings.HasPrefix(queue[0].Who, "ann (token") {
		t.Errorf("%+v", queue)
	}

	c.Add("pia", access.Approver)
	approve := c.Token("pia", access.Approve)
	accept := func(token, branch, body string) string {
		status, got := post(token, list+"/"+branch+"/accept", one+"/accept", body)
		return strconv.Itoa(status) + " " + got
	}
	const right = `{"posting":"BL/BR01/aaaa/B1-402/9f2c41d0","what":"gone","text":"it is no longer in Odoo","why":"a duplicate"}`
	for _, x := range []struct{ token, branch, body, want string }{
		{decide, "BR01", right, "403 "}, {approve, "NONE", right, "404 "}, {approve, "BR02", right, "409 "}, {approve, "BR01", strings.Replace(right, "a duplicate", " ", 1), "409 "},
		{approve, "BR01", strings.Replace(right, "gone", "", 1), "400 "}, {approve, "BR01", right, `200 {"queued":1}`}, {approve, "BR01", right, `200 {"queued":1}`},
	} {
		if got := accept(x.token, x.branch, x.body); !strings.HasPrefix(got, x.want) {
			t.Errorf("%s %s: %s", x.branch, x.body, got)
		}
	}
}
