// Package room is the control room behind its pages, its API and the command
// line: what people can see of the branches, the movements and the postings, and
// what they can do about them. It knows nothing of HTTP, and who may do what is
// decided before it is asked (package access).
package room

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"branchline/hub/broker"
	"branchline/hub/feed"
	"branchline/hub/ledger"
	"branchline/hub/post"
	"branchline/internal/odoo"
	"branchline/internal/wire"
)

// Parts are what the room looks at and acts on. All of them are safe for
// concurrent use.
type Parts struct {
	Version  string
	Branches []Branch
	Ledger   *ledger.Ledger
	// Line is the connection to the branches.
	Line interface {
		Connections() []broker.Connection
		Trouble() error
	}
	Catalogue Knower
	Products  interface {
		ProductsNamed(ctx context.Context, name string) ([]odoo.Product, error)
	}
	OdooURL string
	Poster  interface{ Status() post.Status }
	Planner interface{ Alarms() map[string][]string }
	Feed    interface{ Old() []feed.Old }
	Log     *slog.Logger
}

// Branch is one branch of the chain, as it is configured.
type Branch struct {
	Code, Name string
	// Zone is its time zone, Hours are when it is open in it.
	Hours Hours
	Zone  *time.Location
}

// Room is safe for concurrent use.
type Room struct {
	Parts

	mu      sync.Mutex
	reports map[string]report
}

// report is what a branch last said of itself.
type report struct {
	wire.State
	at time.Time
}

// New makes a room.
func New(p Parts) *Room { return &Room{Parts: p, reports: map[string]report{}} }

// Heard keeps what a branch says of itself.
func (m *Room) Heard(branch string, s wire.State) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.reports[branch] = report{s, time.Now()}
}

// Alive tells whether the ledger answers.
func (m *Room) Alive() bool {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_, err := m.Ledger.CountExceptions(ctx, "")
	return err == nil
}
