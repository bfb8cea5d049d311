package receive

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"branchline/agent/counter"
	"branchline/agent/reference"
	"branchline/internal/feed"
	"branchline/internal/movement"
)

// large is a delivery of that many products, each of which has lots in stock.
func large(products int) *reference.Memory {
	ref := &reference.Memory{At: time.Now(), Expected: []feed.Delivery{{Key: "d", Name: "D", Order: "P00017", Ready: true}}}
	for i := range products {
		key := fmt.Sprint("p", i)
		ref.Catalogue = append(ref.Catalogue, feed.Product{Key: key, Name: "Product " + key, Barcode: numbered(i), Tracking: feed.ByLot, Expires: true, Unit: "packs"})
		ref.Expected[0].Lines = append(ref.Expected[0].Lines, feed.DeliveryLine{Product: key, Name: "Product " + key, Code: gtin(numbered(i)), Ordered: movement.Units(100), Unit: "packs"})
		ref.OnHand = append(ref.OnHand, feed.Stock{Product: key, Lots: []feed.LotStock{{Lot: "A", Expiry: day("2027-01-31"), Quantity: movement.Units(1)}}})
	}
	return ref
}

// numbered is a GTIN-13 with its check digit.
func numbered(i int) string {
	s := fmt.Sprintf("4%011d", i)
	sum := 0
	for j, c := range s {
		sum += int(c-'0') * (1 + 2*(j%2))
	}
	return s + fmt.Sprint((10-sum%10)%10)
}

// full is a desk in the middle of a delivery of that many products, of which
// that many packs were scanned.
func full(t testing.TB, products, packs int) (*rig, string) {
	store := &memory{notes: map[string][]byte{}, keys: map[string]bool{}}
	c := &rig{now: time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)}
	var err error
	c.desk, err = NewDesk(DefaultConfig(), Options{Store: store, Log: slog.New(slog.DiscardHandler), Reference: large(products), Now: func() time.Time { return c.now }})
	if err != nil {
		t.Fatal(err)
	}
	scan := func(raw string) {
		if a, err := c.desk.Scan(context.Background(), c.read(raw)); err != nil || a.Code != "" && a.Code != "other_expiry" {
			t.Fatal(raw, a, err)
		}
	}
	scan("P00017")
	for i := range packs {
		scan("]d2010" + numbered(i%products) + "17280131" + "10B" + fmt.Sprint(i%7))
	}
	return c, c.desk.Sessions()[0].ID
}

// What a scan costs besides the disk, late in a large delivery.
func BenchmarkScanIntoALargeDelivery(b *testing.B) {
	c, id := full(b, 500, 2000)
	for i := 0; b.Loop(); i++ {
		if _, err := c.desk.Scan(b.Context(), c.read("]d2010"+numbered(i%500)+"17280131"+"10B"+fmt.Sprint(i%7))); err != nil {
			b.Fatal(err)
		}
		if _, err := c.desk.Do(b.Context(), id, counter.Action{Verb: counter.Undo, Station: "front"}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkViewOfALargeDelivery(b *testing.B) {
	c, id := full(b, 500, 2000)
	for b.Loop() {
		if v, err := c.desk.View(id); err != nil || len(v.Lines) != 500 {
			b.Fatal(err)
		}
	}
}

// counted counts what is asked.
type counted struct {
	*reference.Memory
	asked int
}

func (c *counted) Find(code movement.Product) (feed.Product, movement.Quantity, bool) {
	c.asked++
	return c.Memory.Find(code)
}

// A product is looked up once for as long as nothing newer is known, and anew
// then.
func TestWhatIsKnownIsAskedOnce(t *testing.T) {
	ref := &counted{Memory: known()}
	d := openWith(t, t.TempDir(), ref)
	defer d.store.Close()
	for _, s := range []string{"P00017", lotted, lotted, lotted, lotted} {
		d.scan(s)
	}
	if ref.asked != 1 {
		t.Errorf("asked %d times", ref.asked)
	}
	newer := known()
	newer.At = newer.At.Add(time.Hour)
	newer.Catalogue[0].Name = "Paracetamol 500"
	ref.Memory = newer
	if a := d.scan(lotted); !strings.Contains(a.Text, "Paracetamol 500") {
		t.Errorf("answered %q", a.Text)
	}
}
