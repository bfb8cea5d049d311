package web

import (
	"net/http"
	"net/url"
	"strings"

	"branchline/internal/fault"
)

// signed is who signs a form: the initials, and where people have PINs, that the
// PIN is theirs.
func (p *Page) signed(r *http.Request) (by string, err error) {
	by = strings.TrimSpace(r.PostFormValue("by"))
	if by == "" || len(by) > 16 {
		return "", fault.New(fault.Data, "no_initials", "whose work is it").WithHint("type your initials, then do it again")
	}
	if p.Staff != nil {
		err = p.Staff.Check(by, r.PostFormValue("pin"))
	}
	return by, err
}

// byCookie remembers the initials until the browser is closed.
const byCookie = "branchline_by"

func initialsOf(r *http.Request) (by string) {
	if c, err := r.Cookie(byCookie); err == nil {
		by, _ = url.QueryUnescape(c.Value)
	}
	return by
}

func rememberInitials(w http.ResponseWriter, by string) {
	http.SetCookie(w, &http.Cookie{Name: byCookie, Value: url.QueryEscape(by), Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode})
}
