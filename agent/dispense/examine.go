package dispense

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"branchline/internal/movement"
)

// examineRows is how many rows of a file are tried.
const examineRows = 100

// Examine looks at an export's folder and, where a file for it is there, tries
// the mapping on the newest one's first rows. It records and changes nothing.
// Found says in a sentence what was seen; an error is what keeps the export
// from being read as it is.
func Examine(ctx context.Context, e Export) (found string, err error) {
	if err := e.Validate(); err != nil {
		return "", err
	}
	info, err := os.Stat(e.Folder)
	if err != nil {
		return "", fmt.Errorf("the folder %s cannot be looked into: %w", e.Folder, err)
	}
	if !info.IsDir() {
		return "", fmt.Errorf("%s is no folder", e.Folder)
	}
	files, err := (&adapter{e: &e}).list()
	if err != nil {
		return "", fmt.Errorf("the folder %s cannot be read: %w", e.Folder, err)
	}
	if e.Finished == "move" {
		if err := tryToMove(&e); err != nil {
			return "", err
		}
	}
	if len(files) == 0 {
		return fmt.Sprintf("%s is there, without a file for %s, so the mapping was not tried", e.Folder, e.Pattern), nil
	}
	newest := files[len(files)-1]
	enough := errors.New("enough")
	rows := 0
	sum, err := Try(ctx, e, filepath.Join(e.Folder, newest.name), func(*movement.Movement) error {
		if rows++; rows == examineRows {
			return enough
		}
		return nil
	})
	if err != nil && !errors.Is(err, enough) {
		return "", err
	}
	return fmt.Sprintf("%s fits the mapping: of its first %d rows %d are understood, %d would go to a person",
		newest.name, sum.Good+sum.Bad, sum.Good, sum.Bad), nil
}

// tryToMove puts a file into the folder for files that are done, and takes it
// out again.
func tryToMove(e *Export) error {
	trouble := func(err error) error {
		return fmt.Errorf("files that are done cannot be moved to %s: %w", e.Done, err)
	}
	made := false
	if _, err := os.Stat(e.Done); errors.Is(err, os.ErrNotExist) {
		made = true
	}
	if err := os.MkdirAll(e.Done, 0o755); err != nil {
		return trouble(err)
	}
	f, err := os.CreateTemp(e.Done, ".branchline-*.tmp")
	if err != nil {
		return trouble(err)
	}
	err = errors.Join(f.Close(), os.Remove(f.Name()))
	if made {
		err = errors.Join(err, os.Remove(e.Done))
	}
	if err != nil {
		return trouble(err)
	}
	return nil
}
