package app

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"branchline/hub/catalogue"
	"branchline/hub/plan"
	"branchline/hub/post"
	"branchline/hub/reconcile"
	"branchline/internal/odoo"
)

// toOdoo builds what stands between the ledger and Odoo.
func (a *App) toOdoo(metrics prometheus.Registerer) (err error) {
	c := a.cfg.Odoo.Client()
	c.Observe = post.Observer(metrics)
	if a.odoo, err = odoo.New(c); err != nil {
		return err
	}
	if order := a.cfg.Replenishment.Order; order.User != "" {
		c.User, c.Key = order.User, odoo.Key(order.KeyFile.Reveal())
		if a.orders, err = odoo.New(c); err != nil {
			return err
		}
	}
	a.catalogue = catalogue.New(a.cfg.Catalogue, a.odoo, a.ledger, a.log, time.Now, metrics)
	a.feed = a.newFeed(metrics)
	a.planner = plan.NewRunner(a.cfg.Plan(), a.ledger, a.catalogue, a.odoo, a.log, time.Now, metrics)
	a.poster = post.New(a.cfg.Post(), a.ledger, a.odoo, a.planner, a.log, time.Now, metrics)
	a.reconciler = a.newReconciler()
	return nil
}

// newReconciler builds what holds the branches against Odoo.
func (a *App) newReconciler() *reconcile.Runner {
	branches := make([]reconcile.Branch, len(a.cfg.Branches))
	for i, b := range a.cfg.Branches {
		zone, err := time.LoadLocation(b.Zone)
		if err != nil {
			zone = time.UTC // the configuration has been checked
		}
		branches[i] = reconcile.Branch{Code: b.Code, Warehouse: b.Warehouse, Zone: zone}
	}
	return reconcile.New(reconcile.Parts{Config: a.cfg.Reconciliation, Branches: branches, Ledger: a.ledger, Odoo: a.odoo, Products: a.catalogue, Meaning: a.planner,
		Reported: func(branch string) (reconcile.Report, bool) {
			s, at, ok := a.room.Report(branch)
			return reconcile.Report{Streams: s.Streams, At: at}, ok
		},
		Away: func() string {
			switch s := a.poster.Status(); {
			case s.Halted != "":
				return s.Halted
			case s.BreakerOpen:
				return "Odoo does not answer: " + s.Away
			}
			return ""
		}, Log: a.log, Clock: time.Now})
}
