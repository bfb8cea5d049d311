package disk_test

import (
	"path/filepath"
	"testing"

	"branchline/internal/disk"
)

func TestFree(t *testing.T) {
	dir := t.TempDir()
	if free, err := disk.Free(dir); err != nil || free <= 0 {
		t.Errorf("%d bytes, %v", free, err)
	}
	if _, err := disk.Free(filepath.Join(dir, "none")); err == nil {
		t.Error("a path that is not there has room")
	}
}
