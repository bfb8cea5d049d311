package api_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"branchline/hub/access"
)

// post asks with a body, which the description must allow where it is well
// answered, wants the status, and checks the answer.
func (c *caller) post(token, path, template, body string, status int) []byte {
	c.t.Helper()
	got, answer := c.send(token, path, body)
	if got != status {
		c.t.Fatalf("%s %s: %d %s, want %d", path, body, got, answer, status)
	}
	if status != 200 {
		c.check(answer, "components", "schemas", "Error")
		return answer
	}
	op := c.doc["paths"].(map[string]any)[template].(map[string]any)["post"].(map[string]any)
	place := func(v any, otherwise ...string) []string {
		if ref, ok := v.(map[string]any)["$ref"].(string); ok {
			return append(strings.Split(strings.TrimPrefix(ref, "#/"), "/"), "content", "application/json", "schema")
		}
		return append(otherwise, "content", "application/json", "schema")
	}
	c.check([]byte(body), place(op["requestBody"], "paths", template, "post", "requestBody")...)
	c.check(answer, place(op["responses"].(map[string]any)["200"], "paths", template, "post", "responses", "200")...)
	return answer
}

func TestExceptionsForPrograms(t *testing.T) {
	c := newCaller(t)
	names := c.FillWaiting()
	c.SecondPerson = []string{"discard"}
	c.Add("olga", access.Operator)
	c.Add("anna", access.Approver)
	c.Add("ben", access.Approver)
	see, decide := c.Token("olga", access.See), c.Token("olga", access.Decide)
	anna, ben := c.Token("anna", access.See, access.Approve), c.Token("ben", access.Approve)
	const list = "/api/v1/exceptions"

	var ids []string
	for cursor, n := "", 0; n < 10; n++ {
		var page struct {
			Reasons    []struct{ Reason string }
			Exceptions []struct {
				ID, Reason, Raw string
				Remedies        []string
			}
			Next string
		}
		c.Must(json.Unmarshal(c.get(see, list+"?limit=2&cursor="+cursor, list, 200), &page))
		if len(page.Reasons) != 4 {
			t.Errorf("%d reasons", len(page.Reasons))
		}
		for _, e := range page.Exceptions {
			ids = append(ids, e.ID)
		}
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	if len(ids) != 6 {
		t.Errorf("by pages: %v", ids)
	}
	body := func(movement, rest string) string {
		return `{"movements":["` + movement + `"],"why":"seen"` + rest + `}`
	}
	for _, bad := range []string{"", "[]", `{"movements":[],"why":"x"}`, `{"movements":["x"],"why":"x"}`, `{"sudo":true}`, body(names[0].String(), `,"shown":[]`), strings.Repeat(" ", 1<<20) + body(names[0].String(), "")} {
		if status, _ := c.send(decide, list+"/retry", bad); status != 400 && status != 404 && status != 409 {
			t.Errorf("%.60q: %d", bad, status)
		}
	}
	c.post(decide, list+"/retry", list+"/retry", `{"movements":["`+names[0].String()+`"],"shown":["unknown_product"],"why":"mended in Odoo"}`, 200)
	c.post(decide, "/api/v1/aliases", "/api/v1/aliases", `{"scheme":"gtin","code":"14012345678908","product":"ASP-500","why":"the case of it"}`, 200)
	c.post(decide, "/api/v1/aliases", "", `{"scheme":"gtin","code":"04012345678901","product":"ASP-500","overrule":true,"why":"x"}`, 403)
	c.post(decide, list+"/correct", list+"/correct", `{"movement":"`+names[4].String()+`","fields":{"quantity":"1"},"why":"asked"}`, 200)
	c.post(decide, list+"/correct", "", `{"movement":"`+names[3].String()+`","fields":{"scheme":"sku","code":"IBU-400"},"why":"asked"}`, 403)
	c.post(decide, list+"/release", "", body(names[5].String(), ""), 403)
	c.post(anna, list+"/release", list+"/release", body(names[5].String(), ""), 200)

	var decided struct{ Done, Of, Proposal int }
	c.Must(json.Unmarshal(c.post(anna, list+"/discard", list+"/discard", body(names[3].String(), ""), 200), &decided))
	if decided.Proposal != 1 || decided.Done != 0 {
		t.Errorf("%+v", decided)
	}
	c.get(anna, "/api/v1/proposals", "/api/v1/proposals", 200)
	const confirm = "/api/v1/proposals/{id}/confirm"
	c.post(anna, "/api/v1/proposals/1/confirm", "", `{"why":"sure"}`, 409)
	c.post(ben, "/api/v1/proposals/1/confirm", confirm, `{"why":"seen"}`, 200)
	c.post(ben, "/api/v1/proposals/1/decline", "", `{"why":"no"}`, 409)
	c.post(ben, "/api/v1/proposals/9/decline", "", `{"why":"no"}`, 404)
	c.post(ben, "/api/v1/proposals/x/decline", "", `{"why":"no"}`, 400)
}

func TestPostingsForPrograms(t *testing.T) {
	c := newCaller(t)
	c.Fill()
	c.FillWaiting()
	c.Add("olga", access.Operator)
	token := c.Token("olga", access.See, access.Decide)
	const list, one = "/api/v1/postings", "/api/v1/postings/{name}"
	var page struct {
		Postings []struct{ Name, State, Odoo_name string }
		Next     string
	}
	c.Must(json.Unmarshal(c.get(token, list+"?limit=1", list, 200), &page))
	if len(page.Postings) != 1 || page.Postings[0].State != "planned" || page.Next == "" {
		t.Fatalf("%+v", page)
	}
	name := url.PathEscape(page.Postings[0].Name)
	var next struct{ Postings []struct{ Odoo_name string } }
	c.Must(json.Unmarshal(c.get(token, list+"?limit=1&cursor="+page.Next, list, 200), &next))
	if len(next.Postings) != 1 || next.Postings[0].Odoo_name != "WH/IN/00012" {
		t.Errorf("%+v", next)
	}
	c.get(token, list+"?state=lost", "", 400)
	c.get(token, list+"/"+name, one, 200)
	c.get(token, list+"/BL%2Fnone", "", 404)
	c.post(token, list+"/"+name+"/try", one+"/try", `{"why":"Odoo is back"}`, 200)
	c.post(token, list+"/"+name+"/plan", one+"/plan", `{"why":"the lot was mended"}`, 200)
	c.post(token, list+"/"+name+"/plan", "", `{"why":"again"}`, 409)
	c.post(token, list+"/"+name+"/try", "", `{"why":""}`, 409)
}
