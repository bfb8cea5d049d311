package receive

import (
	"context"
	"strconv"
	"strings"
	"time"

	"branchline/agent/counter"
	"branchline/agent/scan"
	"branchline/internal/fault"
	"branchline/internal/movement"
)

// command is a command barcode.
type command struct {
	name     string // confirm, cancel, branch, or the verb of an action
	quantity int64
	reason   string // by its name; of branch, the code
}

// parseCommand reads BL-CONFIRM, BL-UNDO, BL-CANCEL, BL-PERSON, BL-ACCEPT,
// BL-BRANCH-<code>, BL-QTY-<n>, BL-REASON-<name>, BL-DAMAGED-<name> and BL-SHORT-<name>.
func parseCommand(text string) (command, error) {
	switch text {
	case "BL-CONFIRM":
		return command{name: "confirm"}, nil
	case "BL-CANCEL":
		return command{name: "cancel"}, nil
	case "BL-UNDO":
		return command{name: string(counter.Undo)}, nil
	case "BL-PERSON":
		return command{name: string(counter.Person)}, nil
	case "BL-ACCEPT":
		return command{name: string(counter.Accept)}, nil
	}
	if code, ok := strings.CutPrefix(text, scan.Other); ok && movement.ValidBranch(code) {
		return command{name: "branch", reason: code}, nil
	}
	if digits, ok := strings.CutPrefix(text, "BL-QTY-"); ok && len(digits) <= 5 {
		if n, err := strconv.ParseUint(digits, 10, 32); err == nil {
			return command{name: string(counter.Quantity), quantity: int64(n)}, nil
		}
	}
	for prefix, name := range map[string]string{"BL-REASON-": "reason", "BL-DAMAGED-": string(counter.Damaged), "BL-SHORT-": string(counter.Short)} {
		if reason, ok := strings.CutPrefix(text, prefix); ok && reason != "" {
			return command{name: name, reason: reason}, nil
		}
	}
	return command{}, fault.New(fault.Data, "unknown_command", "%.40q is not a command", text).
		WithHint("use the printed sheet: BL-CONFIRM, BL-UNDO, BL-CANCEL, BL-QTY-<number>")
}

// command carries a command out. d.mu is held.
func (d *Desk) command(ctx context.Context, sc *scan.Scan, s *Session, text string) (scan.Answer, error) {
	cmd, err := parseCommand(text)
	if err != nil {
		return refused(err), nil
	}
	if cmd.name == "branch" {
		return refused(fault.New(fault.Data, "not_here", "%s is for transfers, and this scan is for something else", text).
			WithHint("open Transfer on the page, and scan it there")), nil
	}
	reason, known := "", false
	if cmd.reason != "" {
		if reason, known = d.cfg.Reasons[cmd.reason]; !known {
			return refused(fault.New(fault.Data, "unknown_reason", "%.40q is not among the reasons", cmd.reason).
				WithHint("name it under receiving.reasons, or use one of the printed sheet")), nil
		}
	}
	if cmd.name == "reason" && s == nil && !sc.Purpose.InSession() {
		d.reasons[sc.Station] = reasonFor{reason, sc.At}
		return scan.Answer{Sound: scan.OK, Text: "the next scan is because of: " + reason}, nil
	}
	if s == nil {
		hint := "scan the order or the delivery note first"
		if transfer(sc.Purpose) {
			hint = "scan the box's number, or a pack, first"
		}
		return refused(fault.New(fault.Data, "no_open_delivery", "nothing is open at this scanner").WithHint(hint)), nil
	}
	if d.Signed && (cmd.name == "confirm" || cmd.name == "cancel") {
		return refused(fault.New(fault.Data, "sign_at_the_page", "people sign with their PIN here, so %s at a scanner does nothing", text).
			WithHint("do it on the branch's page, under Review")), nil
	}
	k := d.know(s)
	switch cmd.name {
	case "confirm":
		receipt, err := d.confirm(ctx, s, sc.By, sc.At)
		if err != nil {
			return sayNo(err)
		}
		return scan.Answer{Sound: scan.OK, Text: receipt.words() + " is confirmed"}, nil
	case "cancel":
		return d.cancelTwice(ctx, sc, s)
	case "reason":
		return d.said(ctx, sc, s, k, text, func() (Change, error) { return s.because(sc.Station, reason) })
	}
	a := counter.Action{Verb: counter.Verb(cmd.name), Station: sc.Station, Quantity: movement.Units(cmd.quantity), Reason: reason, By: sc.By}
	if a.Verb == counter.Person || a.Verb == counter.Accept {
		a.Entry = s.asked(k, sc.Station, a.Verb)
	}
	if e := s.latest(sc.Station); e != nil && a.Entry == 0 {
		a.Entry = e.Number
	}
	return d.said(ctx, sc, s, k, text, func() (Change, error) { return s.edit(k, a, sc.At) })
}

// asked is the entry that a scanner's word is about: its own latest one with a
// question, or with something to accept; else anybody's; 0 for none.
func (s *Session) asked(k *knowledge, station string, v counter.Verb) int {
	own, any := 0, 0
	for _, f := range s.find(k) {
		if v == counter.Person && !leavable(f.code) || v == counter.Accept && !acceptable(f.code) {
			continue
		}
		any = max(any, f.entry)
		if s.Entries[s.index(f.entry)].Station == station {
			own = max(own, f.entry)
		}
	}
	if own > 0 {
		return own
	}
	return any
}

// because gives the station's latest entry a reason.
func (s *Session) because(station, reason string) (Change, error) {
	e := s.latest(station)
	if e == nil {
		return Change{}, fault.New(fault.Data, "nothing_scanned", "nothing was scanned here yet").WithHint("scan the product first")
	}
	changed := *e
	changed.Reason = reason
	return Change{Put: []Entry{changed}, Answer: scan.Answer{Sound: scan.OK, Text: reason + ": " + e.Item.Words()}}, nil
}

// reasonFor is what a station said of its next scan.
type reasonFor struct {
	reason string
	at     time.Time
}

// reasonWithin is how long a reason waits for its scan.
const reasonWithin = 2 * time.Minute

// cancelTwice throws a session away, when it is asked for twice.
func (d *Desk) cancelTwice(ctx context.Context, sc *scan.Scan, s *Session) (scan.Answer, error) {
	a := d.asked[sc.Station]
	meant := a.id == s.ID && sc.At.Sub(a.at) < cancelWithin && !sc.At.Before(a.at)
	if !meant && len(s.Entries) > 0 {
		d.asked[sc.Station] = asked{s.ID, sc.At}
		return scan.Answer{Sound: scan.Warn, Code: "cancel_again",
			Text: "scan BL-CANCEL again within " + cancelWithin.String() + " to throw " + s.Words() + " away"}, nil
	}
	words := s.Words()
	if err := d.cancel(ctx, s, sc.By, "scanned BL-CANCEL at "+sc.Scanner); err != nil {
		return scan.Answer{}, err
	}
	return scan.Answer{Sound: scan.OK, Text: words + " is thrown away"}, nil
}

// sayNo answers a refusal, and passes on what is none.
func sayNo(err error) (scan.Answer, error) {
	if fault.ClassOf(err) == fault.Data {
		return refused(err), nil
	}
	return scan.Answer{}, err
}
