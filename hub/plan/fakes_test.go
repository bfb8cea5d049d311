package plan_test

import (
	"context"
	"slices"
	"sync"
	"time"

	"branchline/hub/ledger"
	"branchline/internal/fault"
	"branchline/internal/odoo"
)

// kept is the small catalogue as the runner sees it.
type kept struct {
	master
	mu        sync.Mutex
	asOf      time.Time
	refreshed int
	clock     func() time.Time
	away      bool
	sites     map[string]bool
	ledger    *ledger.Ledger
	aliases   int64
}

func (k *kept) Site(code string) (odoo.Warehouse, odoo.Places, bool) {
	in := input()
	w := in.Branch.Warehouse
	w.Code = code
	k.mu.Lock()
	defer k.mu.Unlock()
	return w, in.Branch.Places, k.sites == nil || k.sites[code]
}

func (k *kept) AsOf() time.Time {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.asOf
}

func (k *kept) Refresh(context.Context) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.refreshed++
	if k.away {
		return fault.New(fault.Transient, odoo.CodeAway, "Odoo is away")
	}
	k.asOf = k.clock()
	return nil
}

func (k *kept) Aliases(ctx context.Context) (err error) {
	k.aliases, err = k.ledger.AliasGeneration(ctx)
	return err
}

func (k *kept) AliasGeneration() int64 { return k.aliases }

type receipts struct {
	err   error
	list  []odoo.Receipt
	stock map[int64][]odoo.OnHand
	// meanwhile is done once while Odoo is asked, unless nil.
	meanwhile func()
}

func (r *receipts) OpenReceipts(context.Context, odoo.Warehouse) ([]odoo.Receipt, error) {
	if do := r.meanwhile; do != nil {
		r.meanwhile = nil
		do()
	}
	return r.list, r.err
}

func (r *receipts) StockOf(_ context.Context, location int64, products []int64) (all []odoo.OnHand, err error) {
	for _, h := range r.stock[location] {
		if slices.Contains(products, h.ProductID) {
			all = append(all, h)
		}
	}
	return all, r.err
}
