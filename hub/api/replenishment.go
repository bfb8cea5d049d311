package api

import (
	"encoding/json"
	"net/http"
	"time"

	"branchline/hub/access"
	"branchline/hub/room"
	"branchline/internal/fault"
	"branchline/internal/movement"
)

// Signals are what a branch runs low of and what of its stock expires soon, in
// numbers.
type Signals struct {
	Branch string    `json:"branch"`
	Name   string    `json:"name,omitempty"`
	At     time.Time `json:"at,omitzero"`
	OdooAt time.Time `json:"odoo_at,omitzero"`
	// Why tells that nothing can be said, Unsettled that it may change at once.
	Why       string `json:"why,omitempty"`
	Unsettled string `json:"unsettled,omitempty"`
	Rules     int    `json:"rules"`
	Low       int    `json:"low"`
	Expiring  int    `json:"expiring"`
}

func signalsOf(s *room.Signals) Signals {
	return Signals{Branch: s.Code, Name: s.Name, At: s.At, OdooAt: s.OdooAt, Why: s.Why, Unsettled: s.Unsettled, Rules: s.Rules, Low: len(s.Low), Expiring: len(s.Expiring)}
}

// OnShelf is what a branch has of something.
type OnShelf struct {
	ProductID int64             `json:"product_id"`
	Product   string            `json:"product"`
	Code      string            `json:"code,omitempty"`
	Unit      string            `json:"unit,omitempty"`
	Odoo      movement.Quantity `json:"odoo"`
	Unposted  movement.Quantity `json:"unposted"`
	Together  movement.Quantity `json:"together"`
	Doubts    []string          `json:"doubts,omitempty"`
}

func onShelf(s *room.OnShelf) OnShelf {
	return OnShelf{s.ProductID, s.Name, s.Reference, s.Unit, s.Odoo, s.Unposted, s.Together, s.Doubts}
}

// LowStock is a product of which there is less than its rule says.
type LowStock struct {
	OnShelf
	RuleID int64             `json:"rule_id"`
	Rule   string            `json:"rule"`
	Min    movement.Quantity `json:"min"`
	Max    movement.Quantity `json:"max"`
	Auto   bool              `json:"auto"`
}

// ExpiringStock is a lot that expires soon.
type ExpiringStock struct {
	OnShelf
	Lot    string        `json:"lot"`
	Expiry movement.Date `json:"expiry"`
	Over   bool          `json:"over"`
}

func (a *API) replenishment(w http.ResponseWriter, r *http.Request) {
	all, err := a.Room.Replenishment(r.Context())
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	rows := make([]Signals, len(all))
	for i := range all {
		rows[i] = signalsOf(&all[i])
	}
	a.answer(w, http.StatusOK, map[string]any{"branches": rows})
}

func (a *API) branchReplenishment(w http.ResponseWriter, r *http.Request) {
	s, err := a.Room.BranchReplenishment(r.Context(), r.PathValue("branch"))
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	answer := struct {
		Signals
		LowStock []LowStock      `json:"low_stock"`
		Expires  []ExpiringStock `json:"expiring_stock"`
		Left     []string        `json:"left"`
	}{signalsOf(&s), make([]LowStock, len(s.Low)), make([]ExpiringStock, len(s.Expiring)), append([]string{}, s.Left...)}
	for i := range s.Low {
		l := &s.Low[i]
		answer.LowStock[i] = LowStock{onShelf(&l.OnShelf), l.RuleID, l.Rule, l.Min, l.Max, l.Auto}
	}
	for i := range s.Expiring {
		e := &s.Expiring[i]
		answer.Expires[i] = ExpiringStock{onShelf(&e.OnShelf), e.Lot, e.Expiry, e.Over}
	}
	a.answer(w, http.StatusOK, answer)
}

// orderStock has Odoo replenish by a rule, and waits for it.
func (a *API) orderStock(w http.ResponseWriter, r *http.Request) {
	var asked struct {
		RuleID int64 `json:"rule_id"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxAsked)).Decode(&asked); err != nil {
		a.refuse(w, r, fault.New(fault.Data, codeBadRequest, "the body is no JSON object: %w", err).WithHint(`send {"rule_id": 12}, as low_stock names it`))
		return
	}
	done, err := a.Room.OrderStock(r.Context(), room.OrderStock{Branch: r.PathValue("branch"), Rule: asked.RuleID, Who: access.By(r).Who()})
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	a.answer(w, http.StatusOK, done)
}
