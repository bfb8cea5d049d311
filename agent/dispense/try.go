package dispense

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"branchline/internal/fault"
	"branchline/internal/movement"
)

// Summary is what a mapping made of a file.
type Summary struct {
	// Good rows were understood, Bad ones went to a person, for the reasons
	// counted by their codes.
	Good, Bad int64
	Reasons   map[string]int64
	// Unmapped are the columns that nobody mapped, where the mapping has found
	// all of its own by their names; their contents are never looked at.
	Unmapped []string
	// Words are the columns with words where none belong, which can be names, and in
	// how many rows; their values are never given.
	Words []ColumnWords
}

// ColumnWords is a column with words in it.
type ColumnWords struct {
	Column, Field string
	Rows          int64
}

// Try shows what the mapping makes of a file, without recording anything: emit
// gets each movement in the order of the rows, valid until it returns. It ends
// at the first error of emit. A header that does not fit is a fault "header_changed".
func Try(ctx context.Context, e Export, path string, emit func(*movement.Movement) error) (Summary, error) {
	var sum Summary
	if err := e.Validate(); err != nil {
		return sum, err
	}
	unread := func(err error) (Summary, error) {
		return sum, fault.New(fault.Data, codeUnreadable, "%s cannot be read: %w", path, cause(err)).
			WithHint("check the path, and that you may read the file")
	}
	f, err := openShared(path)
	if err != nil {
		return unread(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return unread(err)
	}
	if !info.Mode().IsRegular() {
		return unread(errors.New("it is no file"))
	}
	r, err := newReader(&e, file{ReaderAt: f, name: filepath.Base(path), path: path, size: info.Size(), changed: info.ModTime()})
	if errors.Is(err, errNotYet) {
		return sum, misfit("%s ends before its header", filepath.Base(path))
	}
	if err != nil {
		return sum, err
	}
	sum.Reasons, sum.Unmapped = map[string]int64{}, r.unmapped()
	var m movement.Movement
	for ctx.Err() == nil {
		if err := r.next(&m); errors.Is(err, io.EOF) {
			sum.Words = r.m.worded()
			return sum, nil
		} else if err != nil {
			return sum, err
		}
		if m.Problem == nil {
			sum.Good++
		} else {
			sum.Bad++
			sum.Reasons[m.Problem.Code]++
		}
		if err := emit(&m); err != nil {
			return sum, err
		}
	}
	return sum, ctx.Err()
}

// unmapped are the names of the columns that the mapping does not name. Where a
// mapping goes by numbers, nothing proves that the names are a header and no row.
func (r *reader) unmapped() (names []string) {
	for _, f := range r.e.Mapping.fields() {
		if f.column.Number > 0 {
			return nil
		}
	}
	own := r.e.mappedNames()
	for _, n := range r.names {
		if n != "" && !slices.Contains(own, n) {
			names = append(names, toValid(n))
		}
	}
	return names
}

func toValid(s string) string { return strings.ToValidUTF8(s, "") }
