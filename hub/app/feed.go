package app

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"branchline/hub/broker"
	"branchline/hub/feed"
	"branchline/internal/wire"
)

// newFeed builds what tells the branches of Odoo.
func (a *App) newFeed(metrics prometheus.Registerer) *feed.Feed {
	branches := make([]feed.Branch, len(a.cfg.Branches))
	for i, b := range a.cfg.Branches {
		zone, err := time.LoadLocation(b.Zone)
		if err != nil {
			zone = time.UTC // the configuration has been checked
		}
		branches[i] = feed.Branch{Code: b.Code, Warehouse: b.Warehouse, Zone: zone}
	}
	publish := func(branch string, c wire.Channel, payload []byte) error {
		return a.broker.Publish(branch, c, payload, false)
	}
	f := feed.New(a.cfg.Feed, branches, a.odoo, a.catalogue, publish, a.log, time.Now, metrics)
	f.Ledger = a.ledger
	return f
}

// hears gives what branches say to those whom it concerns.
type hears struct {
	ingest broker.Sink
	feed   *feed.Feed
	log    *slog.Logger
}

// Receive implements broker.Sink.
func (h hears) Receive(ctx context.Context, branch string, c wire.Channel, payload []byte, reply func(wire.Answer)) error {
	if c != wire.Want {
		return h.ingest.Receive(ctx, branch, c, payload, reply)
	}
	if err := h.feed.Wanted(branch, payload); err != nil {
		h.log.Warn("what the branch asks for cannot be read", "branch", branch, "err", err)
	}
	return nil
}
