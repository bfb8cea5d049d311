package web

import (
	"net/http"
	"time"

	"branchline/hub/access"
	"branchline/hub/ledger"
)

// peopleBody lists who may use the control room.
type peopleBody struct {
	Users  []ledger.User
	Tokens []ledger.Token
	Roles  []access.Role
	// Login and Password are of a person just made or reset; shown once.
	Login, Password string
	Now             time.Time
}

func (s *Site) people(w http.ResponseWriter, r *http.Request) { s.showPeople(w, r, "", "") }

func (s *Site) showPeople(w http.ResponseWriter, r *http.Request, login, password string) {
	b := peopleBody{Roles: access.Roles, Login: login, Password: password, Now: time.Now()}
	var err error
	if b.Users, err = s.People.Users(r.Context()); err == nil {
		b.Tokens, err = s.People.Tokens(r.Context())
	}
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	s.show(w, r, http.StatusOK, "people.html", "/people", frame{Title: "People", Still: true, Body: b})
}

func rolesOf(r *http.Request) (all []access.Role) {
	_ = r.PostFormValue("") // reads the form; what is missing is told as missing
	for _, v := range r.PostForm["role"] {
		all = append(all, access.Role(v))
	}
	return all
}

func (s *Site) addPerson(w http.ResponseWriter, r *http.Request) {
	login := r.PostFormValue("login")
	pass, err := s.Access.Add(r.Context(), access.By(r).Who(), login, r.PostFormValue("name"), rolesOf(r))
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	s.showPeople(w, r, access.Login(login), pass)
}

func (s *Site) setRoles(w http.ResponseWriter, r *http.Request) {
	s.done(w, r, s.Access.SetRoles(r.Context(), access.By(r).Who(), r.PathValue("login"), rolesOf(r)), "/people")
}

func (s *Site) resetPassword(w http.ResponseWriter, r *http.Request) {
	login := r.PathValue("login")
	pass, err := s.Access.ResetPassword(r.Context(), access.By(r).Who(), login)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	s.showPeople(w, r, access.Login(login), pass)
}

func (s *Site) disable(w http.ResponseWriter, r *http.Request) {
	s.done(w, r, s.Access.Disable(r.Context(), access.By(r).Who(), r.PathValue("login")), "/people")
}
