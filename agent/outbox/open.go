package outbox

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	bolt "go.etcd.io/bbolt"

	"branchline/internal/fault"
	"branchline/internal/mapped"
	"branchline/internal/movement"
)

// lockFile takes the lock of the outbox at path.
func lockFile(path string) (*fileLock, error) {
	l, held, err := lockOnly(path + ".lock")
	if held {
		return nil, fault.New(fault.Setup, "outbox_locked", "another agent has the outbox %s open", path).
			WithHint("stop the other process; only one may use an outbox")
	}
	if err != nil {
		return nil, unreadable(path, err)
	}
	return l, nil
}

// unreadable makes a fault of what is none yet.
func unreadable(path string, err error) error {
	if _, ok := errors.AsType[*fault.Error](err); ok {
		return err
	}
	if diskFull(err) {
		return fault.New(fault.Transient, "disk_full", "the disk of %s is full: %w", path, err).
			WithHint("make room on it")
	}
	return fault.New(fault.Setup, "outbox_unreadable", "cannot open the outbox %s: %w", path, err).
		WithHint("check the path, that it is a file on a local disk, and that the service may write there")
}

// openDB opens a file that is known to be sound.
func openDB(path string, maxBytes int64) (db *bolt.DB, err error) {
	defer caught(&err)
	opts := &bolt.Options{
		Timeout:      time.Second,
		FreelistType: bolt.FreelistMapType,
		// The list of free pages is written before the file is opened, and
		// need not be written with every commit.
		NoFreelistSync: true,
	}
	if maxBytes > 0 {
		opts.MaxSize = int(maxBytes) + reserve
	}
	db, err = bolt.Open(path, 0o600, opts)
	if err != nil {
		return nil, err
	}
	db.AllocSize = 4 << 20
	return db, nil
}

// open opens or makes the file, whatever state it is in; the lock is held.
func (o *Outbox) open() error {
	path := o.cfg.Path
	if err := finishReplace(path); err != nil {
		return unreadable(path, err)
	}
	if err := removeIfThere(path + ".new"); err != nil {
		return unreadable(path, err)
	}
	_, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		err = o.create()
	} else if err == nil {
		err = o.examine()
	}
	if err != nil {
		return unreadable(path, err)
	}
	if o.db, err = openDB(path, o.cfg.MaxBytes); err != nil {
		return unreadable(path, err)
	}
	if err := o.load(); err != nil {
		return unreadable(path, err)
	}
	if err := o.resumeForks(); err != nil {
		return o.explain(err)
	}
	return o.view(func(tx *bolt.Tx) error { mapped.GiveBack(tx); return nil })
}

// examine checks the file, and replaces or compacts it where that is needed.
func (o *Outbox) examine() error {
	f, err := os.Open(o.cfg.Path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("it is no file")
	}
	c := checkFile(f, info.Size())
	if !c.sound() {
		return o.replace(f, info.Size(), c.wrong)
	}
	if c.sparse() {
		fresh, err := o.compact(f, info.Size())
		if err == nil {
			c = fresh
		} else {
			o.log.Warn("The outbox could not be compacted; it is used as it is.", "file", o.cfg.Path, "err", err)
		}
	} else if err := f.Close(); err != nil {
		return err
	}
	if err := noteFree(o.cfg.Path, &c); err != nil {
		if c.meta.freelist != noFreelist {
			return err // what it says is not to be trusted
		}
		o.log.Warn("The outbox takes longer to open, as nothing can be written to it.", "file", o.cfg.Path, "err", err)
	}
	return nil
}

// clip cuts s to n bytes at most, at the end of a character.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}

// create makes an empty outbox under a temporary name, so that a file of the
// right name is always a whole one.
func (o *Outbox) create() error {
	fresh := o.cfg.Path + ".new"
	if err := os.Remove(fresh); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	db, err := openDB(fresh, 0)
	if err != nil {
		return err
	}
	err = db.Update(func(tx *bolt.Tx) error { return initStore(tx, o.cfg.Branch, o.clock(), 1) })
	if err := errors.Join(err, db.Close()); err != nil {
		os.Remove(fresh)
		return err
	}
	if err := os.Rename(fresh, o.cfg.Path); err != nil {
		return err
	}
	return syncFolder(o.cfg.Path)
}

// initStore makes the buckets, and a stream of a new epoch for each lane.
func initStore(tx *bolt.Tx, branch string, now time.Time, order uint64) error {
	for _, name := range partBuckets {
		if _, err := tx.CreateBucketIfNotExists(name); err != nil {
			return err
		}
	}
	st := storeState{Format: format, Branch: branch, Created: now}
	epoch := movement.NewEpoch()
	for i, lane := range movement.Lanes {
		*st.epoch(lane) = epoch
		if _, err := makeStream(tx, branch, epoch, lane, order+uint64(i)); err != nil {
			return err
		}
	}
	return st.save(tx)
}

// makeStream makes an empty stream.
func makeStream(tx *bolt.Tx, branch, epoch string, lane movement.Lane, order uint64) (*stream, error) {
	s := &stream{epoch: epoch, lane: lane, head: movement.Genesis(branch, epoch, lane)}
	s.Order = order
	if _, err := tx.CreateBucket(s.name()); err != nil {
		return nil, err
	}
	return s, s.saveState(tx)
}

// load reads the streams and what else is kept in memory.
func (o *Outbox) load() error {
	o.streams, o.current = nil, make(map[movement.Lane]*stream)
	err := o.view(func(tx *bolt.Tx) error {
		st, err := loadStore(tx)
		if err != nil {
			return err
		}
		if st.Format != format {
			return fault.New(fault.Setup, "outbox_foreign", "the outbox %s has layout %d, this agent reads %d",
				o.cfg.Path, st.Format, format).WithHint("update the agent")
		}
		if st.Branch != o.cfg.Branch {
			return foreign(o.cfg.Path, st.Branch, o.cfg.Branch)
		}
		o.alarms = st.Alarms
		err = tx.ForEach(func(name []byte, _ *bolt.Bucket) error {
			epoch, lane, ok := parseStreamName(name)
			if !ok {
				return nil
			}
			s, err := loadStream(tx, st.Branch, epoch, lane)
			if err != nil {
				return err
			}
			o.streams = append(o.streams, s)
			o.order = max(o.order, s.Order)
			if *st.epoch(lane) == epoch {
				o.current[lane] = s
			}
			return nil
		})
		if err != nil {
			return err
		}
		for _, lane := range movement.Lanes {
			if o.current[lane] == nil {
				return fmt.Errorf("the stream %s/%s, which grows, is missing", *st.epoch(lane), lane)
			}
		}
		o.sortStreams()
		return nil
	})
	if err == nil {
		err = o.loadKeys()
	}
	return err
}
