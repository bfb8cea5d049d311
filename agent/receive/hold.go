package receive

import (
	"branchline/agent/scan"
	"branchline/internal/fault"
	"branchline/internal/movement"
)

// Whoever scans a box's number and then what lies in it may not have heard that the
// number was refused. So what follows is refused, too, until something was opened or
// closed at that station: else it would count for the box that was open before.

// heldAt is a station, and what is scanned there.
type heldAt struct {
	station string
	purpose scan.Purpose
}

// hold refuses goods at the scan's station from now on, because text was refused there.
// d.mu is held.
func (d *Desk) hold(sc *scan.Scan, text string) {
	if d.held == nil {
		d.held = map[heldAt]string{}
	}
	d.held[heldAt{sc.Station, sc.Purpose}] = text
}

// letGo ends that. d.mu is held.
func (d *Desk) letGo(station string, p scan.Purpose) { delete(d.held, heldAt{station, p}) }

// isHeld refuses goods at a station that is held. d.mu is held.
func (d *Desk) isHeld(sc *scan.Scan) (a scan.Answer, held bool) {
	text, held := d.held[heldAt{sc.Station, sc.Purpose}]
	if !held {
		return a, false
	}
	hint := "scan the barcode on the paper once more, or choose what it is on the page"
	if s := d.at(sc.Station, sc.Purpose); s != nil {
		hint = "confirm " + s.Words() + " (BL-CONFIRM) or cancel it (BL-CANCEL), then scan " + text + " again; to go on with it, scan its own barcode or open it on the page"
	}
	return refused(fault.New(fault.Data, "held", "not counted: %.70s was refused at this scanner", text).WithHint(hint)), true
}

// anotherOpen refuses what names something else than is open at the station. d.mu is held.
func (d *Desk) anotherOpen(sc *scan.Scan, s *Session, text string) scan.Answer {
	if transfer(sc.Purpose) {
		d.hold(sc, text)
	}
	return refused(fault.New(fault.Data, "another_open", "%s is still open at this scanner", s.Words()).
		WithHint("confirm it (BL-CONFIRM) or cancel it (BL-CANCEL) first"))
}

// fresh is the session that a scan of goods begins by itself: what is sent to another
// branch has a number from its first pack on, as the box must have one.
func (d *Desk) fresh(sc *scan.Scan) *Session {
	s := Free(sc.Purpose, sc.Station, d.moment(sc.At))
	if sc.Purpose == scan.TransferOut {
		if doc := d.numbered(sc.Counterpart, sc.At); doc != (movement.Document{}) {
			s = Open(doc, sc.Purpose, sc.Station, d.moment(sc.At))
		}
		s.Counterpart = sc.Counterpart
	}
	return &s
}
