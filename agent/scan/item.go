package scan

import (
	"strconv"
	"strings"

	"branchline/internal/fault"
	"branchline/internal/gs1"
	"branchline/internal/movement"
)

// Item is what a product code says about the goods.
type Item struct {
	Product   movement.Product
	Lot       string
	Expiry    movement.Date
	ExpiryRaw string
	Serial    string
	// Quantity is one, or the count of items that the code itself states.
	Quantity movement.Quantity
}

// ItemOf takes the goods out of a code: the trade item, or what a logistic
// unit says that it contains. A code that names no product, or states a count
// of zero, is a fault of class Data.
func ItemOf(c *gs1.Code) (Item, error) {
	gtin := c.GTIN()
	if gtin == "" {
		gtin = c.Content()
	}
	if gtin == "" {
		return Item{}, fault.New(fault.Data, gs1.CodeNotTradeItem, "the code names no product").
			WithHint("scan the code of the product")
	}
	// The code's strings share the memory of the raw code, which a queue of
	// lines would keep alive.
	it := Item{
		Product:  movement.Product{Scheme: movement.GTIN, Code: strings.Clone(gtin)},
		Lot:      strings.Clone(c.Lot()),
		Serial:   strings.Clone(c.Serial()),
		Quantity: movement.Units(1),
	}
	if d, ok := c.Expiry(); ok {
		if err := it.expires(d); err != nil {
			return Item{}, err
		}
	}
	if n, ok := c.Count(); ok {
		if n == 0 {
			return Item{}, zeroQuantity()
		}
		it.Quantity = movement.Units(int64(n))
	}
	if err := it.oneSerial(); err != nil {
		return Item{}, err
	}
	return it, nil
}

// expires takes over a date that may be absent.
func (it *Item) expires(d gs1.Date) error {
	if d.IsZero() {
		return nil
	}
	date, err := movement.NewDate(d.Year, d.Month, d.Day)
	if err != nil {
		return fault.New(fault.Data, gs1.CodeImpossibleDate, "the expiry cannot be used: %w", err).
			WithHint("read the date from the pack and enter it by hand")
	}
	it.Expiry, it.ExpiryRaw = date, strings.Clone(d.Raw)
	return nil
}

func (it *Item) oneSerial() error {
	if it.Serial != "" && it.Quantity != movement.Units(1) {
		return fault.New(fault.Data, "serial_with_count", "the code gives one serial to %s items", it.Quantity).
			WithHint("scan the items one by one")
	}
	return nil
}

func zeroQuantity() error {
	return fault.New(fault.Data, "zero_quantity", "the code says that it stands for no items at all").
		WithHint("count the items and enter them by hand")
}

// Movement makes the movement of this item from a scan.
func (it Item) Movement(s *Scan) *movement.Movement {
	m := blank(s)
	m.Product, m.Lot, m.Serial = it.Product, it.Lot, it.Serial
	m.Expiry, m.ExpiryRaw = it.Expiry, it.ExpiryRaw
	m.Quantity = it.Quantity
	return m
}

// Unclear makes the movement of a scan that a person must look at: whatever
// was read, whole, with the reason. It must not be called for a
// [Scan.Personal] code.
func Unclear(s *Scan, err error) *movement.Movement {
	m := blank(s)
	m.Problem = ProblemOf(err)
	return m
}

// ProblemOf words err for the person who will look at it.
func ProblemOf(err error) *movement.Problem {
	return &movement.Problem{Code: fault.CodeOf(err), Text: clip(strings.ToValidUTF8(err.Error(), "?"), 480)}
}

func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}

func blank(s *Scan) *movement.Movement {
	m := &movement.Movement{
		Kind: s.Purpose.Kind(), OccurredAt: s.At, Counterpart: s.Counterpart, Reason: s.Reason, By: s.By,
		Source: movement.Source{Adapter: s.Scanner},
	}
	m.Source.SetRaw(s.Raw)
	return m
}

// Words describes the item in a few words for a page or a log.
func (it Item) Words() string {
	w := it.Product.Words()
	if it.Lot != "" {
		w += " lot " + strconv.Quote(it.Lot)
	}
	if it.Serial != "" {
		w += " serial " + strconv.Quote(it.Serial)
	}
	if it.Quantity != movement.Units(1) {
		w = it.Quantity.String() + " × " + w
	}
	return w
}
