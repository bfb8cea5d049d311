//go:build !windows

package identity

import (
	"os"
	"path/filepath"
	"syscall"
)

// handOver gives what root has written to the owner of the agent's data folder.
func handOver(dir string, files ...string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	info, err := os.Stat(filepath.Dir(dir))
	if err != nil {
		return err
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	for _, f := range append([]string{dir}, files...) {
		if err := os.Lchown(f, int(owner.Uid), int(owner.Gid)); err != nil {
			return err
		}
	}
	return nil
}
