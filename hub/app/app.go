// Package app puts the hub's stages together: what the branches send is taken
// into the ledger, projected, planned and posted to Odoo; the page and the
// command line show it and decide.
package app

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"branchline/hub/access"
	"branchline/hub/alert"
	"branchline/hub/broker"
	"branchline/hub/catalogue"
	"branchline/hub/config"
	"branchline/hub/feed"
	"branchline/hub/fleet"
	"branchline/hub/ingest"
	"branchline/hub/ledger"
	"branchline/hub/plan"
	"branchline/hub/post"
	"branchline/hub/projection"
	"branchline/hub/reconcile"
	"branchline/hub/room"
	"branchline/hub/web"
	"branchline/internal/control"
	"branchline/internal/daemon"
	"branchline/internal/fault"
	"branchline/internal/odoo"
	"branchline/internal/webserver"
	"branchline/internal/wire"
)

// App is one hub. New binds and opens all that can fail; Run works until its
// context ends.
type App struct {
	cfg     config.Config
	version string
	log     *slog.Logger

	ledger     *ledger.Ledger
	projector  *projection.Projector
	odoo       *odoo.Client
	orders     *odoo.Client // nil where nobody may have Odoo order
	catalogue  *catalogue.Catalogue
	feed       *feed.Feed
	planner    *plan.Runner
	poster     *post.Poster
	reconciler *reconcile.Runner
	broker     broker.Broker
	fleet      *fleet.Fleet // nil where branches do not enrol
	page       *webserver.Server
	control    *control.Server

	room     *room.Room
	access   *access.Access
	site     *web.Site
	watchman *alert.Watchman
}

// New builds a hub from its configuration. On an error nothing is left open.
func New(cfg config.Config, version string, log *slog.Logger) (_ *App, err error) {
	a := &App{cfg: cfg, version: version, log: log}
	defer func() {
		if err != nil {
			a.close()
		}
	}()
	if err := os.MkdirAll(cfg.DataDir, 0o700); err != nil {
		return nil, fault.New(fault.Setup, "data_dir", "the folder %s cannot be made: %w", cfg.DataDir, err).
			WithHint("make it, or change data_dir")
	}
	metrics := prometheus.NewRegistry()
	metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	if a.ledger, err = ledger.Open(context.Background(), cfg.Ledger, log); err != nil {
		return nil, err
	}
	a.projector = projection.New(a.ledger, log, metrics)
	if err := a.toOdoo(metrics); err != nil {
		return nil, err
	}
	if err := a.toBranches(metrics); err != nil {
		return nil, err
	}
	if err := a.toPeople(metrics); err != nil {
		return nil, err
	}
	a.control, err = control.Listen(cfg.DataDir, a.controlRoutes())
	return a, err
}

// toBranches builds the broker, with ingest behind it.
func (a *App) toBranches(metrics prometheus.Registerer) (err error) {
	in := ingest.New(a.ledger, a.log, metrics)
	in.OnState = a.reported
	sink := hears{in, a.feed, a.log}
	if err := a.toFleet(metrics); err != nil {
		return err
	}
	if a.cfg.Broker.External.Server == "" {
		return a.embed(sink, metrics)
	}
	known := map[string]bool{}
	for _, b := range a.cfg.Branches {
		known[b.Code] = true
	}
	external := a.cfg.Broker.External
	if a.fleet != nil && strings.HasPrefix(external.Server, "mqtts://") && external.Secret.IsZero() {
		external.TLS, external.Username = a.fleet.Authority.HubTLS(), fleet.HubName
	}
	a.broker, err = broker.NewExternal(external, func(branch string) bool { return known[branch] && (a.fleet == nil || !a.fleet.Revoked(branch)) },
		sink, a.log, metrics)
	return err
}

// Run works until ctx ends. The branches are cut off first; what is being
// posted comes to a step from which it can go on.
func (a *App) Run(ctx context.Context) error {
	a.log.Info("hub runs", "version", a.version, "page", a.page.URL(), "branches", len(a.cfg.Branches))
	var g daemon.Group
	g.Add("broker", a.broker.Run)
	if a.fleet != nil {
		g.Add("fleet", a.fleet.Run)
	}
	g.Add("projector", a.projector.Run)
	g.Add("catalogue", a.catalogue.Run)
	g.Add("feed", a.feed.Run)
	g.Add("planner", a.planner.Run)
	g.Add("poster", a.poster.Run)
	g.Add("reconciliation", a.reconciler.Run)
	g.Add("page", a.page.Run)
	g.Add("access", a.access.Run)
	g.Add("site", a.site.Run)
	g.Add("alerts", a.watchman.Run)
	g.Add("room", a.room.Keep)
	g.Add("replenishment", a.room.Refills)
	g.Add("control", a.control.Run)
	err := g.Run(ctx)
	a.odoo.Close()
	if a.orders != nil {
		a.orders.Close()
	}
	a.log.Info("hub ends")
	return errors.Join(err, a.ledger.Close())
}

// Alive tells the service manager that the hub is not stuck.
func (a *App) Alive() bool { return a.room.Alive() }

func (a *App) close() {
	if a.page != nil {
		_ = a.page.Close()
	}
	if a.control != nil {
		_ = a.control.Close()
	}
	if a.fleet != nil {
		_ = a.fleet.Close()
	}
	if a.ledger != nil {
		_ = a.ledger.Close()
	}
}

// reported keeps what a branch says of itself.
func (a *App) reported(branch string, s wire.State) {
	a.feed.Heard(branch, s.Documents)
	a.room.Heard(branch, s)
}
