package scan

import (
	"strings"

	"branchline/internal/fault"
	"branchline/internal/gs1"
	"branchline/internal/hibc"
	"branchline/internal/ifa"
	"branchline/internal/movement"
)

// Standard names whose rules a code was read by.
type Standard string

const (
	GS1  Standard = "GS1"
	HIBC Standard = "HIBC"
	PPN  Standard = "PPN"
	PZN  Standard = "PZN"
)

// Read fills in what Raw means, as a scanner of profile p sent it: Code or
// Goods, or Err. The symbology identifier decides by which standard it is read,
// or the code's own beginning where a scanner sends none: "+" is HIBC, "[)>" an
// envelope of ISO/IEC 15434 with a PPN or GS1 data, "-" and digits a PZN in
// Code 39. Everything else is GS1's. None of them reads what another one does.
func (s *Scan) Read(p gs1.Profile) {
	s.Code, s.Goods, s.Second, s.Standard, s.Err = gs1.Code{}, nil, nil, "", nil
	symbology, body := split(string(s.Raw))
	if aboutPerson(body) {
		s.Err = fault.New(fault.Data, gs1.CodePersonal, "this code is not of a product, and may be about a person").
			WithHint("scan the code of the product; this scan is not kept")
		return
	}
	var it Item
	switch {
	case len(s.Raw) > gs1.MaxLength || !carries(symbology):
		s.readGS1(p)
		return
	case strings.HasPrefix(body, "+") || strings.HasPrefix(body, "*+"):
		s.Standard = HIBC
		it, s.Err = readHIBC(body, s)
	case ifa.IsEnvelope(body):
		if p.Substitute != "" && p.Validate() == nil {
			body = strings.ReplaceAll(body, p.Substitute, gs1.GS)
		}
		if s.readEnvelope(body, p, &it) {
			return
		}
	case isPZN39(symbology, body):
		s.Standard = PZN
		it.Product.Scheme, it.Quantity = movement.PZN, movement.Units(1)
		it.Product.Code, s.Err = ifa.ParseCode39(body)
	default:
		s.readGS1(p)
		if fault.CodeOf(s.Err) != gs1.CodeScheme || !p.PZN {
			return
		}
		// Eight digits that only a PZN's check digit fits.
		code, err := ifa.NormalizePZN(body)
		if symbology != "" || len(body) != 8 || err != nil {
			return
		}
		s.Standard, s.Err = PZN, nil
		it.Product, it.Quantity = movement.Product{Scheme: movement.PZN, Code: code}, movement.Units(1)
	}
	if s.Err == nil {
		s.Goods = &it
	}
}

func (s *Scan) readGS1(p gs1.Profile) {
	s.Standard = GS1
	s.Code, s.Err = gs1.Parse(string(s.Raw), p, s.At)
}

// carries tells whether a symbol of that kind can hold other standards than
// GS1's: Code 39, plain Code 128, Data Matrix, QR and Aztec.
func carries(symbology string) bool {
	switch symbology {
	case "", "C0", "d0", "d1", "d4", "Q0", "Q1", "Q2", "z0", "z3":
		return true
	}
	return symbology[0] == 'A' || symbology[0] == 'L'
}

func isPZN39(symbology, body string) bool {
	if symbology != "" && symbology[0] != 'A' || len(body) < 2 || body[0] != '-' {
		return false
	}
	for i := 1; i < len(body); i++ {
		if body[i] < '0' || body[i] > '9' {
			return false
		}
	}
	return symbology != "" || len(body) == 8 || len(body) == 9
}

func readHIBC(body string, s *Scan) (it Item, err error) {
	c, err := hibc.Parse(body, s.At)
	if err != nil {
		return it, err
	}
	it = Item{Lot: strings.Clone(c.Lot), Serial: strings.Clone(c.Serial), Quantity: movement.Units(1)}
	if c.Product() == "" {
		s.Second = secondOf(&c)
		return Item{}, fault.New(fault.Data, gs1.CodeNotTradeItem, "this is the second HIBC code of a pack, which holds %s and no product", secondWords(&c)).
			WithHint("scan the first code of the pack, which begins with + and a letter, and then this one; where single scans are recorded at once, enter lot and expiry by hand")
	}
	it.Product = movement.Product{Scheme: movement.HIBC, Code: c.Product()}
	if c.HasQuantity {
		switch {
		case c.Quantity == 0:
			return Item{}, zeroQuantity()
		case c.Quantity > 1 && c.Unit != "0" && c.Unit != "9":
			return Item{}, fault.New(fault.Data, gs1.CodeAmbiguous,
				"the code says %d for a pack of level %s, and does not say whether it counts packs or what is in them", c.Quantity, c.Unit).
				WithHint("count them and enter them by hand")
		}
		it.Quantity = movement.Units(int64(c.Quantity))
	}
	if err := it.expires(c.Expiry); err != nil {
		return Item{}, err
	}
	return it, it.oneSerial()
}

func secondWords(c *hibc.Code) string {
	var w []string
	if c.Lot != "" {
		w = append(w, "a lot")
	}
	if c.Serial != "" {
		w = append(w, "a serial")
	}
	if c.Expiry.Month != 0 {
		w = append(w, "an expiry")
	}
	if len(w) == 0 {
		return "a quantity"
	}
	return strings.Join(w, " and ")
}

// readEnvelope reads an ISO/IEC 15434 message. done tells that it held GS1 data,
// and that s is complete.
func (s *Scan) readEnvelope(body string, p gs1.Profile, it *Item) (done bool) {
	s.Standard = PPN
	e, err := ifa.Open(body)
	if err != nil {
		s.Err = err
		return false
	}
	switch e.Format {
	case "05":
		s.Standard = GS1
		s.Code, s.Err = gs1.Parse("]d2"+e.Data, gs1.Profile{Separators: p.Separators}, s.At)
		return true
	case "06":
		*it, s.Err = readPPN(e.Data, s)
		return false
	}
	s.Err = fault.New(fault.Data, gs1.CodeScheme, "the code is a message of ISO 15434 in format %s, and only 05 and 06 are read", e.Format).
		WithHint("scan another code of the pack, if it has one")
	return false
}

// readPPN takes the goods out of a code of format 06. The PZN inside a PPN of
// IFA is the product, as it is what IFA's code is about; a GTIN beside it is
// used where the PPN is another agency's.
func readPPN(data string, s *Scan) (it Item, err error) {
	c, err := ifa.Parse(data, s.At)
	if err != nil {
		return it, err
	}
	it = Item{Lot: strings.Clone(c.Lot), Serial: strings.Clone(c.Serial), Quantity: movement.Units(1)}
	switch {
	case c.PZN() != "":
		it.Product = movement.Product{Scheme: movement.PZN, Code: strings.Clone(c.PZN())}
	case c.GTIN != "":
		it.Product = movement.Product{Scheme: movement.GTIN, Code: strings.Clone(c.GTIN)}
	default:
		return Item{}, fault.New(fault.Data, gs1.CodeScheme, "the PPN %s is of agency %s, and only those of 11 (IFA, the German PZN) are read", c.PPN, c.Agency()).
			WithHint("scan another code of the pack, if it has one")
	}
	return it, it.expires(c.Expiry)
}

// Item is what the code says about the goods, whatever its standard.
func (s *Scan) Item() (Item, error) {
	switch {
	case s.Err != nil:
		return Item{}, s.Err
	case s.Goods != nil:
		return *s.Goods, nil
	}
	return ItemOf(&s.Code)
}

// Serial is the serial that the code gives, or "".
func (s *Scan) Serial() string {
	if s.Goods != nil {
		return s.Goods.Serial
	}
	return s.Code.Serial()
}
