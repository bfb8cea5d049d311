package disk

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Writable tries whether files can be made in a folder, and whether it is there; of one
// that is not, whether it could be made. Nothing is left behind.
func Writable(dir string) (there bool, err error) {
	f, err := os.CreateTemp(dir, ".check-*")
	if err == nil {
		return true, errors.Join(f.Close(), os.Remove(f.Name()))
	}
	if !errors.Is(err, os.ErrNotExist) {
		return true, err
	}
	above := filepath.Dir(filepath.Clean(dir))
	for {
		info, err := os.Stat(above)
		if err == nil && !info.IsDir() {
			return false, fmt.Errorf("%s is no folder", above)
		}
		if next := filepath.Dir(above); err == nil || next == above {
			break
		} else {
			above = next
		}
	}
	probe, err := os.MkdirTemp(above, ".check-*")
	if err != nil {
		return false, fmt.Errorf("it is not there, and cannot be made: %w", err)
	}
	return false, os.Remove(probe)
}
