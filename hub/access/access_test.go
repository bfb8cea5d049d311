package access_test

import (
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"branchline/hub/access"
	"branchline/hub/ledger"
	"branchline/hub/ledger/ledgertest"
	"branchline/internal/fault"
	"branchline/internal/password"
)

// house is a control room with a clock of its own.
type house struct {
	*access.Access
	t      *testing.T
	ledger *ledger.Ledger
	now    time.Time
}

func newHouse(t *testing.T) *house {
	h := &house{t: t, ledger: ledgertest.Open(t), now: ledgertest.Noon}
	cfg := access.DefaultConfig()
	cfg.Cost = password.Least
	cfg.Proxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	h.Access = access.New(cfg, h.ledger, slog.New(slog.DiscardHandler), func() time.Time { return h.now })
	return h
}

const (
	home = "192.0.2.7"
	good = "vier Pferde ohne Hut"
)

// add makes a person who has chosen the good password, and gives a session.
func (h *house) add(login string, roles ...access.Role) (cookie string) {
	h.t.Helper()
	pass, err := h.Add(h.t.Context(), "test", login, "", roles)
	h.must(err)
	cookie = h.signIn(login, pass)
	h.must(h.ChangePassword(h.t.Context(), h.person(cookie), pass, good, home))
	return cookie
}

func (h *house) signIn(login, pass string) string {
	h.t.Helper()
	cookie, err := h.SignIn(h.t.Context(), login, pass, home)
	h.must(err)
	return cookie
}

func (h *house) person(cookie string) access.Person {
	h.t.Helper()
	p, err := h.Session(h.t.Context(), cookie, true)
	h.must(err)
	return p
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) wants(code string, err error) {
	h.t.Helper()
	if fault.CodeOf(err) != code || fault.ClassOf(err) != fault.Data {
		h.t.Errorf("got %v (%s), want %s", err, fault.CodeOf(err), code)
	}
}

// trail is what the audit trail says of what happened, in order.
func (h *house) trail() string {
	h.t.Helper()
	all, err := h.ledger.AuditTrail(h.t.Context(), 0, 1000)
	h.must(err)
	var words []string
	for _, e := range all {
		words = append(words, e.Who+" "+e.Action+" "+e.Subject)
	}
	return strings.Join(words, "; ")
}

func TestTheFirstPersonIsMadeOnce(t *testing.T) {
	h := newHouse(t)
	file := filepath.Join(t.TempDir(), "first-password")
	made, err := h.First(t.Context(), file)
	h.must(err)
	text, err := os.ReadFile(file)
	h.must(err)
	if info, err := os.Stat(file); err != nil || !made || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Fatalf("made %v, %v, %v", made, info, err)
	}
	pass := strings.Split(string(text), "\n")[1]
	p := h.person(h.signIn(" Admin ", pass))
	if p.May(access.See) || p.May(access.People) || !p.May(access.Self) {
		t.Error("a one-time password allows more, or less, than to choose one")
	}
	h.must(h.ChangePassword(t.Context(), p, pass, good, home))
	for _, r := range []access.Right{access.See, access.Decide, access.Approve, access.People, access.Audit} {
		if !h.person(h.signIn("admin", good)).May(r) {
			t.Errorf("the administrator may not %s", r)
		}
	}
	_, err = h.SignIn(t.Context(), "admin", pass, home)
	h.wants(access.CodeWrong, err)
	if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
		t.Error("the first password still lies there:", err)
	}
	if made, err := h.First(t.Context(), file); made || err != nil {
		t.Errorf("a second administrator: %v, %v", made, err)
	}
	want := "hub user added user admin; admin signed in user admin; admin password changed user admin"
	if got := h.trail(); !strings.HasPrefix(got, want) {
		t.Errorf("trail %s", got)
	}
}

func TestASignInTellsNothingOfWhoIsHere(t *testing.T) {
	h := newHouse(t)
	h.add("ann", access.Operator)
	h.add("bob", access.Operator)
	h.must(h.Disable(t.Context(), "test", "bob"))
	var said []string
	for _, try := range [][2]string{{"ann", "wrong"}, {"nobody", good}, {"bob", good}, {"", ""}, {"ann", ""}, {"ann", strings.Repeat("x", 10_000)}, {"ann\x00", good}} {
		_, err := h.SignIn(t.Context(), try[0], try[1], home)
		h.wants(access.CodeWrong, err)
		said = append(said, err.Error())
	}
	for _, s := range said {
		if s != said[0] {
			t.Errorf("%q and %q differ", s, said[0])
		}
	}
}

func TestGuessingEnds(t *testing.T) {
	h := newHouse(t)
	h.add("ann", access.Operator)
	for range 8 {
		_, err := h.SignIn(t.Context(), "ann", "guess", "198.51.100.1")
		h.wants(access.CodeWrong, err)
	}
	_, err := h.SignIn(t.Context(), "ann", good, home)
	h.wants(access.CodeWrong, err)
	if n := strings.Count(h.trail(), "wrong password user ann"); n == 0 || n > 9 {
		t.Errorf("%d wrong passwords in the trail", n)
	}
	if !strings.Contains(h.trail(), "locked out user ann") {
		t.Error("nothing in the trail")
	}
	h.now = h.now.Add(10*time.Minute + time.Second)
	h.signIn("ann", good)

	// One address, many names; the others of its network of version 6, too.
	for range 20 {
		_, err = h.SignIn(t.Context(), "somebody", "guess", "2001:db8::1")
		h.wants(access.CodeWrong, err)
	}
	_, err = h.SignIn(t.Context(), "ann", good, "2001:db8::2:3")
	h.wants(access.CodeTooMany, err)
	h.signIn("ann", good)
	h.now = h.now.Add(10 * time.Minute)
	if _, err := h.SignIn(t.Context(), "ann", good, "2001:db8::2:3"); err != nil {
		t.Error("after the time:", err)
	}
}

func TestSessionsEnd(t *testing.T) {
	for name, end := range map[string]func(h *house, cookie string){
		"by signing out":       func(h *house, c string) { h.must(h.SignOut(h.t.Context(), h.person(c))) },
		"when nobody clicks":   func(h *house, c string) { h.now = h.now.Add(2 * time.Hour) },
		"when the person goes": func(h *house, c string) { h.must(h.Disable(h.t.Context(), "test", "ann")) },
		"when the password is IT's": func(h *house, c string) {
			_, err := h.ResetPassword(h.t.Context(), "test", "ann")
			h.must(err)
		},
		"when it was changed elsewhere": func(h *house, c string) {
			h.must(h.ChangePassword(h.t.Context(), h.person(h.signIn("ann", good)), good, "fünf Hüte ohne Pferd", home))
		},
		"after a working day": func(h *house, c string) {
			for range 12 {
				h.now = h.now.Add(time.Hour)
				h.person(c)
			}
		},
		"though the page looks by itself": func(h *house, c string) {
			for range 3 {
				h.now = h.now.Add(time.Hour)
				_, err := h.Session(h.t.Context(), c, false)
				h.must(err)
			}
		},
		"when the ledger is put back": func(h *house, c string) {
			_, err := h.ledger.NoteAhead(h.t.Context(), ledger.Stream{Branch: "BR01", Epoch: "e", Lane: 1}, h.now)
			h.must(err)
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			cookie := h.add("ann", access.Operator)
			h.now = h.now.Add(119 * time.Minute)
			if !h.person(cookie).May(access.See) {
				t.Fatal("it has ended before")
			}
			end(h, cookie)
			if p := h.person(cookie); p.ID != 0 {
				t.Errorf("it still holds: %+v", p)
			}
		})
	}
	h := newHouse(t)
	h.add("ann", access.Operator)
	for _, guess := range []string{"", "x", strings.Repeat("A", 26)} {
		if p := h.person(guess); p.ID != 0 {
			t.Errorf("%q is a session", guess)
		}
	}
}

func TestPasswordsAreChosenWell(t *testing.T) {
	h := newHouse(t)
	p := h.person(h.add("annalena", access.Operator))
	for _, bad := range []string{"", "short", strings.Repeat("x", 129), good, "my Annalena 2026", "branchline12345", "aaaaaaaaaaaaa", "with a\nline feed"} {
		h.wants(access.CodeBadPassword, h.ChangePassword(t.Context(), p, good, bad, home))
	}
	h.wants(access.CodeWrong, h.ChangePassword(t.Context(), p, "not mine", "fünf Hüte ohne Pferd", home))
}

func TestRolesHoldAtOnceAndOneKeeperStays(t *testing.T) {
	h := newHouse(t)
	keeper := h.add("ina", access.IT)
	cookie := h.add("ann", access.Operator)
	h.must(h.SetRoles(t.Context(), "ina", "ann", []access.Role{access.Auditor}))
	if p := h.person(cookie); p.May(access.Decide) || !p.May(access.Audit) {
		t.Errorf("after the change %+v", p)
	}
	h.wants(access.CodeLastIT, h.SetRoles(t.Context(), "ina", "ina", []access.Role{access.Operator}))
	h.wants(access.CodeLastIT, h.Disable(t.Context(), "ina", "ina"))
	if !h.person(keeper).May(access.People) {
		t.Error("what was refused was done")
	}
	h.wants(access.CodeBadRole, h.SetRoles(t.Context(), "ina", "ann", []access.Role{"root"}))
	h.wants(access.CodeBadRole, h.SetRoles(t.Context(), "ina", "ann", nil))
	_, err := h.Add(t.Context(), "ina", "ANN", "", []access.Role{access.IT})
	h.wants(ledger.CodeLoginUsed, err)
	_, err = h.Add(t.Context(), "ina", "a b", "", []access.Role{access.IT})
	h.wants(access.CodeBadLogin, err)
	h.wants(ledger.CodeNoUser, h.Disable(t.Context(), "ina", "nobody"))
}

func TestOneTimePasswordsEnd(t *testing.T) {
	h := newHouse(t)
	pass, err := h.Add(t.Context(), "test", "ann", "", []access.Role{access.Operator})
	h.must(err)
	h.now = h.now.Add(7*24*time.Hour + time.Second)
	_, err = h.SignIn(t.Context(), "ann", pass, home)
	h.wants(access.CodeWrong, err)
	pass, err = h.ResetPassword(t.Context(), "test", "ann")
	h.must(err)
	h.signIn("ann", pass)
}

func TestTokensDoNoMoreThanTheySay(t *testing.T) {
	h := newHouse(t)
	p := h.person(h.add("ann", access.Operator))
	ends := h.now.Add(24 * time.Hour)
	text, err := h.NewToken(t.Context(), p, "analytics", []access.Right{access.See}, ends)
	h.must(err)
	who := func() access.Person {
		t.Helper()
		k, err := h.Bearer(t.Context(), text)
		h.must(err)
		return k
	}
	if k := who(); !k.May(access.See) || k.May(access.Decide) || k.May(access.Self) || k.Who() != "ann (token analytics)" {
		t.Errorf("got %+v", k)
	}
	_, err = h.NewToken(t.Context(), p, "more", []access.Right{access.Approve}, ends)
	h.wants(access.CodeBadToken, err)
	_, err = h.NewToken(t.Context(), p, "", []access.Right{access.See}, ends)
	h.wants(access.CodeBadToken, err)
	_, err = h.NewToken(t.Context(), who(), "child", []access.Right{access.See}, ends)
	h.wants(access.CodeBadToken, err)
	_, err = h.NewToken(t.Context(), p, "for ever", []access.Right{access.See}, h.now.Add(3*366*24*time.Hour))
	h.wants(access.CodeBadToken, err)

	h.must(h.SetRoles(t.Context(), "test", "ann", []access.Role{access.IT}))
	if k := who(); !k.May(access.See) || k.May(access.People) {
		t.Error("the token follows the roles beyond its scopes")
	}
	h.now = ends
	if who().ID != 0 {
		t.Error("it holds after its end")
	}
	h.now = ends.Add(-time.Hour)
	stranger := h.person(h.add("bob", access.Operator))
	h.wants(ledger.CodeNoToken, h.RevokeToken(t.Context(), stranger, 1))
	h.must(h.RevokeToken(t.Context(), p, 1))
	if who().ID != 0 {
		t.Error("it holds after it was revoked")
	}
	h.wants(ledger.CodeNoToken, h.RevokeToken(t.Context(), p, 1))
	for _, guess := range []string{"", "blt_", "blt_x", strings.Repeat("x", 1000)} {
		if k, err := h.Bearer(t.Context(), guess); err != nil || k.ID != 0 {
			t.Errorf("%q: %+v, %v", guess, k, err)
		}
	}
}

func TestTheGateKeepsOut(t *testing.T) {
	h := newHouse(t)
	var routes []access.Route
	for _, need := range []access.Right{access.Anyone, access.Self, access.See, access.Decide, access.Approve, access.People, access.Audit, access.Metrics} {
		routes = append(routes, access.Route{Pattern: "GET /" + string(need), Needs: need, Serve: func(http.ResponseWriter, *http.Request) {}})
	}
	gate := h.Gate(routes, func(w http.ResponseWriter, _ *http.Request, err error) {
		http.Error(w, fault.CodeOf(err), http.StatusForbidden)
	})
	oneTime, err := h.Add(t.Context(), "test", "new", "", access.Roles)
	h.must(err)
	token, err := h.NewToken(t.Context(), h.person(h.add("tina", access.IT)), "prometheus", []access.Right{access.Metrics}, h.now.Add(time.Hour))
	h.must(err)
	for name, c := range map[string]struct {
		cookie, bearer string
		may            string
		refused        string
	}{
		"nobody":              {"", "", "anyone", access.CodeSignIn},
		"a guessed cookie":    {"AAAA", "", "anyone", access.CodeSignIn},
		"operator":            {h.add("a", access.Operator), "", "anyone self see decide", access.CodeNoRight},
		"approver":            {h.add("b", access.Approver), "", "anyone self see decide approve", access.CodeNoRight},
		"IT":                  {h.add("c", access.IT), "", "anyone self see people audit", access.CodeNoRight},
		"auditor":             {h.add("d", access.Auditor), "", "anyone self see audit", access.CodeNoRight},
		"a one-time password": {h.signIn("new", oneTime), "", "anyone self", access.CodeChange},
		"a token":             {"", token, "anyone metrics", access.CodeNoRight},
		// A token counts alone, whoever's cookie is beside it.
		"a foreign token": {h.add("e", access.IT), "blt_foreign", "anyone", access.CodeSignIn},
	} {
		for _, route := range routes {
			r := httptest.NewRequest("GET", "/"+string(route.Needs), nil)
			if c.cookie != "" {
				r.AddCookie(&http.Cookie{Name: "branchline_session", Value: c.cookie})
			}
			if c.bearer != "" {
				r.Header.Set("Authorization", "Bearer "+c.bearer)
			}
			w := httptest.NewRecorder()
			gate.ServeHTTP(w, r)
			want := strings.Contains(" "+c.may+" ", " "+string(route.Needs)+" ")
			if (w.Code == 200) != want || !want && strings.TrimSpace(w.Body.String()) != c.refused {
				t.Errorf("%s at %s: %d %s", name, route.Needs, w.Code, w.Body)
			}
		}
	}
}

func TestOnlyOurProxiesAreBelieved(t *testing.T) {
	h := newHouse(t)
	for name, c := range map[string]struct{ from, says, want string }{
		"a browser":                  {"192.0.2.7:1234", "", "192.0.2.7"},
		"a browser that lies":        {"192.0.2.7:1234", "1.2.3.4", "192.0.2.7"},
		"our proxy":                  {"10.0.0.1:1234", "192.0.2.7", "192.0.2.7"},
		"a lie through our proxy":    {"10.0.0.1:1234", "1.2.3.4, 192.0.2.7", "192.0.2.7"},
		"two of ours":                {"10.0.0.1:1234", "192.0.2.7, 10.0.0.2", "192.0.2.7"},
		"nonsense through our proxy": {"10.0.0.1:1234", "who knows", "10.0.0.1"},
		"version 4 in version 6":     {"[::ffff:10.0.0.1]:1234", "192.0.2.7", "192.0.2.7"},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = c.from
		if c.says != "" {
			r.Header.Set("X-Forwarded-For", c.says)
		}
		if got := h.Address(r); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// Outside of tests a look at a password costs what OWASP asks for.
func TestAPasswordIsKeptDear(t *testing.T) {
	l := ledgertest.Open(t)
	a := access.New(access.DefaultConfig(), l, slog.New(slog.DiscardHandler), nil)
	if _, err := a.Add(t.Context(), "test", "ann", "", []access.Role{access.Operator}); err != nil {
		t.Fatal(err)
	}
	u, err := l.UserNamed(t.Context(), "ann")
	if err != nil || !strings.HasPrefix(u.Password, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("%.40s, %v", u.Password, err)
	}
}
