package web

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"time"

	"branchline/hub/access"
	"branchline/hub/ledger"
	"branchline/internal/fault"
)

// signBody is the form by which people sign in.
type signBody struct {
	Next, Login, Wrong, Hint string
	// Provider is where people can sign in, too; empty for nowhere. Trouble says that
	// it could not be reached lately.
	Provider, Trouble string
}

func (s *Site) signInPage(w http.ResponseWriter, r *http.Request) {
	next := local(r.URL.Query().Get("next"))
	if access.By(r).ID != 0 {
		http.Redirect(w, r, next, http.StatusSeeOther)
		return
	}
	s.showSignIn(w, r, http.StatusOK, signBody{Next: next})
}

func (s *Site) signIn(w http.ResponseWriter, r *http.Request) {
	login, next := r.PostFormValue("login"), local(r.PostFormValue("next"))
	cookie, err := s.Access.SignIn(r.Context(), login, r.PostFormValue("password"), s.Access.Address(r))
	if err == nil {
		s.Access.SetCookie(w, cookie)
		http.Redirect(w, r, next, http.StatusSeeOther)
		return
	}
	status := http.StatusUnauthorized
	if fault.CodeOf(err) == access.CodeTooMany {
		status = http.StatusTooManyRequests
	} else if fault.CodeOf(err) != access.CodeWrong {
		s.refuse(w, r, err)
		return
	}
	b := signBody{Next: next, Login: cut(login, 64)}
	if f, ok := faultOf(err); ok {
		b.Wrong, b.Hint = sentence(f.Message), sentence(f.Hint)
	}
	s.showSignIn(w, r, status, b)
}

func (s *Site) signOut(w http.ResponseWriter, r *http.Request) {
	if err := s.Access.SignOut(r.Context(), access.By(r)); err != nil {
		s.refuse(w, r, err)
		return
	}
	s.Access.SetCookie(w, "")
	http.Redirect(w, r, "/sign-in", http.StatusSeeOther)
}

// meBody is what a person sees about themselves.
type meBody struct {
	Tokens []ledger.Token
	Scopes []access.Right
	// Secret is that of a token just made, shown once.
	Secret, Made string
	Wrong, Hint  string
	Changed      bool
}

func (s *Site) me(w http.ResponseWriter, r *http.Request) {
	s.showMe(w, r, http.StatusOK, meBody{Changed: r.URL.Query().Has("changed")})
}

func (s *Site) showMe(w http.ResponseWriter, r *http.Request, status int, b meBody) {
	p := access.By(r)
	all, err := s.People.Tokens(r.Context())
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	b.Tokens = slices.DeleteFunc(all, func(k ledger.Token) bool { return k.UserID != p.ID })
	for _, scope := range access.Scopes {
		if p.May(scope) || scope == access.Metrics {
			b.Scopes = append(b.Scopes, scope)
		}
	}
	s.show(w, r, status, "me.html", "/me", frame{Title: cmp.Or(p.Name, p.Login), Still: true, Body: b})
}

func (s *Site) changePassword(w http.ResponseWriter, r *http.Request) {
	p, next := access.By(r), r.PostFormValue("next")
	var err error
	if next != r.PostFormValue("again") {
		err = fault.New(fault.Data, access.CodeBadPassword, "the two new passwords differ").WithHint("type both again")
	} else {
		err = s.Access.ChangePassword(r.Context(), p, r.PostFormValue("old"), next, s.Access.Address(r))
	}
	if f, ok := faultOf(err); ok && f.Class == fault.Data {
		s.showMe(w, r, http.StatusConflict, meBody{Wrong: sentence(f.Message), Hint: sentence(f.Hint)})
		return
	}
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	if p.MustChange {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	http.Redirect(w, r, "/me?changed", http.StatusSeeOther)
}

// maxTokenDays is the longest that the form offers.
const maxTokenDays = 730

func (s *Site) newToken(w http.ResponseWriter, r *http.Request) {
	days, err := strconv.Atoi(r.PostFormValue("days"))
	if err != nil || days < 1 || days > maxTokenDays {
		s.refuse(w, r, fault.New(fault.Data, access.CodeBadToken, "a token holds for 1 to %d days", maxTokenDays))
		return
	}
	var scopes []access.Right
	for _, v := range r.PostForm["scope"] {
		scopes = append(scopes, access.Right(v))
	}
	name := r.PostFormValue("name")
	secret, err := s.Access.NewToken(r.Context(), access.By(r), name, scopes, time.Now().AddDate(0, 0, days))
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	s.showMe(w, r, http.StatusOK, meBody{Secret: secret, Made: name})
}

func (s *Site) revokeToken(w http.ResponseWriter, r *http.Request) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err == nil {
		err = s.Access.RevokeToken(r.Context(), access.By(r), id)
	} else {
		err = fault.New(fault.Data, ledger.CodeNoToken, "%.20q is no token's number", r.PathValue("id"))
	}
	s.done(w, r, err, back(r))
}

// done goes on to a page when something was done, or says why not.
func (s *Site) done(w http.ResponseWriter, r *http.Request, err error, next string) {
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	http.Redirect(w, r, next, http.StatusSeeOther)
}

func cut(s string, n int) string {
	if len(s) > n {
		return s[:n]
	}
	return s
}
