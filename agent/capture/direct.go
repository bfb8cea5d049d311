package capture

import (
	"context"
	"fmt"

	"branchline/agent/outbox"
	"branchline/agent/scan"
	"branchline/internal/fault"
	"branchline/internal/movement"
)

// Store is what capture needs of the outbox.
type Store interface {
	Append(ctx context.Context, w outbox.Write) ([]outbox.Place, error)
}

// Direct is the handler of scans that need no session: each is one movement in
// the live lane. Safe for concurrent use.
type Direct struct {
	Store Store
}

var _ Handler = Direct{}

// Scan records the movement, or the reason why it is none for a person.
//
// A serial can leave the branch once: it is part of the natural key, so the
// same pack again is seen even after weeks. It is then kept with the problem
// "serial_again" and not dropped, since a pack that came back in between can
// leave a second time; that is for a person to say.
func (d Direct) Scan(ctx context.Context, s scan.Scan) (scan.Answer, error) {
	if s.Personal() {
		return scan.Refuse(s.Err), nil
	}
	if text := s.Text(); scan.IsCommand(text) {
		return scan.Refuse(fault.New(fault.Data, "command_out_of_place", "%.40q is of no use here: each scan is recorded at once", text).
			WithHint("begin a list on the page to collect scans first; what was handed out by mistake is scanned at Return")), nil
	}
	if s.Purpose == scan.LookUp {
		return LookUp(&s), nil
	}
	if s.Err != nil {
		return d.unclear(ctx, &s, s.Err)
	}
	it, err := s.Item()
	if err != nil {
		return d.unclear(ctx, &s, err)
	}
	m := it.Movement(&s)
	if it.Serial != "" {
		m.NaturalKey = fmt.Sprintf("serial/%s/%s/%s", m.Kind, it.Product.Code, it.Serial)
	}
	if err := checkMovement(m); err != nil {
		return d.unclear(ctx, &s, err)
	}
	places, err := d.Store.Append(ctx, outbox.Write{Lane: movement.Live, Movements: []*movement.Movement{m}})
	if err != nil {
		return scan.Answer{}, err
	}
	if places[0].Known {
		return d.unclear(ctx, &s, fault.New(fault.Data, "serial_again",
			"%s was recorded as %s before, and a serial belongs to one pack", it.Words(), m.Kind).
			WithHint("discard this one if the pack was scanned again by mistake"))
	}
	return scan.Answer{Sound: scan.OK, Text: string(m.Kind) + ": " + it.Words()}, nil
}

// LookUp answers what a code says, or why it cannot be read, and records
// nothing.
func LookUp(s *scan.Scan) scan.Answer {
	it, err := s.Item()
	if err != nil {
		return scan.Refuse(err)
	}
	return scan.Answer{Sound: scan.OK, Text: it.Words()}
}

func (d Direct) unclear(ctx context.Context, s *scan.Scan, why error) (scan.Answer, error) {
	m := scan.Unclear(s, why)
	if _, err := d.Store.Append(ctx, outbox.Write{Lane: movement.Live, Movements: []*movement.Movement{m}}); err != nil {
		return scan.Answer{}, err
	}
	return scan.Answer{Sound: scan.Warn, Code: m.Problem.Code, Text: "kept for a person: " + why.Error()}, nil
}

// checkMovement asks for the record's bounds before it is offered to the
// outbox, so that what does not fit goes to a person.
func checkMovement(m *movement.Movement) error {
	c := *m
	if c.RecordedAt.IsZero() {
		c.RecordedAt = c.OccurredAt
	}
	return c.Validate()
}
