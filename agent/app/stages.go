package app

import (
	"maps"
	"path/filepath"
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"branchline/agent/capture"
	"branchline/agent/config"
	"branchline/agent/dispense"
	"branchline/agent/identity"
	"branchline/agent/receive"
	"branchline/agent/reference"
	"branchline/agent/staff"
	"branchline/agent/uplink"
	"branchline/agent/web"
	"branchline/internal/keyboard"
)

// stages builds what stands around the outbox.
func (a *App) stages(metrics prometheus.Registerer) (err error) {
	a.reference = reference.Open(reference.Config{Path: filepath.Join(a.cfg.DataDir, "reference.db"), Branch: a.cfg.Branch}, a.log, metrics)
	people, err := staff.New(a.cfg.Staff, a.outbox, nil)
	if err != nil {
		return err
	}
	if a.desk, err = receive.NewDesk(a.cfg.Receive, receive.Options{Store: a.outbox, Past: a.outbox, Branch: a.cfg.Branch, Log: a.log, Reference: a.reference, Single: capture.Direct{Store: a.outbox}, TypedProfile: a.cfg.Capture.Keyboard.GS1, Signed: people.Needed()}); err != nil {
		return err
	}
	if a.branch, err = web.New(web.Options{State: a.State, Desk: a.desk, Forms: a.desk, Knowledge: knowledge{a.reference}, Outcomes: outcomes{a.reference, a.outbox}, Scanners: scanners{a}, Rows: rows{a}, Reasons: a.cfg.Receive.Reasons, Calibration: keyboard.Draw, Typed: a.typed, Stations: a.stations, Sent: a.sent, Staff: people, Log: a.log}); err != nil {
		return err
	}
	if a.scans, err = capture.New(a.cfg.Capture, capture.Options{Handler: a.desk, Beeper: a.branch, Memory: a.outbox, Log: a.log, Metrics: metrics}); err != nil {
		return err
	}
	if a.exports, err = dispense.New(a.cfg.Exports, dispense.Options{Store: a.outbox, Log: a.log, Metrics: metrics, Retention: a.cfg.Outbox.Retention}); err != nil {
		return err
	}
	a.identity = identity.Open(identity.Options{Dir: config.IdentityFolder(&a.cfg), Branch: a.cfg.Branch, Program: a.version, Log: a.log, Metrics: metrics})
	a.cfg.Hub.Identity = a.identity
	if a.uplink, err = uplink.New(a.cfg.Hub, a.outbox, a.log, metrics); err != nil {
		return err
	}
	a.uplink.Describe, a.uplink.Feed = a.describe, a.reference
	return nil
}

func exportOf(s dispense.Status) web.Export {
	e := web.Export{Name: s.Name, Folder: s.Folder, Up: s.State != dispense.Held, Detail: s.Reason,
		Good: uint64(max(s.Rows.Good, 0)), Bad: uint64(max(s.Rows.Bad, 0)), Known: uint64(max(s.Rows.Known, 0)), Open: s.Open}
	for _, f := range s.Files {
		if f.Done && e.Files == 0 {
			e.LastFile, e.LastFinished = f.Name, f.At
		}
		if f.Done {
			e.Files++
		}
	}
	for _, w := range s.Withheld[:min(len(s.Withheld), 200)] {
		e.Withheld = append(e.Withheld, web.WithheldFile(w))
		if w.Told == e.LastFile {
			e.LastFile = w.Name
		}
	}
	for _, field := range slices.Sorted(maps.Keys(s.Unfit)) {
		e.Unfit = append(e.Unfit, web.UnfitRows{Field: field, Rows: s.Unfit[field], LeftOut: field == dispense.FieldReason})
	}
	return e
}
