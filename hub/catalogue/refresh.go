package catalogue

import (
	"context"
	"maps"
	"slices"
	"time"

	"branchline/internal/fault"
	"branchline/internal/odoo"
)

// overlap is how far back changes are asked for again: Odoo dates a change by
// the begin of its transaction and by its own clock, which may differ from ours.
const overlap = time.Hour

// Refresh reads what has changed in Odoo, or everything when that is due. Of
// several callers at once one reads.
func (c *Catalogue) Refresh(ctx context.Context) error {
	asked := c.begun.Load()
	c.reading.Lock()
	defer c.reading.Unlock()
	if c.done > asked {
		return nil // somebody began and read while this one waited
	}
	began, turn := c.clock(), c.begun.Add(1)
	err := c.read(ctx, began)
	if err == nil {
		c.done = turn
	}
	c.mu.Lock()
	c.failed = err
	c.mu.Unlock()
	c.metrics.read(c.clock().Sub(began), err, c.AsOf())
	return err
}

func (c *Catalogue) read(ctx context.Context, began time.Time) error {
	c.mu.RLock()
	// Odoo is asked by the time of day, so that is what must not lie ahead; how
	// much time has passed, by which two moments of one process are compared,
	// knows nothing of a clock that was set back.
	ahead := c.data.AsOf.Round(0).After(began.Round(0))
	full := c.data.AsOf.IsZero() || began.Sub(c.data.Full) >= c.cfg.FullEvery || ahead
	since := c.data.AsOf.Add(-overlap)
	// They may have been missing, from an older hub's file or for want of a right.
	allRules := full || c.data.OrderPoints == nil || c.data.NoOrderPoints != ""
	c.mu.RUnlock()
	if full {
		since = time.Time{}
	}
	got := data{AsOf: began}
	products, err := c.odoo.Products(ctx, since)
	if err != nil {
		return err
	}
	lots, err := c.odoo.LotsChanged(ctx, since)
	if err != nil {
		return err
	}
	rulesSince := since
	if allRules {
		rulesSince = time.Time{}
	}
	rules, err := c.odoo.OrderPoints(ctx, rulesSince)
	if fault.ClassOf(err) == fault.Setup {
		// Documents are made without them: that this right is missing keeps nothing else.
		got.NoOrderPoints, allRules, err = err.Error(), false, nil
	}
	if err != nil {
		return err
	}
	got.OrderPoints = map[int64]odoo.OrderPoint{}
	if !allRules {
		c.mu.RLock()
		maps.Copy(got.OrderPoints, c.data.OrderPoints)
		c.mu.RUnlock()
	}
	for _, o := range rules {
		got.OrderPoints[o.ID] = o
	}
	if got.Packs, err = c.odoo.Packs(ctx); err != nil {
		return err
	}
	if got.UoMs, err = c.odoo.UoMs(ctx); err != nil {
		return err
	}
	if got.Warehouses, err = c.odoo.Warehouses(ctx); err != nil {
		return err
	}
	got.Places = map[int64]odoo.Places{}
	for _, w := range got.Warehouses {
		if _, done := got.Places[w.CompanyID]; done {
			continue
		}
		if got.Places[w.CompanyID], err = c.odoo.Places(ctx, w.CompanyID); err != nil {
			return err
		}
	}
	changed := full || allRules || len(products)+len(lots)+len(rules) > 0
	c.take(got, full, products, lots)
	if changed && c.cfg.Path != "" {
		return c.keep()
	}
	return nil
}

// take makes the catalogue of what was there and what was read.
func (c *Catalogue) take(got data, full bool, products []odoo.Product, lots []odoo.Lot) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if full {
		got.Full = got.AsOf
		got.Products, got.Lots = map[int64]odoo.Product{}, map[int64][]odoo.Lot{}
	} else {
		got.Full, got.Products, got.Lots = c.data.Full, c.data.Products, c.data.Lots
	}
	for _, p := range products {
		got.Products[p.ID] = p
	}
	for _, l := range lots {
		got.Lots[l.ProductID] = withLot(got.Lots[l.ProductID], l)
	}
	c.data = got
	c.index = got.index()
	c.metrics.size(&c.data)
}

// withLot puts a lot in its place in the order of ids.
func withLot(all []odoo.Lot, l odoo.Lot) []odoo.Lot {
	i, found := slices.BinarySearchFunc(all, l.ID, func(a odoo.Lot, id int64) int { return int(a.ID - id) })
	if found {
		all[i] = l
		return all
	}
	return slices.Insert(all, i, l)
}

func (c *Catalogue) keep() error {
	c.mu.RLock()
	payload, err := encode(&c.data)
	c.mu.RUnlock()
	if err != nil {
		return err
	}
	return replace(c.cfg.Path, payload)
}
