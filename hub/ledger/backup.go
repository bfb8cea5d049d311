package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"branchline/internal/fault"
)

// Backup writes a whole and consistent copy of the ledger to a new file while
// the hub goes on. The copy appears under its name only when it is complete and
// on disk. On PostgreSQL it is a fault of class Setup, "backup_elsewhere".
func (l *Ledger) Backup(ctx context.Context, path string) (err error) {
	if l.d != sqliteDialect {
		return fault.New(fault.Setup, "backup_elsewhere", "the ledger is in PostgreSQL").
			WithHint("back it up with pg_dump or the server's own means")
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		return fault.New(fault.Setup, "backup_exists", "%s is there already, or its folder cannot be read", path).
			WithHint("name a new file")
	}
	if info, err := os.Stat(filepath.Dir(path)); err != nil || !info.IsDir() {
		return fault.New(fault.Setup, "backup_failed", "there is no folder %s for a backup", filepath.Dir(path)).
			WithHint("make it so that the hub's user can write to it, or name a file in another one")
	}
	part := path + ".part"
	if err := os.Remove(part); err != nil && !errors.Is(err, os.ErrNotExist) {
		return backupFailed(path, err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(part) // the failure itself is what is told
		}
	}()
	if err := ensureFile(part); err != nil { // its rights first: VACUUM takes an empty file
		return backupFailed(path, errors.Unwrap(err))
	}
	if err := l.copyInto(ctx, part); err != nil {
		return backupFailed(path, classify(err))
	}
	if err := syncFile(part); err != nil {
		return backupFailed(path, err)
	}
	if err := os.Rename(part, path); err != nil {
		return backupFailed(path, err)
	}
	return nil
}

func (l *Ledger) copyInto(ctx context.Context, path string) (err error) {
	conn, err := l.read.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	// A reader may write nothing, not even another file.
	if _, err := conn.ExecContext(ctx, `PRAGMA query_only(0)`); err != nil {
		return err
	}
	began := time.Now()
	if _, err = conn.ExecContext(ctx, `VACUUM INTO $1`, path); err == nil {
		err = markCopy(ctx, conn, path, began)
	}
	if _, again := conn.ExecContext(context.WithoutCancel(ctx), `PRAGMA query_only(1)`); again != nil {
		return errors.Join(err, again)
	}
	return err
}

// markCopy has a copy say that it is one, as of a moment, so that it is noticed
// when it is put in the ledger's place.
func markCopy(ctx context.Context, conn *sql.Conn, path string, asOf time.Time) error {
	if _, err := conn.ExecContext(ctx, `ATTACH DATABASE $1 AS copy`, path); err != nil {
		return err
	}
	_, err := conn.ExecContext(ctx, `INSERT INTO copy.restores (as_of, noted_at, exact, sign) VALUES ($1, 0, 1, '')`, asOf.UnixMilli())
	_, detached := conn.ExecContext(context.WithoutCancel(ctx), `DETACH DATABASE copy`)
	return errors.Join(err, detached)
}

func backupFailed(path string, err error) error {
	return fault.New(fault.Setup, "backup_failed", "the backup to %s failed: %w", path, err).
		WithHint("check the folder, its rights and its free space")
}

func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return errors.Join(err, f.Close())
	}
	return f.Close()
}

// Check asks the database whether it is whole, and holds every batch against
// the chain of its stream: a fault of class Setup, "ledger_damaged", names the
// first that is not. It reads everything.
func (l *Ledger) Check(ctx context.Context) (batches int64, err error) {
	damaged := func(err error) error {
		return fault.New(fault.Setup, "ledger_damaged", "the ledger is damaged: %w", err).
			WithHint("stop the hub and put back the newest backup; the branches send the rest again")
	}
	if l.d == sqliteDialect {
		var word string
		if err := l.read.QueryRowContext(ctx, `PRAGMA quick_check(1)`).Scan(&word); err != nil {
			return 0, classify(err)
		} else if word != "ok" {
			return 0, damaged(errors.New(word))
		}
	}
	type place struct {
		through uint64
		hash    string
	}
	at := map[int64]place{}
	var after int64
	for {
		found, err := l.BatchesAfter(ctx, after, 100, 1<<20)
		if err != nil || len(found) == 0 {
			return batches, err
		}
		for _, b := range found {
			if _, err := b.Records(); err != nil {
				return batches, damaged(err)
			}
			was, seen := at[b.StreamID]
			if seen && b.First == was.through+1 && b.Prev.String() != was.hash || seen && b.First <= was.through {
				return batches, damaged(fmt.Errorf("batch %d of %s does not follow the one before", b.ID, b.Stream))
			}
			at[b.StreamID] = place{b.Last, b.LastHash.String()}
			after = b.ID
			batches++
		}
	}
}
