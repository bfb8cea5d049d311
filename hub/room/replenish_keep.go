package room

import (
	"cmp"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"
)

// refillEvery is the pause between two rounds over all branches.
const refillEvery = time.Minute

// refills are the signals of the last round, by branch.
type refills struct {
	mu sync.Mutex
	of map[string]Signals
}

// Refills works out the signals of all branches, one after the other, until ctx ends.
func (m *Room) Refills(ctx context.Context) error {
	for {
		if err := m.RefillOnce(ctx); err != nil && ctx.Err() == nil {
			m.Log.Warn("the replenishment signals are not worked out", "err", err)
		}
		t := time.NewTimer(refillEvery)
		select {
		case <-ctx.Done():
			t.Stop()
			return ctx.Err()
		case <-t.C:
		}
	}
}

// RefillOnce goes over all branches once. A branch that fails does not keep the
// others; it is left as it was.
func (m *Room) RefillOnce(ctx context.Context) (failed error) {
	if m.Refill == nil {
		return nil
	}
	for i := range m.Branches {
		s, err := m.signals(ctx, &m.Branches[i], time.Now())
		if err != nil {
			failed = fmt.Errorf("branch %s: %w", m.Branches[i].Code, err)
			if ctx.Err() != nil {
				break
			}
			continue
		}
		m.refills.mu.Lock()
		if m.refills.of == nil {
			m.refills.of = map[string]Signals{}
		}
		m.refills.of[s.Code] = s
		m.refills.mu.Unlock()
	}
	return failed
}

// Replenishment lists the signals of all branches, those that run low of most first.
func (m *Room) Replenishment(context.Context) ([]Signals, error) {
	all := make([]Signals, 0, len(m.Branches))
	for i := range m.Branches {
		all = append(all, m.signalsOf(&m.Branches[i]))
	}
	slices.SortStableFunc(all, func(x, y Signals) int {
		return cmp.Or(cmp.Compare(len(y.Low), len(x.Low)), cmp.Compare(len(y.Expiring), len(x.Expiring)))
	})
	return all, nil
}

// BranchReplenishment gives those of one branch. One that is not configured is a fault
// of class Data, "unknown_branch".
func (m *Room) BranchReplenishment(_ context.Context, branch string) (Signals, error) {
	i, err := m.branchNamed(branch)
	if err != nil {
		return Signals{}, err
	}
	return m.signalsOf(&m.Branches[i]), nil
}

func (m *Room) signalsOf(b *Branch) Signals {
	m.refills.mu.Lock()
	defer m.refills.mu.Unlock()
	if s, ok := m.refills.of[b.Code]; ok {
		return s
	}
	return Signals{Code: b.Code, Name: b.Name, Zone: b.Zone, Why: "the hub has not worked it out yet"}
}

// words are the signals for a message, and whether they are known.
func (s *Signals) words() (low, expiring []string, known bool) {
	for i := range s.Low {
		low = append(low, fmt.Sprintf("%s (%s of at least %s)", s.Low[i].Name, s.Low[i].Together, s.Low[i].Min))
	}
	for i := range s.Expiring {
		expiring = append(expiring, fmt.Sprintf("%s, lot %s (%s)", s.Expiring[i].Name, s.Expiring[i].Lot, s.Expiring[i].Expiry))
	}
	return low, expiring, s.Why == ""
}

// WriteReplenishment writes the signals as CSV, a line for each.
func WriteReplenishment(out io.Writer, all []Signals) error {
	w := csv.NewWriter(out)
	_ = w.Write([]string{"branch", "signal", "product_id", "code", "product", "lot", "expiry", "unit", "in_odoo", "not_in_odoo_yet", "together", "minimum", "maximum", "odoo_read_at", "note"}) // Flush tells
	for i := range all {
		s := &all[i]
		line := func(what string, o *OnShelf, lot, expiry, low, high string) {
			note := strings.Join(o.Doubts, "; ")
			if s.Unsettled != "" {
				note = strings.Trim(note+"; "+s.Unsettled, "; ")
			}
			_ = w.Write([]string{s.Code, what, fmt.Sprint(o.ProductID), Cell(o.Reference), Cell(o.Name), Cell(lot), expiry, Cell(o.Unit), o.Odoo.String(), o.Unposted.String(), o.Together.String(), low, high, stampOf(s.OdooAt), Cell(note)})
		}
		for j := range s.Low {
			line("low", &s.Low[j].OnShelf, "", "", s.Low[j].Min.String(), s.Low[j].Max.String())
		}
		for j := range s.Expiring {
			e := &s.Expiring[j]
			line("expiring", &e.OnShelf, e.Lot, e.Expiry.String(), "", "")
		}
		for _, why := range append(slices.Clone(s.Left), s.Why) {
			if why != "" {
				_ = w.Write([]string{s.Code, "not told", "", "", "", "", "", "", "", "", "", "", "", stampOf(s.OdooAt), Cell(why)})
			}
		}
	}
	w.Flush()
	return w.Error()
}
