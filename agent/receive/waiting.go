package receive

import (
	"encoding/json"
	"iter"
	"strings"
	"time"

	"branchline/agent/outbox"
	"branchline/agent/scan"
)

// Waiting counts what was scanned and is not confirmed yet, so that it is no
// movement.
type Waiting struct {
	Deliveries int `json:"deliveries"`
	Counts     int `json:"counts"`
	// Others are what is handed out, returned or wasted together.
	Others int `json:"others,omitempty"`
	// Lines are the entries of all of them.
	Lines int `json:"lines"`
	// Oldest is when the first of them was opened, zero for none.
	Oldest time.Time `json:"oldest,omitzero"`
}

func (w *Waiting) add(s *Session, lines int) {
	switch s.Purpose {
	case scan.Count:
		w.Counts++
	case scan.Receive, "":
		w.Deliveries++
	default:
		w.Others++
	}
	w.Lines += lines
	if w.Oldest.IsZero() || !s.Opened.IsZero() && s.Opened.Before(w.Oldest) {
		w.Oldest = s.Opened
	}
}

// Waiting counts what the desk holds.
func (d *Desk) Waiting() Waiting {
	d.mu.Lock()
	defer d.mu.Unlock()
	var w Waiting
	for _, s := range d.sessions {
		w.add(s, len(s.Entries))
	}
	return w
}

// CountWaiting counts what a store holds; the store need not be a running one.
// A session that cannot be read counts as a delivery.
func CountWaiting(store interface {
	Notes(space, prefix string) iter.Seq2[outbox.Note, error]
}) (Waiting, error) {
	var w Waiting
	for n, err := range store.Notes(noteSpace, "") {
		if err != nil {
			return w, err
		}
		if strings.Contains(n.Key, "#") {
			w.Lines++
			continue
		}
		var s Session
		if err := json.Unmarshal(n.Value, &s); err != nil {
			s = Session{}
		}
		w.add(&s, 0)
	}
	return w, nil
}
