package receive

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"branchline/agent/outbox"
	"branchline/internal/movement"
)

// step is a change of one session.
type step struct {
	s     *Session
	c     Change
	fresh bool // the session is new
}

// commit makes changes durable, all in one, then applies them.
func (d *Desk) commit(ctx context.Context, steps ...step) error {
	return d.commitWith(ctx, nil, steps...)
}

// commitWith is commit with movements that are recorded in the same write.
func (d *Desk) commitWith(ctx context.Context, recorded []*movement.Movement, steps ...step) error {
	var notes []outbox.Note
	next := make([]*Session, len(steps))
	for i, st := range steps {
		after := st.s.Apply(st.c)
		next[i] = &after
		changed, err := st.notes(&after)
		if err != nil {
			return err
		}
		notes = append(notes, changed...)
	}
	// Where the write fails in its very last step, the disk may hold a change
	// that the memory does not; it is shown after a restart. None is lost.
	if _, err := d.Store.Append(ctx, outbox.Write{Lane: movement.Live, Movements: recorded, Notes: notes}); err != nil {
		return err
	}
	for _, s := range next {
		if i := slices.IndexFunc(d.sessions, func(o *Session) bool { return o.ID == s.ID }); i >= 0 {
			d.sessions[i] = s
		} else {
			d.sessions = append(d.sessions, s)
		}
	}
	return nil
}

func (st *step) notes(after *Session) ([]outbox.Note, error) {
	var notes []outbox.Note
	if st.fresh || st.c.Joined != "" || st.c.Parted != "" || len(st.c.Missed) > 0 {
		value, err := json.Marshal(after)
		if err != nil {
			return nil, err
		}
		notes = append(notes, outbox.Note{Space: noteSpace, Key: after.ID, Value: value})
	}
	for _, e := range st.c.Put {
		value, err := json.Marshal(e)
		if err != nil {
			return nil, err
		}
		notes = append(notes, outbox.Note{Space: noteSpace, Key: entryKey(after.ID, e.Number), Value: value})
	}
	for _, number := range st.c.Drop {
		notes = append(notes, outbox.Note{Space: noteSpace, Key: entryKey(after.ID, number)})
	}
	return notes, nil
}

func (d *Desk) close(s *Session) {
	d.sessions = slices.DeleteFunc(d.sessions, func(o *Session) bool { return o.ID == s.ID })
	for _, station := range s.Stations {
		delete(d.asked, station)
		d.letGo(station, s.Purpose)
	}
}

func entryKey(id string, number int) string { return fmt.Sprintf("%s#%06d", id, number) }

// gone deletes all notes of the session.
func (s *Session) gone() []outbox.Note {
	notes := []outbox.Note{{Space: noteSpace, Key: s.ID}}
	for i := range s.Entries {
		notes = append(notes, outbox.Note{Space: noteSpace, Key: entryKey(s.ID, s.Entries[i].Number)})
	}
	return notes
}
