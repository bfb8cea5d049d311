package mapped

import (
	bolt "go.etcd.io/bbolt"
	"golang.org/x/sys/unix"
)

// GiveBack tells the system that the file's mapped pages are not needed: they
// stay in its cache, but no longer count as this process's memory. While tx is
// open the map stays where it is; the map is shared and only read, so that
// nothing is lost.
func GiveBack(tx *bolt.Tx) {
	info := tx.DB().Info()
	page := uintptr(info.PageSize)
	size := uintptr(tx.Size()) / page * page
	// Advice only: what becomes of it does not matter.
	_, _, _ = unix.Syscall(unix.SYS_MADVISE, info.Data, size, unix.MADV_DONTNEED)
}
