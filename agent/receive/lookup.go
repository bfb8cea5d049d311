package receive

import (
	"context"
	"strings"

	"branchline/agent/scan"
	"branchline/internal/feed"
	"branchline/internal/movement"
)

// lookUp answers what the branch knows of a code, and what it has done with a pack
// that has a serial. Nothing is recorded. d.mu is held; it is let go while records are
// looked through.
func (d *Desk) lookUp(ctx context.Context, sc *scan.Scan) scan.Answer {
	it, err := sc.Item()
	if err != nil {
		return scan.Refuse(err)
	}
	return d.tellStory(ctx, d.lookUpItem(sc, it), &it)
}

func (d *Desk) lookUpItem(sc *scan.Scan, it scan.Item) scan.Answer {
	k := d.know(nil)
	g := k.of(it.Product)
	text := k.words(&it)
	if !g.known && k.AsOf(feed.Catalogue).IsZero() {
		return scan.Answer{Sound: scan.OK, Text: text}
	}
	if !g.known {
		return scan.Answer{Sound: scan.Warn, Code: UnknownCode, Text: text + ": the branch knows no product with this code"}
	}
	var lots []string
	for _, s := range k.Stock(g.product.Key) {
		lot := amount(s.Quantity, g.product.Unit)
		if s.Lot != "" {
			lot += " of lot " + s.Lot
		}
		if !s.Expiry.IsZero() {
			lot += " until " + s.Expiry.String()
		}
		lots = append(lots, lot)
	}
	if len(lots) > 3 {
		lots = append(lots[:3], "more")
	}
	if len(lots) > 0 {
		text += ". On hand: " + strings.Join(lots, ", ")
	}
	if today := movement.DateOf(sc.At); !it.Expiry.IsZero() && it.Expiry.Before(today) {
		return scan.Answer{Sound: scan.Warn, Code: Expired, Text: text + ". Expired"}
	}
	return scan.Answer{Sound: scan.OK, Text: text}
}
