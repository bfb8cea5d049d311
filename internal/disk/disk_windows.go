// Package disk tells how much room is left on a disk.
package disk

import "golang.org/x/sys/windows"

// Free is how many bytes the user of this process can still write on the disk
// that holds the path.
func Free(path string) (int64, error) {
	p, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return 0, err
	}
	var free uint64
	if err := windows.GetDiskFreeSpaceEx(p, &free, nil, nil); err != nil {
		return 0, err
	}
	return int64(min(free, 1<<62)), nil
}
