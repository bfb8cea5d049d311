package app

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"branchline/hub/catalogue"
	"branchline/hub/plan"
	"branchline/hub/post"
	"branchline/internal/odoo"
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
	a.poster = post.New(a.cfg.Post(), a.ledger, a.odoo, a.planner, a.log, time.Now, metrics)
	return nil
}
