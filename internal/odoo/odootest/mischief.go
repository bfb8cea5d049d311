package odootest

import (
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// Kind is a way in which a server fails.
type Kind string

const (
	// Slow waits for Delay, then does the work and answers.
	Slow Kind = "slow"
	// Late does the work, waits for Delay, then answers.
	Late Kind = "late"
	// Lost does the work and breaks the connection without an answer.
	Lost Kind = "lost"
	// HangAfter does the work and never answers.
	HangAfter Kind = "hang_after"
	// Dropped breaks the connection without doing the work.
	Dropped Kind = "dropped"
	// Hang neither does the work nor answers.
	Hang Kind = "hang"
	// Gateway is a proxy's 502 without the work done.
	Gateway Kind = "gateway"
	// GatewayAfter is a proxy's 502 although the work is done.
	GatewayAfter Kind = "gateway_after"
	// Serialization is PostgreSQL's failure that outlived Odoo's retries.
	Serialization Kind = "serialization"
	// Outage is Odoo without its database.
	Outage Kind = "outage"
	// Refusal is a business refusal with the text Words.
	Refusal Kind = "refusal"
)

// Kinds are all kinds of mischief.
var Kinds = []Kind{Slow, Late, Lost, HangAfter, Dropped, Hang, Gateway, GatewayAfter, Serialization, Outage, Refusal}

// Mischief makes some calls fail.
type Mischief struct {
	Kind Kind `json:"kind"`
	// Model and Method restrict it to calls of these; empty means any.
	Model  string `json:"model,omitempty"`
	Method string `json:"method,omitempty"`
	// Product and Lot restrict it to calls whose values, or whose picking's
	// lines, hold this product's id or lot's name.
	Product int64  `json:"product,omitempty"`
	Lot     string `json:"lot,omitempty"`
	// Skip lets so many matching calls pass first.
	Skip int `json:"skip,omitempty"`
	// Count is how many calls it hits; 0 means all until it is cleared.
	Count int `json:"count,omitempty"`
	// Chance from 0 to 1 is how likely a matching call is hit; 0 means 1. The
	// dice are seeded with Seed: the same calls give the same failures.
	Chance float64 `json:"chance,omitempty"`
	Seed   uint64  `json:"seed,omitempty"`
	// Delay is for Slow and Late, in nanoseconds when it comes as JSON.
	Delay time.Duration `json:"delay,omitempty"`
	// Words are what Refusal says.
	Words string `json:"words,omitempty"`
}

func (m *Mischief) words() string {
	if m.Words == "" {
		return "This document cannot be processed."
	}
	return m.Words
}

type active struct {
	Mischief
	seen, hit int
	dice      *rand.Rand
}

type mischiefs struct {
	mu   sync.Mutex
	list []*active
	hits map[Kind]int
}

// Cause adds mischief. The first that matches a call is done to it.
func (s *Server) Cause(m Mischief) {
	s.mischief.mu.Lock()
	defer s.mischief.mu.Unlock()
	s.mischief.list = append(s.mischief.list, &active{Mischief: m, dice: rand.New(rand.NewPCG(m.Seed, 17))})
}

// Behave ends all mischief. Calls that hang already stay so until their client
// gives up.
func (s *Server) Behave() {
	s.mischief.mu.Lock()
	defer s.mischief.mu.Unlock()
	s.mischief.list = nil
}

// Hits tells how many calls were hit by each kind.
func (s *Server) Hits() map[Kind]int {
	s.mischief.mu.Lock()
	defer s.mischief.mu.Unlock()
	out := map[Kind]int{}
	for k, n := range s.mischief.hits {
		out[k] = n
	}
	return out
}

func (ms *mischiefs) next(s *Server, c *call) *Mischief {
	ms.mu.Lock()
	defer ms.mu.Unlock()
	for _, a := range ms.list {
		if a.Model != "" && a.Model != c.model || a.Method != "" && a.Method != c.method || a.Count > 0 && a.hit >= a.Count {
			continue
		}
		if (a.Product != 0 || a.Lot != "") && !s.concerns(c, a.Product, a.Lot) {
			continue
		}
		a.seen++
		if a.seen <= a.Skip || a.Chance > 0 && a.dice.Float64() >= a.Chance {
			continue
		}
		a.hit++
		if ms.hits == nil {
			ms.hits = map[Kind]int{}
		}
		ms.hits[a.Kind]++
		m := a.Mischief
		return &m
	}
	return nil
}

// concerns tells whether a call is about a product or a lot.
func (s *Server) concerns(c *call, product int64, lot string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	lots := s.db.tables["stock.lot"]
	hit := func(vals map[string]any) bool {
		p, _ := vals["product_id"].(int64)
		if product != 0 && p != product {
			return false
		}
		name, _ := vals["lot_name"].(string)
		if id, _ := vals["lot_id"].(int64); id != 0 && lots.rows[id] != nil {
			name, _ = lots.rows[id]["name"].(string)
		}
		return lot == "" || name == lot
	}
	var walk func(v any) bool
	walk = func(v any) bool {
		switch v := v.(type) {
		case map[string]any:
			if v["product_id"] != nil && hit(v) {
				return true
			}
			for _, x := range v {
				if walk(x) {
					return true
				}
			}
		case []any:
			return slices.ContainsFunc(v, walk)
		}
		return false
	}
	for _, v := range c.args {
		if walk(v) {
			return true
		}
	}
	if c.model != "stock.picking" {
		return false
	}
	lines := s.db.tables["stock.move.line"]
	for _, picking := range c.ids {
		for _, id := range lines.index["picking_id"][picking] {
			if hit(lines.rows[id]) {
				return true
			}
		}
	}
	return false
}
