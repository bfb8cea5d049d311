//go:build !windows

package outbox

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// fileLock is the lock that says which process has the outbox. It lies beside
// the file, so that the file itself can be set aside and replaced under it.
type fileLock struct{ f *os.File }

// lockOnly takes an exclusive lock on path, which it makes where it is
// missing, without waiting; held tells whether another process has it.
func lockOnly(path string) (l *fileLock, held bool, err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, false, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return nil, errors.Is(err, syscall.EWOULDBLOCK), err
	}
	return &fileLock{f}, false, nil
}

func (l *fileLock) release() { l.f.Close() }

// syncFolder makes a new name in path's folder durable.
func syncFolder(path string) error {
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// freeBytes is what path's disk has left for us; a very large number where
// that cannot be told.
func freeBytes(path string) int64 {
	var st unix.Statfs_t
	if err := unix.Statfs(filepath.Dir(path), &st); err != nil {
		return math.MaxInt64
	}
	return int64(st.Bavail) * int64(st.Bsize)
}

func isDiskFull(err error) bool { return errors.Is(err, syscall.EDQUOT) }
