package web

import (
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"branchline/hub/access"
	"branchline/hub/room"
)

// replenishmentBody is a page of the branches.
type replenishmentBody struct {
	Branch string
	// All counts those that are configured, Fit those that fit what was asked for.
	All, Fit int
	Shown    []room.Signals
	// Low and Expiring are branches with such.
	Low, Expiring, Untold int
}

func (s *Site) replenishment(w http.ResponseWriter, r *http.Request) {
	all, err := s.Room.Replenishment(r.Context())
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	b := replenishmentBody{Branch: cut(strings.TrimSpace(r.URL.Query().Get("branch")), 100), All: len(all)}
	text := strings.ToLower(b.Branch)
	for i := range all {
		switch a := &all[i]; {
		case a.Why != "":
			b.Untold++
		default:
			if len(a.Low) > 0 {
				b.Low++
			}
			if len(a.Expiring) > 0 {
				b.Expiring++
			}
		}
		if strings.Contains(strings.ToLower(all[i].Code), text) || strings.Contains(strings.ToLower(all[i].Name), text) {
			if b.Fit++; len(b.Shown) < branchPage {
				b.Shown = append(b.Shown, all[i])
			}
		}
	}
	s.show(w, r, http.StatusOK, "replenishment.html", "/replenishment", frame{Title: "Replenishment", Body: b})
}

// signalsShown bounds what a page shows of a branch; the CSV has all.
const signalsShown = 300

type branchRefillBody struct {
	room.Signals
	MoreLow, MoreExpiring, MoreLeft int
	// MayOrder tells that whoever looks may have Odoo order, Orders what it answered lately.
	MayOrder bool
	Orders   []room.StockOrder
}

func (s *Site) branchReplenishment(w http.ResponseWriter, r *http.Request) {
	found, err := s.Room.BranchReplenishment(r.Context(), r.PathValue("branch"))
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	b := branchRefillBody{Signals: found, MayOrder: s.Room.MayOrder() && access.By(r).May(access.Decide), Orders: s.Room.StockOrders(found.Code)}
	b.Low, b.MoreLow = firstOf(b.Low)
	b.Expiring, b.MoreExpiring = firstOf(b.Expiring)
	b.Left, b.MoreLeft = firstOf(b.Left)
	s.show(w, r, http.StatusOK, "branch-replenishment.html", "/replenishment", frame{Title: "Replenishment of " + found.Code, Body: b})
}

// orderStock has Odoo replenish by a rule, and shows on the branch's page what it
// answered.
func (s *Site) orderStock(w http.ResponseWriter, r *http.Request) {
	rule, _ := strconv.ParseInt(r.PostFormValue("rule"), 10, 64) // nonsense: a rule that there is not
	o := room.OrderStock{Branch: r.PathValue("branch"), Rule: rule, Who: access.By(r).Who()}
	if _, err := s.Room.OrderStock(r.Context(), o); err != nil {
		s.refuse(w, r, err)
		return
	}
	http.Redirect(w, r, "/replenishment/"+url.PathEscape(o.Branch)+"#orders", http.StatusSeeOther)
}

func firstOf[T any](all []T) (shown []T, more int) {
	if n := len(all) - signalsShown; n > 0 {
		return all[:signalsShown], n
	}
	return all, 0
}

func (s *Site) replenishmentCSV(w http.ResponseWriter, r *http.Request) {
	all, err := s.Room.Replenishment(r.Context())
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	s.sendCSV(w, "replenishment.csv", func(out io.Writer) error { return room.WriteReplenishment(out, all) })
}
