package dispense

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// openShared opens a file for reading without being in anybody's way: while it is
// read, other programs can write to it, rename it and delete it, which the file
// opened by [os.Open] does not allow them.
func openShared(path string) (*os.File, error) {
	return openAs(path, windows.FILE_SHARE_READ|windows.FILE_SHARE_WRITE|windows.FILE_SHARE_DELETE)
}

// heldForWriting tells whether another program has the file open for writing: then
// nobody can open it who does not share it with writers. It is open for the moment
// of the question only.
func heldForWriting(path string) bool {
	f, err := openAs(path, windows.FILE_SHARE_READ|windows.FILE_SHARE_DELETE)
	if err == nil {
		f.Close()
	}
	return errors.Is(err, windows.ERROR_SHARING_VIOLATION)
}

func openAs(path string, share uint32) (*os.File, error) {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	h, err := windows.CreateFile(name, windows.GENERIC_READ, share, nil, windows.OPEN_EXISTING, windows.FILE_ATTRIBUTE_NORMAL, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return os.NewFile(uintptr(h), path), nil
}
