package access

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"branchline/hub/ledger"
	"branchline/internal/fault"
)

// Provider tells people at which provider of identities they can sign in, and whether
// that could not be reached lately; the name is empty where none is configured.
func (a *Access) Provider() (name, trouble string) {
	if a.provider == nil {
		return "", ""
	}
	return a.provider.cfg.Name, a.provider.trouble()
}

// flight is a sign-in that is under way at the provider. The browser keeps it, sealed,
// so that only the browser that began it can end it.
type flight struct {
	State    string    `json:"state"`
	Nonce    string    `json:"nonce"`
	Verifier string    `json:"verifier"`
	Next     string    `json:"next"`
	Began    time.Time `json:"began"`
}

// maxNext bounds a path to come back to, so that a browser keeps the cookie it is in.
const maxNext = 1000

// flightTime is how long somebody may take at the provider.
const flightTime = 10 * time.Minute

const (
	flightCookie       = "branchline_sign_in"
	secureFlightCookie = "__Host-branchline_sign_in"
)

func (a *Access) flightCookie() string {
	if a.cfg.SecureCookies {
		return secureFlightCookie
	}
	return flightCookie
}

func (a *Access) setFlight(w http.ResponseWriter, value string) {
	c := &http.Cookie{Name: a.flightCookie(), Value: value, Path: "/", HttpOnly: true, Secure: a.cfg.SecureCookies, SameSite: http.SameSiteLaxMode, MaxAge: int(flightTime.Seconds())}
	if value == "" {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}

// seal writes a flight down so that only this hub, until it ends, can have written it.
func (a *Access) seal(f *flight) string {
	text, _ := json.Marshal(f) // texts and a time
	mac := hmac.New(sha256.New, a.sealKey[:])
	mac.Write(text)
	return base64.RawURLEncoding.EncodeToString(mac.Sum(text))
}

func (a *Access) unseal(s string) (f flight, ok bool) {
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || len(b) < sha256.Size {
		return f, false
	}
	text, sum := b[:len(b)-sha256.Size], b[len(b)-sha256.Size:]
	mac := hmac.New(sha256.New, a.sealKey[:])
	mac.Write(text)
	if !hmac.Equal(mac.Sum(nil), sum) || json.Unmarshal(text, &f) != nil {
		return f, false
	}
	age := a.now().Sub(f.Began)
	return f, age >= 0 && age < flightTime
}

// CodeNoProvider is of a hub at which people sign in with a password only.
const CodeNoProvider = "no_provider"

// errNoProvider is of a hub that has none.
func errNoProvider() error {
	return fault.New(fault.Data, CodeNoProvider, "people sign in here with a password only").WithHint("sign in with yours")
}

// GoElsewhere begins a sign-in at the provider and gives the address where the browser
// is to go; next is a path here, to come back to.
func (a *Access) GoElsewhere(w http.ResponseWriter, r *http.Request, next string) (to string, err error) {
	if len(next) > maxNext {
		next = "/"
	}
	if a.provider == nil {
		return "", errNoProvider()
	}
	if err := a.tries.allowed(a.Address(r)); err != nil {
		return "", err
	}
	found, err := a.provider.discover(r.Context())
	if err != nil {
		return "", err
	}
	f := flight{State: rand.Text(), Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier(), Next: next, Began: a.now()}
	a.setFlight(w, a.seal(&f))
	return a.provider.oauth(found).AuthCodeURL(f.State, oidc.Nonce(f.Nonce), oauth2.S256ChallengeOption(f.Verifier)), nil
}

// ComeBack ends a sign-in at the provider: the browser has come back with what the
// provider gave it. It gives the secret of a new session, and where to go on.
func (a *Access) ComeBack(w http.ResponseWriter, r *http.Request) (cookie, next string, err error) {
	if a.provider == nil {
		return "", "", errNoProvider()
	}
	address := a.Address(r)
	if err := a.tries.allowed(address); err != nil {
		return "", "", err
	}
	a.setFlight(w, "")
	q, f, ok := r.URL.Query(), flight{}, false
	if c, err := r.Cookie(a.flightCookie()); err == nil {
		f, ok = a.unseal(c.Value)
	}
	if !ok || subtle.ConstantTimeCompare([]byte(q.Get("state")), []byte(f.State)) != 1 {
		// It is not counted: there is nothing to guess, and any page can send a browser here.
		return "", "", fault.New(fault.Data, CodeProvider, "this sign-in was not begun in this browser, or took too long").WithHint("begin again")
	}
	var id identity
	if q.Get("error") != "" {
		err = a.refusedThere(q)
	} else {
		id, err = a.provider.redeem(r.Context(), q.Get("code"), &f)
	}
	if fault.CodeOf(err) == CodeProvider && fault.ClassOf(err) == fault.Data {
		a.tries.wrong(address)
		return "", f.Next, errors.Join(err, a.ledger.Audit(r.Context(), audit(a.now(), "hub", "sign-in refused", "user unknown", message(err)+"; from "+address)))
	}
	if err == nil {
		cookie, err = a.admit(r.Context(), id, address)
	}
	return cookie, f.Next, err
}

// message is an error without what to do next.
func message(err error) string {
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return f.Message
	}
	return err.Error()
}

// refusedThere says in words why the provider let nobody in.
func (a *Access) refusedThere(q url.Values) error {
	why := clean(q.Get("error_description"))
	if why == "" {
		why = clean(q.Get("error"))
	}
	return fault.New(fault.Data, CodeProvider, "%s did not sign you in: %s", a.provider.cfg.Name, why).WithHint("begin again, or ask those who look after it")
}

// clean bounds a text from outside and takes out what is no text.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	return shorten(strings.TrimSpace(s))
}

// CodeElsewhere is of what cannot be done about a person who signs in elsewhere.
const CodeElsewhere = "signs_in_elsewhere"

// admit opens a session of somebody whom the provider knows. Their roles are what
// their groups there give them now. A person is who the provider says by issuer and
// subject: a name that somebody else has here does not make them that one.
func (a *Access) admit(ctx context.Context, id identity, address string) (cookie string, err error) {
	roles := a.provider.cfg.rolesOf(id.groups)
	login, elsewhere := Login(id.login), id.issuer+" "+id.subject
	now := a.now()
	var refused error
	if err := a.ledger.Write(ctx, func(tx *ledger.Tx) error {
		refused = nil
		u, known, err := tx.UserElsewhere(elsewhere)
		if err != nil {
			return err
		}
		if known {
			login = u.Login // they may be called otherwise there by now
		}
		refuse := func(err error) error {
			refused = err
			return tx.Audit(audit(now, "hub", "sign-in refused", "user "+login, message(err)+"; by "+a.provider.cfg.Name+" from "+address))
		}
		if !known {
			if err := checkLogin(login); err != nil || strings.ContainsFunc(login, func(r rune) bool { return r > 0x7f }) {
				login = "unknown"
				return refuse(fault.New(fault.Data, CodeElsewhere, "%s gives no name (%s) that you could have here", a.provider.cfg.Name, a.provider.cfg.LoginClaim).WithHint("IT must look at access.oidc.login_claim in hub.yaml"))
			}
			if taken, err := tx.UserNamed(login); err == nil {
				return refuse(fault.New(fault.Data, CodeElsewhere, "%q is another person here already", taken.Login).WithHint("IT can give one of both another name"))
			} else if fault.CodeOf(err) != ledger.CodeNoUser {
				return err
			}
		}
		if len(roles) == 0 {
			if known {
				u.Roles = nil
				if err := errors.Join(tx.SetUser(u), tx.EndSessions(u.ID, [sha256.Size]byte{})); err != nil {
					return err
				}
			}
			return refuse(fault.New(fault.Data, CodeElsewhere, "%s knows you, but none of your groups there may use the control room", a.provider.cfg.Name).WithHint("ask IT to be put into one"))
		}
		if u.Disabled {
			return refuse(fault.New(fault.Data, CodeElsewhere, "you may not sign in any more").WithHint("ask IT"))
		}
		if known {
			return a.renew(tx, &u, &id, roles, now)
		}
		if _, err := tx.AddUser(ledger.User{Login: login, Name: clean(id.name), Roles: words(roles), CreatedAt: now, Elsewhere: elsewhere}); err != nil {
			return err
		}
		return tx.Audit(audit(now, "hub", "user added", "user "+login, "by "+a.provider.cfg.Name+"; roles: "+strings.Join(words(roles), ", ")))
	}); err != nil {
		return "", err
	}
	if refused != nil {
		return "", refused
	}
	return a.begin(ctx, login, address, a.provider.cfg.Name)
}

// renew takes over what has changed at the provider.
func (a *Access) renew(tx *ledger.Tx, u *ledger.User, id *identity, roles []Role, now time.Time) error {
	was, is := strings.Join(u.Roles, ", "), strings.Join(words(roles), ", ")
	u.Name, u.Roles = clean(id.name), words(roles)
	if err := tx.SetUser(*u); err != nil || was == is {
		return err
	}
	// What they may do is seen at each request: other sessions of theirs follow.
	return tx.Audit(audit(now, "hub", "roles changed", "user "+u.Login, was+" → "+is+", by "+a.provider.cfg.Name))
}

// Enable lets somebody who signs in elsewhere do so again.
func (a *Access) Enable(ctx context.Context, who, login string) error {
	return a.change(ctx, who, "user enabled", login, func(_ *ledger.Tx, u *ledger.User) (string, error) {
		if u.Elsewhere == "" {
			return "", fault.New(fault.Data, CodeElsewhere, "%q signs in with a password", u.Login).WithHint("give a new one: it opens the door again")
		}
		u.Disabled = false
		return "", nil
	})
}

// ownPassword refuses what is only for people with a password here.
func ownPassword(u *ledger.User) error {
	if u.Elsewhere == "" {
		return nil
	}
	issuer, _, _ := strings.Cut(u.Elsewhere, " ")
	return fault.New(fault.Data, CodeElsewhere, "%q signs in at %s, where passwords and roles are kept", u.Login, issuer).
		WithHint("change it there: it holds from the next sign-in on. To keep somebody out at once, disable them here")
}
