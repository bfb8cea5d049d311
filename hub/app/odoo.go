package app

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"branchline/hub/catalogue"
	"branchline/hub/ledger"
	"branchline/hub/plan"
	"branchline/hub/post"
	"branchline/hub/web"
	"branchline/internal/odoo"
	"branchline/internal/ui"
)

// toOdoo builds what stands between the ledger and Odoo.
func (a *App) toOdoo(metrics prometheus.Registerer) (err error) {
	c := a.cfg.Odoo.Client()
	c.Observe = post.Observer(metrics)
	if a.odoo, err = odoo.New(c); err != nil {
		return err
	}
	a.catalogue = catalogue.New(a.cfg.Catalogue, a.odoo, a.ledger, a.log, time.Now, metrics)
	a.feed = a.newFeed(metrics)
	a.planner = plan.NewRunner(a.cfg.Plan(), a.ledger, a.catalogue, a.odoo, a.log, time.Now, metrics)
	a.poster = post.New(a.cfg.Post(), a.ledger, a.odoo, a.log, time.Now, metrics)
	return nil
}

// odooState says how Odoo is, as the poster last found it.
func (a *App) odooState() web.Odoo {
	st := a.poster.Status()
	o := web.Odoo{URL: a.cfg.Odoo.URL, Reachable: !st.BreakerOpen && st.Halted == "" && st.Adopted}
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
func (a *App) alarms(ctx context.Context) []string {
	var all []string
	restored, err := a.ledger.Restores(ctx, time.Now().Add(-ledger.RestoreShown))
	if err != nil {
		all = append(all, "The ledger cannot be read: "+err.Error())
	}
	for _, r := range restored {
		all = append(all, r.Words())
	}
	st := a.poster.Status()
	if st.Halted != "" {
		all = append(all, fmt.Sprintf("Posting to Odoo stands still since %s: %s", ui.Ago(time.Since(st.HaltedSince)), st.Halted))
	}
	for _, branch := range slices.Sorted(maps.Keys(st.Blocked)) {
		all = append(all, fmt.Sprintf("Branch %s: its postings wait for a right in Odoo: %s", branch, st.Blocked[branch]))
	}
	for _, u := range st.Unadopted {
		all = append(all, u.Words())
	}
	for branch, whys := range a.planner.Alarms() {
		for _, why := range whys {
			all = append(all, fmt.Sprintf("Branch %s: %s", branch, why))
		}
	}
	all = append(all, a.oldCopies()...)
	if err := a.broker.Trouble(); err != nil {
		all = append(all, "Broker: "+err.Error())
	}
	return all
}
