// Package app puts the agent's stages together: capture and exports record
// into the outbox, the uplink sends from it, the page shows both.
package app

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"branchline/agent/capture"
	"branchline/agent/config"
	"branchline/agent/dispense"
	"branchline/agent/identity"
	"branchline/agent/outbox"
	"branchline/agent/receive"
	"branchline/agent/reference"
	"branchline/agent/uplink"
	"branchline/agent/web"
	"branchline/internal/control"
	"branchline/internal/daemon"
	"branchline/internal/disk"
	"branchline/internal/fault"
	"branchline/internal/webserver"
	"branchline/internal/wire"
)

// App is one agent. New binds and opens all that can fail; Run works until its
// context ends.
type App struct {
	cfg     config.Config
	version string
	log     *slog.Logger

	outbox    *outbox.Outbox
	reference *reference.Store
	desk      *receive.Desk
	scans     *capture.Capture
	exports   *dispense.Dispense
	identity  *identity.Identity
	uplink    *uplink.Uplink
	branch    *web.Page
	page      *webserver.Server
	control   *control.Server
}

// New builds an agent from its configuration. On an error nothing is left
// open.
func New(cfg config.Config, version string, log *slog.Logger) (_ *App, err error) {
	a := &App{cfg: cfg, version: version, log: log.With("branch", cfg.Branch)}
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
	if a.outbox, err = outbox.Open(cfg.Outbox, a.log, time.Now); err != nil {
		return nil, err
	}
	if err := a.stages(metrics); err != nil {
		return nil, err
	}
	metrics.MustRegister(outboxMetrics{a.outbox})
	if a.page, err = webserver.New(cfg.Web, a.branch, a.Health, promhttp.HandlerFor(metrics, promhttp.HandlerOpts{}), a.log); err != nil {
		return nil, err
	}
	if a.control, err = control.Listen(cfg.DataDir, a.controlRoutes()); err != nil {
		return nil, err
	}
	return a, nil
}

// Run works until ctx ends. The stages stop together, each when what it has in
// hand is recorded or sent; the outbox is closed last.
func (a *App) Run(ctx context.Context) error {
	a.log.Info("agent runs", "version", a.version, "page", a.page.URL())
	var g daemon.Group
	g.Add("outbox", a.watchOutbox)
	g.Add("reference", a.reference.Run)
	g.Add("scanners", throughout(a.scans.Run))
	g.Add("exports", throughout(a.exports.Run))
	g.Add("settled rows", a.settledAtHub().run)
	g.Add("identity", throughout(a.identity.Run))
	g.Add("uplink", func(ctx context.Context) error { return errors.Join(a.uplink.Run(ctx), ctx.Err()) })
	g.Add("page", a.page.Run)
	g.Add("open pages", a.branch.Run)
	g.Add("control", a.control.Run)
	err := g.Run(ctx)
	a.log.Info("agent ends")
	return errors.Join(err, a.reference.Close(), a.outbox.Close())
}

// throughout is a part that goes on until ctx ends, also where nothing is
// configured for it.
func throughout(run func(context.Context)) func(context.Context) error {
	return func(ctx context.Context) error {
		run(ctx)
		<-ctx.Done()
		return ctx.Err()
	}
}

// watchOutbox ends the agent when its file can no longer be used: the start that
// follows reads it anew, and salvages one that is damaged.
func (a *App) watchOutbox(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-a.outbox.Failed():
		return a.outbox.Failure()
	}
}

// Alive tells the service manager that the agent is not stuck: its outbox
// answers.
func (a *App) Alive() bool {
	_, err := a.outbox.Stats()
	return err == nil
}

func (a *App) close() {
	if a.page != nil {
		_ = a.page.Close()
	}
	if a.control != nil {
		_ = a.control.Close()
	}
	if a.reference != nil {
		_ = a.reference.Close()
	}
	if a.outbox != nil {
		_ = a.outbox.Close()
	}
}

// describe fills in what the uplink does not know of the agent's state.
func (a *App) describe(s *wire.State) {
	s.Version, s.Documents, s.Config = a.version, a.reference.State(), a.cfg.Fingerprint
	if free, err := disk.Free(a.cfg.DataDir); err == nil { // else nobody is told
		s.DiskFree = &free
	}
	for _, e := range a.exports.Status() {
		s.Adapters = append(s.Adapters, wire.AdapterState{Name: e.Name, State: string(e.State), Since: e.Since, Reason: e.Reason,
			Good: e.Rows.Good, Bad: e.Rows.Bad, Open: int64(e.Open)})
	}
	st, err := a.outbox.Stats()
	if err != nil {
		s.Alarms = append(s.Alarms, wire.Alarm{Code: fault.CodeOf(err), Text: err.Error()})
		return
	}
	s.Unsent, s.OldestUnsent, s.Bytes = st.Unsent, st.OldestUnsent, st.Bytes
	w := a.desk.Waiting()
	s.Open = wire.OpenWork{Deliveries: uint(w.Deliveries), Counts: uint(w.Counts), Others: uint(w.Others), Lines: uint(w.Lines), Oldest: w.Oldest}
	s.Alarms = append(s.Alarms, a.alarms(st)...)
	for _, x := range a.scans.Status() {
		s.Scanners = append(s.Scanners, wire.ScannerState{Name: x.Name, Up: x.Up, Since: x.Since, Reason: x.Reason})
	}
}
