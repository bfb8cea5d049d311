package receive

import (
	"context"
	"errors"
	"strings"

	"branchline/agent/counter"
	"branchline/agent/scan"
	"branchline/internal/fault"
	"branchline/internal/movement"
)

// LastMissed refuses what is said of the latest pack when the last scan is
// another one.
const LastMissed = "last_scan_missed"

// Missed is a station's last scan, when it is not among the entries of the
// session: it could not be read, or was refused. Who then says "take it back" or
// "it is nine" may mean that pack, and not the one before it.
type Missed struct {
	// Code is why it is missing: the answer's code.
	Code string `json:"code"`
	// Asked is the command that was answered with a question, and means the
	// latest entry when it comes again.
	Asked string `json:"asked,omitempty"`
}

// noteMissed takes over what became of stations' last scans.
func (s *Session) noteMissed(changed map[string]Missed) {
	for station, m := range changed {
		if m == (Missed{}) {
			delete(s.Missed, station)
			continue
		}
		if s.Missed == nil {
			s.Missed = map[string]Missed{}
		}
		s.Missed[station] = m
	}
}

// heard is what a change holds when an entry came of the station's scan.
func (s *Session) heard(station string) map[string]Missed {
	if _, ok := s.Missed[station]; !ok {
		return nil
	}
	return map[string]Missed{station: {}}
}

// miss writes down that no entry came of a scan, with what else is recorded of
// it. Where that cannot be written, it holds until the agent ends.
// d.mu is held.
func (d *Desk) miss(ctx context.Context, s *Session, sc *scan.Scan, code string, kept *counter.Kept, recorded ...*movement.Movement) error {
	c := Change{Missed: map[string]Missed{sc.Station: {Code: code}}, Kept: kept}
	err := d.commitWith(ctx, recorded, step{s, c, false})
	if err != nil {
		s.noteMissed(c.Missed)
	}
	return err
}

// maxWhy bounds what is said of a scan that went to a person, in bytes.
const maxWhy = 300

func keptAs(sc *scan.Scan, why error) *counter.Kept {
	text := why.Error()
	if f, ok := errors.AsType[*fault.Error](why); ok {
		text = f.Message // the hint is for who scans
	}
	if len(text) > maxWhy {
		text = strings.ToValidUTF8(text[:maxWhy], "") + "…"
	}
	return &counter.Kept{At: sc.At, Why: text}
}

// doubt refuses a command about the latest entry of a station whose last scan is
// another one, unless it is the second time; ask is what to write down then.
func (s *Session) doubt(k *knowledge, station, command string) (ask map[string]Missed, err error) {
	m, missed := s.Missed[station]
	e := s.latest(station)
	if !missed || e == nil || m.Asked == command {
		return nil, nil
	}
	return map[string]Missed{station: {m.Code, command}},
		fault.New(fault.Data, LastMissed, "not done: the last scan here was not counted, and %s would be about the one before it, %s", command, k.words(&e.Item)).
			WithHint("scan " + command + " again if that is meant; else scan a pack that can be read first")
}

// said carries out a command about the latest entry of the scan's station.
// d.mu is held.
func (d *Desk) said(ctx context.Context, sc *scan.Scan, s *Session, k *knowledge, command string, do func() (Change, error)) (scan.Answer, error) {
	if ask, no := s.doubt(k, sc.Station, command); no != nil {
		if err := d.commit(ctx, step{s, Change{Missed: ask}, false}); err != nil {
			return scan.Answer{}, err
		}
		return refused(no), nil
	}
	return d.change(ctx, s, func() (Change, error) {
		c, err := do()
		c.Missed = s.heard(sc.Station)
		return c, err
	})
}

// refuse answers a scan of which no entry comes, nor anything for a person.
// d.mu is held.
func (d *Desk) refuse(ctx context.Context, sc *scan.Scan, s *Session, why error) (scan.Answer, error) {
	a := refused(why)
	if s == nil || len(s.Entries) == 0 {
		return a, nil
	}
	return a, d.miss(ctx, s, sc, a.Code, nil)
}
