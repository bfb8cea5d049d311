package feed

import (
	"context"
	"errors"
	"strconv"
	"time"

	"branchline/hub/catalogue"
	"branchline/internal/feed"
	"branchline/internal/odoo"
)

// readCatalogue makes the catalogue anew when the hub's own was read, or when
// people have said what codes mean.
func (f *Feed) readCatalogue(at *time.Time) func(context.Context) error {
	packer := feed.NewPacker()
	made := time.Time{}
	return func(context.Context) error {
		asOf := f.catalogue.AsOf()
		if asOf.Equal(*at) && f.clock().Sub(made) < time.Minute {
			return nil
		}
		before := f.document(feed.Catalogue, "")
		b := feed.NewBuilder(feed.Catalogue, "", before, packer)
		for _, g := range f.catalogue.Goods() {
			if !g.Storable && g.Barcode == "" && g.Code == "" {
				continue // a service: nobody scans it
			}
			p := productOf(&g)
			if err := b.Add(p.Key, p); err != nil {
				return err
			}
		}
		d, err := b.Done()
		if err != nil {
			return err
		}
		if d.Rows == 0 && before != nil && before.Rows > 0 {
			return errors.New("the catalogue has become empty; the branches keep what they have")
		}
		*at, made = asOf, f.clock()
		f.metrics.size(d)
		f.metrics.readings.WithLabelValues(string(feed.Catalogue), "ok").Inc()
		f.set(d, asOf)
		return nil
	}
}

func keyText(id int64) string { return strconv.FormatInt(id, 10) }

// maxName bounds a name, in bytes.
const maxName = 300

func clip(s string) string {
	if len(s) <= maxName {
		return s
	}
	cut := maxName
	for cut > 0 && s[cut]&0xc0 == 0x80 {
		cut--
	}
	return s[:cut]
}

func productOf(g *catalogue.Good) *feed.Product {
	p := &feed.Product{Key: keyText(g.ID), Name: clip(g.Name), Reference: g.Code, Barcode: g.Barcode, Aliases: g.Aliases,
		Tracking: tracking(g.Tracking), Expires: g.Expires, Unit: clip(g.Unit), Archived: !g.Active, Unstocked: !g.Storable}
	for _, k := range g.Packs {
		p.Packs = append(p.Packs, feed.Pack{GTIN: k.GTIN, Units: k.Per})
	}
	return p
}

func tracking(t odoo.Tracking) feed.Tracking {
	switch t {
	case odoo.ByLot:
		return feed.ByLot
	case odoo.BySerial:
		return feed.BySerial
	}
	return feed.ByQuantity
}
