package outbox

import (
	"errors"
	"math"
	"os"
	"path/filepath"

	"golang.org/x/sys/windows"
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
	const flags = windows.LOCKFILE_EXCLUSIVE_LOCK | windows.LOCKFILE_FAIL_IMMEDIATELY
	if err := windows.LockFileEx(windows.Handle(f.Fd()), flags, 0, 1, 0, new(windows.Overlapped)); err != nil {
		f.Close()
		return nil, errors.Is(err, windows.ERROR_LOCK_VIOLATION), err
	}
	return &fileLock{f}, false, nil
}

func (l *fileLock) release() { l.f.Close() }

// syncFolder does nothing: Windows makes names durable with their files.
func syncFolder(string) error { return nil }

// freeBytes is what path's disk has left for us; a very large number where
// that cannot be told.
func freeBytes(path string) int64 {
	dir, err := windows.UTF16PtrFromString(filepath.Dir(path))
	if err != nil {
		return math.MaxInt64
	}
	var free uint64
	if err := windows.GetDiskFreeSpaceEx(dir, &free, nil, nil); err != nil || free > math.MaxInt64 {
		return math.MaxInt64
	}
	return int64(free)
}

func isDiskFull(err error) bool {
	return errors.Is(err, windows.ERROR_DISK_FULL) || errors.Is(err, windows.ERROR_HANDLE_DISK_FULL)
}
