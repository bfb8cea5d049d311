package access

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"branchline/internal/conf"
	"branchline/internal/fault"
)

// OIDCConfig is a provider of identities by OpenID Connect, at which people sign in
// as an alternative to a password here. It belongs to hub.yaml under access.oidc.
type OIDCConfig struct {
	// Issuer is the provider's address; empty for none. Its discovery document is at
	// /.well-known/openid-configuration below it.
	Issuer   string `yaml:"issuer"`
	ClientID string `yaml:"client_id"`
	// Secret is the client's, alone in its file; none for a public client.
	Secret conf.Secret `yaml:"client_secret_file"`
	// RedirectURL is where the provider sends browsers back to: the control room as
	// browsers reach it, with the path [BackPath].
	RedirectURL string `yaml:"redirect_url"`
	// Name is what the button calls the provider; its host when left out.
	Name   string   `yaml:"name"`
	Scopes []string `yaml:"scopes"`
	// LoginClaim tells who somebody is in the control room, RolesClaim the groups that
	// Roles gives roles to. Who is in none of them does not get in.
	LoginClaim string            `yaml:"login_claim"`
	RolesClaim string            `yaml:"roles_claim"`
	Roles      map[string][]Role `yaml:"roles"`
}

// BackPath is where browsers come back from the provider.
const BackPath = "/sign-in/provider/back"

// DefaultOIDC has what most providers take.
func DefaultOIDC() OIDCConfig {
	return OIDCConfig{Scopes: []string{oidc.ScopeOpenID, "profile", "email"}, LoginClaim: "preferred_username", RolesClaim: "groups"}
}

// Validate names the setting and its value.
func (c *OIDCConfig) Validate() error {
	if c.Issuer == "" {
		if c.ClientID != "" || c.RedirectURL != "" || len(c.Roles) > 0 {
			return conf.Bad("issuer", c.Issuer, "must be the provider's address")
		}
		return nil
	}
	if !safeURL(c.Issuer) {
		return conf.Bad("issuer", c.Issuer, "must be an address with https://")
	}
	if c.ClientID == "" {
		return conf.Bad("client_id", c.ClientID, "must be what the provider calls this hub")
	}
	if u, err := url.Parse(c.RedirectURL); err != nil || !safeURL(c.RedirectURL) || u.Path != BackPath || u.RawQuery != "" {
		return conf.Bad("redirect_url", c.RedirectURL, "must be https:// and the control room's address with the path "+BackPath)
	}
	if !slices.Contains(c.Scopes, oidc.ScopeOpenID) {
		return conf.Bad("scopes", strings.Join(c.Scopes, " "), "must have openid among them")
	}
	if c.LoginClaim == "" {
		return conf.Bad("login_claim", c.LoginClaim, "must be a claim of the provider, such as preferred_username or email")
	}
	if c.RolesClaim == "" {
		return conf.Bad("roles_claim", c.RolesClaim, "must be a claim of the provider, such as groups")
	}
	if len(c.Roles) == 0 {
		return conf.Bad("roles", "", "must give roles to a group of the provider, or nobody gets in")
	}
	for group, roles := range c.Roles {
		if err := checkRoles(roles); err != nil {
			return conf.Bad("roles", group, "must have roles of the control room: operator, approver, it, auditor")
		}
	}
	return nil
}

// safeURL tells whether s is reached by HTTPS, or is on this machine.
func safeURL(s string) bool {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	here := err == nil && ip.IsLoopback() || u.Hostname() == "localhost"
	return u.Scheme == "https" || u.Scheme == "http" && here
}

// CodeProvider is of a provider that cannot be asked now (Transient), or of an answer
// that cannot be trusted (Data).
const CodeProvider = "provider"

// Bounds of what the provider may say and how long it may take.
const (
	providerTimeout = 10 * time.Second
	providerBytes   = 1 << 20
	// askAgain is how long a provider that did not answer is left alone.
	askAgain = 15 * time.Second
	// clockSlack is by how much the provider's clock may be wrong.
	clockSlack = time.Minute
)

// provider asks the provider of identities. Nothing is asked before somebody signs
// in, so that it keeps nothing here from starting.
type provider struct {
	cfg    OIDCConfig
	client *http.Client
	now    func() time.Time

	mu      sync.Mutex
	found   *oidc.Provider
	foundAt time.Time
	failed  error
	at      time.Time     // of the failure
	asking  chan struct{} // closed when the answer is there; nil while nobody asks
}

func newProvider(cfg OIDCConfig, now func() time.Time) *provider {
	if cfg.Issuer == "" {
		return nil
	}
	if cfg.Name == "" {
		u, _ := url.Parse(cfg.Issuer) // it was validated
		cfg.Name = u.Hostname()
	}
	return &provider{cfg: cfg, now: now, client: &http.Client{Timeout: providerTimeout, Transport: bounded{http.DefaultTransport}}}
}

// bounded cuts what is answered off at providerBytes.
type bounded struct{ http.RoundTripper }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := b.RoundTripper.RoundTrip(r)
	if err == nil {
		res.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(res.Body, providerBytes), res.Body}
	}
	return res, err
}

func (p *provider) away(err error) error {
	return fault.New(fault.Transient, CodeProvider, "%s cannot be reached: %s", p.cfg.Name, brief(err)).
		WithHint("try again in a moment, or sign in with a password of the control room")
}

// brief says what went wrong, and nothing of what was sent or answered but a little.
func brief(err error) string {
	if e, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		return clean(fmt.Sprintf("it answered %s %s", e.Response.Status, e.ErrorCode))
	}
	return clean(err.Error())
}

// discoveredFor is how long what the provider says of itself is gone by.
const discoveredFor = time.Hour

// discover gives what the provider says of itself. It is asked once at a time, and not
// again at once where it did not answer.
func (p *provider) discover(ctx context.Context) (*oidc.Provider, error) {
	p.mu.Lock()
	found, failed, asking := p.found, p.failed, p.asking
	known := found != nil && p.now().Sub(p.foundAt) < discoveredFor
	rests := failed != nil && p.now().Sub(p.at) < askAgain
	if !known && !rests && asking == nil {
		asking = make(chan struct{})
		p.asking = asking
		go p.ask(context.WithoutCancel(ctx), asking)
	}
	p.mu.Unlock()
	if found != nil {
		return found, nil // an older one does until there is a newer one
	}
	if rests {
		return nil, failed
	}
	select {
	case <-asking:
	case <-ctx.Done():
		return nil, p.away(ctx.Err())
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.found == nil {
		return nil, p.failed
	}
	return p.found, nil
}

func (p *provider) ask(ctx context.Context, done chan struct{}) {
	ctx, cancel := context.WithTimeout(oidc.ClientContext(ctx, p.client), providerTimeout)
	defer cancel()
	found, err := oidc.NewProvider(ctx, p.cfg.Issuer)
	p.mu.Lock()
	defer p.mu.Unlock()
	if err == nil {
		p.found, p.foundAt, p.failed = found, p.now(), nil
	} else {
		p.failed, p.at = p.away(err), p.now()
	}
	p.asking = nil
	close(done)
}

// trouble says why the provider could not be asked lately; empty for nothing.
func (p *provider) trouble() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.failed == nil || p.now().Sub(p.at) >= time.Minute {
		return ""
	}
	return p.cfg.Name + " could not be reached"
}

func (p *provider) oauth(found *oidc.Provider) *oauth2.Config {
	return &oauth2.Config{ClientID: p.cfg.ClientID, ClientSecret: p.cfg.Secret.Reveal(), Endpoint: found.Endpoint(), RedirectURL: p.cfg.RedirectURL, Scopes: p.cfg.Scopes}
}

// identity is what the provider says of somebody.
type identity struct {
	issuer, subject string
	login, name     string
	groups          []string
}

// redeem asks for who has come back with a code. Whatever is not as it should be is a
// fault of class Data, [CodeProvider].
func (p *provider) redeem(ctx context.Context, code string, f *flight) (id identity, err error) {
	found, err := p.discover(ctx)
	if err != nil {
		return id, err
	}
	ctx, cancel := context.WithTimeout(oidc.ClientContext(ctx, p.client), 3*providerTimeout)
	defer cancel()
	token, err := p.oauth(found).Exchange(ctx, code, oauth2.VerifierOption(f.Verifier))
	if err != nil {
		if e, ok := errors.AsType[*oauth2.RetrieveError](err); ok && e.Response.StatusCode < 500 {
			return id, p.distrust(fmt.Errorf("it does not take the code that was brought (%s)", e.ErrorCode))
		}
		return id, p.away(err)
	}
	raw, ok := token.Extra("id_token").(string)
	if !ok {
		return id, p.distrust(errors.New("it sent no ID token"))
	}
	said, err := found.Verifier(&oidc.Config{ClientID: p.cfg.ClientID, Now: func() time.Time { return p.now().Add(-clockSlack) }}).Verify(ctx, raw)
	if err != nil && strings.Contains(err.Error(), "fetching keys") {
		return id, p.away(err)
	}
	if err != nil {
		return id, p.distrust(err)
	}
	if said.Nonce != f.Nonce {
		return id, p.distrust(errors.New("its ID token is not for this sign-in"))
	}
	if said.Subject == "" || len(said.Subject) > 255 {
		return id, p.distrust(errors.New("its ID token names nobody"))
	}
	claims := map[string]any{}
	if err := said.Claims(&claims); err != nil {
		return id, p.distrust(err)
	}
	if claims[p.cfg.RolesClaim] == nil || claims[p.cfg.LoginClaim] == nil {
		if err := p.more(ctx, found, token, said.Subject, claims); err != nil {
			return id, err
		}
	}
	id = identity{issuer: said.Issuer, subject: said.Subject, groups: textsOf(claims[p.cfg.RolesClaim])}
	id.login, _ = claims[p.cfg.LoginClaim].(string)
	id.name, _ = claims["name"].(string)
	return id, nil
}

// more adds what the provider tells at its user info endpoint, if it has one.
func (p *provider) more(ctx context.Context, found *oidc.Provider, token *oauth2.Token, subject string, claims map[string]any) error {
	if found.UserInfoEndpoint() == "" {
		return nil
	}
	info, err := found.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil {
		return p.away(err)
	}
	said := map[string]any{}
	if err := info.Claims(&said); err != nil {
		return p.distrust(err)
	}
	if info.Subject != subject {
		return p.distrust(errors.New("it tells of another person than it has signed in"))
	}
	for name, v := range said {
		if claims[name] == nil {
			claims[name] = v
		}
	}
	return nil
}

func (p *provider) distrust(err error) error {
	return fault.New(fault.Data, CodeProvider, "what %s says cannot be trusted: %s", p.cfg.Name, brief(err)).
		WithHint("sign in again; if it goes on, IT must look at access.oidc in hub.yaml and at the provider")
}

// textsOf takes a list of texts, or one.
func textsOf(v any) (all []string) {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		for _, x := range v {
			if s, ok := x.(string); ok {
				all = append(all, s)
			}
		}
	}
	return all
}

// rolesOf are the roles that somebody's groups give, in the order of [Roles].
func (c *OIDCConfig) rolesOf(groups []string) (all []Role) {
	has := map[Role]bool{}
	for _, g := range groups {
		for _, r := range c.Roles[g] {
			has[r] = true
		}
	}
	for _, r := range Roles {
		if has[r] {
			all = append(all, r)
		}
	}
	return all
}
