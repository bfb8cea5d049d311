package disk

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

func TestWritable(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	type want struct{ there, ok bool }
	cases := map[string]want{
		dir:                               {true, true},
		filepath.Join(dir, "a"):           {false, true},
		filepath.Join(dir, "a", "b", "c"): {false, true},
		filepath.Join(dir, "file", "a"):   {true, false},
		filepath.Join(dir, "file"):        {true, false},
	}
	if runtime.GOOS == "linux" {
		cases["/proc/branchline"] = want{false, false}
		cases["/proc/branchline/a"] = want{false, false}
	}
	for path, w := range cases {
		there, err := Writable(path)
		if there != w.there || (err == nil) != w.ok {
			t.Errorf("%s: there %t, %v", path, there, err)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("it leaves %v behind, %v", left, err)
	}
}
