package access_test

import (
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"branchline/hub/access"
	"branchline/hub/access/accesstest"
	"branchline/hub/ledger"
	"branchline/hub/ledger/ledgertest"
	"branchline/internal/conf"
	"branchline/internal/fault"
	"branchline/internal/password"
)

// inn is a control room at which people sign in through a provider, with a clock that
// can be set wrong.
type inn struct {
	*house
	at   *accesstest.Provider
	url  string
	last error
	off  time.Duration
}

func newInn(t *testing.T) *inn {
	i := &inn{house: &house{t: t, ledger: ledgertest.Open(t)}, at: accesstest.New(t)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /go", func(w http.ResponseWriter, r *http.Request) {
		to, err := i.GoElsewhere(w, r, r.URL.Query().Get("next"))
		if i.last = err; err != nil {
			http.Error(w, err.Error(), http.StatusForbidden)
			return
		}
		http.Redirect(w, r, to, http.StatusSeeOther)
	})
	mux.HandleFunc("GET "+access.BackPath, func(w http.ResponseWriter, r *http.Request) {
		cookie, next, err := i.ComeBack(w, r)
		if i.last = err; err != nil {
			http.Error(w, err.Error(), http.StatusForbidden)
			return
		}
		i.SetCookie(w, cookie)
		w.Header().Set("Next", next)
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	i.url = s.URL
	i.open()
	return i
}

// open is a start of the hub.
func (i *inn) open() {
	cfg := access.DefaultConfig()
	cfg.Cost = password.Least
	cfg.OIDC.Issuer, cfg.OIDC.ClientID, cfg.OIDC.Secret = i.at.URL, accesstest.Client, conf.NewSecret(accesstest.Secret)
	cfg.OIDC.RedirectURL = i.url + access.BackPath
	cfg.OIDC.Roles = map[string][]access.Role{"operators": {access.Operator}, "leads": {access.Approver, access.Operator}, "admins": {access.IT}}
	i.must(cfg.Validate())
	i.Access = access.New(cfg, i.ledger, slog.New(slog.DiscardHandler), func() time.Time { return time.Now().Add(i.off) })
}

func (i *inn) browser() *http.Client {
	jar, err := cookiejar.New(nil)
	i.must(err)
	return &http.Client{Jar: jar}
}

// through goes through the provider in a new browser; the person is nobody where that
// went wrong, and last says why.
func (i *inn) through() access.Person {
	i.t.Helper()
	b := i.browser()
	res, err := b.Get(i.url + "/go?next=/trace")
	i.must(err)
	res.Body.Close()
	if i.last != nil {
		return access.Person{}
	}
	if next := res.Header.Get("Next"); next != "/trace" {
		i.t.Errorf("led to %q", next)
	}
	return i.who(b)
}

func (i *inn) who(b *http.Client) access.Person {
	u, _ := url.Parse(i.url)
	for _, c := range b.Jar.Cookies(u) {
		if c.Name == "branchline_session" {
			return i.person(c.Value)
		}
	}
	return access.Person{}
}

func (i *inn) trail(action string) (all []ledger.Entry) {
	all, _, err := i.ledger.AuditEntries(i.t.Context(), ledger.AuditFilter{Action: action})
	i.must(err)
	return all
}

func claims(subject, login string, groups ...string) map[string]any {
	return map[string]any{"sub": subject, "preferred_username": login, "name": login + " X.", "groups": groups}
}

func TestAPersonOfTheProviderSignsIn(t *testing.T) {
	i := newInn(t)
	b := i.browser()
	res, err := b.Get(i.url + "/go?next=/trace")
	i.must(err)
	res.Body.Close()
	u, _ := url.Parse(i.url)
	first := b.Jar.Cookies(u)[0].Value
	p := i.who(b)
	if p.Login != "olga" || p.Name != "Olga O." || !slices.Equal(p.Roles, []access.Role{access.Operator}) || !p.Elsewhere || !p.May(access.Decide) || p.May(access.Approve) {
		t.Fatalf("%+v, %v", p, i.last)
	}
	// What they may do is as their groups are at each sign-in, in any order.
	i.at.Person(claims("s-1", "olga.married", "nobody", "leads"))
	if p = i.through(); p.Login != "olga" || !slices.Equal(p.Roles, []access.Role{access.Operator, access.Approver}) || p.Name != "olga.married X." {
		t.Errorf("%+v, %v", p, i.last)
	}
	if trail := i.trail("roles changed"); len(trail) != 1 || !strings.Contains(trail[0].Detail, "operator → operator, approver") {
		t.Errorf("%+v", trail)
	}
	if trail := i.trail("signed in"); len(trail) != 2 || trail[0].Who != "olga" || !strings.HasPrefix(trail[0].Detail, "127.0.0.1 from ") {
		t.Errorf("%+v", trail)
	}
	// In none that counts: nobody gets in, and elsewhere they are signed out.
	before := p
	i.at.Person(claims("s-1", "olga", "nobody"))
	if p = i.through(); p.ID != 0 || fault.CodeOf(i.last) != access.CodeElsewhere || !strings.Contains(i.last.Error(), "none of your groups") {
		t.Errorf("%+v, %v", p, i.last)
	}
	if users, err := i.ledger.Users(t.Context()); err != nil || len(users) != 1 || users[0].ID != before.ID {
		t.Errorf("%+v, %v", users, err)
	}
	if trail := i.trail("sign-in refused"); len(trail) != 1 || trail[0].Subject != "user olga" {
		t.Errorf("%+v", trail)
	}
	if users, err := i.ledger.Users(t.Context()); err != nil || len(users[0].Roles) != 0 {
		t.Errorf("%+v, %v", users, err)
	}
	if p := i.person(first); p.ID != 0 {
		t.Errorf("an earlier session goes on: %+v", p)
	}
}

// A name that somebody has is not given to another, whoever had it first.
func TestNobodyTakesAnothersName(t *testing.T) {
	i := newInn(t)
	i.add("admin", access.IT)
	i.at.Person(claims("s-9", "Admin", "admins"))
	if p := i.through(); p.ID != 0 || fault.CodeOf(i.last) != access.CodeElsewhere || !strings.Contains(i.last.Error(), "another person") {
		t.Errorf("%+v, %v", p, i.last)
	}
	i.at.Person(claims("s-1", "olga", "operators"))
	olga := i.through()
	i.at.Person(claims("s-2", "OLGA ", "operators"))
	if p := i.through(); p.ID != 0 || fault.CodeOf(i.last) != access.CodeElsewhere {
		t.Errorf("%+v, %v", p, i.last)
	}
	for _, bad := range []any{"", "<script>", strings.Repeat("x", 100), nil, 7, "two words", "hub", "Schedule", "аdmin"} { // the last in Cyrillic
		c := claims("s-3", "", "operators")
		c["preferred_username"] = bad
		i.at.Person(c)
		if p := i.through(); p.ID != 0 || fault.CodeOf(i.last) != access.CodeElsewhere {
			t.Errorf("as %v: %+v, %v", bad, p, i.last)
		}
	}
	if _, err := i.SignIn(t.Context(), "olga", "", home); fault.CodeOf(err) != access.CodeWrong {
		t.Errorf("by an empty password: %v", err)
	}
	for what, err := range map[string]error{
		"password": func() error { _, err := i.ResetPassword(t.Context(), "ina", "olga"); return err }(),
		"roles":    i.SetRoles(t.Context(), "ina", "olga", []access.Role{access.IT}),
		"own":      i.ChangePassword(t.Context(), olga, "", good, home),
		"enable":   i.Enable(t.Context(), "ina", "admin"),
	} {
		i.wants(access.CodeElsewhere, err)
		_ = what
	}
	if _, err := i.NewToken(t.Context(), olga, "x", []access.Right{access.See}, time.Now().Add(time.Hour)); fault.CodeOf(err) != access.CodeBadToken {
		t.Errorf("a token: %v", err)
	}
	// The last person with a password who looks after people stays, whoever the
	// provider knows.
	i.at.Person(claims("s-5", "ina", "admins"))
	i.through()
	i.wants(access.CodeLastIT, i.Disable(t.Context(), "ina", "admin"))

	i.at.Person(claims("s-1", "olga", "operators"))
	i.must(i.Disable(t.Context(), "ina", "olga"))
	if p := i.through(); p.ID != 0 || !strings.Contains(i.last.Error(), "may not sign in any more") {
		t.Errorf("disabled: %+v, %v", p, i.last)
	}
	i.must(i.Enable(t.Context(), "ina", "olga"))
	if p := i.through(); p.Login != "olga" {
		t.Errorf("let in again: %+v, %v", p, i.last)
	}
}

// What is not from the provider, not for this hub, not for this sign-in or not of now
// opens no session.
func TestWhatTheProviderSaysIsChecked(t *testing.T) {
	i := newInn(t)
	set := func(name string, v any) func(map[string]any) { return func(c map[string]any) { c[name] = v } }
	for name, alter := range map[string]func(map[string]any){
		"another audience": set("aud", "another"), "another issuer": set("iss", "https://evil.example"), "another nonce": set("nonce", "x"), "no nonce": set("nonce", nil),
		"ended": set("exp", time.Now().Add(-2*time.Minute).Unix()), "nobody": set("sub", ""), "a subject without end": set("sub", strings.Repeat("s", 300)),
	} {
		i.open()
		i.at.Alter(alter)
		if p := i.through(); p.ID != 0 || fault.CodeOf(i.last) != access.CodeProvider || fault.ClassOf(i.last) != fault.Data {
			t.Errorf("%s: %+v, %v", name, p, i.last)
		}
	}
	i.at.Alter(nil)
	i.at.Unsigned(true)
	if p := i.through(); p.ID != 0 || fault.CodeOf(i.last) != access.CodeProvider {
		t.Errorf("without a signature: %+v, %v", p, i.last)
	}
	i.at.Unsigned(false)
	i.at.Refuses("You are on leave\r\n.")
	if p := i.through(); p.ID != 0 || !strings.Contains(i.last.Error(), "You are on leave  .") {
		t.Errorf("refused there: %+v, %v", p, i.last)
	}
	i.at.Refuses("")
	i.open()
	i.off = 50 * time.Second // a clock that is a little wrong
	i.at.Alter(set("exp", time.Now().Add(time.Second).Unix()))
	if p := i.through(); p.Login != "olga" {
		t.Errorf("with a clock that is ahead: %+v, %v", p, i.last)
	}
	i.at.Alter(nil)
	i.off = 0
	i.at.RotateKey()
	if p := i.through(); p.Login != "olga" {
		t.Errorf("after another key: %+v, %v", p, i.last)
	}
	// Groups that are told at the user info endpoint only count, of the same person.
	i.at.Person(map[string]any{"sub": "s-1", "preferred_username": "olga"})
	i.at.Info(map[string]any{"groups": []string{"leads"}})
	if p := i.through(); !p.May(access.Approve) {
		t.Errorf("groups at user info: %+v, %v", p, i.last)
	}
	i.at.Info(map[string]any{"sub": "s-7", "groups": []string{"admins"}})
	if p := i.through(); p.ID != 0 || fault.CodeOf(i.last) != access.CodeProvider {
		t.Errorf("another person at user info: %+v, %v", p, i.last)
	}
}

// A sign-in ends in the browser where it began, once, and before long.
func TestASignInEndsWhereItBegan(t *testing.T) {
	i := newInn(t)
	begin := func(b *http.Client) *url.URL {
		t.Helper()
		var back *url.URL
		b.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
			if r.URL.Path == access.BackPath {
				back = r.URL
				return http.ErrUseLastResponse
			}
			return nil
		}
		res, err := b.Get(i.url + "/go?next=/trace")
		i.must(err)
		res.Body.Close()
		if back == nil {
			t.Fatal("never came back")
		}
		return back
	}
	end := func(b *http.Client, back *url.URL) bool {
		t.Helper()
		res, err := b.Get(back.String())
		i.must(err)
		res.Body.Close()
		return i.who(b).ID != 0
	}
	mine, theirs := i.browser(), i.browser()
	back := begin(mine)
	if end(theirs, back) {
		t.Error("a link from elsewhere signed somebody in")
	}
	begin(theirs)
	if end(theirs, back) {
		t.Error("another's state was taken")
	}
	again, u := i.browser(), back
	again.Jar.SetCookies(u, mine.Jar.Cookies(u))
	if !end(mine, back) {
		t.Error(i.last)
	}
	if end(again, back) || fault.CodeOf(i.last) != access.CodeProvider {
		t.Error("a code was taken twice")
	}
	back = begin(mine)
	q := back.Query()
	q.Set("code", "x")
	wrong := *back
	wrong.RawQuery = q.Encode()
	fresh := i.browser()
	for _, c := range mine.Jar.Cookies(u) {
		if c.Name != "branchline_session" {
			fresh.Jar.SetCookies(u, []*http.Cookie{c})
		}
	}
	if end(fresh, &wrong) || fault.CodeOf(i.last) != access.CodeProvider {
		t.Errorf("with a code of one's own: %v", i.last)
	}
	late := i.browser()
	back = begin(late)
	i.off = 11 * time.Minute
	if end(late, back) || !strings.Contains(i.last.Error(), "took too long") {
		t.Errorf("too late: %v", i.last)
	}
	i.off = 0
	restarted := i.browser()
	back = begin(restarted)
	i.open()
	if end(restarted, back) {
		t.Error("what another run of the hub has sealed was taken")
	}
}

// While the provider is away, people with a password get in, and it is not asked at
// every click; afterwards it goes on by itself.
func TestTheProviderIsAway(t *testing.T) {
	i := newInn(t)
	i.at.Down(true)
	if name, trouble := i.Provider(); name != "127.0.0.1" || trouble != "" {
		t.Errorf("%q %q", name, trouble)
	}
	if p := i.through(); p.ID != 0 || fault.CodeOf(i.last) != access.CodeProvider || fault.ClassOf(i.last) != fault.Transient {
		t.Errorf("%+v, %v", p, i.last)
	}
	if _, trouble := i.Provider(); trouble != "127.0.0.1 could not be reached" {
		t.Errorf("trouble %q", trouble)
	}
	i.add("ann", access.Operator)
	i.at.Down(false)
	if i.through(); i.last == nil {
		t.Error("it was asked again at once")
	}
	i.off = 20 * time.Second
	if p := i.through(); p.Login != "olga" {
		t.Errorf("%+v, %v", p, i.last)
	}
	if _, trouble := i.Provider(); trouble != "" {
		t.Errorf("trouble %q", trouble)
	}
}

// Whoever can send browsers here, as any page can, does not close the sign-in; who
// comes back with codes that the provider did not give is stopped as at the passwords.
func TestComingBackIsNotTriedForEver(t *testing.T) {
	i := newInn(t)
	for range 30 {
		res, err := http.Get(i.url + access.BackPath + "?state=x&code=y")
		i.must(err)
		res.Body.Close()
	}
	if p := i.through(); p.Login != "olga" {
		t.Errorf("%+v, %v", p, i.last)
	}
	i.at.Alter(func(c map[string]any) { c["nonce"] = "x" })
	for range 20 {
		i.through()
	}
	i.at.Alter(nil)
	if i.through(); fault.CodeOf(i.last) != access.CodeTooMany {
		t.Error(i.last)
	}
	if trail := i.trail("sign-in refused"); len(trail) != 20 || !strings.Contains(trail[0].Detail, "not for this sign-in; from ") {
		t.Errorf("%d refusals: %+v", len(trail), trail[0])
	}
}

// A provider that takes its time keeps nobody waiting but who goes there.
func TestTheProviderHangs(t *testing.T) {
	i := newInn(t)
	end := i.at.Hang()
	came := make(chan struct{})
	go func() { i.through(); close(came) }()
	<-i.at.Asked()
	if name, trouble := i.Provider(); name == "" || trouble != "" { // while it is being asked
		t.Errorf("%q %q", name, trouble)
	}
	end()
	<-came
	if i.last != nil {
		t.Error(i.last)
	}
}

// What the provider says is neither shown nor kept at length.
func TestTheProviderTalks(t *testing.T) {
	i := newInn(t)
	i.at.Talks(strings.Repeat("the client's secret is no secret ", 100_000))
	if p := i.through(); p.ID != 0 || fault.CodeOf(i.last) != access.CodeProvider || len(i.last.Error()) > 400 {
		t.Errorf("%+v, %d bytes", p, len(i.last.Error()))
	}
}

func TestTheProviderIsConfigured(t *testing.T) {
	right := func() access.OIDCConfig {
		c := access.DefaultOIDC()
		c.Issuer, c.ClientID, c.RedirectURL, c.Roles = "https://login.example.com", "x", "https://hub.example.com"+access.BackPath, map[string][]access.Role{"a": {access.IT}}
		return c
	}
	if c := right(); c.Validate() != nil {
		t.Error(c.Validate())
	}
	if c := access.DefaultOIDC(); c.Validate() != nil {
		t.Error(c.Validate())
	}
	for setting, change := range map[string]func(c *access.OIDCConfig){
		"issuer": func(c *access.OIDCConfig) { c.Issuer = "http://login.example.com" }, "issuer:": func(c *access.OIDCConfig) { c.Issuer = "" },
		"client_id": func(c *access.OIDCConfig) { c.ClientID = "" }, "redirect_url": func(c *access.OIDCConfig) { c.RedirectURL = "https://hub.example.com/" },
		"redirect_url:": func(c *access.OIDCConfig) { c.RedirectURL = "http://hub.example.com" + access.BackPath }, "scopes": func(c *access.OIDCConfig) { c.Scopes = []string{"email"} },
		"login_claim": func(c *access.OIDCConfig) { c.LoginClaim = "" }, "roles_claim": func(c *access.OIDCConfig) { c.RolesClaim = "" },
		"roles": func(c *access.OIDCConfig) { c.Roles = nil }, "roles:": func(c *access.OIDCConfig) { c.Roles["a"] = []access.Role{"king"} },
	} {
		c := right()
		change(&c)
		if err := c.Validate(); err == nil || !strings.HasPrefix(err.Error(), strings.TrimSuffix(setting, ":")+":") {
			t.Errorf("%s: %v", setting, err)
		}
	}
}
