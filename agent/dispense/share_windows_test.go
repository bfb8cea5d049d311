package dispense

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/windows"
)

// While an export is read, the system that writes it is not held up: it can go on
// writing, rename its file and put another in its place.
func TestReadingIsInNobodysWay(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.csv")
	if err := os.WriteFile(path, []byte("a\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := openShared(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.WriteString("b\n"); err != nil {
		t.Error(err)
	}
	if !heldForWriting(path) {
		t.Error("nobody saw that it is open for writing")
	}
	w.Close()
	if heldForWriting(path) {
		t.Error("it is still taken as open for writing")
	}
	if err := os.Rename(path, path+".1"); err != nil {
		t.Errorf("it cannot be renamed: %v", err)
	}
}

// A file that is locked by its writer waits, and is read when it is let go.
func TestALockedFileWaits(t *testing.T) {
	p := open(t, nil)
	p.put("a.csv", head+row(1, 1, "2"))
	name, err := windows.UTF16PtrFromString(p.file("a.csv"))
	if err != nil {
		t.Fatal(err)
	}
	h, err := windows.CreateFile(name, windows.GENERIC_WRITE, 0, nil, windows.OPEN_EXISTING, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if s := p.look(); s.State != Waiting || s.Rows != (Counts{}) {
			t.Errorf("%+v", s)
		}
	}
	if err := windows.CloseHandle(h); err != nil {
		t.Fatal(err)
	}
	p.look()
	p.want("R1/1=2")
}
