package plan

import (
	"slices"
	"time"

	"branchline/internal/movement"
	"branchline/internal/odoo"
)

// Reason codes of exceptions.
const (
	LotMissing     = "lot_missing"
	UnknownLot     = "unknown_lot"
	ExpiryConflict = "lot_expiry_conflict"
	ExpiryMissing  = "expiry_missing"
	ExpiredLot     = "expired_lot"
	SerialMissing  = "serial_missing"
	SerialQuantity = "serial_quantity"
	SerialRepeated = "serial_repeated"
)

type lotKey struct {
	product int64
	name    string
}

// lotState is what is said about one lot, by Odoo or by what is on its way.
type lotState struct {
	asked bool
	known odoo.Lot // ID 0 if Odoo does not know it
	// coming: an incoming movement that may make the lot is pending or under
	// way, with this expiry.
	coming   bool
	expiry   movement.Date
	conflict movement.Date // a second expiry for a lot that is not yet in Odoo
}

// gatherLot finds the lot of a movement, and what it says about a lot that is
// new.
func (p *planner) gatherLot(r *resolved) {
	if r.lot = lotOf(r.m, &r.it.product); r.lot == "" {
		return
	}
	s := p.lot(r)
	if s.known.ID != 0 || !r.incoming || !p.makesLots(r.m.Kind) {
		return
	}
	s.coming = true
	switch {
	case r.expiry.IsZero() || r.expiry == s.expiry:
	case s.expiry.IsZero():
		s.expiry = r.expiry
	default:
		s.conflict = r.expiry
	}
}

func (p *planner) lot(r *resolved) *lotState {
	key := lotKey{r.it.product.ID, r.lot}
	s := p.lots[key]
	if s == nil {
		s = new(lotState)
		p.lots[key] = s
	}
	if !s.asked {
		s.asked = true
		s.known, _ = p.in.Catalogue.Lot(key.product, p.in.Branch.Warehouse.CompanyID, key.name)
	}
	return s
}

func (p *planner) makesLots(k movement.Kind) bool { return slices.Contains(p.in.Settings.NewLotsOn, k) }

// settleLot checks the movement's lot; false if it was refused or waits.
func (p *planner) settleLot(r *resolved) bool {
	m, product := r.m, &r.it.product
	switch {
	case product.Tracking == odoo.ByLot && r.lot == "":
		p.refuse(m, LotMissing, "lot", "record it again at the branch with its lot, then branchline-hub discard takes this one out",
			"%s is tracked by lot in Odoo and the line has none", product.Name)
		return false
	case product.Tracking == odoo.BySerial && r.lot == "":
		p.refuse(m, SerialMissing, "serial", "record it again at the branch with its serial number, then branchline-hub discard takes this one out",
			"%s is tracked by serial number in Odoo and the line has none", product.Name)
		return false
	case product.Tracking == odoo.BySerial && r.quantity != movement.QuantityScale:
		p.refuse(m, SerialQuantity, "quantity", "branchline-hub discard takes the line out; record each pack by its own serial number",
			"%s of %s cannot have the one serial number %s", r.quantity, product.Name, r.lot)
		return false
	case r.lot == "":
		return true
	}
	s := p.lot(r)
	if s.known.ID != 0 {
		r.known = s.known
		if !p.sameExpiry(r.expiry, s.known.Expires) {
			p.refuse(m, ExpiryConflict, "expiry", "look at the pack: where Odoo is wrong, correct the lot there, then branchline-hub retry; where the line is wrong, record it again at the branch and branchline-hub discard this one",
				"lot %s of %s expires %s in Odoo and %s on this line", r.lot, product.Name, odoo.ExpiryDate(s.known.Expires, p.in.Branch.Zone), r.expiry)
			return false
		}
		if r.expiry.IsZero() {
			r.expiry = odoo.ExpiryDate(s.known.Expires, p.in.Branch.Zone)
		}
	} else if !p.settleNewLot(r, s) {
		return false
	}
	if p.expired(r) {
		p.refuse(m, ExpiredLot, "expiry", "set the goods apart; branchline-hub release lets the line go on if it is right, branchline-hub discard takes it out",
			"lot %s of %s had expired on %s", r.lot, product.Name, r.expiry)
		return false
	}
	return p.settleSerial(r)
}

func (p *planner) settleNewLot(r *resolved, s *lotState) bool {
	m, product := r.m, &r.it.product
	brings := r.incoming && p.makesLots(m.Kind)
	switch {
	case !s.conflict.IsZero() && (brings || !r.expiry.IsZero()), s.coming && !r.expiry.IsZero() && !s.expiry.IsZero() && r.expiry != s.expiry:
		other := s.conflict
		if other.IsZero() || other == r.expiry {
			other = s.expiry
		}
		p.refuse(m, ExpiryConflict, "expiry", "look at the packs: branchline-hub retry the line that is right, record the other again at the branch and branchline-hub discard it here",
			"lot %s of %s has come with two expiry dates, %s and %s", r.lot, product.Name, r.expiry, other)
		return false
	case brings && product.Expires && r.expiry.IsZero() && s.expiry.IsZero():
		p.refuse(m, ExpiryMissing, "expiry", "record it again at the branch with its expiry, then branchline-hub discard takes this one out",
			"lot %s of %s is new to Odoo, and the line has no expiry date", r.lot, product.Name)
		return false
	case brings:
		if r.expiry.IsZero() {
			r.expiry = s.expiry
		}
		return true
	case s.coming:
		p.wait(WaitLot)
		return false
	case !p.in.MissingIsFinal:
		p.wait(WaitCatalogue)
		return false
	case p.makesLots(m.Kind), p.released(m, UnknownLot):
		return true
	case p.in.MoreLots:
		p.wait(WaitLot)
		return false
	}
	p.refuse(m, UnknownLot, "lot", "check the lot on the pack; branchline-hub release makes the lot in Odoo, branchline-hub discard takes the line out",
		"Odoo has no lot %s of %s", r.lot, product.Name)
	return false
}

// expired tells whether receiving or handing out the lot needs a person. Goods
// that are wasted, sent or corrected may be expired.
func (p *planner) expired(r *resolved) bool {
	return (r.m.Kind == movement.Receipt || r.m.Kind == movement.Dispense) && !r.expiry.IsZero() && r.expiry.Before(r.day) &&
		!p.in.Settings.AcceptExpired && !p.released(r.m, ExpiredLot)
}

// settleSerial refuses a serial number that goes the same way twice among what
// is pending; what lies further back Odoo judges.
func (p *planner) settleSerial(r *resolved) bool {
	if r.it.product.Tracking != odoo.BySerial {
		return true
	}
	way := 1
	if !r.incoming {
		way = -1
	}
	key := lotKey{r.it.product.ID, r.lot}
	if p.serials[key] == way && !p.released(r.m, SerialRepeated) {
		p.refuse(r.m, SerialRepeated, "serial", "branchline-hub discard takes out the line that was recorded twice; branchline-hub release lets it go on if both are right",
			"serial number %s of %s moved the same way twice", r.lot, r.it.product.Name)
		return false
	}
	p.serials[key] = way
	return true
}

// sameExpiry compares a date on a pack with Odoo's moment. One that is not
// known agrees with any.
func (p *planner) sameExpiry(d movement.Date, moment time.Time) bool {
	return d.IsZero() || moment.IsZero() || d == odoo.ExpiryDate(moment, p.in.Branch.Zone) || d == odoo.ExpiryDate(moment, time.UTC)
}
