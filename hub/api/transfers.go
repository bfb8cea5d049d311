package api

import (
	"net/http"
	"time"

	"branchline/hub/ledger"
	"branchline/internal/movement"
)

// Transfer is one of which not all that was sent was taken in, or more.
type Transfer struct {
	Number string         `json:"number"`
	From   string         `json:"from,omitempty"`
	To     string         `json:"to,omitempty"`
	Since  time.Time      `json:"since"`
	Lines  []TransferLine `json:"lines"`
}

// TransferLine is what was sent and came of one lot.
type TransferLine struct {
	Scheme  movement.Scheme   `json:"scheme,omitempty"`
	Code    string            `json:"code,omitempty"`
	Lot     string            `json:"lot,omitempty"`
	Serial  string            `json:"serial,omitempty"`
	Unit    string            `json:"unit,omitempty"`
	Sent    movement.Quantity `json:"sent"`
	Arrived movement.Quantity `json:"arrived"`
	Counted movement.Quantity `json:"counted"`
}

func (a *API) transfers(w http.ResponseWriter, r *http.Request) {
	all, err := a.Room.OpenTransfers(r.Context())
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	list := make([]Transfer, len(all))
	for i, t := range all {
		list[i] = Transfer{Number: t.Ref, From: t.From, To: t.To, Since: t.Since, Lines: make([]TransferLine, len(t.Lines))}
		for j, l := range t.Lines {
			list[i].Lines[j] = TransferLine{l.Product.Scheme, l.Product.Code, l.Lot, l.Serial, l.Unit, l.Sent, l.Arrived, l.Counted}
		}
	}
	a.answer(w, http.StatusOK, map[string]any{"transfers": list, "cut": ledger.TransfersCut(all)})
}
