package outbox

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	bolt "go.etcd.io/bbolt"

	"branchline/internal/fault"
	"branchline/internal/movement"
)

// replace sets a damaged file aside and puts a new one in its place that holds
// what reads and verifies: every stream under its own epoch, to be drained, and
// two empty ones of a new epoch that take what is captured from now on.
//
// A stream is never continued after damage: the hub may have records of it that
// this file has lost, and a new record in their place would fork the stream.
func (o *Outbox) replace(f *os.File, size int64, why []string) error {
	path := o.cfg.Path
	o.log.Error("The outbox is damaged; what can be read is carried over.", "file", path, "err", strings.Join(why, "; "))
	r := newRescue(f, size)
	r.gather(o.cfg.Branch)
	if r.store != nil && r.store.Branch != o.cfg.Branch {
		return foreign(path, r.store.Branch, o.cfg.Branch)
	}
	aside := asideName(path, o.clock())
	fresh := path + ".new"
	if err := removeIfThere(fresh); err != nil {
		return err
	}
	db, err := openDB(fresh, 0)
	if err != nil {
		return err
	}
	db.NoSync = true // synced once, at the end
	err = r.rebuild(db, o.cfg.Branch, func(text string) Alarm {
		return Alarm{At: o.clock(), Code: "outbox_salvaged", Text: fmt.Sprintf(
			"The outbox was damaged (%s) and was set aside as %s. %s", why[0], filepath.Base(aside), text)}
	}, o.clock())
	f.Close() // Windows renames only what nobody has open
	if err == nil {
		err = db.Sync()
	}
	if err := errors.Join(err, db.Close()); err != nil {
		os.Remove(fresh)
		return err
	}
	// "rebuilt" is a whole file: see finishReplace.
	for _, step := range [][2]string{{fresh, path + rebuilt}, {path, aside}, {path + rebuilt, path}} {
		if err := os.Rename(step[0], step[1]); err != nil {
			return err
		}
		if err := syncFolder(path); err != nil {
			return err
		}
	}
	return nil
}

const rebuilt = ".rebuilt"

// finishReplace takes up a replacement that a crash has interrupted.
func finishReplace(path string) error {
	_, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		err = os.Rename(path+rebuilt, path)
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		if err == nil {
			err = syncFolder(path)
		}
		return err
	}
	if err != nil {
		return err
	}
	return removeIfThere(path + rebuilt) // made from a file that is looked at again
}

func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// asideName is a name beside path that is not taken.
func asideName(path string, now time.Time) string {
	base := path + ".damaged-" + now.UTC().Format("20060102T150405Z")
	name := base
	for i := 2; ; i++ {
		if _, err := os.Lstat(name); err != nil {
			return name
		}
		name = fmt.Sprintf("%s-%d", base, i)
	}
}

func foreign(path, theirs, ours string) error {
	return fault.New(fault.Setup, "outbox_foreign", "the outbox %s belongs to branch %s, not to %s", path, theirs, ours).
		WithHint("set the branch back, or give the new branch a new outbox.path")
}

// rebuild fills an empty file with what was rescued.
func (r *rescue) rebuild(db *bolt.DB, branch string, alarm func(string) Alarm, now time.Time) error {
	err := db.Update(func(tx *bolt.Tx) error {
		for _, name := range partBuckets {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		return tx.Bucket(stateBucket).SetSequence(r.commit + 1)
	})
	if err != nil {
		return err
	}
	var sum summary
	order := uint64(0)
	for _, s := range r.sorted() {
		claims := r.claims(s, branch)
		if len(claims) == 0 && s.state.Acked >= s.known && !r.forkedInto(s) {
			continue // nothing was in it
		}
		order++
		s.state.Order = order
		if err := r.copyStream(db, s, claims, now); err != nil {
			return err
		}
		sum.add(s, claims, r.certain)
	}
	err = inParts(db, r.notes, func(tx *bolt.Tx, key string, v found) error {
		return tx.Bucket(notesBucket).Put([]byte(key), enclose(kindNote, []byte(key), commitNumber(tx), v.content))
	})
	if err != nil {
		return err
	}
	err = inParts(db, r.runs, func(tx *bolt.Tx, key string, v found) error {
		b := tx.Bucket(keysBucket)
		if n, err := keySeq([]byte(key)); err == nil && n > b.Sequence() {
			if err := b.SetSequence(n); err != nil {
				return err
			}
		}
		return b.Put([]byte(key), enclose(kindKeys, []byte(key), commitNumber(tx), v.content))
	})
	if err != nil {
		return err
	}
	return db.Update(func(tx *bolt.Tx) error {
		if err := initStore(tx, branch, now, order+1); err != nil {
			return err
		}
		st, err := loadStore(tx)
		if err != nil {
			return err
		}
		if r.store != nil {
			st.Created, st.Alarms = r.store.Created, r.store.Alarms
		}
		a := alarm(sum.text(r))
		st.Alarms = addAlarm(st.Alarms, a)
		if err := st.save(tx); err != nil {
			return err
		}
		return tellHub(tx, branch, st.Live, a)
	})
}

// tellHub makes the alarm the first record of the new epoch, which will be an
// exception at the hub: people there shall know of it, too.
func tellHub(tx *bolt.Tx, branch, epoch string, a Alarm) error {
	m := movement.Movement{
		OccurredAt: a.At, RecordedAt: a.At,
		Source:  movement.Source{Adapter: "outbox"},
		Problem: &movement.Problem{Code: a.Code, Text: clip(a.Text, 500)},
	}
	if err := m.Validate(); err != nil {
		return err
	}
	d := newDraft(2 << 10)
	d.add(&m)
	value, _ := d.seal(epoch, movement.Live, 1, a.At, movement.Genesis(branch, epoch, movement.Live))
	b := tx.Bucket(streamName(epoch, movement.Live))
	if err := b.Put(seqKey(1), value); err != nil {
		return err
	}
	return b.SetSequence(1)
}

// inParts puts values in transactions of bounded size.
func inParts(db *bolt.DB, values map[string]found, put func(*bolt.Tx, string, found) error) error {
	keys := make([]string, 0, len(values))
	for k := range values {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for part := range slices.Chunk(keys, 100) {
		if err := db.Update(func(tx *bolt.Tx) error {
			for _, k := range part {
				if err := put(tx, k, values[k]); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}

// copyStream writes a stream's claims.
func (r *rescue) copyStream(db *bolt.DB, s *rescued, claims []claim, now time.Time) error {
	for part := range slices.Chunk(claims, 200) {
		err := db.Update(func(tx *bolt.Tx) error {
			b, err := tx.CreateBucketIfNotExists(streamName(s.epoch, s.lane))
			if err != nil {
				return err
			}
			b.FillPercent = fillPercent
			for _, c := range part {
				value, err := r.value(c)
				if err != nil {
					return err
				}
				if err := b.Put(seqKey(c.first), value); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return db.Update(func(tx *bolt.Tx) error {
		b, err := tx.CreateBucketIfNotExists(streamName(s.epoch, s.lane))
		if err != nil {
			return err
		}
		last := uint64(0)
		if len(claims) > 0 {
			last = claims[len(claims)-1].last
		}
		if s.state.Acked > last {
			s.state.Acked = last
		}
		if r.incomplete { // some runs may be missing: the records tell their keys again
			s.state.Folded = 0
		}
		if f := s.state.Fork; f != nil && !f.Done && f.Dense {
			f.Copied = f.Common + r.lastOf(f.Epoch, s.lane)
		}
		if err := b.SetSequence(max(s.known, last)); err != nil {
			return err
		}
		if s.state.Acked > 0 { // the retention begins anew
			if err := tx.Bucket(acksBucket).Put(markKey(s.epoch, s.lane, now), seqKey(s.state.Acked)); err != nil {
				return err
			}
		}
		return putState(tx, streamName(s.epoch, s.lane), &s.state)
	})
}

// summary is what a salvage says to people.
type summary struct {
	kept   uint64
	lost   uint64
	ranges []string
	open   []string // streams of which nobody knows whether there was more
}

func (m *summary) add(s *rescued, claims []claim, certain bool) {
	next := s.state.Acked + 1
	gap := func(through uint64) {
		if through >= next {
			m.lost += through - next + 1
			m.ranges = append(m.ranges, fmt.Sprintf("%s/%s/%d-%d", s.epoch, s.lane, next, through))
		}
	}
	for _, c := range claims {
		m.kept += c.last - c.first + 1
		gap(c.first - 1)
		next = max(next, c.last+1)
	}
	gap(s.known)
	if !certain {
		m.open = append(m.open, s.epoch+"/"+s.lane.String())
	}
}

func (m *summary) text(r *rescue) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d movements were carried over.", m.kept)
	if m.lost > 0 {
		list := m.ranges
		if len(list) > 5 {
			list = append(slices.Clone(list[:5]), "…")
		}
		fmt.Fprintf(&b, " %d movements that the hub had not confirmed are lost: %s.", m.lost, strings.Join(list, ", "))
	}
	switch {
	case len(m.open) > 0 || m.kept == 0:
		b.WriteString(" It cannot be told whether the newest movements are among them: compare with paper and scanners.")
	case m.lost == 0:
		b.WriteString(" Nothing that the hub had not confirmed is lost.")
	}
	if r.incomplete {
		b.WriteString(" Open deliveries and positions in files may be older than they were.")
	}
	return b.String()
}
