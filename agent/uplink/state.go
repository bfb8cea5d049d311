package uplink

import (
	"time"

	"branchline/internal/wire"
)

// state is what the next report says.
func (u *Uplink) state(streams []wire.Stream) wire.State {
	s := wire.State{At: time.Now(), Started: u.started}
	for _, st := range streams {
		s.Unsent += st.Unsent()
		state := wire.StreamState{Epoch: st.Epoch, Lane: st.Lane, Oldest: st.Oldest, Last: st.Last, Acked: st.Acked}
		if st.Acked > 0 && st.Oldest <= st.Acked {
			// An unreadable record is met again, and told, when it is sent.
			if b, err := u.store.Read(st.Epoch, st.Lane, st.Acked, 1, 1); err == nil && b != nil && b.First == st.Acked {
				state.Hash = b.Last
			}
		}
		s.Streams = append(s.Streams, state)
		if c := u.courses[streamKey{st.Epoch, st.Lane}]; c != nil && c.alarm != nil {
			s.Alarms = append(s.Alarms, *c.alarm)
		}
	}
	if u.Describe != nil {
		u.Describe(&s)
	}
	return s
}
