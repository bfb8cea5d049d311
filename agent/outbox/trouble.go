package outbox

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"branchline/internal/fault"
)

// Alarm is something that a person must know of, kept until it is dismissed.
type Alarm struct {
	At time.Time `json:"at"`
	// Code is "outbox_salvaged", "outbox_forked" or "outbox_damaged".
	Code string `json:"code"`
	Text string `json:"text"`
}

// addAlarm keeps the newest twenty.
func addAlarm(list []Alarm, a Alarm) []Alarm {
	return append(slices.Clone(list[max(0, len(list)-19):]), a)
}

// DismissAlarms forgets the alarms up to and with the moment at: somebody has
// seen them.
func (o *Outbox) DismissAlarms(at time.Time) error {
	return o.job(func() error {
		keep := slices.DeleteFunc(slices.Clone(o.alarms), func(a Alarm) bool { return !a.At.After(at) })
		err := o.update(func(tx *bolt.Tx) error {
			st, err := loadStore(tx)
			if err != nil {
				return err
			}
			st.Alarms = keep
			return st.save(tx)
		})
		if err != nil {
			return o.explain(err)
		}
		o.mu.Lock()
		defer o.mu.Unlock()
		o.alarms = keep
		return nil
	})
}

// reserve is the room beyond MaxBytes in which a full outbox can still note
// acknowledgements and delete.
const reserve = 32 << 20

// room is how many bytes of records still fit under MaxBytes.
func (o *Outbox) room(tx *bolt.Tx) int64 { return o.cfg.MaxBytes - usedBytes(tx) }

// usedBytes is what the file holds without its free pages.
func usedBytes(tx *bolt.Tx) int64 {
	free := int64(tx.DB().Stats().FreePageN+tx.DB().Stats().PendingPageN) * int64(tx.DB().Info().PageSize)
	return tx.Size() - free
}

func (o *Outbox) fullFault() *fault.Error {
	return fault.New(fault.Transient, "outbox_full", "the outbox %s has reached its limit of %d MiB",
		filepath.Base(o.cfg.Path), o.cfg.MaxBytes>>20).
		WithHint("nothing more is captured until the hub has taken what waits; see that the line to the hub works, or raise outbox.max_bytes")
}

// explain turns the error of a failed commit into a fault, and tries to get a
// file back that bbolt has let go of.
func (o *Outbox) explain(err error) error {
	if _, ok := errors.AsType[*fault.Error](err); ok {
		return err
	}
	switch {
	case errors.Is(err, berrors.ErrMaxSizeReached):
		return o.fullFault()
	case diskFull(err) || freeBytes(o.cfg.Path) < 256<<10:
		o.reopenLost()
		return fault.New(fault.Transient, "disk_full", "the disk of %s is full: %w", o.cfg.Path, err).
			WithHint("nothing is captured until there is room on it; delete what is not needed")
	}
	o.reopenLost()
	return fault.New(fault.Transient, "outbox_unwritable", "cannot write %s: %w", o.cfg.Path, err).
		WithHint("check the disk")
}

// diskFull tells whether err says that there is no room. Some of bbolt's
// errors keep the cause in their text only.
func diskFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || isDiskFull(err) || strings.Contains(err.Error(), "no space left")
}

// reopenLost opens the file anew where bbolt could not map it when it grew:
// without its map every later transaction would fail.
func (o *Outbox) reopenLost() {
	o.dbMu.Lock()
	defer o.dbMu.Unlock()
	if o.db != nil {
		if err := o.db.View(func(*bolt.Tx) error { return nil }); err == nil {
			return
		}
		o.db.Close()
	}
	db, err := openDB(o.cfg.Path, o.cfg.MaxBytes)
	if err != nil {
		o.log.Error("The outbox cannot be opened again.", "file", o.cfg.Path, "err", err)
	}
	o.db = db
}

// note keeps what the last commit met, for Stats, and logs when it changes.
func (o *Outbox) note(err error, refused []*Ticket) {
	for _, t := range refused {
		if fault.CodeOf(t.err) == "outbox_full" {
			err = t.err
		}
	}
	o.mu.Lock()
	before := o.trouble
	o.trouble = err
	o.mu.Unlock()
	switch {
	case err != nil && fault.CodeOf(before) != fault.CodeOf(err):
		o.log.Error("Capture has stopped.", "file", o.cfg.Path, "err", err)
	case err == nil && before != nil:
		o.log.Info("Capture goes on.", "file", o.cfg.Path)
	}
}

// errDamaged marks what only a damaged file does.
var errDamaged = errors.New("damaged")

// caught turns a panic of bbolt, or the fault of a page that is not there, into
// the outbox's failure.
func (o *Outbox) caught(err *error) {
	if p := recover(); p != nil {
		*err = o.fail(fmt.Errorf("%w: %v", errDamaged, p))
	}
}

// caught is the same while a file is opened.
func caught(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("%w: %v", errDamaged, p)
	}
}
