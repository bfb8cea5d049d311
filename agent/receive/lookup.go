package receive

import (
	"strings"

	"branchline/agent/scan"
	"branchline/internal/feed"
	"branchline/internal/movement"
)

// lookUp answers what the branch knows of a code. Nothing is recorded. d.mu is
// held.
func (d *Desk) lookUp(sc *scan.Scan) scan.Answer {
	it, err := sc.Item()
	if err != nil {
		return scan.Refuse(err)
	}
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
