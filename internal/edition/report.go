package edition

import (
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"branchline/internal/fault"
)

// Phase is how far a branch is with an edition.
type Phase string

const (
	// Received: it is on the branch's disk, and nothing of it runs yet.
	Received Phase = "received"
	// Trying: it runs, and has not proved itself yet.
	Trying Phase = "trying"
	// Good: it runs, has proved itself, and is what the branch starts with.
	Good Phase = "good"
	// Failed: it was tried, or could not be; the branch runs by the one before.
	Failed Phase = "failed"
	// Refused: it was not even looked at further.
	Refused Phase = "refused"
)

// Phases lists all phases.
var Phases = []Phase{Received, Trying, Good, Failed, Refused}

// Report is what an agent says of its configuration. A nil one is of an agent that
// has none from the centre and was never sent any.
type Report struct {
	// Ref is the edition that Phase is of: the newest that came. Of one that was
	// refused before it could be read, number and hash are zero.
	Ref
	Phase Phase `json:"phase"`
	// At is since when, by the branch's clock.
	At time.Time `json:"at,omitzero"`
	// Reason is a sentence for Failed and Refused.
	Reason string `json:"reason,omitempty"`
	// Runs is the edition by which the branch works; the zero Ref where it is
	// agent.yaml.
	Runs Ref `json:"runs,omitzero"`
	// Failure is the last attempt that failed, kept though another one is good.
	Failure *Attempt `json:"failure,omitempty"`
}

// Attempt is an edition that was tried and did not prove itself.
type Attempt struct {
	Ref
	At     time.Time `json:"at,omitzero"`
	Reason string    `json:"reason"`
}

const maxReason = 500

// clip makes one line of valid text of at most so many bytes.
func clip(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case unicode.IsControl(r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	for len(s) > maxReason {
		_, n := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-n]
	}
	return s
}

// Tidy makes reasons one line of at most 500 bytes.
func (r Report) Tidy() Report {
	r.Reason = clip(r.Reason)
	if r.Failure != nil {
		a := *r.Failure
		a.Reason = clip(a.Reason)
		r.Failure = &a
	}
	return r
}

// Check tells whether a report that came from a branch can be. Errors are faults
// of class Data, "malformed_report".
func (r *Report) Check() error {
	bad := func(what string) error {
		return fault.New(fault.Data, "malformed_report", "the report on the branch's configuration cannot be: %s", what)
	}
	switch {
	case !slices.Contains(Phases, r.Phase):
		return bad("it names a phase that this hub does not know")
	case len(r.Reason) > maxReason || r.Failure != nil && len(r.Failure.Reason) > maxReason:
		return bad("its reason is too long")
	case r.Number > maxNumber || r.Runs.Number > maxNumber || r.Failure != nil && r.Failure.Number > maxNumber:
		return bad("it names a number that no edition has")
	case r.Number == 0 && r.Phase != Refused:
		return bad("it names no edition")
	case r.Phase == Good && r.Runs != r.Ref:
		return bad("it calls an edition good and runs by another")
	}
	return nil
}
