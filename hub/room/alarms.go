package room

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"branchline/hub/ledger"
	"branchline/internal/ui"
	"branchline/internal/webserver"
)

// Odoo says how Odoo is, as the poster last found it.
func (m *Room) Odoo() Odoo {
	st := m.Posting()
	o := Odoo{URL: m.OdooURL, Reachable: !st.BreakerOpen && st.Halted == "" && st.Adopted}
	switch {
	case st.BreakerOpen:
		o.Trouble = "does not answer since " + ui.Ago(time.Since(st.BreakerSince))
	case !st.Adopted && st.Halted == "":
		o.Trouble = "has not answered since the hub started"
	}
	if o.Trouble != "" && st.Away != "" {
		o.Trouble += " (" + st.Away + ")"
	}
	return o
}

// alarms is what stands still until a person has mended it, and that the ledger
// was put back from a backup.
func (m *Room) alarms(ctx context.Context) []string {
	var all []string
	restored, err := m.Ledger.Restores(ctx, time.Now().Add(-ledger.RestoreShown))
	if err != nil {
		all = append(all, "The ledger cannot be read: "+err.Error())
	}
	for _, r := range restored {
		all = append(all, r.Words())
	}
	elsewhere, err := m.Ledger.Elsewhere(ctx, time.Now().Add(-ledger.RestoreShown))
	if err != nil {
		all = append(all, "The ledger cannot be read: "+err.Error())
	}
	for _, e := range elsewhere {
		all = append(all, e.Words())
	}
	counts, err := m.Ledger.CountExceptions(ctx, "")
	if err != nil {
		all = append(all, "The ledger cannot be read: "+err.Error())
	}
	all = append(all, doubts(counts)...)
	st := m.Posting()
	if st.Halted != "" {
		all = append(all, fmt.Sprintf("Posting to Odoo stands still since %s: %s", ui.Ago(time.Since(st.HaltedSince)), st.Halted))
	}
	for _, branch := range slices.Sorted(maps.Keys(st.Blocked)) {
		all = append(all, fmt.Sprintf("Branch %s: its postings wait for a right in Odoo: %s", branch, st.Blocked[branch]))
	}
	for _, u := range st.Unadopted {
		all = append(all, u.Words())
	}
	for branch, whys := range m.Planning() {
		for _, why := range whys {
			all = append(all, fmt.Sprintf("Branch %s: %s", branch, why))
		}
	}
	all = append(all, m.OldCopies()...)
	identities, err := m.identities(ctx)
	if err != nil {
		all = append(all, "The ledger cannot be read: "+err.Error())
	}
	for _, branch := range slices.Sorted(maps.Keys(identities)) {
		for _, said := range identities[branch] {
			if branch != "" {
				said = "Branch " + branch + ": " + said
			}
			all = append(all, said)
		}
	}
	if err := m.LineTrouble(); err != nil {
		all = append(all, "Broker: "+err.Error())
	}
	return all
}

// identities are what [Parts.Identities] tells, where there are any.
func (m *Room) identities(ctx context.Context) (map[string][]string, error) {
	if m.Identities == nil {
		return nil, nil
	}
	return m.Identities(ctx)
}

// maxNamed bounds how many branches a warning names.
const maxNamed = 20

// Health is what /healthz reports. Its problems are why what branches send would
// not be safe here; an absent Odoo is none: it shows as lag.
func (m *Room) Health() webserver.Health {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	h := webserver.Health{Warnings: m.alarms(ctx)}
	var said []string
	for _, l := range m.Lines() {
		if len(l.Said) > 0 {
			said = append(said, l.Code)
		}
	}
	if n := len(said); n > 0 {
		h.Warnings = append(h.Warnings, ui.Many(n, "branch says", "branches say")+" that a person should look at something: "+
			strings.Join(said[:min(n, maxNamed)], ", ")+strings.Repeat("…", min(1, max(0, n-maxNamed))))
	}
	if !m.Alive() {
		h.Problems = append(h.Problems, "The ledger does not answer.")
	}
	if err := m.LineTrouble(); err != nil {
		h.Problems = append(h.Problems, err.Error())
	}
	return h
}
