// Package access decides who may do what in the control room: people with
// roles, their passwords and sessions, and tokens for programs.
//
// A session is a random secret in a cookie, a token one in a header; the ledger
// keeps only their hashes. What a person may do follows from their roles at each
// request, so that a change holds at once.
package access

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"time"

	"branchline/hub/ledger"
	"branchline/internal/conf"
	"branchline/internal/password"
)

// Role is what a person is to the chain. The words are those of hub.yaml, the
// command line and the pages.
type Role string

const (
	// Operator watches, retries, corrects and maps codes.
	Operator Role = "operator"
	// Approver also says what is posted as it is or never.
	Approver Role = "approver"
	// IT looks after people, tokens and configuration.
	IT Role = "it"
	// Auditor reads everything, the audit trail too, and changes nothing.
	Auditor Role = "auditor"
)

// Roles are all of them.
var Roles = []Role{Operator, Approver, IT, Auditor}

// Right is what a route needs.
type Right string

const (
	// Anyone needs no sign-in.
	Anyone Right = "anyone"
	// Self is for everybody who has signed in, about themselves.
	Self Right = "self"
	// See is to look at branches, movements, exceptions and postings.
	See Right = "see"
	// Decide is to retry, to correct and to map a code.
	Decide Right = "decide"
	// Approve is to discard, to release and to settle.
	Approve Right = "approve"
	// People is to look after people, their roles and tokens.
	People Right = "people"
	// Audit is to read and export the audit trail.
	Audit Right = "audit"
	// Metrics is to read the metrics, for a token only.
	Metrics Right = "metrics"
)

// granted tells what each role may.
var granted = map[Role][]Right{
	Operator: {Self, See, Decide},
	Approver: {Self, See, Decide, Approve},
	IT:       {Self, See, People, Audit},
	Auditor:  {Self, See, Audit},
}

// Scopes are the rights that a token can have.
var Scopes = []Right{See, Decide, Approve, Audit, Metrics}

// Person is who asks. The zero value is nobody.
type Person struct {
	ID          int64
	Login, Name string
	Roles       []Role
	// Token is the name of the token that was used, empty for a session.
	Token string
	// MustChange tells that nothing is allowed but to choose a password.
	MustChange bool
	// Elsewhere tells that the person signs in at a provider, and has no password here.
	Elsewhere bool

	session [sha256.Size]byte
	scopes  []Right
}

// May tells whether the person has a right.
func (p Person) May(r Right) bool {
	switch {
	case r == Anyone:
		return true
	case p.ID == 0:
		return false
	case p.Token != "" && !slices.Contains(p.scopes, r):
		return false
	case p.Token != "" && r == Metrics:
		return true
	case p.MustChange:
		return r == Self
	}
	return slices.ContainsFunc(p.Roles, func(role Role) bool { return slices.Contains(granted[role], r) })
}

// Who is the person's name in the audit trail.
func (p Person) Who() string {
	if p.Token != "" {
		return p.Login + " (token " + p.Token + ")"
	}
	return p.Login
}

// Config says how long a sign-in holds. It belongs to hub.yaml under access.
type Config struct {
	// Session is how long one holds in all, Idle how long without a click.
	Session time.Duration `yaml:"session"`
	Idle    time.Duration `yaml:"idle"`
	// SecureCookies is for a control room that browsers reach by HTTPS only, as
	// behind a proxy that speaks it.
	SecureCookies bool `yaml:"secure_cookies"`
	// Proxies are the networks of proxies whose word, X-Forwarded-For, is taken
	// for where a browser is.
	Proxies []netip.Prefix `yaml:"proxies"`
	// SecondPerson names the decisions that a second approver must confirm:
	// discard, release, substitute.
	SecondPerson []string `yaml:"second_person"`
	// OIDC is a provider of identities, at which people can sign in, too.
	OIDC OIDCConfig `yaml:"oidc"`
	// Cost is what a look at a password costs; [password.Usual] if zero. Tests in which
	// nobody guesses take the least.
	Cost password.Cost `yaml:"-"`
}

// DefaultConfig lets people sign in once a working day.
func DefaultConfig() Config {
	return Config{Session: 12 * time.Hour, Idle: 2 * time.Hour, OIDC: DefaultOIDC()}
}

// Validate names the setting and its value.
func (c *Config) Validate() error {
	if c.Session < time.Minute || c.Session > 31*24*time.Hour {
		return conf.Bad("session", c.Session, "must be 1m to 744h")
	}
	if c.Idle < time.Minute || c.Idle > c.Session {
		return conf.Bad("idle", c.Idle, "must be 1m or longer, and not longer than session")
	}
	for _, d := range c.SecondPerson {
		if d != "discard" && d != "release" && d != "substitute" {
			return conf.Bad("second_person", d, "must be discard, release or substitute")
		}
	}
	return conf.In("oidc", c.OIDC.Validate())
}

// Access is safe for concurrent use.
type Access struct {
	cfg    Config
	ledger *ledger.Ledger
	log    *slog.Logger
	now    func() time.Time
	// looks bounds how many passwords are looked at at once, since each takes
	// its hash's memory.
	looks chan struct{}
	tries *tries
	cost  password.Cost
	// provider is nil for none; sealKey is new at each start.
	provider *provider
	sealKey  [sha256.Size]byte
	// first is the file of the first password; set before anybody signs in.
	first string
}

// New takes a configuration that was validated; now is nil for time.Now.
func New(cfg Config, l *ledger.Ledger, log *slog.Logger, now func() time.Time) *Access {
	if now == nil {
		now = time.Now
	}
	a := &Access{cfg: cfg, ledger: l, log: log, now: now, looks: make(chan struct{}, 2), tries: newTries(now), cost: cmp.Or(cfg.Cost, password.Usual), provider: newProvider(cfg.OIDC, now)}
	_, _ = rand.Read(a.sealKey[:]) // never fails
	return a
}

// Run forgets sessions that have ended until ctx ends.
func (a *Access) Run(ctx context.Context) error {
	tick := time.NewTicker(10 * time.Minute)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		now := a.now()
		if err := a.ledger.Write(ctx, func(tx *ledger.Tx) error {
			return tx.EndOldSessions(now.Add(-a.cfg.Session), now.Add(-a.cfg.Idle))
		}); err != nil && ctx.Err() == nil {
			a.log.Warn("sessions that ended are not forgotten yet", "err", err)
		}
	}
}

// secret is what a cookie or a token holds: 128 bits or more, in letters and digits.
func secret() (s string, hash [sha256.Size]byte) {
	s = rand.Text()
	return s, sha256.Sum256([]byte(s))
}

// oneTimePassword is one to be typed from paper.
func oneTimePassword() string {
	s := strings.ToLower(rand.Text())
	return fmt.Sprintf("%s-%s-%s-%s", s[:5], s[5:10], s[10:15], s[15:20])
}

func personOf(u *ledger.User) Person {
	p := Person{ID: u.ID, Login: u.Login, Name: u.Name, Elsewhere: u.Elsewhere != ""}
	for _, r := range u.Roles {
		p.Roles = append(p.Roles, Role(r))
	}
	return p
}

// audit is an entry about people.
func audit(at time.Time, who, action, subject, detail string) ledger.Entry {
	return ledger.Entry{At: at, Who: who, Action: action, Subject: subject, Detail: detail}
}
