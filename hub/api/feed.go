package api

import (
	"encoding/csv"
	"encoding/json"
	"net/http"
	"time"

	"branchline/hub/ledger"
	"branchline/hub/room"
	"branchline/internal/fault"
)

// maxFeed is how many movements one answer of the feed has at most.
const maxFeed = 10_000

// FeedLine is a movement in the order of arrival; a program that has got so far
// goes on with the cursor of its last line.
type FeedLine struct {
	Cursor string `json:"cursor"`
	Movement
}

// feed gives movements in the order in which the hub received them, as lines of
// JSON, or as CSV. Where nothing new has come the answer is empty.
func (a *API) feed(w http.ResponseWriter, r *http.Request) {
	limit, err := limitOf(r, maxFeed)
	var after ledger.Arrived
	if err == nil {
		_, err = cursorOf(r, &after)
	}
	format := r.URL.Query().Get("format")
	if err == nil && format != "" && format != "ndjson" && format != "csv" {
		err = fault.New(fault.Data, codeBadRequest, "format: %.20q is neither ndjson nor csv", format)
	}
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	found, err := a.Room.Arrivals(r.Context(), after, limit)
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	if n := len(found); n > 0 {
		w.Header().Set("Branchline-Cursor", cursorText(found[n-1].Place))
	} else {
		w.Header().Set("Branchline-Cursor", cursorText(after))
	}
	if format == "csv" {
		w.Header().Set("Content-Type", "text/csv; charset=utf-8")
		err = feedCSV(w, found)
	} else {
		w.Header().Set("Content-Type", "application/x-ndjson")
		enc := json.NewEncoder(w)
		for i := range found {
			if err = enc.Encode(FeedLine{cursorText(found[i].Place), movementOf(&found[i].Movement)}); err != nil {
				break
			}
		}
	}
	if err != nil {
		a.Log.Debug("feed not written", "err", err)
	}
}

func feedCSV(w http.ResponseWriter, found []ledger.ArrivedMovement) error {
	out := csv.NewWriter(w)
	_ = out.Write([]string{"id", "branch", "kind", "state", "scheme", "code", "lot", "expiry", "serial", "quantity", "unit",
		"occurred_at", "recorded_at", "document", "counterpart", "reason", "cursor", "paper"}) // Flush tells
	for i := range found {
		m := &found[i]
		_ = out.Write([]string{m.Identity.String(), m.Identity.Branch, string(m.Kind), m.State.String(), string(m.Product.Scheme), room.Cell(m.Product.Code),
			room.Cell(m.Lot), m.Expiry.String(), room.Cell(m.Serial), m.Quantity.String(), room.Cell(m.Unit), m.OccurredAt.Format(time.RFC3339),
			m.RecordedAt.Format(time.RFC3339), room.Cell(m.Document.Ref), room.Cell(m.Counterpart), room.Cell(m.Reason), cursorText(m.Place), m.Paper})
	}
	out.Flush()
	return out.Error()
}
