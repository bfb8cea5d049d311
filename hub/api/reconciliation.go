package api

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"time"

	"branchline/hub/access"
	"branchline/hub/ledger"
	"branchline/hub/room"
	"branchline/internal/fault"
)

// Reconciled is how a branch compares with Odoo.
type Reconciled struct {
	Branch string `json:"branch"`
	Name   string `json:"name,omitempty"`
	// State is equal, otherwise or never; Queued tells that it is to be compared.
	State       string    `json:"state"`
	Queued      bool      `json:"queued"`
	ComparedAt  time.Time `json:"compared_at,omitzero"`
	AskedBy     string    `json:"asked_by,omitempty"`
	Differences int64     `json:"differences"`
	Since       time.Time `json:"since,omitzero"`
	// Unsent is what the branch had captured and not sent.
	Unsent           uint64          `json:"unsent"`
	Counts           *ledger.Buckets `json:"counts,omitempty"`
	StockDifferences int64           `json:"stock_differences"`
	StockNotCompared string          `json:"stock_not_compared,omitempty"`
}

func reconciledOf(row *room.ReconciledRow) Reconciled {
	r := Reconciled{Branch: row.Code, Name: row.Name, State: "never", Queued: row.Queued}
	if c := row.Last; c != nil {
		r.State = "equal"
		if c.Differences > 0 {
			r.State = "otherwise"
		}
		r.ComparedAt, r.AskedBy, r.Differences, r.Since, r.Unsent = c.At, c.Who, c.Differences, c.Since, c.Summary.Unsent
		r.Counts, r.StockDifferences, r.StockNotCompared = &c.Summary.All, c.Summary.Stock, c.Summary.NoStock
	}
	return r
}

// Comparing is what the comparison does now.
type Comparing struct {
	Branch    string `json:"branch,omitempty"`
	Documents int    `json:"documents"`
	Of        int    `json:"of"`
	Queued    int    `json:"queued"`
	Waiting   string `json:"waiting,omitempty"`
}

func (a *API) reconciliation(w http.ResponseWriter, r *http.Request) {
	all, err := a.Room.Reconciliation(r.Context())
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	rows := make([]Reconciled, len(all.Rows))
	for i := range all.Rows {
		rows[i] = reconciledOf(&all.Rows[i])
	}
	a.answer(w, http.StatusOK, map[string]any{"branches": rows, "now": Comparing{all.Now.Branch, all.Now.Documents, all.Now.Of, all.Queued, all.Now.Waiting}})
}

// Day is a day of a branch; it has no date where the time cannot be read.
type Day struct {
	Day    string         `json:"day"`
	Counts ledger.Buckets `json:"counts"`
}

// Record is a difference of records.
type Record struct {
	What      string `json:"what"`
	Day       string `json:"day"`
	Text      string `json:"text"`
	Count     int64  `json:"count"`
	Movements string `json:"movements,omitempty"`
	Posting   string `json:"posting,omitempty"`
	OdooID    int64  `json:"odoo_id,omitempty"`
	OdooName  string `json:"odoo_name,omitempty"`
}

// AcceptedRecord is a difference of which a person has said that Odoo is right.
type AcceptedRecord struct {
	Record
	At  time.Time `json:"accepted_at"`
	Who string    `json:"accepted_by"`
	Why string    `json:"accepted_why"`
}

func recordOf(d *ledger.RecordDifference) Record {
	return Record{string(d.What), d.Day.String(), d.Text, d.Count, d.Movements, d.Posting, d.OdooID, d.OdooName}
}

// StockDifference is a product and lot that Odoo has more or less of than expected.
type StockDifference struct {
	ProductID int64  `json:"product_id"`
	Product   string `json:"product"`
	Code      string `json:"code,omitempty"`
	Lot       string `json:"lot,omitempty"`
	Unit      string `json:"unit,omitempty"`
	Start     string `json:"start"`
	Posted    string `json:"posted"`
	Expected  string `json:"expected"`
	Odoo      string `json:"odoo"`
	Off       string `json:"difference"`
	Waiting   string `json:"waiting"`
	Moves     []Move `json:"moves"`
}

// Move is a movement of stock in Odoo by somebody else.
type Move struct {
	At       time.Time `json:"at"`
	Who      string    `json:"who"`
	Document string    `json:"document"`
	OdooID   int64     `json:"odoo_id,omitempty"`
	Lot      string    `json:"lot,omitempty"`
	Quantity string    `json:"quantity"`
	Unit     string    `json:"unit,omitempty"`
	Ours     bool      `json:"ours"`
}

func (a *API) reconciled(w http.ResponseWriter, r *http.Request) {
	found, err := a.Room.BranchReconciliation(r.Context(), r.PathValue("branch"))
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	body := struct {
		Reconciled
		From        string            `json:"from,omitempty"`
		Days        []Day             `json:"days"`
		Records     []Record          `json:"records"`
		RecordsLeft int64             `json:"records_left"`
		Accepted    []AcceptedRecord  `json:"accepted"`
		StockStart  time.Time         `json:"stock_start,omitzero"`
		Stock       []StockDifference `json:"stock"`
		StockLeft   int64             `json:"stock_left"`
	}{Reconciled: reconciledOf(&found.ReconciledRow), Days: []Day{}, Records: []Record{}, Accepted: []AcceptedRecord{}, Stock: []StockDifference{}}
	if c := found.Last; c != nil {
		body.From, body.RecordsLeft, body.StockStart, body.StockLeft = c.Result.From.String(), c.Result.RecordsLeft, c.Result.Stock.Start, c.Result.Stock.More
		for _, d := range c.Result.Days {
			body.Days = append(body.Days, Day{d.Day.String(), d.Buckets})
		}
		for i := range c.Result.Records {
			body.Records = append(body.Records, recordOf(&c.Result.Records[i]))
		}
		for i := range c.Result.Accepted {
			d := &c.Result.Accepted[i]
			body.Accepted = append(body.Accepted, AcceptedRecord{recordOf(&d.RecordDifference), d.At, d.Who, d.Why})
		}
		for i := range c.Result.Stock.Differences {
			body.Stock = append(body.Stock, stockDifferenceOf(&c.Result.Stock.Differences[i]))
		}
	}
	a.answer(w, http.StatusOK, body)
}

func stockDifferenceOf(d *ledger.StockDifference) StockDifference {
	s := StockDifference{ProductID: d.ProductID, Product: d.Name, Code: d.Code, Lot: d.Lot, Unit: d.Unit, Start: d.Start.String(), Posted: d.Moved.String(),
		Expected: d.Expected.String(), Odoo: d.Odoo.String(), Off: d.Off().String(), Waiting: d.Waiting.String(), Moves: []Move{}}
	for _, m := range d.Moves {
		s.Moves = append(s.Moves, Move{m.At, m.Who, m.Document, m.OdooID, m.Lot, m.Quantity.String(), m.Unit, m.Ours})
	}
	return s
}

// acceptDifference has a document taken as it is in Odoo.
func (a *API) acceptDifference(w http.ResponseWriter, r *http.Request) {
	var asked struct {
		Posting string            `json:"posting"`
		What    ledger.RecordWhat `json:"what"`
		Text    string            `json:"text"`
		Why     string            `json:"why"`
	}
	carryOut(a, w, r, &asked, func(ctx context.Context) (map[string]int, error) {
		if asked.What == "" {
			return nil, fault.New(fault.Data, codeBadRequest, "what is missing: it is not said which difference was seen").WithHint("send posting, what and text as they are listed")
		}
		return map[string]int{"queued": 1}, a.Room.AcceptDifference(ctx, room.AcceptDifference{Branch: r.PathValue("branch"), Posting: asked.Posting, What: asked.What,
			Text: asked.Text, Who: access.By(r).Who(), Why: asked.Why})
	})
}

// maxAsked bounds what a program sends.
const maxAsked = 1 << 10

// checkNow has a branch, or all of them, compared.
func (a *API) checkNow(w http.ResponseWriter, r *http.Request) {
	var asked struct {
		Branch string `json:"branch"`
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxAsked))
	if err == nil && len(body) > 0 {
		err = json.Unmarshal(body, &asked)
	}
	if err != nil {
		a.refuse(w, r, fault.New(fault.Data, codeBadRequest, "the body is no JSON object: %w", err).WithHint(`send {"branch": "BR01"}, or nothing for all`))
		return
	}
	n, err := a.Room.CheckNow(r.Context(), room.CheckNow{Branch: asked.Branch, Who: access.By(r).Who()})
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	a.answer(w, http.StatusOK, map[string]any{"queued": n})
}
