package web

import (
	"html/template"

	"branchline/agent/counter"
	"branchline/agent/scan"
	"branchline/internal/feed"
	"branchline/internal/symbol"
)

// takeIn is the address of transfers from other branches; that of those to them is
// the tab's.
const takeIn = "/" + string(scan.TransferIn)

func transfer(p scan.Purpose) bool { return p == scan.TransferOut || p == scan.TransferIn }

// choice is the choice of the other branch of a transfer.
type choice struct {
	// In tells that the goods come from it.
	In       bool
	Branches []feed.Branch
}

func (p *Page) choice(purpose scan.Purpose) *choice {
	return &choice{purpose == scan.TransferIn, p.Desk.Branches()}
}

// PartnerWords says who sends the goods or gets them.
func (c card) PartnerWords() string {
	switch {
	case c.Partner == "":
		return ""
	case c.Purpose == scan.TransferOut:
		return "to " + c.Partner
	case c.Purpose == scan.TransferIn:
		return "from " + c.Partner
	}
	return c.Partner
}

// slip is what the paper in the box says of a transfer.
type slip struct {
	From, To, Number string
	// Barcode is the number's, for the branch that takes it in; empty for what is
	// taken in, and where the number is too long.
	Barcode template.HTML
}

// slipOf gives the slip of a confirmed transfer; nil for all else.
func (p *Page) slipOf(r *counter.Receipt, own string) *slip {
	if !transfer(r.Purpose) || r.Thrown != "" {
		return nil
	}
	s := &slip{From: own, To: r.Partner}
	if r.Purpose == scan.TransferIn {
		s.From, s.To = r.Partner, own
	}
	if r.Document.Type != "transfer" {
		return s
	}
	s.Number = r.Document.Ref
	if r.Purpose == scan.TransferOut {
		drawn, err := symbol.Code128(s.Number, s.Number, 40)
		if err != nil {
			p.Log.Debug("a transfer's number has no barcode", "number", s.Number, "err", err)
		}
		s.Barcode = template.HTML(drawn.Text) //nolint:gosec // drawn by ourselves
	}
	return s
}
