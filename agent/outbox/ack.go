package outbox

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"

	"branchline/internal/movement"
)

// Ack records that the hub has committed the stream through seq. It takes
// effect at once and reaches the disk within a second: an acknowledgement that
// a crash loses costs one batch that the hub knows already. It never moves
// backwards, and never past what was recorded.
func (o *Outbox) Ack(epoch string, lane movement.Lane, through uint64) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	s := o.find(epoch, lane)
	if s == nil {
		return unknownStream(epoch, lane)
	}
	if through = min(through, s.end()); through > s.Acked {
		s.Acked, s.dirty = through, true
	}
	return nil
}

// An ack mark says through which seq a stream had been acknowledged at the end
// of an hour: what becomes old enough to be deleted. Key: the stream's name, a
// NUL, the Unix hour; value: the seq.
func markKey(epoch string, lane movement.Lane, at time.Time) []byte {
	return binary.BigEndian.AppendUint64(append(streamName(epoch, lane), 0), uint64(at.Unix()/3600))
}

func parseMark(key, value []byte) (hour time.Time, through uint64, err error) {
	i := len(key) - 9
	if i < 0 || key[i] != 0 || len(value) != 8 {
		return time.Time{}, 0, fmt.Errorf("%x is no mark of an acknowledgement", key)
	}
	hour = time.Unix(int64(binary.BigEndian.Uint64(key[i+1:]))*3600, 0)
	return hour, binary.BigEndian.Uint64(value), nil
}

// saveAcks writes the states down that have changed.
func (o *Outbox) saveAcks() {
	o.mu.RLock()
	idle := !slices.ContainsFunc(o.streams, func(s *stream) bool { return s.dirty })
	o.mu.RUnlock()
	if idle {
		return
	}
	now := o.clock()
	type saved struct {
		s     *stream
		acked uint64
	}
	var list []saved
	err := o.update(func(tx *bolt.Tx) error {
		o.mu.RLock()
		defer o.mu.RUnlock()
		marks := tx.Bucket(acksBucket)
		for _, s := range o.streams {
			if !s.dirty {
				continue
			}
			if err := s.saveState(tx); err != nil {
				return err
			}
			if err := marks.Put(markKey(s.epoch, s.lane, now), seqKey(s.Acked)); err != nil {
				return err
			}
			list = append(list, saved{s, s.Acked})
		}
		if len(list) == 0 {
			return errNothing
		}
		return nil
	})
	if err != nil {
		if !errors.Is(err, errNothing) {
			o.log.Warn("Acknowledgements could not be written down; they will be tried again.", "err", o.explain(err))
		}
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, l := range list {
		l.s.dirty = l.s.Acked != l.acked
	}
}
