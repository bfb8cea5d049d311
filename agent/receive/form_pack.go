package receive

import (
	"context"
	"strings"
	"time"

	"branchline/agent/outbox"
	"branchline/internal/movement"
)

// A line of a form that is a pack with a serial number has the pack's own natural key,
// as if it was scanned: it leaves, or comes back, once, whether it was scanned, written
// down, or both. Which line that was is kept beside it, so that the line is known when
// the form is typed in again.

// packLineSpace is where the outbox keeps it: by the line's key the day on which it was
// recorded and the pack's key.
const packLineSpace = "receive form packs"

// packLinesFor is how long: no form is taken that is older ([Config.FormDays]).
const packLinesFor = 400 * 24 * time.Hour

// packLines are the notes of a form's lines that are packs with a serial number.
func (d *Desk) packLines(list []*movement.Movement, serials []int) (notes []outbox.Note) {
	day := d.Now().UTC().Format(time.DateOnly)
	for _, i := range serials {
		p := &list[i].Paper
		notes = append(notes, outbox.Note{Space: packLineSpace, Key: lineKey(p), Value: []byte(day + " " + list[i].NaturalKey)})
	}
	return notes
}

// packKey is the pack's key in a note.
func packKey(note []byte) string {
	_, key, _ := strings.Cut(string(note), " ")
	return key
}

// lineRecorded tells whether a line of a form counted before. What cannot be looked up
// is asked again when it counts.
func (d *Desk) lineRecorded(key string) bool {
	if pack, err := d.Store.Note(packLineSpace, key); err == nil && len(pack) > 0 {
		return true
	}
	places, err := d.Store.Known(key)
	return err == nil && places[0].Known
}

// forgetPackLines drops the notes of forms that nobody can type in any more.
func (d *Desk) forgetPackLines(ctx context.Context) error {
	oldest := d.Now().Add(-packLinesFor).UTC().Format(time.DateOnly)
	var gone []outbox.Note
	for n, err := range d.Store.Notes(packLineSpace, "") {
		if err != nil {
			return err
		}
		if day, _, _ := strings.Cut(string(n.Value), " "); day < oldest {
			gone = append(gone, outbox.Note{Space: packLineSpace, Key: n.Key})
		}
	}
	if len(gone) == 0 {
		return nil
	}
	_, err := d.Store.Append(ctx, outbox.Write{Notes: gone})
	return err
}
