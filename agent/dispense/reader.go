package dispense

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"strings"
	"time"

	"branchline/internal/fault"
	"branchline/internal/movement"
)

// position is a place between two rows of a file.
type position struct {
	// Offset in bytes from the start of the file; Line is how many lines are
	// before it.
	Offset int64 `json:"offset"`
	Line   int64 `json:"line"`
	// Anchor is the natural key of the last row before that has one, or what
	// stands for the start of the file; Nth counts the rows without one since.
	// The two make a key for a row that has none of its own, which is the
	// same when the file is read again.
	Anchor string `json:"anchor"`
	Nth    int    `json:"nth"`
	// Sum is the SHA-256 over the text before Offset.
	Sum [sha256.Size]byte `json:"-"`
}

// fileAnchor begins the anchor of rows before the first that has a key.
const fileAnchor = "file/"

// reader gives the movements of one file. It is pure but for reading; not for
// concurrent use.
type reader struct {
	e    *Export
	name string
	read time.Time // what stands for the time of a row that has none
	rows rows
	// names are the file's columns, nil where they have numbers only.
	names []string
	m     *mapper
	pos   position
	// left counts the rows that the mapping leaves out.
	left int64
	// opaqueSum hashes lines of which nothing is kept.
	opaqueSum hash.Hash
	// book are the rows that went to a person before, nil for none; traces those of the
	// bad rows since the latest chunk, by their keys.
	book   *badBook
	traces map[string]string
}

// file is what a reader needs to know of an export.
type file struct {
	io.ReaderAt
	// name is the one that the file has in its folder, and path where it is.
	name, path string
	// told is what it is called in all that is kept, logged and sent ([namer]);
	// name where that is left out. mark is the one of its checkpoint.
	told, mark string
	size       int64
	changed    time.Time
	// book are the rows of the export that went to a person before; may be nil.
	book *badBook
	// secret keys the hash of lines of which nothing is kept, so that nobody
	// can guess what stood in them.
	secret []byte
}

// newReader reads the header, checks it, and stands before the first row.
func newReader(e *Export, f file) (*reader, error) {
	f.told = cmp.Or(f.told, f.name)
	r := &reader{e: e, name: f.told, opaqueSum: hmac.New(sha256.New, f.secret), book: f.book}
	loc, err := location(e.Mapping.TimeZone)
	if err != nil {
		return nil, err
	}
	r.read = f.changed.In(loc)
	if r.rows, err = e.open(f); err != nil {
		return nil, err
	}
	names, columns, lines, err := r.rows.header()
	if err != nil {
		return nil, err
	}
	r.names = names
	r.pos = position{Line: lines, Anchor: fileAnchor + f.name + "/" + r.read.UTC().Format(time.DateOnly)}
	if r.m, err = newMapper(e, r.rows.encoding(), names, columns); err != nil {
		return nil, named(f.told, err)
	}
	r.mark()
	return r, nil
}

// errNotYet says that a file does not hold its header yet.
var errNotYet = errors.New("no header yet")

func named(name string, err error) error {
	var f *fault.Error
	if errors.As(err, &f) {
		c := *f
		c.Message = name + ": " + c.Message
		return &c
	}
	return fmt.Errorf("%s: %w", name, err)
}

// mark takes the place up to which rows were consumed into pos.
func (r *reader) mark() {
	r.pos.Offset, r.pos.Sum = r.rows.place()
}

// seek reads on to a place and tells whether the text before it is the same as
// it was then. If not, the reader is of no more use.
func (r *reader) seek(at position) (same bool, err error) {
	if found, err := r.rows.seek(at.Offset); !found || err != nil {
		return false, err
	}
	if _, sum := r.rows.place(); sum != at.Sum {
		return false, nil
	}
	r.pos = at
	return true, nil
}

// next fills out with the movement of the next row; it is io.EOF at the end,
// and before a last row without an end where the file is still growing. The
// place behind the row is r.pos once mark was called; after a last row without
// an end, which can still change, it stays before that row.
func (r *reader) next(out *movement.Movement) error {
	for {
		found, err := r.rows.next(&r.m.row)
		r.pos.Line += found.skipped
		if err != nil {
			return err
		}
		if found.cut && r.e.Arrival == "growing" {
			return io.EOF
		}
		before := r.pos
		r.pos.Line += found.lines
		*out = movement.Movement{Kind: r.e.Mapping.kindOrDispense(), OccurredAt: r.read,
			Source: movement.Source{Adapter: r.e.Name, File: r.name, Line: before.Line + 1}}
		wanted := r.fill(out, found)
		if found.cut {
			r.pos = before
		}
		if wanted {
			return nil
		}
		r.left++
	}
}

// fill makes the movement of one row, whatever it holds; it is false for a row
// that the mapping leaves out.
func (r *reader) fill(out *movement.Movement, found record) bool {
	if found.opaque != nil {
		r.opaque(out, found.text, found.opaque)
		return true
	}
	err := r.m.understand(out)
	if errors.Is(err, errLeftOut) {
		return false
	}
	if found.bad != nil {
		err = found.bad
	}
	if err == nil && !fits(out) {
		c := *out
		c.RecordedAt = c.OccurredAt
		err = c.Validate()
	}
	if err == nil {
		r.anchor(out.NaturalKey)
		if trace := r.book.dismissal(out.NaturalKey); trace != "" && trace == r.trace(out.NaturalKey) {
			r.unclear(out, fault.New(fault.Data, codeDismissed, "somebody has dismissed this row when it could not be read, and now it can").
				WithHint("correct it as it stands if it counts, or dismiss it again"))
			return true
		}
		why := r.disbelieve(out)
		if why != nil {
			out.Problem = problemOf(why)
		}
		if r.m.leftOut {
			r.m.wordy[r.m.reason]++
		}
		if why != nil || r.m.leftOut {
			raw, _ := r.m.raw()
			out.Source.SetRaw(raw)
		}
		return true
	}
	r.unclear(out, err)
	return true
}

// How far a row's time may be after that of its file: clocks differ, and where
// nobody has said the zone of the row's, all zones of the earth.
const (
	ahead     = 2 * time.Hour
	aheadOnly = 26 * time.Hour
)

// aheadOf is the one that holds for an export.
func (e *Export) aheadOf() time.Duration {
	zoned := func(form string) bool { return strings.Contains(form, "ZZ") }
	if e.Mapping.TimeZone != "" || !slices.ContainsFunc(e.Mapping.TimeFormats, func(f string) bool { return !zoned(f) }) {
		return ahead
	}
	return aheadOnly
}

// disbelieve says what is not plausible about a row that is understood; nil for
// nothing. A person can release it.
func (r *reader) disbelieve(m *movement.Movement) error {
	if limit := movement.Units(r.e.Mapping.MaxQuantity); m.Quantity > limit {
		return fault.New(fault.Data, codeImplausible, "%s at once is more than the %s that a row is expected to be", m.Quantity, limit)
	}
	if m.OccurredAt.After(r.read.Add(r.e.aheadOf())) {
		return fault.New(fault.Data, codeFuture, "it says that it happened on %s, and its file is of %s",
			m.OccurredAt.Format("2006-01-02 15:04"), r.read.Format("2006-01-02 15:04"))
	}
	return nil
}

// unclear keeps the mapped columns of a row, with the reason.
func (r *reader) unclear(out *movement.Movement, why error) {
	key, at := out.NaturalKey, out.OccurredAt
	if at.IsZero() {
		at = r.read
	}
	source := out.Source
	*out = movement.Movement{Kind: out.Kind, OccurredAt: at, Source: source, Problem: problemOf(why)}
	r.m.countWords()
	trace := r.trace(key)
	raw, whole := r.m.raw()
	if !whole && !r.m.keyed() { // what should be its key can be anything
		key = ""
	}
	out.Source.SetRaw(raw)
	content := []byte(out.Source.Raw)
	if !whole { // what is not kept tells two rows apart all the same
		content = r.m.everything(r.opaqueSum)
	}
	defer r.traced(out, trace)
	if key == "" {
		r.nameless(out, content)
		return
	}
	r.anchor(key)
	// What was read is part of the key, so that two bad rows that share the
	// columns of the key are both told.
	sum := sha256.Sum256(append([]byte(out.Problem.Code+"\x00"), content...))
	out.NaturalKey = movement.BadRowKey(key, sum[:])
}

// trace is a keyed hash of the mapped columns of a row, by which it is the same for a
// version that keeps or says something else of it: key is its own, and its place stands
// for one that it has not.
func (r *reader) trace(key string) string {
	sum := r.m.everything(r.opaqueSum)
	if key == "" {
		key = fmt.Sprintf("%s\x00%d", r.pos.Anchor, r.pos.Nth)
	}
	r.opaqueSum.Reset()
	fmt.Fprintf(r.opaqueSum, "%s\x00%s", key, sum)
	return hex.EncodeToString(r.opaqueSum.Sum(nil)[:16])
}

// traced gives a bad row the key that it was recorded under before, where it was; but
// what can be read now is another to people.
func (r *reader) traced(out *movement.Movement, trace string) {
	if out.Problem.Code == codeDismissed {
		return
	}
	if key := r.book.recorded(trace); key != "" {
		out.NaturalKey = key
		return
	}
	if r.traces == nil {
		r.traces = map[string]string{}
	}
	r.traces[out.NaturalKey] = trace
}

// opaque keeps nothing of a line but where it stands: without its columns
// told apart, any part of it can be about a patient. Only its keyed hash goes
// into its own key, so that another bad line in its place is told, too.
func (r *reader) opaque(out *movement.Movement, line []byte, why error) {
	out.Problem = problemOf(why)
	r.opaqueSum.Reset()
	r.opaqueSum.Write(line)
	r.nameless(out, r.opaqueSum.Sum(nil))
}

func (r *reader) anchor(key string) { r.pos.Anchor, r.pos.Nth = key, 0 }

// nameless gives a key to a row without one, by its place after one that has,
// and by what was read of it.
func (r *reader) nameless(out *movement.Movement, content []byte) {
	r.pos.Nth++
	h := sha256.New()
	fmt.Fprintf(h, "%s\x00%d\x00%s\x00%s", r.pos.Anchor, r.pos.Nth, out.Problem.Code, content)
	out.NaturalKey = movement.NamelessRowKey(r.e.Name, h.Sum(nil))
}

// What marks a row that is understood, and still not believed.
const (
	codeImplausible = "implausible_quantity"
	codeFuture      = "implausible_time"
	// codeDismissed marks one that was dismissed before it was understood.
	codeDismissed = "dismissed_before"
)

func problemOf(err error) *movement.Problem {
	text := err.Error()
	if len(text) > 400 {
		text = text[:400]
	}
	return &movement.Problem{Code: fault.CodeOf(err), Text: toValid(text)}
}

// shorten replaces what is too long for a natural key by its hash.
func shorten(key []byte, prefix int) []byte {
	if len(key) <= maxKey {
		return key
	}
	sum := sha256.Sum256(key)
	return hex.AppendEncode(append(key[:prefix:prefix], "/sha256:"...), sum[:])
}
