package capture

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"branchline/agent/scan"
	"branchline/internal/fault"
	"branchline/internal/gs1"
)

const (
	// maxFrame is the longest code: gs1's bound, so that nothing it could read
	// is cut.
	maxFrame = gs1.MaxLength
	// noise is how many unreadable codes a minute are codes at all.
	noise = 60
	// patience bounds one commit.
	patience = 15 * time.Second
)

// reading is what is remembered while a port stays open. Another scanner may
// be behind it when it is opened again, so nothing proved survives that.
type reading struct {
	profile gs1.Profile

	last   []byte
	lastAt time.Time

	unreadable int
	minute     time.Time
}

// frame takes one frame all the way to its sound.
func (r *runner) frame(ctx context.Context, f frame, sounds chan<- []byte) scan.Answer {
	began := time.Now()
	s := scan.Scan{
		Station: r.s.Station, Scanner: r.s.Name, Purpose: r.s.For, Raw: bytes.Clone(f.data), At: r.Now(),
		By: r.s.By, Reason: r.s.Reason, Counterpart: r.s.Counterpart,
	}
	a, test := r.tested(f, s.At)
	known := test
	if !test {
		r.understand(&s, f.kind)
		a, known = r.beforehand(&s, f.kind)
	}
	if !known {
		a = r.handle(ctx, &s)
	}
	a.Action = a.Action || !test && scan.IsCommand(s.Text())
	if b := r.s.Sounds.sequence(a.Sound); b != nil {
		select {
		case sounds <- b:
		default:
		}
	}
	if r.Beeper != nil {
		r.Beeper.Beep(r.s.Name, a)
	}
	r.m.took.Observe(time.Since(began).Seconds())
	r.m.scans.WithLabelValues(r.s.Name, a.Sound.String()).Inc()
	if test {
		return a
	}
	r.status.set(func(st *Status) {
		st.Codes++
		st.Last, st.LastAt = a, s.At
		switch {
		case known || a.Sound == scan.Refused:
			st.NotCounted++
		case s.Err != nil && !scan.IsCommand(s.Text()):
			st.Unreadable++
		}
		if a.Code == codeNoise {
			st.Code, st.Reason = a.Code, a.Text
		} else if st.Up && s.Err == nil {
			st.Code, st.Reason = "", ""
		}
	})
	return a
}

// understand reads the code, or says why it cannot be read.
func (r *runner) understand(s *scan.Scan, kind frameKind) {
	if kind != whole && scan.Personal(s.Raw) {
		kind = whole // so that it is refused as one, and not kept as half of one
	}
	switch kind {
	case cut:
		s.Err = fault.New(fault.Data, "half_code", "the code from scanner %s stopped after %d characters", r.s.Name, len(s.Raw)).
			WithHint("scan again; if it happens often, compare the scanner's terminator with its profile")
	case endless:
		s.Err = fault.New(fault.Data, "endless_code", "scanner %s sent more than %d characters without an end", r.s.Name, maxFrame).
			WithHint("compare the scanner's speed and terminator with its profile")
	default:
		s.Read(r.reading.profile)
		if s.Err == nil && s.Code.ProvesSeparators && r.reading.profile.Separators == gs1.SeparatorsUnproved {
			r.reading.profile.Separators = gs1.SeparatorsProved
		}
	}
}

const codeNoise = "scanner_noise"

// beforehand answers what is not recorded: ok tells that it was answered.
func (r *runner) beforehand(s *scan.Scan, kind frameKind) (a scan.Answer, ok bool) {
	if s.Personal() {
		return scan.Refuse(s.Err), true
	}
	if text := s.Text(); scan.IsCommand(text) {
		if err := scan.CheckCommand(text); err != nil {
			return scan.Refuse(err), true
		}
		return a, false
	}
	g := &r.reading
	again := kind == whole && s.At.Sub(g.lastAt) < *r.s.RepeatWithin && bytes.Equal(s.Raw, g.last)
	if kind == whole {
		g.last, g.lastAt = s.Raw, s.At
	}
	if again {
		serial := s.Err == nil && s.Serial() != ""
		twice := fault.New(fault.Data, "scanned_twice", "the same code came twice within %s", *r.s.RepeatWithin).
			WithHint("if it was another pack, scan it again after a moment, or scan a quantity")
		switch {
		case r.s.Repeat == RepeatRefuse || serial || s.Err != nil:
			return scan.Answer{Sound: scan.Warn, Code: twice.Code, Text: "not counted: " + twice.Error()}, true
		case r.s.Repeat == RepeatKeep:
			s.Err = twice
		}
	}
	if s.Err != nil {
		if s.At.Sub(g.minute) >= time.Minute || s.At.Before(g.minute) {
			g.minute, g.unreadable = s.At, 0
		}
		if g.unreadable++; g.unreadable > noise {
			return scan.Answer{Sound: scan.Refused, Code: codeNoise, Text: fmt.Sprintf(
				"scanner %s has sent more than %d unreadable codes within a minute: compare its speed and terminator with its profile", r.s.Name, noise)}, true
		}
	}
	return a, false
}

func (r *runner) handle(ctx context.Context, s *scan.Scan) scan.Answer {
	// A code that was read whole is recorded even while the agent stops.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	a, err := r.Handler.Scan(ctx, *s)
	if err != nil {
		r.log.Error("a scan was not recorded", "err", err)
		return scan.Refuse(err)
	}
	return a
}
