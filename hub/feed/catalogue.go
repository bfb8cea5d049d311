package feed

import (
	"context"
	"errors"
	"strconv"
	"time"

	"branchline/internal/feed"
)

// aliasEvery is how often the catalogue is made anew though nothing was read
// from Odoo: people say what codes mean.
const aliasEvery = time.Minute

// readCatalogue makes the catalogue anew when the hub's own may have changed.
func (f *Feed) readCatalogue() func(context.Context) error {
	packer := feed.NewPacker()
	var of, made time.Time
	return func(context.Context) error {
		asOf := f.catalogue.AsOf()
		if asOf.Equal(of) && f.clock().Sub(made) < aliasEvery {
			return nil
		}
		before := f.document(feed.Catalogue, "")
		b := feed.NewBuilder(feed.Catalogue, "", before, packer)
		goods := f.catalogue.Goods()
		for i := range goods {
			if err := b.Add(goods[i].Key, &goods[i]); err != nil {
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
		of, made = asOf, f.clock()
		f.metrics.size(d)
		f.metrics.readings.WithLabelValues(string(feed.Catalogue), "ok").Inc()
		f.set(d, asOf)
		return nil
	}
}

func keyText(id int64) string { return strconv.FormatInt(id, 10) }
