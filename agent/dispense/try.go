package dispense

import (
	"context"
	"crypto/sha256"
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
	// Left are the rows that the mapping leaves out, and Again those that say the same
	// as an earlier one of the file with their key, which are recorded once.
	Left, Again int64
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
// gets each movement in the order of the rows, valid until it returns, and the line of
// the earlier row of the file that it repeats, 0 for none. One with the key of an earlier
// row that says something else goes to a person, as it does when it is recorded. It ends
// at the first error of emit. A header that does not fit is a fault "header_changed".
func Try(ctx context.Context, e Export, path string, emit func(m *movement.Movement, repeats int64) error) (Summary, error) {
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
	before := map[keyed]seenRow{}
	for ctx.Err() == nil {
		if err := r.next(&m); errors.Is(err, io.EOF) {
			sum.Words, sum.Left = r.m.worded(), r.left
			return sum, nil
		} else if err != nil {
			return sum, err
		}
		repeats := again(before, &m)
		switch {
		case m.Problem != nil:
			sum.Bad++
			sum.Reasons[m.Problem.Code]++
		case repeats > 0:
			sum.Again++
		default:
			sum.Good++
		}
		if err := emit(&m, repeats); err != nil {
			sum.Left = r.left
			return sum, err
		}
	}
	return sum, ctx.Err()
}

// keyed stands for a natural key: half of its SHA-256.
type keyed [16]byte

// seenRow is a row of a file that was tried before.
type seenRow struct {
	line  int64
	print uint64
}

// again tells which row of the same file a row repeats, by its line; 0 for none. One
// that has the key of another and says something else becomes one for a person.
func again(before map[keyed]seenRow, m *movement.Movement) (line int64) {
	if m.NaturalKey == "" {
		return 0
	}
	sum := sha256.Sum256([]byte(m.NaturalKey))
	key := keyed(sum[:16])
	first, known := before[key]
	switch {
	case !known:
		before[key] = seenRow{m.Source.Line, m.Print()}
	case m.Problem != nil: // told once by its content
	case first.print == m.Print():
		return first.line
	default:
		*m = *conflict(m, &movement.Movement{Source: movement.Source{File: m.Source.File, Line: first.line}})
	}
	return 0
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
