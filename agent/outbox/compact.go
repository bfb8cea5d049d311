package outbox

import (
	"errors"
	"fmt"
	"os"
	"slices"

	bolt "go.etcd.io/bbolt"

	"branchline/internal/mapped"
)

// compactPart is how many bytes one commit copies; so many, and what bbolt
// makes of them, are in memory.
const compactPart = 1 << 20

// compact puts a new file without free pages in the place of a sound one, and
// gives what a check of the new one found. Where it fails the file stays; either
// way f is closed.
func (o *Outbox) compact(f *os.File, size int64) (c checkup, err error) {
	fresh := o.cfg.Path + ".new"
	defer func() {
		if err != nil {
			os.Remove(fresh)
		}
	}()
	err = compactTo(fresh, readRaw(f, size))
	if err := errors.Join(err, f.Close()); err != nil { // Windows renames only over what nobody has open
		return c, err
	}
	copied, err := os.Open(fresh)
	if err != nil {
		return c, err
	}
	info, err := copied.Stat()
	if err == nil {
		c = checkFile(copied, info.Size())
	}
	if err := errors.Join(err, copied.Close()); err != nil {
		return c, err
	}
	if !c.sound() {
		return c, fmt.Errorf("the copy is damaged: %s", c.wrong[0])
	}
	if err := os.Rename(fresh, o.cfg.Path); err != nil {
		return c, err
	}
	return c, syncFolder(o.cfg.Path)
}

// compactTo copies everything that the tree of a file leads to.
func compactTo(path string, from *rawFile) error {
	db, err := openDB(path, 0)
	if err != nil {
		return err
	}
	db.NoSync = true // synced once, at the end
	cp := copier{db: db}
	w := from.walk(from.metas[0].pages, cp.copy)
	w.bucket(nil, from.metas[0].root, nil, nil, 0)
	if len(w.wrong) > 0 {
		cp.err = errors.Join(cp.err, errors.New(w.wrong[0]))
	}
	cp.commit()
	if cp.err == nil {
		cp.err = db.Sync()
	}
	return errors.Join(cp.err, db.Close())
}

// copier puts items into a file as they come, in the order of their keys.
type copier struct {
	db   *bolt.DB
	tx   *bolt.Tx // nil between two commits
	size int      // of what tx has put
	err  error    // the first one; nothing is done after it
}

func (cp *copier) copy(bucket []byte, it item) {
	if cp.err != nil {
		return
	}
	if cp.tx == nil {
		if cp.tx, cp.err = cp.db.Begin(true); cp.err != nil {
			return
		}
	}
	if bucket == nil {
		var b *bolt.Bucket
		if b, cp.err = cp.tx.CreateBucket(it.key); cp.err == nil {
			cp.err = b.SetSequence(bucketSequence(it.value))
		}
		return
	}
	b := cp.tx.Bucket(bucket)
	b.FillPercent = fillPercent
	cp.err = b.Put(it.key, slices.Clone(it.value))
	if cp.size += len(it.key) + len(it.value); cp.size >= compactPart {
		cp.commit()
	}
}

func (cp *copier) commit() {
	if cp.tx == nil {
		return
	}
	if cp.err != nil {
		_ = cp.tx.Rollback() // the error says why
		return
	}
	if cp.err = cp.tx.Commit(); cp.err == nil {
		cp.err = cp.db.View(func(tx *bolt.Tx) error { mapped.GiveBack(tx); return nil })
	}
	cp.tx, cp.size = nil, 0
}
