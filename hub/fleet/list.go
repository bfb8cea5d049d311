package fleet

import (
	"context"
	"fmt"
	"time"

	"branchline/hub/ledger"
)

// Member is how a branch stands.
type Member struct {
	Branch string `json:"branch"`
	// Code is until when its enrolment code can be used; zero for none.
	Code time.Time `json:"code,omitzero"`
	// Host, Address and Since are of its present PC; all zero for none.
	Host    string    `json:"host,omitempty"`
	Address string    `json:"address,omitempty"`
	Since   time.Time `json:"since,omitzero"`
	// Issued and Ends are of the newest certificate, Seen is when it was first
	// used, zero for not yet.
	Issued time.Time `json:"issued,omitzero"`
	Ends   time.Time `json:"ends,omitzero"`
	Seen   time.Time `json:"seen,omitzero"`
	// Past are the PCs before it, the latest first.
	Past []Past `json:"past,omitempty"`
	// Said is what a person must look at.
	Said []string `json:"said,omitempty"`
}

// Past is a PC that no longer is the branch's.
type Past struct {
	Host  string    `json:"host,omitempty"`
	Ended string    `json:"ended"`
	At    time.Time `json:"at"`
	By    string    `json:"by,omitempty"`
	Why   string    `json:"why,omitempty"`
}

// How long what is over is shown, and how early an end is told of: renewal is
// tried from two thirds on, so that one third of the life has gone wrong by then.
const (
	pastShown = 90 * 24 * time.Hour
	copyShown = 7 * 24 * time.Hour
	endsSoon  = 14 * 24 * time.Hour
)

// Members lists all branches in order, with what is known of each.
func (f *Fleet) Members(ctx context.Context) ([]Member, error) {
	now := f.Now().UTC()
	codes, err := f.Ledger.OpenCodes(ctx, now)
	if err != nil {
		return nil, err
	}
	identities, err := f.Ledger.Identities(ctx, now.Add(-pastShown))
	if err != nil {
		return nil, err
	}
	copies, err := f.Ledger.CopiesSince(ctx, now.Add(-copyShown))
	if err != nil {
		return nil, err
	}
	all := make([]Member, len(f.Branches))
	at := map[string]*Member{}
	for i, b := range f.Branches {
		all[i].Branch = b
		at[b] = &all[i]
	}
	for _, c := range codes {
		if m := at[c.Branch]; m != nil {
			m.Code = c.EndsAt
		}
	}
	for i := range identities {
		if m := at[identities[i].Enrolment.Branch]; m != nil {
			m.take(&identities[i], now)
		}
	}
	for _, c := range copies {
		if m := at[c.Enrolment.Branch]; m != nil && c.Enrolment.Ended == "" {
			m.Said = append(m.Said, fmt.Sprintf("a copy of its disk tried to connect from %s, last on %s, and was refused; find it, or enrol the right PC anew",
				c.Certificate.CopiedFrom, stamp(c.Certificate.CopiedAt)))
		}
	}
	for i := range all {
		if f.fighting(all[i].Branch, now) {
			all[i].Said = append(all[i].Said, "its connections keep taking each other's place: two PCs use the same disk, or its line breaks all the time")
		}
	}
	return all, nil
}

func (m *Member) take(i *ledger.Identity, now time.Time) {
	e, c := &i.Enrolment, &i.Certificate
	if e.Ended != "" {
		m.Past = append(m.Past, Past{Host: e.Host, Ended: e.Ended, At: e.EndedAt, By: e.EndedBy, Why: e.Why})
		return
	}
	m.Host, m.Address, m.Since, m.Issued, m.Ends, m.Seen = e.Host, e.Address, e.At, c.IssuedAt, c.EndsAt, c.SeenAt
	switch left := c.EndsAt.Sub(now); {
	case left <= 0:
		m.Said = append(m.Said, "its certificate ended on "+stamp(c.EndsAt)+"; the PC renews it by itself when it reaches the hub")
	case left <= endsSoon:
		m.Said = append(m.Said, "its certificate ends on "+stamp(c.EndsAt)+" and should have been renewed long ago; does its PC still reach the hub?")
	}
}

// Said is what a person must look at, by branch, and under "" what is of none.
func (f *Fleet) Said(ctx context.Context) (map[string][]string, error) {
	members, err := f.Members(ctx)
	if err != nil {
		return nil, err
	}
	all := map[string][]string{}
	for _, m := range members {
		if len(m.Said) > 0 {
			all[m.Branch] = m.Said
		}
	}
	if f.limits.many() {
		all[""] = []string{"many enrolment codes that do not count were tried in the last hour: look into the hub's log for where from"}
	}
	return all, nil
}
