package receive

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"branchline/internal/movement"
	"branchline/internal/ui"
)

// thrownAway is the record of a session that is thrown away: who did it, why, and
// what was in it, as far as a record holds it. Where nobody gave initials, it says
// so.
func (s *Session) thrownAway(by, why string, at time.Time) *movement.Movement {
	m := &movement.Movement{OccurredAt: at, Document: s.Document, By: cmp.Or(strings.TrimSpace(by), "nobody named"), Reason: s.contents()}
	m.ThrowAway(s.ID, why)
	return m
}

// maxContents bounds what a record says of a session's contents, in bytes.
const maxContents = 400

// contents lists the scans of a session, as many as there is room for.
func (s *Session) contents() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %s", ui.Many(len(s.Entries), "scan", "scans"), s.Packs().Of("pack", "packs"))
	for i := range s.Entries {
		e := &s.Entries[i]
		part := fmt.Sprintf("; %s of %s", e.Quantity, e.Item.Product.Code)
		if e.Item.Lot != "" {
			part += " lot " + e.Item.Lot
		}
		if b.Len()+len(part) > maxContents {
			fmt.Fprintf(&b, "; and %d more", len(s.Entries)-i)
			break
		}
		b.WriteString(part)
	}
	return b.String()
}
