package dispense

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"branchline/internal/movement"
)

// examineRows is how many rows of the newest file are tried, examineFiles how
// many files before it are looked at.
const (
	examineRows  = 100
	examineFiles = 200
)

// Examine looks at an export's folder and, where a file for it is there, tries
// the mapping on the newest one's first rows and on the beginning of those before
// it. It records and changes nothing.
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
	files, _, err := (&adapter{e: &e, names: newNamer(&e, nil)}).list()
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
	good, bad, err := tryRows(ctx, e, newest.name)
	if err != nil {
		return "", err
	}
	found = fmt.Sprintf("%s fits the mapping: of its first %d rows %d are understood, %d would go to a person",
		newest.name, good+bad, good, bad)
	unfit, err := unfitting(ctx, e, files[max(0, len(files)-1-examineFiles):len(files)-1])
	switch len(unfit) {
	case 0:
	case 1:
		found += "; but " + unfit[0] + " does not fit, and is held unless it was read before"
	default:
		found += fmt.Sprintf("; but %d others do not fit, and are held unless they were read before: %s", len(unfit), listed(unfit))
	}
	return found, err
}

// tryRows tries the mapping on the first rows of a file.
func tryRows(ctx context.Context, e Export, name string) (good, bad int64, err error) {
	enough := errors.New("enough")
	rows := 0
	sum, err := Try(ctx, e, filepath.Join(e.Folder, name), func(*movement.Movement, int64) error {
		if rows++; rows == examineRows {
			return enough
		}
		return nil
	})
	if errors.Is(err, enough) {
		err = nil
	}
	return sum.Good, sum.Bad, err
}

// unfitting are the files whose beginning does not fit the mapping.
func unfitting(ctx context.Context, e Export, files []file) (names []string, err error) {
	begun := errors.New("begun")
	for _, f := range files {
		_, err := Try(ctx, e, filepath.Join(e.Folder, f.name), func(*movement.Movement, int64) error { return begun })
		if ctx.Err() != nil {
			return names, ctx.Err()
		}
		if err != nil && !errors.Is(err, begun) {
			names = append(names, f.name)
		}
	}
	return names, nil
}

// listed names some of the files.
func listed(names []string) string {
	if len(names) > 5 {
		return strings.Join(names[:5], ", ") + "…"
	}
	return strings.Join(names, ", ")
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
