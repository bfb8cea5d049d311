package app

import (
	"context"
	"crypto/x509"
	"net"
	"path/filepath"

	"github.com/prometheus/client_golang/prometheus"

	"branchline/hub/broker"
	"branchline/hub/fleet"
	"branchline/internal/fault"
)

// toFleet builds what enrols branches, where they are to be enrolled.
func (a *App) toFleet(metrics prometheus.Registerer) (err error) {
	if !a.cfg.Fleet.On() {
		return nil
	}
	p := fleet.Parts{Config: a.cfg.Fleet, Folder: filepath.Join(a.cfg.DataDir, "authority"), Ledger: a.ledger,
		Broker: a.cfg.BrokerAddress(), Log: a.log, Metrics: metrics}
	for _, b := range a.cfg.Branches {
		p.Branches = append(p.Branches, b.Code)
	}
	a.fleet, err = fleet.New(p)
	return err
}

// embed builds the hub's own broker: over TLS with the fleet's certificates, or
// plain where that is wanted.
func (a *App) embed(sink broker.Sink, metrics prometheus.Registerer) error {
	cfg := a.cfg.Broker.EmbeddedConfig
	if a.fleet != nil {
		cfg.TLS, cfg.Identities = a.fleet.Authority.BrokerTLS(), a.fleet
	} else {
		a.log.Warn("branches connect without TLS and prove themselves by secrets that everybody on the line can read (broker.plain)")
	}
	b, err := broker.NewEmbedded(cfg, a.cfg.Secrets(), sink, a.log, metrics)
	if err != nil {
		return err
	}
	if a.fleet != nil {
		a.fleet.OnChange(b.Recheck)
	}
	a.broker = b
	return nil
}

// Enrolment is what is to be done about branches' PCs, on the control socket.
type Enrolment struct {
	Branches []string `json:"branches"`
	// All stands for every branch that has neither a PC nor an open code.
	All bool   `json:"all,omitempty"`
	Who string `json:"who"`
	Why string `json:"why,omitempty"`
}

func (a *App) noFleet() error {
	if a.fleet != nil {
		return nil
	}
	return fault.New(fault.Setup, "no_fleet", "this hub enrols no branches").WithHint("set fleet.names in hub.yaml, take broker.plain out, and start it again")
}

// addCodes makes enrolment codes.
func (a *App) addCodes(ctx context.Context, e Enrolment) ([]fleet.Issued, error) {
	if err := a.noFleet(); err != nil {
		return nil, err
	}
	if e.All {
		members, err := a.fleet.Members(ctx)
		if err != nil {
			return nil, err
		}
		for _, m := range members {
			if m.Since.IsZero() && m.Code.IsZero() {
				e.Branches = append(e.Branches, m.Branch)
			}
		}
		if len(e.Branches) == 0 {
			return []fleet.Issued{}, nil
		}
	}
	return a.fleet.AddCodes(ctx, e.Who, e.Branches)
}

// revoke takes a branch's PC its rights.
func (a *App) revoke(ctx context.Context, e Enrolment) error {
	if err := a.noFleet(); err != nil {
		return err
	}
	if len(e.Branches) != 1 {
		return fault.New(fault.Data, "bad_request", "one branch is revoked at a time")
	}
	return a.fleet.Revoke(ctx, e.Who, e.Branches[0], e.Why)
}

// members lists how the branches' PCs stand.
func (a *App) members(ctx context.Context) ([]fleet.Member, error) {
	if err := a.noFleet(); err != nil {
		return nil, err
	}
	return a.fleet.Members(ctx)
}

// identities tell what is to be looked at about the branches' PCs; nil where none
// are enrolled.
func (a *App) identities() func(context.Context) (map[string][]string, error) {
	if a.fleet == nil {
		return nil
	}
	return a.fleet.Said
}

// forBroker signs what a broker elsewhere needs, for its public key in PKIX form.
func (a *App) forBroker(ctx context.Context, der []byte) (fleet.BrokerFiles, error) {
	if err := a.noFleet(); err != nil {
		return fleet.BrokerFiles{}, err
	}
	key, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return fleet.BrokerFiles{}, fault.New(fault.Data, "bad_key", "the broker's key cannot be read: %w", err)
	}
	names := a.cfg.Fleet.Names
	if host, _, err := net.SplitHostPort(a.cfg.Fleet.Broker); err == nil {
		names = []string{host}
	}
	return a.fleet.ForBroker(ctx, names, key)
}
