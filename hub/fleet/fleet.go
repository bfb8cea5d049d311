package fleet

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"log/slog"
	"net"
	"path/filepath"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"branchline/hub/ledger"
	"branchline/internal/fault"
	"branchline/internal/trust"
)

// Parts are what a fleet is made of.
type Parts struct {
	Config Config
	// Folder is the authority's.
	Folder string
	Ledger *ledger.Ledger
	// Branches are the codes of the branches that there are, in order.
	Branches []string
	// Broker is where branches send: mqtts://host:port.
	Broker string
	// Listener, if set, is used instead of Config.Listen.
	Listener net.Listener
	Log      *slog.Logger
	Metrics  prometheus.Registerer
	// Now is the hub's clock; nil for time.Now.
	Now func() time.Time
}

// Fleet is safe for concurrent use.
type Fleet struct {
	Parts
	Authority *Authority
	known     map[string]bool
	listener  net.Listener
	limits    *limits
	metrics   *metrics

	mu      sync.Mutex
	revoked *revocations
	out     map[string]bool // branches whose PC is revoked, without another one

	changed func()
	turns   map[string][]time.Time // takeovers lately, by branch
}

// New opens the authority and binds the door; it is served when [Fleet.Run] runs.
// Errors are faults of class Setup.
func New(p Parts) (*Fleet, error) {
	if p.Now == nil {
		p.Now = time.Now
	}
	ever, err := p.Ledger.EverEnrolled(context.Background())
	if err != nil {
		return nil, err
	}
	f := &Fleet{Parts: p, known: map[string]bool{}, limits: newLimits(p.Now), turns: map[string][]time.Time{}}
	for _, b := range p.Branches {
		f.known[b] = true
	}
	if f.Authority, err = OpenAuthority(p.Folder, !ever, p.Config.Names, p.Now); err != nil {
		return nil, err
	}
	if f.revoked, err = openRevocations(filepath.Join(p.Folder, revokedFile)); err != nil {
		return nil, err
	}
	if f.listener = p.Listener; f.listener == nil {
		if f.listener, err = net.Listen("tcp", p.Config.Listen); err != nil {
			return nil, fault.New(fault.Setup, "port_unusable", "the port %s, where branches enrol, cannot be opened: %w", p.Config.Listen, err).
				WithHint("change fleet.listen, or stop what uses it")
		}
	}
	if err := f.lookWhoIsOut(context.Background()); err != nil {
		return nil, errors.Join(err, f.listener.Close())
	}
	f.metrics = newMetrics(p.Metrics, f)
	return f, nil
}

// Addr is where the door is.
func (f *Fleet) Addr() net.Addr { return f.listener.Addr() }

// Close frees the address of a fleet that never ran.
func (f *Fleet) Close() error { return f.listener.Close() }

// OnChange has g called, without waiting for anything, whenever a certificate
// may no longer count: after each act, and every minute. It is to be called
// before Run.
func (f *Fleet) OnChange(g func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.changed = g
}

// lookTime bounds how long is looked who is revoked.
const lookTime = 10 * time.Second

func (f *Fleet) tellChanged() {
	f.mu.Lock()
	g := f.changed
	f.mu.Unlock()
	if g != nil { // first: open connections are cut by it
		g()
	}
	ctx, cancel := context.WithTimeout(context.Background(), lookTime)
	defer cancel()
	if err := f.lookWhoIsOut(ctx); err != nil {
		f.Log.Warn("which PCs are revoked is not known anew", "err", err)
	}
}

// Codes of what is no judgement on who asks.
const (
	codeBusy      = "hub_busy"
	codeMalformed = "malformed_request"
)

// refused is a refusal as an error, on its way through the ledger.
type refused struct{ trust.Refusal }

func (r *refused) Error() string { return r.Text }

func refuse(code, hint, text string) *refused {
	return &refused{trust.Refusal{Code: code, Text: text, Hint: hint}}
}

// refusalOf is what the other side is told of an error.
func (f *Fleet) refusalOf(err error) *trust.Refusal {
	var r *refused
	switch {
	case errors.As(err, &r):
	case fault.ClassOf(err) == fault.Data:
		r = refuse(fault.CodeOf(err), fault.HintOf(err), err.Error())
	default:
		r = refuse(codeBusy, "the branch tries again by itself", "the hub cannot answer now")
	}
	told := r.Refusal
	told.Time = f.Now().UTC()
	return &told
}

// stamp is a moment in words, for people in any time zone.
func stamp(t time.Time) string { return t.UTC().Format("2 January 2006 15:04 UTC") }

func keyHash(c *x509.Certificate) [sha256.Size]byte { return sha256.Sum256(c.RawSubjectPublicKeyInfo) }

func audit(at time.Time, who, action, branch, detail string) ledger.Entry {
	return ledger.Entry{At: at, Who: who, Action: action, Subject: "branch " + branch, Detail: detail}
}
