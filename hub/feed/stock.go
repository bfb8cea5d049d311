package feed

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strconv"
	"time"

	"branchline/internal/feed"
	"branchline/internal/odoo"
)

// stock reads what all branches have. One goroutine uses it.
type stock struct {
	f      *Feed
	packer *feed.Packer
	began  time.Time // of the last look at what was moved
	// seen are the lines of the last hour that have been dealt with.
	seen map[int64]time.Time
	// full is when all of a branch was read, dirty what was moved there since
	// it was last read.
	full  map[string]time.Time
	dirty map[string]map[int64]bool
}

func newStock(f *Feed) *stock {
	return &stock{f: f, packer: feed.NewPacker(), seen: map[int64]time.Time{}, full: map[string]time.Time{}, dirty: map[string]map[int64]bool{}}
}

// read looks at what was moved anywhere, and reads that at each branch. A branch
// that fails does not keep the others.
func (s *stock) read(ctx context.Context) error {
	now := s.f.clock()
	sites := map[string]odoo.Warehouse{}
	for i := range s.f.branches {
		if w, ok := s.f.site(&s.f.branches[i]); ok {
			sites[s.f.branches[i].Code] = w
		}
	}
	if len(sites) == 0 {
		return nil
	}
	if err := s.look(ctx, now, sites); err != nil {
		return err
	}
	var errs []error
	for i := range s.f.branches {
		b := &s.f.branches[i]
		w, ok := sites[b.Code]
		if !ok {
			continue
		}
		if err := s.branch(ctx, b, &w, now); err != nil {
			errs = append(errs, err)
			if ctx.Err() != nil || len(errs) >= 3 {
				break // Odoo is away, not one branch
			}
		}
	}
	return errors.Join(errs...)
}

// look finds out what was moved since the last look.
func (s *stock) look(ctx context.Context, now time.Time, sites map[string]odoo.Warehouse) error {
	if s.began.IsZero() || s.began.After(now) {
		s.began, s.full = now, map[string]time.Time{}
		return nil // everything is read
	}
	since := s.began.Add(-overlap)
	if err := s.f.calls.Wait(ctx); err != nil {
		return err
	}
	lines, err := s.f.odoo.MovedSince(ctx, since)
	if err != nil {
		return err
	}
	roots := map[int64]string{}
	for code, w := range sites {
		roots[w.StockID] = code
	}
	if err := s.f.calls.Wait(ctx); err != nil {
		return err
	}
	under, err := s.f.odoo.LocationsUnder(ctx, slices.Sorted(maps.Keys(roots)))
	if err != nil {
		return err
	}
	next := make(map[int64]time.Time, len(lines))
	for _, l := range lines {
		next[l.ID] = l.Changed
		if at, ok := s.seen[l.ID]; ok && at.Equal(l.Changed) {
			continue
		}
		for _, place := range []int64{l.FromID, l.ToID} {
			if code, ok := roots[under[place]]; ok {
				s.mark(code, l.ProductID)
			}
		}
	}
	s.seen, s.began = next, now
	return nil
}

func (s *stock) mark(branch string, product int64) {
	if s.dirty[branch] == nil {
		s.dirty[branch] = map[int64]bool{}
	}
	s.dirty[branch][product] = true
}

// branch makes a branch's stock anew as far as it has changed.
func (s *stock) branch(ctx context.Context, b *Branch, w *odoo.Warehouse, now time.Time) error {
	before := s.f.document(feed.OnHand, b.Code)
	full := before == nil || now.Sub(s.full[b.Code]) >= s.f.cfg.FullEvery
	changed := s.dirty[b.Code]
	if !full && len(changed) == 0 {
		s.f.set(before, now)
		return nil
	}
	if err := s.f.calls.Wait(ctx); err != nil {
		return err
	}
	var onHand []odoo.OnHand
	var err error
	if full {
		onHand, err = s.f.odoo.Stock(ctx, w.StockID)
	} else {
		onHand, err = s.f.odoo.StockOf(ctx, w.StockID, slices.Sorted(maps.Keys(changed)))
	}
	if err != nil {
		return err
	}
	delete(s.dirty, b.Code)
	doc, err := s.build(b, before, onHand, full, changed)
	if err != nil {
		delete(s.full, b.Code)
		return err
	}
	if full {
		s.full[b.Code] = now
	}
	s.f.set(doc, now)
	return nil
}

func (s *stock) build(b *Branch, before *feed.Document, onHand []odoo.OnHand, full bool, changed map[int64]bool) (*feed.Document, error) {
	rows := s.rows(b, onHand)
	if !full {
		if err := keep(rows, before, changed); err != nil {
			return nil, err
		}
	}
	builder := feed.NewBuilder(feed.OnHand, b.Code, before, s.packer)
	for _, id := range slices.Sorted(maps.Keys(rows)) {
		if err := builder.AddRaw(keyText(id), rows[id]); err != nil {
			return nil, err
		}
	}
	return builder.Done()
}

// maxLots bounds how many lots of a product a branch is told of.
const maxLots = 500

// rows makes a row of each product. A lot that the hub's catalogue does not know
// yet is looked at again the next time.
func (s *stock) rows(b *Branch, onHand []odoo.OnHand) map[int64]json.RawMessage {
	lots := map[int64][]feed.LotStock{}
	for _, h := range onHand {
		q := quantity(h.Quantity)
		if q == 0 {
			continue
		}
		l := feed.LotStock{Lot: feed.Name(h.LotName), Quantity: q}
		if h.LotID != 0 {
			if lot, ok := s.f.catalogue.LotOf(h.ProductID, h.LotID); ok {
				l.Expiry = odoo.ExpiryDate(lot.Expires, b.Zone)
			} else {
				s.mark(b.Code, h.ProductID)
			}
		}
		lots[h.ProductID] = append(lots[h.ProductID], l)
	}
	rows := make(map[int64]json.RawMessage, len(lots))
	for id, list := range lots {
		sortLots(list)
		if len(list) > maxLots {
			s.f.log.Warn("a product has more lots at a branch than it can be told", "branch", b.Code, "product", id, "lots", len(list))
			list = list[:maxLots]
		}
		row, err := json.Marshal(feed.Stock{Product: keyText(id), Lots: list})
		if err != nil {
			s.f.log.Error("a product's stock cannot be written", "branch", b.Code, "product", id, "err", err)
			continue
		}
		rows[id] = row
	}
	return rows
}

// keep adds what has not changed.
func keep(rows map[int64]json.RawMessage, before *feed.Document, changed map[int64]bool) error {
	for row, err := range before.All() {
		if err != nil {
			return err
		}
		var key struct {
			Product string `json:"k"`
		}
		if err := json.Unmarshal(row, &key); err != nil {
			return err
		}
		id, err := strconv.ParseInt(key.Product, 10, 64)
		if err != nil {
			return err
		}
		if !changed[id] {
			rows[id] = slices.Clone(row)
		}
	}
	return nil
}

// sortLots puts lots in the order in which they should go.
func sortLots(lots []feed.LotStock) {
	slices.SortFunc(lots, func(a, b feed.LotStock) int {
		switch {
		case a.Expiry == b.Expiry:
			return cmp.Compare(a.Lot, b.Lot)
		case a.Expiry.IsZero(), !b.Expiry.IsZero() && b.Expiry.Before(a.Expiry):
			return 1
		}
		return -1
	})
}
