// Package api is what programs ask of the control room, as JSON under /api/v1. It
// shows and does what the pages do, by the same package room; openapi.yaml
// describes it and is served with it.
//
// A program sends a token, "Authorization: Bearer blt_…", whose scopes say what
// it may do. Lists come in pages: next, where it is there, is the cursor of the
// page after.
package api

import (
	"context"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"

	"go.yaml.in/yaml/v3"

	"branchline/hub/access"
	"branchline/hub/ledger"
	"branchline/hub/room"
	"branchline/internal/fault"
	"branchline/internal/movement"
)

//go:embed openapi.yaml
var description []byte

// Room is what the API asks, and acts by.
type Room interface {
	Board(ctx context.Context, f room.BranchFilter) (room.Board, error)
	Branch(ctx context.Context, code string) (*room.BranchOf, error)
	Find(ctx context.Context, s ledger.Search) ([]room.Found, error)
	Trace(ctx context.Context, id movement.ID) (*room.Traced, error)
	LotUnknown(ctx context.Context) (movements, branches int64, err error)
	Recall(ctx context.Context, lot string) ([]room.Recalled, error)
	Waiting(ctx context.Context, f room.WaitingFilter, after *ledger.Exception, limit int) (room.WaitingList, error)
	Decide(ctx context.Context, d room.Decision) (room.Decided, error)
	Correct(ctx context.Context, c room.Correction) (room.Decided, error)
	Alias(ctx context.Context, al room.Alias) (room.AliasMade, error)
	Proposals(ctx context.Context) ([]ledger.Proposed, error)
	Confirm(ctx context.Context, id int64, who, why string) (done int, err error)
	Decline(ctx context.Context, id int64, who, why string) error
	PostingList(ctx context.Context, f ledger.PostingFilter) (room.PostingList, error)
	PostingNamed(ctx context.Context, name string) (*room.PostingOf, error)
	TryNow(ctx context.Context, name, who, why string) error
	PlanAgain(ctx context.Context, name, who, why string) error
	Arrivals(ctx context.Context, after ledger.Arrived, limit int) ([]ledger.ArrivedMovement, error)
	Reconciliation(ctx context.Context) (room.Reconciliation, error)
	BranchReconciliation(ctx context.Context, branch string) (room.BranchReconciliation, error)
	AcceptDifference(ctx context.Context, d room.AcceptDifference) error
	CheckNow(ctx context.Context, c room.CheckNow) (branches int, err error)
	Replenishment(ctx context.Context) ([]room.Signals, error)
	BranchReplenishment(ctx context.Context, branch string) (room.Signals, error)
	OrderStock(ctx context.Context, o room.OrderStock) (room.StockOrder, error)
	OpenTransfers(ctx context.Context) ([]ledger.OpenTransfer, error)
	AuditEntries(ctx context.Context, f ledger.AuditFilter) (entries []ledger.Entry, next int64, err error)
	VerifyAudit(ctx context.Context) (holds int64, err error)
}

// Options are what the API is made of.
type Options struct {
	Room   Room
	Access *access.Access
	Log    *slog.Logger
}

// API serves requests from any goroutine.
type API struct {
	Options
	gate http.Handler
	// described is the description as JSON.
	described []byte
}

// New makes the API.
func New(o Options) (*API, error) {
	a := &API{Options: o}
	var doc any
	err := yaml.Unmarshal(description, &doc)
	if err == nil {
		a.described, err = json.Marshal(doc)
	}
	a.gate = o.Access.Gate(a.Routes(), a.refuse)
	return a, err
}

func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.gate.ServeHTTP(w, r) }

// Routes are all that the API answers to.
func (a *API) Routes() []access.Route {
	return []access.Route{
		{Pattern: "GET /api/v1/openapi.json", Needs: access.Anyone, Serve: a.describe},
		{Pattern: "GET /api/v1/branches", Needs: access.See, Serve: a.branches},
		{Pattern: "GET /api/v1/branches/{code}", Needs: access.See, Serve: a.branch},
		{Pattern: "GET /api/v1/movements", Needs: access.See, Serve: a.movements},
		{Pattern: "GET /api/v1/movements/{branch}/{epoch}/{lane}/{seq}", Needs: access.See, Serve: a.movement},
		{Pattern: "GET /api/v1/recall", Needs: access.See, Serve: a.recall},
		{Pattern: "GET /api/v1/exceptions", Needs: access.See, Serve: a.exceptions},
		{Pattern: "POST /api/v1/exceptions/retry", Needs: access.Decide, Serve: a.decide("retry")},
		{Pattern: "POST /api/v1/exceptions/correct", Needs: access.Decide, Serve: a.correct},
		{Pattern: "POST /api/v1/exceptions/release", Needs: access.Approve, Serve: a.decide("release")},
		{Pattern: "POST /api/v1/exceptions/discard", Needs: access.Approve, Serve: a.decide("discard")},
		{Pattern: "POST /api/v1/aliases", Needs: access.Decide, Serve: a.alias},
		{Pattern: "GET /api/v1/proposals", Needs: access.See, Serve: a.proposals},
		{Pattern: "POST /api/v1/proposals/{id}/confirm", Needs: access.Approve, Serve: a.confirm},
		{Pattern: "POST /api/v1/proposals/{id}/decline", Needs: access.Approve, Serve: a.decline},
		{Pattern: "GET /api/v1/postings", Needs: access.See, Serve: a.postings},
		{Pattern: "GET /api/v1/postings/{name}", Needs: access.See, Serve: a.posting},
		{Pattern: "POST /api/v1/postings/{name}/try", Needs: access.Decide, Serve: a.tryNow},
		{Pattern: "POST /api/v1/postings/{name}/plan", Needs: access.Decide, Serve: a.planAgain},
		{Pattern: "GET /api/v1/feed/movements", Needs: access.See, Serve: a.feed},
		{Pattern: "GET /api/v1/reconciliation", Needs: access.See, Serve: a.reconciliation},
		{Pattern: "POST /api/v1/reconciliation", Needs: access.Decide, Serve: a.checkNow},
		{Pattern: "GET /api/v1/reconciliation/{branch}", Needs: access.See, Serve: a.reconciled},
		{Pattern: "POST /api/v1/reconciliation/{branch}/accept", Needs: access.Approve, Serve: a.acceptDifference},
		{Pattern: "GET /api/v1/replenishment", Needs: access.See, Serve: a.replenishment},
		{Pattern: "GET /api/v1/replenishment/{branch}", Needs: access.See, Serve: a.branchReplenishment},
		{Pattern: "POST /api/v1/replenishment/{branch}/order", Needs: access.Decide, Serve: a.orderStock},
		{Pattern: "GET /api/v1/transfers", Needs: access.See, Serve: a.transfers},
		{Pattern: "GET /api/v1/audit", Needs: access.Audit, Serve: a.audit},
		{Pattern: "POST /api/v1/audit/verify", Needs: access.Audit, Serve: a.verifyAudit},
		{Pattern: "/api/", Needs: access.Anyone, Serve: a.nothing},
	}
}

func (a *API) describe(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-cache")
	_, _ = w.Write(a.described)
}

// answer writes v as JSON.
func (a *API) answer(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		a.Log.Error("answer not made", "err", err)
		status, body = http.StatusInternalServerError, []byte(`{"error":{"code":"defect","message":"the answer could not be made"}}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n'))
}

// failure is what every error answers.
type failure struct {
	Error failureWords `json:"error"`
}

type failureWords struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

func (a *API) refuse(w http.ResponseWriter, r *http.Request, err error) {
	f, ok := faultOf(err)
	if !ok {
		a.Log.Error("request not served", "path", r.URL.Path, "err", err)
		a.answer(w, http.StatusInternalServerError, failure{failureWords{"defect", "this could not be done; the hub's log says why", ""}})
		return
	}
	status := http.StatusServiceUnavailable
	switch {
	case f.Code == access.CodeSignIn:
		status = http.StatusUnauthorized
		w.Header().Set("WWW-Authenticate", "Bearer")
	case f.Code == access.CodeNoRight, f.Code == access.CodeChange, f.Code == room.CodeNeedsApprover:
		status = http.StatusForbidden
	case f.Code == "unknown_movement", f.Code == room.CodeUnknownBranch, f.Code == "unknown_posting", f.Code == ledger.CodeNoProposal:
		status = http.StatusNotFound
	case f.Code == codeBadRequest, f.Code == ledger.CodeSearchTooWide, f.Code == room.CodeBadFilter:
		status = http.StatusBadRequest
	case f.Class == fault.Data:
		status = http.StatusConflict
	}
	a.answer(w, status, failure{failureWords{f.Code, f.Message, f.Hint}})
}

func faultOf(err error) (*fault.Error, bool) { return errors.AsType[*fault.Error](err) }

func (a *API) nothing(w http.ResponseWriter, r *http.Request) {
	a.answer(w, http.StatusNotFound, failure{failureWords{"no_such_path", "there is no " + r.Method + " " + r.URL.Path, "see /api/v1/openapi.json"}})
}

// maxBody bounds a request: a decision names up to [room.MaxTogether] movements.
const maxBody = 1 << 20

// carryOut reads a request's JSON into asked, does what it says, and answers with
// what became of it.
func carryOut[T any](a *API, w http.ResponseWriter, r *http.Request, asked any, do func(ctx context.Context) (T, error)) {
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	d.DisallowUnknownFields()
	if err := d.Decode(asked); err != nil {
		a.refuse(w, r, fault.New(fault.Data, codeBadRequest, "the request cannot be read: %w", err).WithHint("see /api/v1/openapi.json"))
		return
	}
	done, err := do(r.Context())
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	a.answer(w, http.StatusOK, done)
}

// codeBadRequest is of a request that cannot be understood.
const codeBadRequest = "bad_request"

// limitOf reads how many are asked for.
func limitOf(r *http.Request, most int) (int, error) {
	s := r.URL.Query().Get("limit")
	if s == "" {
		return min(100, most), nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > most {
		return 0, fault.New(fault.Data, codeBadRequest, "limit: %.20q is not 1 to %d", s, most)
	}
	return n, nil
}

// A cursor says where to go on; what it is made of is nobody's business.
func cursorText(v any) string {
	b, _ := json.Marshal(v) // made of numbers and names
	return base64.RawURLEncoding.EncodeToString(b)
}

// cursorOf reads the request's cursor into v; found is false where it has none.
func cursorOf(r *http.Request, v any) (found bool, err error) {
	s := r.URL.Query().Get("cursor")
	if s == "" {
		return false, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err == nil {
		err = json.Unmarshal(b, v)
	}
	if err != nil || len(s) > 500 {
		return false, fault.New(fault.Data, codeBadRequest, "cursor: it is none that was given out").WithHint("begin without one")
	}
	return true, nil
}
