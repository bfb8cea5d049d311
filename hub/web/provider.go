package web

import (
	"net/http"

	"branchline/hub/access"
	"branchline/internal/fault"
)

// toProvider sends a browser to the provider of identities, to sign in there.
func (s *Site) toProvider(w http.ResponseWriter, r *http.Request) {
	next := local(r.URL.Query().Get("next"))
	to, err := s.Access.GoElsewhere(w, r, next)
	if err != nil {
		s.notSignedIn(w, r, err, next)
		return
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// fromProvider signs somebody in who comes back from the provider.
func (s *Site) fromProvider(w http.ResponseWriter, r *http.Request) {
	cookie, next, err := s.Access.ComeBack(w, r)
	next = local(next)
	if err != nil {
		s.notSignedIn(w, r, err, next)
		return
	}
	s.Access.SetCookie(w, cookie)
	http.Redirect(w, r, next, http.StatusSeeOther)
}

// notSignedIn shows the form again, with what went wrong.
func (s *Site) notSignedIn(w http.ResponseWriter, r *http.Request, err error, next string) {
	f, ok := faultOf(err)
	if !ok {
		s.refuse(w, r, err)
		return
	}
	status := http.StatusForbidden
	switch {
	case f.Code == access.CodeNoProvider:
		status = http.StatusNotFound
	case f.Code == access.CodeTooMany:
		status = http.StatusTooManyRequests
	case f.Class == fault.Transient:
		status = http.StatusServiceUnavailable
		s.Log.Warn("nobody can sign in at the provider now", "err", err)
	}
	s.showSignIn(w, r, status, signBody{Next: next, Wrong: sentence(f.Message), Hint: sentence(f.Hint)})
}

func (s *Site) showSignIn(w http.ResponseWriter, r *http.Request, status int, b signBody) {
	b.Provider, b.Trouble = s.Access.Provider()
	s.show(w, r, status, "sign-in.html", "", frame{Title: "Sign in", Still: true, Body: b})
}

func (s *Site) enable(w http.ResponseWriter, r *http.Request) {
	s.done(w, r, s.Access.Enable(r.Context(), access.By(r).Who(), r.PathValue("login")), "/people")
}
