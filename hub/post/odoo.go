package post

import (
	"context"
	"errors"
	"time"

	"github.com/sony/gobreaker/v2"
	"golang.org/x/time/rate"

	"branchline/internal/fault"
	"branchline/internal/odoo"
)

// Odoo is what the poster asks of Odoo, from several goroutines at once.
type Odoo interface {
	PickingByID(ctx context.Context, id int64) (odoo.Picking, bool, error)
	PickingByName(ctx context.Context, companyID int64, name string) (odoo.Picking, bool, error)
	OursSince(ctx context.Context, prefix string, since time.Time, afterID int64, limit int) ([]odoo.Picking, error)
	CreateDocument(ctx context.Context, p odoo.NewPicking, moves []odoo.NewMove) (int64, error)
	DocumentLines(ctx context.Context, pickingID int64) ([]odoo.Line, error)
	LocationsUnder(ctx context.Context, roots []int64) (map[int64]int64, error)
	ShowLines(ctx context.Context, pickingID int64, lines []odoo.Line) error
	WithdrawPicking(ctx context.Context, p odoo.Picking) error
	Lots(ctx context.Context, productIDs []int64) ([]odoo.Lot, error)
	EnsureLot(ctx context.Context, productID, companyID int64, name string, expires time.Time) (odoo.Lot, error)
	ReceiptByID(ctx context.Context, id int64) (odoo.Receipt, bool, error)
	WriteReceipt(ctx context.Context, pickingID int64, replace []int64, lines []odoo.ReceiptLine, note string) error
	ResetReceipt(ctx context.Context, r odoo.Receipt, lines []odoo.Line, note string) error
	Validate(ctx context.Context, pickingID int64, confirm odoo.Confirm) (odoo.Validated, error)
	SetDates(ctx context.Context, pickingID int64, at time.Time) error
}

var _ Odoo = (*odoo.Client)(nil)

// gate stands before every call: the rate limit and the circuit breaker.
type gate struct {
	odoo    Odoo
	limit   *rate.Limiter
	breaker *gobreaker.CircuitBreaker[any]
}

// maxCost is the most calls that one operation makes.
const maxCost = 6

// newGate makes a gate that tells when its breaker changes, and each failure that
// says that Odoo is away.
func newGate(o Odoo, c Config, changed func(to gobreaker.State), gone func(err error)) *gate {
	return &gate{odoo: o, limit: rate.NewLimiter(rate.Limit(c.CallsPerSecond), c.Burst),
		breaker: gobreaker.NewCircuitBreaker[any](gobreaker.Settings{
			Name: "odoo", MaxRequests: 1, Timeout: c.BreakFor,
			ReadyToTrip: func(n gobreaker.Counts) bool { return n.ConsecutiveFailures >= uint32(c.BreakAfter) }, //nolint:gosec // bounded
			IsSuccessful: func(err error) bool {
				if away(err) {
					gone(err)
					return false
				}
				return true
			},
			IsExcluded:    func(err error) bool { return errors.Is(err, context.Canceled) },
			OnStateChange: func(_ string, _, to gobreaker.State) { changed(to) },
		})}
}

// away tells whether an error says something about Odoo as a whole. A refusal,
// or a record that others hold, does not.
func away(err error) bool {
	return err != nil && fault.ClassOf(err) == fault.Transient && fault.CodeOf(err) != odoo.CodeBusy
}

// errHeldBack says that a call was not made since the breaker is open.
var errHeldBack = fault.New(fault.Transient, "odoo_held_back", "Odoo was away a moment ago, the call was not made")

// through makes a call that costs so many calls to Odoo.
func through[T any](ctx context.Context, g *gate, cost int, call func(ctx context.Context, o Odoo) (T, error)) (T, error) {
	var zero T
	if err := g.limit.WaitN(ctx, cost); err != nil {
		if ctx.Err() != nil {
			return zero, ctx.Err()
		}
		return zero, fault.New(fault.Transient, "odoo_held_back", "the limit of calls to Odoo is reached: %w", err)
	}
	v, err := g.breaker.Execute(func() (any, error) {
		v, err := call(ctx, g.odoo)
		return v, err
	})
	if errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests) {
		return zero, errHeldBack
	}
	if v == nil {
		return zero, err
	}
	return v.(T), err
}

// pick is a picking that may be missing.
type pick struct {
	odoo.Picking
	found bool
}

func (g *gate) byID(ctx context.Context, id int64) (pick, error) {
	return through(ctx, g, 1, func(ctx context.Context, o Odoo) (pick, error) {
		p, found, err := o.PickingByID(ctx, id)
		return pick{p, found}, err
	})
}

func (g *gate) byName(ctx context.Context, company int64, name string) (pick, error) {
	return through(ctx, g, 1, func(ctx context.Context, o Odoo) (pick, error) {
		p, found, err := o.PickingByName(ctx, company, name)
		return pick{p, found}, err
	})
}

type receipt struct {
	odoo.Receipt
	open bool
}

func (g *gate) receipt(ctx context.Context, id int64) (receipt, error) {
	return through(ctx, g, 2, func(ctx context.Context, o Odoo) (receipt, error) {
		r, open, err := o.ReceiptByID(ctx, id)
		return receipt{r, open}, err
	})
}

func (g *gate) lines(ctx context.Context, picking int64) ([]odoo.Line, error) {
	return through(ctx, g, 1, func(ctx context.Context, o Odoo) ([]odoo.Line, error) { return o.DocumentLines(ctx, picking) })
}

func (g *gate) validate(ctx context.Context, picking int64) (odoo.Validated, error) {
	return through(ctx, g, 3, func(ctx context.Context, o Odoo) (odoo.Validated, error) {
		// The planner has judged expiry by the day it happened; Odoo would by now.
		return o.Validate(ctx, picking, odoo.Confirm{Backorder: true, Expired: true})
	})
}

func (g *gate) do(ctx context.Context, cost int, call func(ctx context.Context, o Odoo) error) error {
	_, err := through(ctx, g, cost, func(ctx context.Context, o Odoo) (struct{}, error) { return struct{}{}, call(ctx, o) })
	return err
}
