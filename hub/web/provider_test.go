package web_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"branchline/hub/access"
	"branchline/hub/access/accesstest"
	"branchline/internal/conf"
	"branchline/internal/password"
	"branchline/internal/ui/uitest"
)

// withProvider is a control room at which people sign in through a provider, too.
func withProvider(t *testing.T) (*desk, *accesstest.Provider) {
	t.Helper()
	d, at := newDesk(t), accesstest.New(t)
	cfg := access.DefaultConfig()
	cfg.Cost = password.Least
	cfg.OIDC.Issuer, cfg.OIDC.ClientID, cfg.OIDC.Secret, cfg.OIDC.Name = at.URL, accesstest.Client, conf.NewSecret(accesstest.Secret), "our company account"
	cfg.OIDC.RedirectURL = d.url + access.BackPath
	cfg.OIDC.Roles = map[string][]access.Role{"operators": {access.Operator}}
	d.Must(cfg.Validate())
	d.open(access.New(cfg, d.Ledger, d.Log, nil))
	return d, at
}

func TestSignInAtTheProvider(t *testing.T) {
	d, at := withProvider(t)
	at.Asks()
	page := uitest.Open(t, d.url)
	page.Go(d.url + "/reconciliation")
	page.WaitText("Sign in with our company account")
	for _, width := range []int64{390, 820, 1366} {
		page.Size(width, 800)
		page.Shot(fmt.Sprintf("sign-in-provider-%d", width))
		if found := page.Unusable(width); found != "" {
			t.Errorf("at %d: %s", width, found)
		}
	}
	page.Dark()
	page.Go(d.url + "/sign-in?next=/reconciliation")
	if found := page.Unusable(1366); found != "" {
		t.Errorf("in the dark: %s", found)
	}
	page.Click(`a[href^="/sign-in/provider"]`)
	page.WaitText("Company account")
	page.Click("#go")
	page.WaitText("What the branches recorded, held against what is in Odoo")
	page.Go(d.url + "/me")
	page.WaitText("You sign in elsewhere")
	page.Shot("me-provider")

	d.Add("ina", access.IT)
	ina := d.as("ina", good)
	_, body, _ := ina.get("/people")
	for _, want := range []string{"olga", "Olga O.", "by http://127.0.0.1", `action="/people/olga/disable"`} {
		if !strings.Contains(body, want) {
			t.Errorf("no %q among the people", want)
		}
	}
	if strings.Contains(body, `action="/people/olga/password"`) || strings.Contains(body, `action="/people/olga/roles"`) {
		t.Error("what the provider keeps can be changed here")
	}
	if _, _, to := ina.post("/people/olga/disable", nil); to != "/people" {
		t.Errorf("sent to %q", to)
	}
	page.Go(d.url + "/sign-in/provider?next=/trace")
	page.WaitText("Company account")
	page.Click("#go")
	page.WaitText("You may not sign in any more")
	page.Shot("sign-in-refused")
	if _, _, to := ina.post("/people/olga/enable", nil); to != "/people" {
		t.Errorf("sent to %q", to)
	}
	page.Go(d.url + "/sign-in/provider?next=/trace")
	page.WaitText("Company account")
	page.Click("#go")
	page.WaitText("Trace")
}

func TestNobodyIsSentElsewhereByTheSignIn(t *testing.T) {
	d, at := withProvider(t)
	for _, next := range []string{"https://evil.example/", "//evil.example", `/\evil.example`} {
		b := d.browser()
		_, _, to := b.get("/sign-in/provider?next=" + url.QueryEscape(next))
		if !strings.HasPrefix(to, at.URL+"/authorize?") {
			t.Fatalf("sent to %q", to)
		}
		res, err := b.Get(to)
		d.Must(err)
		res.Body.Close()
		back := res.Header.Get("Location")
		if _, _, to = b.get(strings.TrimPrefix(back, d.url)); to != "/" {
			t.Errorf("%s: led to %q", next, to)
		}
	}
	at.Refuses("<script>alert(1)</script>")
	b := d.browser()
	_, _, to := b.get("/sign-in/provider")
	res, err := b.Get(to)
	d.Must(err)
	res.Body.Close()
	status, body, _ := b.get(strings.TrimPrefix(res.Header.Get("Location"), d.url))
	if status != 403 || strings.Contains(body, "<script>alert") || !strings.Contains(body, "did not sign you in: &lt;script&gt;") {
		t.Errorf("%d %s", status, body)
	}
	at.Down(true)
	d2, at2 := withProvider(t)
	at2.Down(true)
	if status, body, _ := d2.browser().get("/sign-in/provider"); status != 503 || !strings.Contains(body, "cannot be reached") || !strings.Contains(body, "sign in with a password") {
		t.Errorf("%d %s", status, body)
	}
}
