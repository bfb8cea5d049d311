package access

import (
	"context"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"branchline/internal/fault"
)

// Route is one thing that a browser or a program may ask for, and the right that
// it needs.
type Route struct {
	// Pattern is that of [http.ServeMux], with a method.
	Pattern string
	Needs   Right
	Serve   http.HandlerFunc
}

// Codes of what the gate refuses.
const (
	// CodeSignIn: nobody has signed in, or the session or token has ended.
	CodeSignIn = "sign_in"
	// CodeNoRight: the person has no such right.
	CodeNoRight = "no_right"
	// CodeChange: a password must be chosen first.
	CodeChange = "change_password"
)

// Refuse answers a request that the gate keeps out.
type Refuse func(w http.ResponseWriter, r *http.Request, err error)

// cookieName is that of the session's cookie. By HTTPS only, the browser makes
// sure that no other site has set it.
const (
	cookieName       = "branchline_session"
	secureCookieName = "__Host-branchline_session"
)

type personKey struct{}

// By is who makes a request that came through the gate; nobody outside of it.
func By(r *http.Request) Person {
	p, _ := r.Context().Value(personKey{}).(Person)
	return p
}

// Gate lets requests through to routes by what the person may. Where it cannot
// be told who asks, as the ledger does not answer, nobody gets in.
func (a *Access) Gate(routes []Route, refuse Refuse) http.Handler {
	mux := http.NewServeMux()
	for _, route := range routes {
		mux.HandleFunc(route.Pattern, a.guard(route, refuse))
	}
	return mux
}

func (a *Access) guard(route Route, refuse Refuse) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		p, err := a.person(r)
		if err != nil {
			if route.Needs != Anyone {
				refuse(w, r, err)
				return
			}
			p = Person{}
		}
		switch {
		case p.May(route.Needs):
			route.Serve(w, r.WithContext(context.WithValue(r.Context(), personKey{}, p)))
		case p.ID == 0:
			refuse(w, r, fault.New(fault.Data, CodeSignIn, "you have not signed in, or your session has ended").WithHint("sign in"))
		case p.MustChange:
			refuse(w, r, fault.New(fault.Data, CodeChange, "choose a password first"))
		default:
			refuse(w, r, fault.New(fault.Data, CodeNoRight, "%s may not do this: it needs %s", p.Who(), rolesWith(route.Needs)).
				WithHint("ask somebody who has the role, or IT to give it to you"))
		}
	}
}

// rolesWith names the roles that have a right.
func rolesWith(right Right) string {
	var all []string
	for _, r := range Roles {
		if slices.Contains(granted[r], right) {
			all = append(all, string(r))
		}
	}
	if len(all) == 0 {
		return "a token with the scope " + string(right)
	}
	return "the role " + strings.Join(all, " or ")
}

// person is who asks: by a token where one is given, else by the cookie.
func (a *Access) person(r *http.Request) (Person, error) {
	if h := r.Header.Get("Authorization"); h != "" {
		text, ok := strings.CutPrefix(h, "Bearer ")
		if !ok {
			return Person{}, nil
		}
		p, err := a.Bearer(r.Context(), text)
		if err == nil && p.ID == 0 {
			a.tries.wrong(a.Address(r))
		}
		return p, err
	}
	c, err := r.Cookie(a.cookie())
	if err != nil {
		return Person{}, nil
	}
	byItself := r.Header.Get("X-Live") != "" || r.Header.Get("Accept") == "text/event-stream"
	return a.Session(r.Context(), c.Value, !byItself)
}

// Metrics lets the metrics out to programs on this machine, and to tokens with
// that scope. What a proxy hands on does not come from this machine.
func (a *Access) Metrics(h http.Handler) http.Handler {
	outside := a.guard(Route{Needs: Metrics, Serve: h.ServeHTTP}, func(w http.ResponseWriter, _ *http.Request, err error) {
		w.Header().Set("WWW-Authenticate", "Bearer")
		http.Error(w, err.Error(), http.StatusUnauthorized)
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		at, err := netip.ParseAddrPort(r.RemoteAddr)
		if err == nil && at.Addr().Unmap().IsLoopback() && r.Header.Get("X-Forwarded-For") == "" && r.Header.Get("Forwarded") == "" {
			h.ServeHTTP(w, r)
			return
		}
		outside(w, r)
	})
}

func (a *Access) cookie() string {
	if a.cfg.SecureCookies {
		return secureCookieName
	}
	return cookieName
}

// SetCookie gives the browser a session; an empty secret takes it away. It ends
// with the browser, or when the session does.
func (a *Access) SetCookie(w http.ResponseWriter, secret string) {
	c := &http.Cookie{Name: a.cookie(), Value: secret, Path: "/", HttpOnly: true, Secure: a.cfg.SecureCookies, SameSite: http.SameSiteLaxMode}
	if secret == "" {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}

// Address is where a request comes from. A proxy of our own tells it; what
// others say of themselves is not believed.
func (a *Access) Address(r *http.Request) string {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	ip := at.Addr().Unmap()
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && a.ours(ip); i-- {
		next, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		ip = next.Unmap()
	}
	return ip.String()
}

func (a *Access) ours(ip netip.Addr) bool {
	return slices.ContainsFunc(a.cfg.Proxies, func(p netip.Prefix) bool { return p.Contains(ip) })
}
