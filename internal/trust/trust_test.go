package trust_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"branchline/internal/fault"
	"branchline/internal/trust"
)

var now = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func key(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	k, err := trust.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func must[T any](t testing.TB) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func authority(t testing.TB) *trust.Signer {
	k := key(t)
	return &trust.Signer{Certificate: must[*x509.Certificate](t)(trust.NewAuthority(k, now)), Key: k}
}

func branch(t testing.TB, s *trust.Signer, h trust.Holder) (*x509.Certificate, *ecdsa.PrivateKey) {
	k := key(t)
	return must[*x509.Certificate](t)(s.Branch(h, k.Public(), now, trust.Life)), k
}

func server(t testing.TB, s *trust.Signer, at time.Time, names ...string) *x509.Certificate {
	return must[*x509.Certificate](t)(s.Server(names, key(t).Public(), at))
}

// Whatever time it is for the branch, it takes the hub's certificate exactly until
// the hub itself has told a time after its end.
func TestTheHubIsProvedByWhateverTimeTheBranchHas(t *testing.T) {
	ours, foreign := authority(t), authority(t)
	good := server(t, ours, now, "hub.example.com", "192.0.2.7")
	rapid.Check(t, func(t *rapid.T) {
		told := now.Add(time.Duration(rapid.Int64Range(-20*365*24, 20*365*24).Draw(t, "hours")) * time.Hour)
		err := trust.CheckHub([]*x509.Certificate{good, ours.Certificate}, ours.Certificate, "hub.example.com", told)
		if (err == nil) != told.Before(good.NotAfter) {
			t.Fatalf("told %v: %v", told, err)
		}
	})
	holder := trust.Holder{Branch: "BR01", Enrolment: trust.NewEnrolment()}
	ofBranch, _ := branch(t, ours, holder)
	for name, c := range map[string]struct {
		chain []*x509.Certificate
		at    string
		ok    bool
	}{
		"as it should be":             {[]*x509.Certificate{good}, "hub.example.com", true},
		"by its address":              {[]*x509.Certificate{good}, "192.0.2.7", true},
		"another name":                {[]*x509.Certificate{good}, "evil.example.com", false},
		"none":                        {nil, "hub.example.com", false},
		"another authority":           {[]*x509.Certificate{server(t, foreign, now, "hub.example.com"), ours.Certificate}, "hub.example.com", false},
		"a branch that plays the hub": {[]*x509.Certificate{ofBranch, ours.Certificate}, "BR01", false},
		"the authority itself":        {[]*x509.Certificate{ours.Certificate}, "hub.example.com", false},
	} {
		if err := trust.CheckHub(c.chain, ours.Certificate, c.at, now); (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestABranchIsProvedByItsCertificate(t *testing.T) {
	ours, foreign := authority(t), authority(t)
	h := trust.Holder{Branch: "BR01", Enrolment: trust.NewEnrolment()}
	good, _ := branch(t, ours, h)
	if got, err := trust.CheckBranch(good, ours.Certificate); err != nil || got != h {
		t.Errorf("%+v, %v", got, err)
	}
	other, _ := branch(t, foreign, h)
	signer := must[*x509.Certificate](t)(ours.ConfigurationSigner(key(t).Public(), now))
	for name, c := range map[string]*x509.Certificate{"another authority's": other, "the hub's": server(t, ours, now, "BR01"),
		"the authority": ours.Certificate, "the signer's": signer} {
		if got, err := trust.CheckBranch(c, ours.Certificate); fault.CodeOf(err) != "foreign_certificate" {
			t.Errorf("%s is taken for %+v: %v", name, got, err)
		}
	}
	if err := trust.CheckSigner(signer, ours.Certificate); err != nil {
		t.Error(err)
	}
	if err := trust.CheckSigner(good, ours.Certificate); err == nil {
		t.Error("a branch may sign configuration")
	}
	for _, h := range []trust.Holder{{Branch: "a/+", Enrolment: h.Enrolment}, {Branch: "BR01", Enrolment: "x"}} {
		if _, err := ours.Branch(h, key(t).Public(), now, trust.Life); err == nil {
			t.Errorf("signed for %+v", h)
		}
	}
}

func TestThePinFindsItsAuthorityOnly(t *testing.T) {
	ours, foreign := authority(t), authority(t)
	chain := []*x509.Certificate{server(t, ours, now, "hub"), ours.Certificate}
	if got, err := trust.PinnedAuthority(chain, trust.PinOf(ours.Certificate)); err != nil || got != ours.Certificate {
		t.Error(err)
	}
	if _, err := trust.PinnedAuthority(chain, trust.PinOf(foreign.Certificate)); fault.CodeOf(err) != "hub_unproved" {
		t.Error(err)
	}
}

func request(t testing.TB, branch string, k *ecdsa.PrivateKey) []byte {
	return must[[]byte](t)(trust.NewRequest(branch, k))
}

func TestARequestMustProveItsKey(t *testing.T) {
	k := key(t)
	good := request(t, "BR01", k)
	if got, err := trust.CheckRequest(good, "BR01"); err != nil || !got.Equal(k.Public()) {
		t.Fatal(err)
	}
	spoilt := append([]byte(nil), good...)
	spoilt[len(spoilt)-3] ^= 1
	big := must[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))
	for name, der := range map[string][]byte{"another signature": spoilt, "another branch": request(t, "BR02", k),
		"another kind of key": request(t, "BR01", big), "nothing": nil, "too large": make([]byte, 5<<10), "more behind it": append(good, 0)} {
		if _, err := trust.CheckRequest(der, "BR01"); fault.CodeOf(err) != "malformed_request" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func grant(t testing.TB, s *trust.Signer, c *x509.Certificate) trust.Grant {
	signer := must[*x509.Certificate](t)(s.ConfigurationSigner(key(t).Public(), now))
	return trust.Grant{V: trust.Version, Branch: "BR01", Certificate: c.Raw, Authority: s.Certificate.Raw, Signer: signer.Raw,
		Broker: "mqtts://hub.example.com:8883", Time: now}
}

// Everything in a grant must belong together.
func TestAGrantThatIsNotOursIsRefused(t *testing.T) {
	ours, foreign := authority(t), authority(t)
	h := trust.Holder{Branch: "BR01", Enrolment: trust.NewEnrolment()}
	c, k := branch(t, ours, h)
	other, _ := branch(t, ours, h)
	elsewhere, _ := branch(t, foreign, h)
	neighbour := must[*x509.Certificate](t)(ours.Branch(trust.Holder{Branch: "BR02", Enrolment: h.Enrolment}, k.Public(), now, trust.Life))
	for name, change := range map[string]func(*trust.Grant){
		"":                      func(*trust.Grant) {},
		"another key":           func(g *trust.Grant) { g.Certificate = other.Raw },
		"another branch":        func(g *trust.Grant) { g.Certificate = neighbour.Raw },
		"another authority":     func(g *trust.Grant) { g.Authority = foreign.Certificate.Raw },
		"another's certificate": func(g *trust.Grant) { g.Certificate = elsewhere.Raw },
		"no signer":             func(g *trust.Grant) { g.Signer = nil },
		"a branch as signer":    func(g *trust.Grant) { g.Signer = g.Certificate },
		"a line without TLS":    func(g *trust.Grant) { g.Broker = "mqtt://hub.example.com:1883" },
		"no time":               func(g *trust.Grant) { g.Time = time.Time{} },
		"another version":       func(g *trust.Grant) { g.V = 9 },
	} {
		g := grant(t, ours, c)
		change(&g)
		body := must[[]byte](t)(json.Marshal(g))
		got, err := trust.ParseGrant(body, "BR01", &k.PublicKey, ours.Certificate)
		if (err == nil) != (name == "") {
			t.Errorf("%s: %v", name, err)
		}
		if name == "" && got.Holder != h {
			t.Errorf("%+v", got.Holder)
		}
	}
}

func TestWordsOfStrangersAreBounded(t *testing.T) {
	k := key(t)
	body := must[[]byte](t)(json.Marshal(trust.Ask{V: 1, Branch: "BR01", Request: request(t, "BR01", k),
		Host: "pc\n\x1b[31m\u202e" + strings.Repeat("ü", 100)}))
	a, _, err := trust.ParseAsk(body)
	if err != nil || !strings.HasPrefix(a.Host, "pc[31mü") || len(a.Host) > 80 {
		t.Errorf("%q, %v", a.Host, err)
	}
	r := trust.ParseRefusal([]byte(`{"code":"No Code","text":"` + strings.Repeat("x", 1000) + `"}`))
	if r.Code != "refused" || len(r.Text) != 400 {
		t.Errorf("%+v", r)
	}
}

func TestRenewalIsDueAtTwoThirds(t *testing.T) {
	c, _ := branch(t, authority(t), trust.Holder{Branch: "BR01", Enrolment: trust.NewEnrolment()})
	if at := trust.RenewAt(c); at.Before(now.Add(59*24*time.Hour)) || at.After(now.Add(61*24*time.Hour)) {
		t.Error(at)
	}
}

func FuzzParseAsk(f *testing.F) {
	k := key(f)
	f.Add(must[[]byte](f)(json.Marshal(trust.Ask{V: 1, Branch: "BR01", Request: request(f, "BR01", k), Secret: "x", At: now})))
	f.Add([]byte(`{"v":1,"branch":"BR01","request":"MAA="}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		a, key, err := trust.ParseAsk(body)
		if (err == nil) != (key != nil) || err != nil && fault.ClassOf(err) != fault.Data {
			t.Fatalf("%+v, %v", a, err)
		}
	})
}

func FuzzParseGrant(f *testing.F) {
	s := authority(f)
	c, k := branch(f, s, trust.Holder{Branch: "BR01", Enrolment: trust.NewEnrolment()})
	f.Add(must[[]byte](f)(json.Marshal(grant(f, s, c))))
	f.Fuzz(func(t *testing.T, body []byte) {
		g, err := trust.ParseGrant(body, "BR01", &k.PublicKey, s.Certificate)
		if err == nil && (g.Branch != "BR01" || g.Certificate == nil || g.Signer == nil) {
			t.Fatalf("%+v", g)
		}
		_, _ = trust.ParseStanding(body)
		if r := trust.ParseRefusal(body); r.Code == "" || r.Text == "" {
			t.Fatalf("%+v", r)
		}
	})
}

func FuzzCheckBranch(f *testing.F) {
	s := authority(f)
	c, _ := branch(f, s, trust.Holder{Branch: "BR01", Enrolment: trust.NewEnrolment()})
	f.Add(c.Raw)
	f.Add(s.Certificate.Raw)
	f.Fuzz(func(t *testing.T, der []byte) {
		got, err := x509.ParseCertificate(der)
		if err != nil {
			return
		}
		if h, err := trust.CheckBranch(got, s.Certificate); err == nil && (h.Branch != "BR01" || string(got.RawTBSCertificate) != string(c.RawTBSCertificate)) {
			t.Fatalf("a certificate that was never signed is %+v", h)
		}
		_ = trust.CheckHub([]*x509.Certificate{got}, s.Certificate, "hub", now)
		_, _ = trust.PinnedAuthority([]*x509.Certificate{got}, pin)
	})
}
