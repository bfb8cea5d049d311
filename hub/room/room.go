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

	"branchline/hub/ledger"
	"branchline/internal/feed"
	"branchline/internal/odoo"
	"branchline/internal/wire"
)

// Parts are what the room looks at and acts on. All of them are safe for
// concurrent use.
type Parts struct {
	Version  string
	Branches []Branch
	Ledger   *ledger.Ledger
	// Connections are the branches that are or have been connected, LineTrouble
	// is why they cannot be for now.
	Connections func() []Connection
	LineTrouble func() error
	Catalogue   Knower
	// Goods are all products, as the branches know them; nil for none.
	Goods func() []feed.Product
	// Product gives a product by its id in Odoo, Place says what a location of a
	// company is; nil where neither is known.
	Product func(id int64) (odoo.Product, bool)
	Place   func(companyID, id int64) string
	// SecondPerson are the decisions that a second approver must confirm.
	SecondPerson []string
	Products     interface {
		ProductsNamed(ctx context.Context, name string) ([]odoo.Product, error)
	}
	OdooURL string
	// Posting is how the posting to Odoo is.
	Posting func() Posting
	// Planning is what keeps branches from being planned, by branch.
	Planning func() map[string][]string
	// OldCopies are sentences about what branches know of Odoo as it was long
	// ago.
	OldCopies func() []string
	// Identities are what a person must look at about the branches' PCs, in
	// sentences by branch, and "" for what is of none; nil where branches do not
	// enrol.
	Identities func(ctx context.Context) (map[string][]string, error)
	// Expected are the deliveries that a branch expects, and as of when; nil for
	// none.
	Expected func(branch string) ([]feed.Delivery, time.Time)
	// Reconciling is how far the comparison with Odoo is.
	Reconciling func() Reconciling
	// Refill is what replenishment signals are made of; nil for none.
	Refill *Refill
	Log    *slog.Logger
}

// Connection is what is known of a branch's line.
type Connection struct {
	Branch string
	Online bool
	// Since is when it came or went, Heard when it last said anything.
	Since, Heard time.Time
	// Remote is its address, where the broker tells.
	Remote string
	// Takeovers is how often another connection of the same branch took the
	// place of one that was still open, TakenOver when last.
	Takeovers int
	TakenOver time.Time
	// Refused is how many messages of it were refused, LastRefusal why the last.
	Refused     int
	LastRefusal string
}

// Posting is how the posting to Odoo is.
type Posting struct {
	// Halted says why all posting stands still; empty if it does not.
	Halted      string
	HaltedSince time.Time
	// Blocked says which branches' postings wait for a right in Odoo, and why.
	Blocked map[string]string
	// BreakerOpen: Odoo is away, since when.
	BreakerOpen  bool
	BreakerSince time.Time
	// Away says why Odoo last was away, also when it no longer is.
	Away string
	// Adopted tells that Odoo has been searched for documents that the ledger
	// does not know; before that nothing is posted.
	Adopted bool
	// Unadopted are documents that a person must settle.
	Unadopted []ledger.Unadopted
}

// Branch is one branch of the chain, as it is configured.
type Branch struct {
	Code, Name string
	// Groups are what it belongs to: a region, a kind of shop.
	Groups []string
	// Zone is its time zone, Hours are when it is open in it.
	Hours Hours
	Zone  *time.Location
}

// Room is safe for concurrent use.
type Room struct {
	Parts

	// started is when the room was made: the hub's start.
	started time.Time

	mu      sync.Mutex
	reports map[string]report
	// lines are the last known changes of the branches' lines. What the ledger
	// does not have yet is in changes and, of reports, told in fresh.
	lines   map[string]ledger.LineChange
	changes []ledger.LineChange
	fresh   map[string]bool

	shots snapshots

	refills refills
	orders  stockOrders
}

// report is what a branch last said of itself.
type report struct {
	wire.State
	at time.Time
}

// New makes a room.
func New(p Parts) *Room {
	return &Room{Parts: p, started: time.Now(), reports: map[string]report{}, lines: map[string]ledger.LineChange{}, fresh: map[string]bool{}}
}

// Heard keeps what a branch says of itself.
func (m *Room) Heard(branch string, s wire.State) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.reports[branch] = report{s, time.Now()}
	m.fresh[branch] = true
}

// Report is what a branch last said of itself, and when; false while it has said
// nothing since the hub began.
func (m *Room) Report(branch string) (s wire.State, at time.Time, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.reports[branch]
	return r.State, r.at, ok
}

// Alive tells whether the ledger answers.
func (m *Room) Alive() bool {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_, err := m.Ledger.CountExceptions(ctx, "")
	return err == nil
}
