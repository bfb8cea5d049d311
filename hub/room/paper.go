package room

import (
	"slices"
	"time"

	"branchline/internal/fault"
	"branchline/internal/paper"
)

// PaperBranch is a branch that forms can be printed for.
type PaperBranch struct{ Code, Name string }

// Words is how people call it.
func (b PaperBranch) Words() string {
	if b.Name == "" {
		return b.Code
	}
	return b.Code + " " + b.Name
}

// PaperBranches lists all branches, in the order of the configuration.
func (m *Room) PaperBranches() []PaperBranch {
	list := make([]PaperBranch, len(m.Branches))
	for i, b := range m.Branches {
		list[i] = PaperBranch{b.Code, b.Name}
	}
	return list
}

// PaperOrders lists what a branch expects and can be printed on forms, as Odoo had
// it when the branch was last told.
func (m *Room) PaperOrders(branch string) ([]paper.Order, error) {
	if _, err := m.branchNamed(branch); err != nil || m.Expected == nil {
		return nil, err
	}
	deliveries, asOf := m.Expected(branch)
	list := make([]paper.Order, len(deliveries))
	for i := range deliveries {
		list[i] = paper.OrderOf(&deliveries[i], asOf)
	}
	return list, nil
}

// PaperWish is what forms are wanted.
type PaperWish struct {
	Branch string
	// Order is one that the branch expects; where it is empty, so many sheets of a
	// kind are made without one.
	Order  string
	Kind   paper.Kind
	Sheets int
}

// PaperForms makes forms, each with a number of its own. Nothing is kept of them.
// Errors are faults of class Data: [CodeUnknownBranch], "no_form".
func (m *Room) PaperForms(of PaperWish) ([]paper.Form, error) {
	at, err := m.branchNamed(of.Branch)
	if err != nil {
		return nil, err
	}
	now, branch := time.Now(), PaperBranch{m.Branches[at].Code, m.Branches[at].Name}.Words()
	if zone := m.Branches[at].Zone; zone != nil {
		now = now.In(zone)
	}
	if of.Order != "" {
		orders, err := m.PaperOrders(of.Branch)
		if err != nil {
			return nil, err
		}
		i := slices.IndexFunc(orders, func(o paper.Order) bool { return o.Document == of.Order })
		if i < 0 {
			return nil, fault.New(fault.Data, "no_form", "%s does not expect %.40q", of.Branch, of.Order).WithHint("print a form for any delivery")
		}
		return paper.ForOrder(orders[i], branch, now), nil
	}
	if !slices.Contains(paper.Kinds, of.Kind) {
		return nil, fault.New(fault.Data, "no_form", "there are no forms for %.40q", string(of.Kind))
	}
	return paper.Blank(of.Kind, branch, of.Sheets, now), nil
}
