package receive

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"branchline/agent/outbox"
	"branchline/agent/scan"
	"branchline/internal/fault"
	"branchline/internal/movement"
)

// confirm records the group and closes the session in one commit. After a
// crash either the session is still open, or the group is recorded. d.mu is
// held.
func (d *Desk) confirm(ctx context.Context, s *Session, by string, at time.Time) (receipt, error) {
	if err := typed("initials", by, maxInitials); err != nil {
		return receipt{}, err
	}
	k := d.know(s)
	if err := s.ready(k); err != nil {
		return receipt{}, err
	}
	list, of := s.movements(k, by)
	settle(list)
	again, differ := 0, 0
	var lines []outbox.Note
	if s.Form != "" {
		var err error
		if list, of, again, differ, err = d.notTwice(list, of); err != nil {
			return receipt{}, err
		}
	}
	r := receipt{Receipt: s.receipt(k, by, at)}
	r.Again, r.Differ = again, differ
	serials := s.serials(list)
	if s.Form != "" {
		lines = d.packLines(list, serials)
	}
	closing, err := d.closing(s, r)
	if err != nil {
		return receipt{}, err
	}
	// Which serials left before is only known after the write, in which the
	// session ends all the same: nobody must work on what is recorded. Should the
	// power fail or the disk be full then, all of them go to a person later.
	doubt, err := s.doubtful(list, serials)
	if err != nil {
		return receipt{}, err
	}
	ctx = context.WithoutCancel(ctx) // who closes the browser now must not leave it half known
	places, err := d.Store.Append(ctx, outbox.Write{Lane: movement.Live, Movements: list, Notes: slices.Concat(closing, doubt, lines)})
	if err != nil {
		return receipt{}, err
	}
	if len(serials) > 0 {
		left, which := s.again(list, serials, places)
		more, err := d.Store.Append(ctx, outbox.Write{Lane: movement.Live, Movements: left, Notes: []outbox.Note{{Space: doubtSpace, Key: s.ID}}})
		if err != nil {
			d.Log.Error("which serials left before is told at the next start", "session", s.ID, "err", err)
		}
		r.place(left[:len(more)], more)
		for i, p := range more { // it counts as what was recorded now
			places[which[i]] = p
		}
	}
	if i := slices.IndexFunc(places, func(p outbox.Place) bool { return p.Known }); i >= 0 && list[i].Group.ID != "" {
		d.Log.Warn("a session was confirmed again", "session", s.ID)
	}
	d.close(s)
	r.place(list, places)
	r.placeEntries(of, places)
	if err := d.keep(ctx, r); err != nil {
		d.Log.Warn("a receipt does not know where its movements are", "session", s.ID, "err", err)
	}
	return r, nil
}

// ready refuses to confirm what is empty or has open questions.
func (s *Session) ready(k *knowledge) error {
	if len(s.Entries) == 0 {
		return fault.New(fault.Data, "nothing_scanned", "%s has no lines yet", s.Words()).
			WithHint("scan the goods, or cancel it (BL-CANCEL)")
	}
	open, first, hint := 0, "", "leave it to a person (BL-PERSON)"
	for _, f := range s.find(k) {
		if question(f.code) {
			if open++; open == 1 {
				first = f.text
				if f.code == FarOver {
					hint = "scan BL-ACCEPT if they came, else BL-QTY-<number> or BL-UNDO"
				}
			}
		}
	}
	switch {
	case open == 1:
		return fault.New(fault.Data, "question_open", "one question is open: %s", first).
			WithHint("answer it on the page, or " + hint)
	case open > 1:
		return fault.New(fault.Data, "question_open", "%d questions are open, the first is: %s", open, first).
			WithHint("answer them on the page, or " + hint)
	}
	return nil
}

// settle makes sure that no single entry can keep all the others from being
// recorded: one that no record can hold goes to a person with what there is.
func settle(list []*movement.Movement) {
	for i, m := range list {
		probe := *m
		probe.RecordedAt = m.OccurredAt
		err := probe.Validate()
		if err == nil {
			continue
		}
		list[i] = &movement.Movement{Kind: m.Kind, OccurredAt: m.OccurredAt, Document: m.Document, Counterpart: m.Counterpart, NaturalKey: m.NaturalKey,
			Source: m.Source, Group: m.Group, Paper: m.Paper, Problem: scan.ProblemOf(err)}
	}
}

// serials takes what can leave, or come back, once out of the group: a serial
// is a natural key of its own, as where it is scanned alone. It gives their
// places in the list.
func (s *Session) serials(list []*movement.Movement) []int {
	if s.Purpose == scan.Receive || s.Purpose == scan.Count {
		return nil
	}
	var at []int
	for i, m := range list {
		if m.Serial != "" && m.Problem == nil {
			at = append(at, i)
			m.Group = movement.Group{}
			m.NaturalKey = serialKey(m.Kind, m.Product, m.Serial)
		}
	}
	for _, m := range list {
		if m.Group.ID != "" {
			m.Group.Size = len(list) - len(at)
		}
	}
	return at
}

// again are those serials that had been recorded before, for a person, with their
// places in the list.
func (s *Session) again(list []*movement.Movement, serials []int, places []outbox.Place) (known []*movement.Movement, which []int) {
	for _, i := range serials {
		if !places[i].Known {
			continue
		}
		m := *list[i]
		m.NaturalKey = "session/" + s.ID + "/again/" + strconv.Itoa(i+1)
		if s.Form != "" { // the same when the form is typed in again
			m.NaturalKey = otherKey(formKey(s.Form, m.Paper.Line), &m)
		}
		m.Problem = &movement.Problem{Code: "serial_again", Field: "serial", Text: fmt.Sprintf(
			"serial %.64q was recorded as %s before, and a serial belongs to one pack", m.Serial, m.Kind)}
		known, which = append(known, &m), append(which, i)
	}
	return known, which
}

// doubtSpace is where the outbox keeps the serials of a session, as they go to a
// person if they had left before, until that is known.
const doubtSpace = "receive serials"

func (s *Session) doubtful(list []*movement.Movement, serials []int) ([]outbox.Note, error) {
	if len(serials) == 0 {
		return nil, nil
	}
	all := make([]outbox.Place, len(list))
	for i := range all {
		all[i].Known = true
	}
	var lines [][]byte
	doubted, _ := s.again(list, serials, all)
	for _, m := range doubted {
		probe := *m
		probe.RecordedAt = m.OccurredAt // the outbox sets its own
		lines = append(lines, probe.AppendJSON(nil))
	}
	return []outbox.Note{{Space: doubtSpace, Key: s.ID, Value: bytes.Join(lines, []byte("\n"))}}, nil
}

// resume sends to a person the serials of which nobody has found out whether they
// had left before, as the agent ended then.
func (d *Desk) resume(ctx context.Context) error {
	for n, err := range d.Store.Notes(doubtSpace, "") {
		if err != nil {
			return err
		}
		var list []*movement.Movement
		for line := range bytes.SplitSeq(n.Value, []byte("\n")) {
			m, err := movement.Decode(line)
			if err != nil {
				d.Log.Error("a serial that was confirmed cannot be read", "session", n.Key, "err", err)
				continue
			}
			m.RecordedAt = time.Time{}
			list = append(list, &m)
		}
		if _, err := d.Store.Append(ctx, outbox.Write{Lane: movement.Live, Movements: list, Notes: []outbox.Note{{Space: doubtSpace, Key: n.Key}}}); err != nil {
			return err
		}
	}
	return nil
}

// cancel throws a session away. What was in it is kept as long as a receipt, with
// who did it and why; that it was is a record of the outbox, by which nothing is
// moved. d.mu is held.
func (d *Desk) cancel(ctx context.Context, s *Session, by, why string) error {
	notes := s.gone()
	var list []*movement.Movement
	if len(s.Entries) > 0 {
		list = []*movement.Movement{s.thrownAway(by, why, d.Now())}
		r := receipt{s.receipt(d.know(s), by, d.Now())}
		r.Thrown = why
		var err error
		if notes, err = d.closing(s, r); err != nil {
			return err
		}
	}
	if _, err := d.Store.Append(ctx, outbox.Write{Lane: movement.Live, Movements: list, Notes: notes}); err != nil {
		return err
	}
	d.close(s)
	d.Log.Info("session cancelled", "session", s.ID, "lines", len(s.Entries), "by", by, "why", why)
	return nil
}
