package odootest

import (
	"maps"
	"sync"
	"time"
)

// Costs are what calls take on a real server, as far as it was measured.
type Costs struct {
	// Call is the overhead of any call, Picking that of validating a document,
	// Line that of each move line made.
	Call, Picking, Line time.Duration
	// Sleep makes calls really take that long; otherwise it is only counted.
	Sleep bool
}

// MeasuredCosts are close to what Odoo 18 and 19 showed on two cores: 400
// movements of 170 lots in 3.2 to 3.9 s as one document, 150 ms each alone.
func MeasuredCosts() Costs {
	return Costs{Call: 6 * time.Millisecond, Picking: 110 * time.Millisecond, Line: 20 * time.Millisecond}
}

// Spent is what the calls so far cost.
type Spent struct {
	Calls int
	Lines int
	// Time is what a real server would have taken for them one after the other.
	Time time.Duration
	// Methods counts calls by "model.method".
	Methods map[string]int
}

type meter struct {
	mu    sync.Mutex
	spent Spent
}

func (m *meter) count(c Costs, k *call, lines int) time.Duration {
	took := c.Call + time.Duration(lines)*c.Line
	if k.method == "button_validate" {
		took += c.Picking * time.Duration(len(k.ids))
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.spent.Calls++
	m.spent.Lines += lines
	m.spent.Time += took
	if m.spent.Methods == nil {
		m.spent.Methods = map[string]int{}
	}
	m.spent.Methods[k.model+"."+k.method]++
	return took
}

// Spent tells what calls have cost since the start or ResetSpent.
func (s *Server) Spent() Spent {
	s.meter.mu.Lock()
	defer s.meter.mu.Unlock()
	out := s.meter.spent
	out.Methods = maps.Clone(out.Methods)
	return out
}

// ResetSpent begins counting anew.
func (s *Server) ResetSpent() {
	s.meter.mu.Lock()
	defer s.meter.mu.Unlock()
	s.meter.spent = Spent{}
}
