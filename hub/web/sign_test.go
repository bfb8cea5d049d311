package web_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"branchline/hub/access"
)

// mayGo is who may go where; each route stands here, by hand.
var mayGo = map[string]string{
	"GET /":                                "operator approver it auditor",
	"GET /{$}":                             "operator approver it auditor",
	"GET /branches/{code}":                 "operator approver it auditor",
	"GET /events":                          "operator approver it auditor",
	"GET /me":                              "operator approver it auditor",
	"POST /sign-out":                       "operator approver it auditor",
	"POST /me/password":                    "operator approver it auditor",
	"POST /me/tokens":                      "operator approver it auditor",
	"POST /me/tokens/{id}/revoke":          "operator approver it auditor",
	"GET /sign-in":                         "nobody operator approver it auditor",
	"POST /sign-in":                        "nobody operator approver it auditor",
	"GET /sign-in/provider":                "nobody operator approver it auditor",
	"GET /sign-in/provider/back":           "nobody operator approver it auditor",
	"GET /alerts":                          "operator approver it auditor",
	"GET /paper":                           "operator approver it auditor",
	"GET /paper/print":                     "operator approver it auditor",
	"GET /trace":                           "operator approver it auditor",
	"GET /movements/{id...}":               "operator approver it auditor",
	"GET /recall":                          "operator approver it auditor",
	"GET /recall.csv":                      "operator approver it auditor",
	"GET /replenishment":                   "operator approver it auditor",
	"GET /replenishment.csv":               "operator approver it auditor",
	"GET /replenishment/{branch}":          "operator approver it auditor",
	"GET /transfers":                       "operator approver it auditor",
	"GET /transfers.csv":                   "operator approver it auditor",
	"GET /reconciliation":                  "operator approver it auditor",
	"GET /reconciliation.csv":              "operator approver it auditor",
	"POST /reconciliation":                 "operator approver",
	"POST /replenishment/{branch}/order":   "operator approver",
	"GET /reconciliation/{branch}":         "operator approver it auditor",
	"GET /reconciliation/{branch}/{table}": "operator approver it auditor",
	"POST /reconciliation/{branch}/stock":  "approver",
	"GET /reconciliation/{branch}/accept":  "approver",
	"POST /reconciliation/{branch}/accept": "approver",
	"GET /audit":                           "it auditor",
	"POST /audit/verify":                   "it auditor",
	"GET /audit.csv":                       "it auditor",
	"GET /audit.ndjson":                    "it auditor",
	"GET /people":                          "it",
	"POST /people":                         "it",
	"POST /people/{login}/roles":           "it",
	"POST /people/{login}/password":        "it",
	"POST /people/{login}/disable":         "it",
	"POST /people/{login}/enable":          "it",
	"GET /exceptions":                      "operator approver it auditor",
	"GET /exceptions/{id...}":              "operator approver it auditor",
	"POST /exceptions/retry":               "operator approver",
	"POST /exceptions/map":                 "operator approver",
	"POST /exceptions/correct":             "operator approver",
	"POST /exceptions/release":             "approver",
	"POST /exceptions/discard":             "approver",
	"GET /proposals/{id}":                  "operator approver it auditor",
	"POST /proposals/{id}/confirm":         "approver",
	"POST /proposals/{id}/decline":         "approver",
	"GET /postings":                        "operator approver it auditor",
	"GET /postings/{name...}":              "operator approver it auditor",
	"POST /postings/try":                   "operator approver",
	"POST /postings/plan":                  "operator approver",
}

// Every route keeps out those who have not signed in, and those without the role.
func TestEveryRouteKeepsOut(t *testing.T) {
	d := newDesk(t)
	for _, role := range access.Roles {
		d.Add(string(role), role)
	}
	var known []string
	for _, route := range d.site.Routes() {
		known = append(known, route.Pattern)
		may, ok := mayGo[route.Pattern]
		if !ok {
			t.Errorf("nobody has said who may go to %s", route.Pattern)
			continue
		}
		method, path, _ := strings.Cut(route.Pattern, " ")
		path = strings.NewReplacer("{$}", "", "{id...}", "BR01/aaaaaaaaaaaa/live/1", "{id}", "1", "{login}", "nobody-here", "{name...}", "BL/x", "{code}", "BR01").Replace(path)
		for _, role := range append([]access.Role{"nobody"}, access.Roles...) {
			b := d.browser()
			if role != "nobody" {
				b = d.as(string(role), good)
			}
			var status int
			var to string
			switch {
			case path == "/events" && strings.Contains(may, string(role)):
				continue // it never ends; the page's own test reads it
			case method == "GET":
				status, _, to = b.get(path)
			default:
				status, _, to = b.post(path, nil)
			}
			out := status == http.StatusForbidden || status == http.StatusUnauthorized && path != "/sign-in" || strings.HasPrefix(to, "/sign-in?")
			if in := slices.Contains(strings.Fields(may), string(role)); in == out {
				t.Errorf("%s as %s: status %d to %q", route.Pattern, role, status, to)
			}
		}
	}
	for pattern := range mayGo {
		if !slices.Contains(known, pattern) {
			t.Errorf("%s is no route any more", pattern)
		}
	}
}

func TestAPersonSignsInAndGoesOnWhereTheyWere(t *testing.T) {
	d := newDesk(t)
	d.Add("ann", access.Operator)
	b := d.browser()
	_, _, to := b.get("/?group=north")
	if to != "/sign-in?next=%2F%3Fgroup%3Dnorth" {
		t.Fatalf("sent to %q", to)
	}
	status, body, _ := b.post("/sign-in", url.Values{"login": {"ann"}, "password": {"wrong"}, "next": {"/?group=north"}})
	if status != http.StatusUnauthorized || !strings.Contains(body, "do not belong together") || !strings.Contains(body, `value="/?group=north"`) || strings.Contains(body, "wrong\"") && strings.Contains(body, `value="wrong"`) {
		t.Errorf("%d: %s", status, body)
	}
	_, _, to = b.post("/sign-in", url.Values{"login": {"ann"}, "password": {good}, "next": {"/?group=north"}})
	if to != "/?group=north" {
		t.Errorf("then sent to %q", to)
	}
	_, _, to = b.post("/sign-out", nil)
	if status, _, _ := b.get("/me"); to != "/sign-in" || status != http.StatusSeeOther {
		t.Errorf("signed out to %q, then %d", to, status)
	}
}

// A link that leads through the sign-in leads to no other site.
func TestTheSignInLeadsNowhereElse(t *testing.T) {
	d := newDesk(t)
	d.Add("ann", access.Operator)
	for _, next := range []string{"https://evil.example/", "//evil.example", "/\\evil.example", "\\\\evil.example", "javascript:alert(1)", "", "/\t/evil.example"} {
		_, _, to := d.browser().post("/sign-in", url.Values{"login": {"ann"}, "password": {good}, "next": {next}})
		if to != "/" {
			t.Errorf("%q leads to %q", next, to)
		}
	}
}

var oneTime = regexp.MustCompile(`<code class="secret">([^<]+)</code>`)

func TestITAddsAPersonWhoChoosesAPassword(t *testing.T) {
	d := newDesk(t)
	d.Add("ina", access.IT)
	ina := d.as("ina", good)
	status, body, _ := ina.post("/people", url.Values{"login": {"Bob"}, "name": {"<b>Bob</b>"}, "role": {"operator"}})
	found := oneTime.FindStringSubmatch(body)
	if status != 200 || found == nil || strings.Contains(body, "<b>Bob</b>") {
		t.Fatalf("%d: %s", status, body)
	}
	if _, body, _ := ina.get("/people"); strings.Contains(body, found[1]) {
		t.Error("the password is shown a second time")
	}
	bob := d.as("bob", found[1])
	if _, _, to := bob.get("/"); to != "/me" {
		t.Errorf("with a one-time password sent to %q", to)
	}
	if _, body, _ := bob.get("/me"); strings.Contains(body, "data-events") || !strings.Contains(body, "Choose a password") {
		t.Errorf("before the password is changed, it listens to events that are refused:\n%s", body)
	}
	change := url.Values{"old": {found[1]}, "next": {good}, "again": {good + "?"}}
	if status, body, _ := bob.post("/me/password", change); status != http.StatusConflict || !strings.Contains(body, "two new passwords differ") {
		t.Errorf("%d: %s", status, body)
	}
	change.Set("again", good)
	if _, _, to := bob.post("/me/password", change); to != "/" {
		t.Errorf("after the change sent to %q", to)
	}
	if status, _, _ := bob.get("/"); status != 200 {
		t.Errorf("the board: %d", status)
	}
	if _, _, to := ina.post("/people/bob/disable", nil); to != "/people" {
		t.Errorf("disabled, sent to %q", to)
	}
	if _, _, to := bob.get("/"); !strings.HasPrefix(to, "/sign-in") {
		t.Errorf("disabled, but sent to %q", to)
	}
	if status, body, _ := ina.post("/people/ina/disable", nil); status != http.StatusConflict || !strings.Contains(body, "the last one who looks after people") {
		t.Errorf("%d: %s", status, body)
	}
}

func TestATokenIsShownOnce(t *testing.T) {
	d := newDesk(t)
	d.Add("ann", access.Operator)
	ann := d.as("ann", good)
	_, body, _ := ann.post("/me/tokens", url.Values{"name": {"analytics"}, "days": {"30"}, "scope": {"see"}})
	found := oneTime.FindStringSubmatch(body)
	if found == nil {
		t.Fatal(body)
	}
	asks := func() int {
		req, err := http.NewRequestWithContext(t.Context(), "GET", d.url+"/", nil)
		d.Must(err)
		req.Header.Set("Authorization", "Bearer "+found[1])
		res, err := http.DefaultTransport.RoundTrip(req)
		d.Must(err)
		res.Body.Close()
		return res.StatusCode
	}
	if asks() != 200 {
		t.Errorf("the token opens nothing: %d", asks())
	}
	if _, body, _ := ann.get("/me"); strings.Contains(body, found[1]) || !strings.Contains(body, "analytics") {
		t.Error("the list of tokens is wrong")
	}
	if _, _, to := ann.post("/me/tokens/1/revoke", nil); to != "/" {
		t.Errorf("sent to %q", to)
	}
	if asks() == 200 {
		t.Error("it opens after it was revoked")
	}
	for _, bad := range []url.Values{{"name": {"x"}, "days": {"0"}, "scope": {"see"}}, {"name": {"x"}, "days": {"1"}, "scope": {"people"}}, {"name": {"x"}, "days": {"1"}}} {
		if status, _, _ := ann.post("/me/tokens", bad); status != http.StatusConflict {
			t.Errorf("%v: %d", bad, status)
		}
	}
}

// What people type into a form comes back as text.
func TestScriptIsText(t *testing.T) {
	d := newDesk(t)
	d.Add("ina", access.IT)
	ina := d.as("ina", good)
	const script = `">` + script
	for path, form := range map[string]url.Values{
		"/sign-in": {"login": {script}, "password": {script}, "next": {"/" + script}},
		"/people":  {"login": {script}, "name": {script}, "role": {script}},
		"/people/" + url.PathEscape(script) + "/roles": {"role": {script}},
		"/me/tokens": {"name": {script}, "days": {"1"}, "scope": {"see"}},
		"/me/tokens/" + url.PathEscape(script) + "/revoke": nil,
	} {
		if _, body, _ := ina.post(path, form); strings.Contains(body, "<script>alert") {
			t.Errorf("%s: %s", path, body)
		}
	}
	if _, body, _ := ina.get("/me"); strings.Contains(body, "<script>alert") || !strings.Contains(body, "&lt;script&gt;") {
		t.Error("the token's name", fmt.Sprintf("%.2000s", body))
	}
}
