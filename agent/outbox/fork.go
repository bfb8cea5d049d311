package outbox

import (
	"fmt"

	bolt "go.etcd.io/bbolt"

	"branchline/internal/fault"
	"branchline/internal/movement"
)

// forkRecords is how many records one commit copies.
const forkRecords = 2000

// Fork is for the hub's word that its stream is equal to this one only through
// seq common: this outbox is a copy of another, or was restored from one. What
// follows common is recorded again, byte for byte, in a new stream of the lane
// with a new epoch, which takes all further records of the lane, too. The old
// stream counts as acknowledged through common; its rest is kept as evidence
// for the retention, and not sent. An alarm says so.
//
// Other writes wait meanwhile, about a second for 100,000 records. A stream
// that is forked already is left as it is. After a crash in the middle,
// opening finishes the work.
func (o *Outbox) Fork(epoch string, lane movement.Lane, common uint64) error {
	return o.job(func() error {
		s := o.find(epoch, lane) // who has the turn reads without the lock
		if s == nil {
			return unknownStream(epoch, lane)
		}
		if s.forked() {
			return nil
		}
		if err := o.beginFork(s, min(common, s.last)); err != nil {
			return o.explain(err)
		}
		if err := o.finishFork(s); err != nil {
			return o.explain(err)
		}
		return nil
	})
}

// beginFork makes the new stream.
func (o *Outbox) beginFork(s *stream, common uint64) error {
	now := o.clock()
	fork := &forkState{Common: common, Epoch: o.forkEpoch(s, common), Copied: common, Dense: true, At: now}
	alarm := Alarm{At: now, Code: "outbox_forked", Text: fmt.Sprintf(
		"The hub has other movements than this outbox after %s/%s/%d: the disk is a copy, or was restored from one. "+
			"The %d movements after that are sent as %s/%s.", s.epoch, s.lane, common, s.last-common, fork.Epoch, s.lane)}
	state := o.stateOf(s)
	state.Acked, state.Fork = common, fork
	var next *stream
	err := o.update(func(tx *bolt.Tx) error {
		st, err := loadStore(tx)
		if err != nil {
			return err
		}
		*st.epoch(s.lane) = fork.Epoch
		st.Alarms = addAlarm(st.Alarms, alarm)
		if err := st.save(tx); err != nil {
			return err
		}
		if err := (&stream{epoch: s.epoch, lane: s.lane, streamState: state}).saveState(tx); err != nil {
			return err
		}
		if _, _, err := settle(tx, s, nil); err != nil { // only what grows has a tail
			return err
		}
		newest := map[movement.Lane]uint64{movement.Live: o.current[movement.Live].last, movement.Bulk: o.current[movement.Bulk].last}
		newest[s.lane] = 0
		if err := tx.Bucket(tailBucket).SetSequence(packNewest(newest[movement.Live], newest[movement.Bulk])); err != nil {
			return err
		}
		next, err = makeStream(tx, o.cfg.Branch, fork.Epoch, s.lane, o.order+1)
		return err
	})
	if err != nil {
		return err
	}
	o.log.Error("The outbox has forked.", "epoch", s.epoch, "lane", s.lane.String(), "seq", common, "err", alarm.Text)
	o.mu.Lock()
	defer o.mu.Unlock()
	s.streamState = state
	o.order++
	o.streams = append(o.streams, next)
	o.current[s.lane] = next
	o.alarms = addAlarm(o.alarms, alarm)
	o.signal()
	return nil
}

// forkEpoch is [movement.ForkEpoch] of the first record that goes into the new
// stream; a random one where nothing goes there, or the name is taken.
func (o *Outbox) forkEpoch(s *stream, common uint64) string {
	b, err := o.Read(s.epoch, s.lane, common+1, 1, 1)
	if err != nil || b == nil {
		return movement.NewEpoch()
	}
	epoch := movement.ForkEpoch(b.Last)
	if o.find(epoch, s.lane) != nil {
		return movement.NewEpoch()
	}
	return epoch
}

// finishFork copies what is not copied yet.
func (o *Outbox) finishFork(s *stream) error {
	to := o.find(s.Fork.Epoch, s.lane)
	if to == nil {
		return fault.New(fault.Defect, "unknown_stream", "the stream %s/%s, into which %s forked, is missing",
			s.Fork.Epoch, s.lane, s.epoch)
	}
	for !s.Fork.Done {
		fork := *s.Fork
		g := growth{s: to, first: to.last + 1, last: to.last, head: to.head, tail: to.tail}
		err := o.update(func(tx *bolt.Tx) error {
			if err := g.copyFrom(tx, s, &fork, o); err != nil {
				return err
			}
			state := o.stateOf(s)
			state.Fork = &fork
			return (&stream{epoch: s.epoch, lane: s.lane, streamState: state}).saveState(tx)
		})
		if err != nil {
			return err
		}
		c := change{o: o}
		c.grown[s.lane] = g
		o.mu.Lock()
		s.Fork = &fork
		o.mu.Unlock()
		c.apply()
	}
	return nil
}

// copyFrom copies one portion of s and notes in fork how far it came.
func (g *growth) copyFrom(tx *bolt.Tx, s *stream, fork *forkState, o *Outbox) error {
	r := run{from: fork.Copied + 1, end: s.last, maxRecords: forkRecords, maxBytes: groupBytes}
	r.collect(cursorOf(tx, s.name()))
	if len(r.found) == 0 {
		fork.Dense = fork.Dense && fork.Copied == s.last
		fork.Done = true
		return nil
	}
	fork.Dense = fork.Dense && r.found[0].seq == fork.Copied+1
	for _, e := range r.found {
		if g.open == nil {
			g.open = newDraft(blockTarget + 4<<10)
		}
		g.open.addRecord(e.record())
		if len(g.open.buf) >= blockTarget {
			if err := g.store(tx, o.clock()); err != nil {
				return err
			}
		}
		fork.Copied = e.seq
	}
	return g.store(tx, o.clock())
}

func (o *Outbox) stateOf(s *stream) streamState {
	o.mu.RLock()
	defer o.mu.RUnlock()
	return s.streamState
}

// resumeForks finishes what a crash has interrupted.
func (o *Outbox) resumeForks() error {
	for _, s := range o.streams {
		if s.forked() && !s.Fork.Done {
			if err := o.finishFork(s); err != nil {
				return err
			}
		}
	}
	return nil
}

// moved follows a place through forks to where the hub has the record, as far
// as that is known.
func (o *Outbox) moved(p Place) Place {
	for range len(o.streams) {
		s := o.find(p.Epoch, p.Lane)
		if s == nil || !s.forked() || !s.Fork.Dense || p.Seq <= s.Fork.Common {
			break
		}
		p.Epoch, p.Seq = s.Fork.Epoch, p.Seq-s.Fork.Common
	}
	return p
}
