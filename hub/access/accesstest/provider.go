// Package accesstest serves a provider of identities, for tests: OpenID Connect over
// HTTP with discovery, keys, authorization code and PKCE.
package accesstest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// Client and Secret are what the provider calls the hub.
const Client, Secret = "branchline", "the client's secret"

// Provider is one that lets in whoever clicks, as Person.
type Provider struct {
	URL string
	// Person are the claims of whoever signs in; Info those that it tells at its user
	// info endpoint only. Alter changes an ID token before it is signed; Unsigned sends
	// it without a signature. Asks has a page with a button before it goes back.
	mu       sync.Mutex
	person   map[string]any
	info     map[string]any
	alter    func(claims map[string]any)
	unsigned bool
	asks     bool
	down     bool
	talks    string
	hangs    chan struct{}
	asked    chan struct{}
	refuses  string

	key   *ecdsa.PrivateKey
	kid   int
	given map[string]code
}

type code struct {
	nonce, challenge, redirect string
}

// New serves a provider until the test ends.
func New(t testing.TB) *Provider {
	t.Helper()
	p := &Provider{given: map[string]code{}, person: map[string]any{"sub": "s-1", "preferred_username": "Olga", "name": "Olga O.", "groups": []string{"operators"}}}
	p.RotateKey()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", p.discovery)
	mux.HandleFunc("GET /keys", p.keys)
	mux.HandleFunc("GET /authorize", p.authorize)
	mux.HandleFunc("POST /token", p.token)
	mux.HandleFunc("GET /userinfo", p.userInfo)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		hangs := p.hangs
		p.mu.Unlock()
		if hangs != nil {
			p.asked <- struct{}{}
			<-hangs
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.talks != "" {
			http.Error(w, p.talks, http.StatusBadRequest)
			return
		}
		if p.down {
			http.Error(w, "down for maintenance", http.StatusBadGateway)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	p.URL = s.URL
	return p
}

// set changes the provider between two requests.
func (p *Provider) set(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f()
}

// Person says who signs in from now on.
func (p *Provider) Person(claims map[string]any) { p.set(func() { p.person = claims }) }

// Info is told at the user info endpoint only.
func (p *Provider) Info(claims map[string]any) { p.set(func() { p.info = claims }) }

// Alter changes the claims of each ID token before it is signed; nil for none.
func (p *Provider) Alter(f func(claims map[string]any)) { p.set(func() { p.alter = f }) }

// Unsigned sends ID tokens whose algorithm is none.
func (p *Provider) Unsigned(b bool) { p.set(func() { p.unsigned = b }) }

// Asks has people click before they go back.
func (p *Provider) Asks() { p.set(func() { p.asks = true }) }

// Down answers nothing but failures.
func (p *Provider) Down(b bool) { p.set(func() { p.down = b }) }

// Talks answers everything with a refusal of many words.
func (p *Provider) Talks(words string) { p.set(func() { p.talks = words }) }

// Hang answers nothing until end is called. Asked gets a word for each request that
// hangs.
func (p *Provider) Hang() (end func()) {
	c := make(chan struct{})
	p.set(func() { p.hangs, p.asked = c, make(chan struct{}, 100) })
	return func() {
		p.set(func() { p.hangs = nil })
		close(c)
	}
}

// Asked tells of requests that hang.
func (p *Provider) Asked() <-chan struct{} { return p.asked }

// Refuses sends people back with an error; empty for none.
func (p *Provider) Refuses(why string) { p.set(func() { p.refuses = why }) }

// RotateKey signs with another key from now on.
func (p *Provider) RotateKey() {
	p.set(func() {
		p.key, _ = ecdsa.GenerateKey(elliptic.P256(), rand.Reader) // never fails
		p.kid++
	})
}

func (p *Provider) discovery(w http.ResponseWriter, _ *http.Request) {
	answer(w, map[string]any{"issuer": p.URL, "authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token", "jwks_uri": p.URL + "/keys",
		"userinfo_endpoint": p.URL + "/userinfo", "id_token_signing_alg_values_supported": []string{"ES256", "none"}, "response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"}})
}

func (p *Provider) keys(w http.ResponseWriter, _ *http.Request) {
	answer(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: p.key.Public(), KeyID: fmt.Sprint(p.kid), Algorithm: "ES256", Use: "sig"}}})
}

func (p *Provider) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	back := url.Values{"state": {q.Get("state")}}
	switch {
	case q.Get("client_id") != Client || q.Get("response_type") != "code" || q.Get("code_challenge_method") != "S256" || q.Get("nonce") == "":
		http.Error(w, "this is no authorization request", http.StatusBadRequest)
		return
	case p.refuses != "":
		back.Set("error", "access_denied")
		back.Set("error_description", p.refuses)
	default:
		c := rand.Text()
		p.given[c] = code{q.Get("nonce"), q.Get("code_challenge"), q.Get("redirect_uri")}
		back.Set("code", c)
	}
	to := q.Get("redirect_uri") + "?" + back.Encode()
	if p.asks {
		fmt.Fprintf(w, `<!doctype html><html lang="en"><title>Company account</title><h1>Company account</h1><a id="go" href="%s">Continue</a>`, html.EscapeString(to))
		return
	}
	http.Redirect(w, r, to, http.StatusFound)
}

func (p *Provider) token(w http.ResponseWriter, r *http.Request) {
	id, secret, _ := r.BasicAuth()
	c, known := p.given[r.PostFormValue("code")]
	delete(p.given, r.PostFormValue("code"))
	sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	pass, _ := url.QueryUnescape(secret)
	if id != Client || pass != Secret || !known || c.challenge != base64.RawURLEncoding.EncodeToString(sum[:]) || c.redirect != r.PostFormValue("redirect_uri") {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"error":"invalid_grant"}`)
		return
	}
	now := time.Now()
	claims := map[string]any{"iss": p.URL, "aud": Client, "iat": now.Unix(), "exp": now.Add(5 * time.Minute).Unix(), "nonce": c.nonce}
	maps.Copy(claims, p.person)
	if p.alter != nil {
		p.alter(claims)
	}
	answer(w, map[string]any{"access_token": "at", "token_type": "Bearer", "id_token": p.sign(claims)})
}

func (p *Provider) sign(claims map[string]any) string {
	if p.unsigned {
		body, _ := json.Marshal(claims)
		return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + base64.RawURLEncoding.EncodeToString(body) + "."
	}
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: p.key, KeyID: fmt.Sprint(p.kid)}}, nil)
	if err != nil {
		return ""
	}
	text, _ := jwt.Signed(s).Claims(claims).Serialize()
	return text
}

func (p *Provider) userInfo(w http.ResponseWriter, _ *http.Request) {
	said := map[string]any{"sub": p.person["sub"]}
	maps.Copy(said, p.info)
	answer(w, said)
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}
