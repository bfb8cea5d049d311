package odoo

import (
	"context"
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"
	"time"

	"branchline/internal/fault"
)

// Marker is what a document in Odoo says of the movements inside it, so that a
// hub which was restored from a backup finds what it had posted since. It lies
// in the picking's note, as a paragraph that people can read and should leave.
//
// Odoo copies the note into a backorder, and into a document that a person
// duplicates. A marker therefore names its own document and is void in any
// other: see [MarkerOf].
type Marker struct {
	// Posting is the posting's name.
	Posting string
	// PickingID is the document it was written to, for a receipt, whose name is
	// Odoo's own; 0 for a document that bears the posting's name.
	PickingID int64
	// Body lists the movements in the hub's own words: letters, digits, spaces
	// and . , : ; / _ + = - @ up to MaxMarker bytes.
	Body string
}

// MaxMarker bounds a marker's body. Odoo itself sets no bound; 20 KB were seen
// to survive.
const MaxMarker = 64 << 10

const markerBegin = "branchline:1|"

// HTML is the marker as a paragraph. An error is a Defect of the caller.
func (m Marker) HTML() (string, error) {
	if len(m.Body) > MaxMarker || m.Posting == "" || !markable(m.Posting) || !markable(m.Body) {
		return "", fault.New(fault.Defect, "marker", "the marker of %q is too long or holds a character that Odoo might change", clip(m.Posting, 80))
	}
	text := m.text()
	return fmt.Sprintf("<p>%s%s|%08x</p>", markerBegin, text, crc32.ChecksumIEEE([]byte(text))), nil
}

func (m Marker) text() string {
	return m.Posting + "|" + strconv.FormatInt(m.PickingID, 10) + "|" + m.Body
}

// With returns a note with the marker at its end, in place of an older marker.
// What people wrote stays.
func (m Marker) With(note string) (string, error) {
	html, err := m.HTML()
	if err != nil {
		return "", err
	}
	return Unmark(note) + html, nil
}

// Unmark returns a note without its marker.
func Unmark(note string) string {
	if i := strings.Index(note, "<p>"+markerBegin); i >= 0 {
		if end := strings.Index(note[i:], "</p>"); end >= 0 {
			note = note[:i] + note[i+end+len("</p>"):]
		}
	}
	return note
}

// ReadMarker finds the marker in a note; false if there is none, or a person
// has altered it.
func ReadMarker(note string) (Marker, bool) {
	_, rest, found := strings.Cut(note, markerBegin)
	if !found {
		return Marker{}, false
	}
	text, _, _ := strings.Cut(rest, "<")
	i := strings.LastIndexByte(text, '|')
	if i < 0 {
		return Marker{}, false
	}
	sum, err := strconv.ParseUint(strings.TrimSpace(text[i+1:]), 16, 32)
	if err != nil || uint32(sum) != crc32.ChecksumIEEE([]byte(text[:i])) {
		return Marker{}, false
	}
	parts := strings.SplitN(text[:i], "|", 3)
	if len(parts) != 3 {
		return Marker{}, false
	}
	id, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil {
		return Marker{}, false
	}
	return Marker{Posting: parts[0], PickingID: id, Body: parts[2]}, true
}

// MarkerOf gives the marker of a document if it is that document's own, not one
// that came along when Odoo copied it.
func MarkerOf(p Picking) (Marker, bool) {
	m, ok := ReadMarker(p.Note)
	if !ok || m.PickingID != p.ID && (m.PickingID != 0 || m.Posting != p.Name) {
		return Marker{}, false
	}
	return m, true
}

// AlteredMarker tells that a note holds a marker that somebody has altered, and
// the posting that it names as it stands; nothing in it can be relied on.
func AlteredMarker(note string) (posting string, altered bool) {
	_, rest, found := strings.Cut(note, markerBegin)
	if _, whole := ReadMarker(note); !found || whole {
		return "", false
	}
	posting, _, _ = strings.Cut(rest, "|")
	if i := strings.IndexByte(posting, '<'); i >= 0 {
		posting = posting[:i]
	}
	return clip(strings.TrimSpace(posting), 200), true
}

// PickingsMarked lists documents whose note holds a marker of a posting whose
// name begins with prefix (empty: of any), with ids above afterID, in the order
// of their ids, at most limit (0: all). Copies are among them; see [MarkerOf].
func (c *Client) PickingsMarked(ctx context.Context, prefix string, afterID int64, limit int) ([]Picking, error) {
	return c.pickings(ctx, Domain{Where("note", "like", likeEscape(markerBegin+prefix)), Where("id", ">", afterID)}, limit)
}

// OursSince lists documents that hold a marker of a posting whose name begins with
// prefix, or bear such a name themselves, and were changed at or after since; all if
// it is zero. Ids are above afterID, in their order, at most limit (0: all). Odoo's
// clock decides: leave a margin. Notes can be long: a page of some hundred of them
// stays far below what an answer may have.
func (c *Client) OursSince(ctx context.Context, prefix string, since time.Time, afterID int64, limit int) ([]Picking, error) {
	d := Domain{Or, Where("note", "like", likeEscape(markerBegin+prefix)), Where("name", "=like", likeEscape(prefix)+"%"), Where("id", ">", afterID)}
	if !since.IsZero() {
		d = append(d, Where("write_date", ">=", Moment(since)))
	}
	return c.pickings(ctx, d, limit)
}

// markable allows what no HTML parser or editor touches.
func markable(s string) bool {
	if s != strings.TrimSpace(s) || strings.Contains(s, "  ") {
		return false
	}
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte(" .,:;/_+=-@", c) >= 0:
		default:
			return false
		}
	}
	return true
}
