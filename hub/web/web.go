// Package web is the control room's pages: which branches are alive, what is
// late, what a person must decide, and who may.
//
// The server makes the pages; an open one asks for itself again when the event
// stream says that something changed. Without its scripts every step works by
// plain forms. Every route names the right that it needs; [Site.Routes] is the
// whole list.
package web

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"

	"branchline/hub/access"
	"branchline/hub/ledger"
	"branchline/hub/room"
	"branchline/internal/fault"
	"branchline/internal/movement"
	"branchline/internal/paper"
	"branchline/internal/ui"
)

//go:embed pages/*.html
var pages embed.FS

// Room is what the pages ask, and act by.
type Room interface {
	Board(ctx context.Context, f room.BranchFilter) (room.Board, error)
	Branch(ctx context.Context, code string) (*room.BranchOf, error)
	Odoo() room.Odoo
	Find(ctx context.Context, s ledger.Search) ([]room.Found, error)
	Trace(ctx context.Context, id movement.ID) (*room.Traced, error)
	Waiting(ctx context.Context, f room.WaitingFilter, after *ledger.Exception, limit int) (room.WaitingList, error)
	WaitingFor(ctx context.Context, id movement.ID) (*room.WaitingOne, error)
	Decide(ctx context.Context, d room.Decision) (room.Decided, error)
	DecideAll(ctx context.Context, f room.WaitingFilter, seen string, d room.Decision) (room.Decided, error)
	Alias(ctx context.Context, al room.Alias) (room.AliasMade, error)
	Correct(ctx context.Context, c room.Correction) (room.Decided, error)
	Proposals(ctx context.Context) ([]ledger.Proposed, error)
	Proposal(ctx context.Context, id int64) (room.ProposalOf, error)
	Confirm(ctx context.Context, id int64, who, why string) (done int, err error)
	Decline(ctx context.Context, id int64, who, why string) error
	PostingList(ctx context.Context, f ledger.PostingFilter) (room.PostingList, error)
	PostingNamed(ctx context.Context, name string) (*room.PostingOf, error)
	TryNow(ctx context.Context, name, who, why string) error
	PlanAgain(ctx context.Context, name, who, why string) error
	LotUnknown(ctx context.Context) (movements, branches int64, err error)
	Recall(ctx context.Context, lot string) ([]room.Recalled, error)
	OdooLink(o ledger.OdooRef) string
	Reconciliation(ctx context.Context) (room.Reconciliation, error)
	BranchReconciliation(ctx context.Context, branch string) (room.BranchReconciliation, error)
	AcceptDifference(ctx context.Context, a room.AcceptDifference) error
	CheckNow(ctx context.Context, c room.CheckNow) (branches int, err error)
	Replenishment(ctx context.Context) ([]room.Signals, error)
	BranchReplenishment(ctx context.Context, branch string) (room.Signals, error)
	MayOrder() bool
	StockOrders(branch string) []room.StockOrder
	OrderStock(ctx context.Context, o room.OrderStock) (room.StockOrder, error)
	Boxes(ctx context.Context) (all []room.Box, cut bool, err error)
	Alerts(ctx context.Context) (wrong, over []ledger.Alert, err error)
	PaperBranches() []room.PaperBranch
	PaperOrders(branch string) ([]paper.Order, error)
	PaperForms(of room.PaperWish) ([]paper.Form, error)
	AuditEntries(ctx context.Context, f ledger.AuditFilter) (entries []ledger.Entry, next int64, err error)
	VerifyAudit(ctx context.Context) (holds int64, err error)
}

// Options are what the site is made of.
type Options struct {
	Room   Room
	Access *access.Access
	// People lists who may use the control room; it is the ledger.
	People People
	// Changed watches what pages show; nil for none.
	Changed <-chan struct{}
	Version string
	Log     *slog.Logger
}

// People lists persons and tokens.
type People interface {
	Users(ctx context.Context) ([]ledger.User, error)
	Tokens(ctx context.Context) ([]ledger.Token, error)
}

// Site serves requests from any goroutine.
type Site struct {
	Options
	pages  *template.Template
	stream ui.Stream
	gate   http.Handler
}

// New makes the site.
func New(o Options) (*Site, error) {
	t, err := template.New("").Funcs(ui.Funcs()).Funcs(funcs).Funcs(drawings).ParseFS(pages, "pages/*.html")
	if err == nil {
		t, err = paper.Templates(t)
	}
	if err != nil {
		return nil, err
	}
	s := &Site{Options: o, pages: t}
	s.gate = o.Access.Gate(s.Routes(), s.refuse)
	return s, nil
}

func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.gate.ServeHTTP(w, r) }

// Routes are all that the site answers to.
func (s *Site) Routes() []access.Route {
	return append(append([]access.Route{
		{Pattern: "GET /{$}", Needs: access.See, Serve: s.board},
		{Pattern: "GET /branches/{code}", Needs: access.See, Serve: s.branch},
		{Pattern: "GET /events", Needs: access.See, Serve: s.stream.ServeHTTP},

		{Pattern: "GET /alerts", Needs: access.See, Serve: s.alerts},

		{Pattern: "GET /paper", Needs: access.See, Serve: s.paper},
		{Pattern: "GET /paper/print", Needs: access.See, Serve: s.printForms},

		{Pattern: "GET /trace", Needs: access.See, Serve: s.find},
		{Pattern: "GET /movements/{id...}", Needs: access.See, Serve: s.movement},
		{Pattern: "GET /recall", Needs: access.See, Serve: s.recall},
		{Pattern: "GET /recall.csv", Needs: access.See, Serve: s.recallCSV},

		{Pattern: "GET /transfers", Needs: access.See, Serve: s.transfers},
		{Pattern: "GET /transfers.csv", Needs: access.See, Serve: s.transfersCSV},
		{Pattern: "GET /reconciliation", Needs: access.See, Serve: s.reconciliation},
		{Pattern: "GET /reconciliation.csv", Needs: access.See, Serve: s.reconciliationCSV},
		{Pattern: "POST /reconciliation", Needs: access.Decide, Serve: s.checkNow},
		{Pattern: "GET /reconciliation/{branch}", Needs: access.See, Serve: s.reconciled},
		{Pattern: "GET /reconciliation/{branch}/{table}", Needs: access.See, Serve: s.reconciledCSV},
		{Pattern: "POST /reconciliation/{branch}/stock", Needs: access.Approve, Serve: s.startStock},
		{Pattern: "GET /reconciliation/{branch}/accept", Needs: access.Approve, Serve: s.askAccept},
		{Pattern: "POST /reconciliation/{branch}/accept", Needs: access.Approve, Serve: s.acceptDifference},

		{Pattern: "GET /replenishment", Needs: access.See, Serve: s.replenishment},
		{Pattern: "GET /replenishment.csv", Needs: access.See, Serve: s.replenishmentCSV},
		{Pattern: "GET /replenishment/{branch}", Needs: access.See, Serve: s.branchReplenishment},
		{Pattern: "POST /replenishment/{branch}/order", Needs: access.Decide, Serve: s.orderStock},

		{Pattern: "GET /audit", Needs: access.Audit, Serve: s.audit},
		{Pattern: "POST /audit/verify", Needs: access.Audit, Serve: s.verifyAudit},
		{Pattern: "GET /audit.csv", Needs: access.Audit, Serve: s.auditExport},
		{Pattern: "GET /audit.ndjson", Needs: access.Audit, Serve: s.auditExport},

		{Pattern: "GET /sign-in", Needs: access.Anyone, Serve: s.signInPage},
		{Pattern: "POST /sign-in", Needs: access.Anyone, Serve: s.signIn},
		{Pattern: "GET /sign-in/provider", Needs: access.Anyone, Serve: s.toProvider},
		{Pattern: "GET " + access.BackPath, Needs: access.Anyone, Serve: s.fromProvider},
		{Pattern: "POST /sign-out", Needs: access.Self, Serve: s.signOut},
		{Pattern: "GET /me", Needs: access.Self, Serve: s.me},
		{Pattern: "POST /me/password", Needs: access.Self, Serve: s.changePassword},
		{Pattern: "POST /me/tokens", Needs: access.See, Serve: s.newToken},
		{Pattern: "POST /me/tokens/{id}/revoke", Needs: access.See, Serve: s.revokeToken},

		{Pattern: "GET /people", Needs: access.People, Serve: s.people},
		{Pattern: "POST /people", Needs: access.People, Serve: s.addPerson},
		{Pattern: "POST /people/{login}/roles", Needs: access.People, Serve: s.setRoles},
		{Pattern: "POST /people/{login}/password", Needs: access.People, Serve: s.resetPassword},
		{Pattern: "POST /people/{login}/disable", Needs: access.People, Serve: s.disable},
		{Pattern: "POST /people/{login}/enable", Needs: access.People, Serve: s.enable},

		{Pattern: "GET /", Needs: access.Self, Serve: s.nothing},
	}, s.waitingRoutes()...), s.postingRoutes()...)
}

// How often open pages are told that something changed: at most once in this
// time, so that a busy hub does not make every desk ask all the time, and at
// least once in that, for what only time changes.
const (
	changedAtMost  = 2 * time.Second
	changedAtLeast = 15 * time.Second
)

// Run keeps open pages up to date until ctx ends.
func (s *Site) Run(ctx context.Context) error {
	defer s.stream.End()
	at := time.NewTicker(changedAtLeast)
	defer at.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-at.C:
		case <-s.Changed:
			at.Reset(changedAtLeast)
		}
		s.stream.Changed()
		pause := time.NewTimer(changedAtMost)
		select {
		case <-ctx.Done():
		case <-pause.C:
		}
		pause.Stop()
	}
}

// tab is one word of the navigation, shown to those who may go there.
type tab struct {
	Path, Icon, Word string
	needs            access.Right
	Current          bool
}

var tabs = []tab{
	{Path: "/", Icon: "home", Word: "Branches", needs: access.See},
	{Path: "/alerts", Icon: "bell", Word: "Alerts", needs: access.See},
	{Path: "/exceptions", Icon: "warn", Word: "Exceptions", needs: access.See},
	{Path: "/postings", Icon: "file", Word: "Postings", needs: access.See},
	{Path: "/trace", Icon: "way", Word: "Trace", needs: access.See},
	{Path: "/recall", Icon: "warn", Word: "Recall", needs: access.See},
	{Path: "/reconciliation", Icon: "check", Word: "Reconciliation", needs: access.See},
	{Path: "/replenishment", Icon: "transfer", Word: "Replenishment", needs: access.See},
	{Path: "/paper", Icon: "file", Word: "On paper", needs: access.See},
	{Path: "/audit", Icon: "file", Word: "Audit", needs: access.Audit},
	{Path: "/people", Icon: "person", Word: "People", needs: access.People},
}

// frame is what every page is given.
type frame struct {
	Title   string
	Tabs    []tab
	Person  access.Person
	Odoo    room.Odoo
	Version string
	Body    any
	// Still is for a page that is not asked for again by itself: a form, or what
	// was said once.
	Still bool
}

// show writes a page. current is the path of its tab.
func (s *Site) show(w http.ResponseWriter, r *http.Request, status int, name, current string, f frame) {
	f.Person, f.Odoo, f.Version = access.By(r), s.Room.Odoo(), s.Version
	for _, t := range tabs {
		if f.Person.May(t.needs) {
			t.Current = t.Path == current
			f.Tabs = append(f.Tabs, t)
		}
	}
	var b bytes.Buffer // a page that fails half way is not sent
	if err := s.pages.ExecuteTemplate(&b, name, f); err != nil {
		s.Log.Error("page not made", "page", name, "err", err)
		http.Error(w, "This page cannot be shown. The hub goes on with its work.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes())
}

// refused is what could not be done, and the way back.
type refused struct {
	Title, Text, Hint, Back string
}

// refuse shows why a request was not done.
func (s *Site) refuse(w http.ResponseWriter, r *http.Request, err error) {
	look := r.Method == http.MethodGet || r.Method == http.MethodHead
	switch code := fault.CodeOf(err); {
	case code == access.CodeSignIn && look:
		http.Redirect(w, r, "/sign-in?next="+url.QueryEscape(r.URL.RequestURI()), http.StatusSeeOther)
	case code == access.CodeChange && look:
		http.Redirect(w, r, "/me", http.StatusSeeOther)
	case code == access.CodeSignIn:
		s.say(w, r, http.StatusUnauthorized, refused{"Nothing was done", "Your session has ended.", "Sign in, then do it again.", "/sign-in"})
	case code == access.CodeNoRight:
		s.sayFault(w, r, http.StatusForbidden, "This is not yours to do", err)
	case code == ledger.CodeNoUser, code == ledger.CodeNoToken, code == "unknown_movement", code == room.CodeUnknownBranch, code == "unknown_posting", code == ledger.CodeNoProposal:
		s.sayFault(w, r, http.StatusNotFound, "Nothing was done", err)
	case fault.ClassOf(err) == fault.Data:
		s.sayFault(w, r, http.StatusConflict, "Nothing was done", err)
	default:
		s.Log.Error("request not served", "path", r.URL.Path, "err", err)
		s.sayFault(w, r, http.StatusServiceUnavailable, "Not now", err)
	}
}

func (s *Site) sayFault(w http.ResponseWriter, r *http.Request, status int, title string, err error) {
	text, hint := err.Error(), ""
	if f, ok := faultOf(err); ok {
		text, hint = f.Message, f.Hint
	}
	s.say(w, r, status, refused{title, sentence(text), sentence(hint), back(r)})
}

func (s *Site) say(w http.ResponseWriter, r *http.Request, status int, b refused) {
	s.show(w, r, status, "refused.html", "", frame{Title: b.Title, Still: true, Body: b})
}

// back is where the person was, on this site.
func back(r *http.Request) string {
	if u, err := url.Parse(r.Referer()); err == nil && u.Host == r.Host {
		return local(u.RequestURI())
	}
	return "/"
}

// local is a path of this site; anything else becomes the first page, so that no
// link leads a person who signs in to another site.
func local(path string) string {
	if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || strings.ContainsAny(path, "\\\r\n\t") {
		return "/"
	}
	return path
}

func (s *Site) nothing(w http.ResponseWriter, r *http.Request) {
	s.say(w, r, http.StatusNotFound, refused{"There is no such page", "The address may be mistyped, or from an older version.", "", "/"})
}

// funcs are the template functions of these pages:
//
//	role     a role as people call it
//	kind     a kind of movement as people call it
//	sentence a text with a capital and a stop
//	capital  a text with a capital
//	visible  what was read, with signs for what cannot be seen
//	day      a day of a branch
//	signed   a quantity with its sign
//	form     the number of a printed form, as it is printed
//	formLine number and line of one
//	others   the movements that are not found in Odoo as they were posted
var funcs = template.FuncMap{
	"provider": func(elsewhere string) string {
		issuer, _, _ := strings.Cut(elsewhere, " ")
		return strings.TrimPrefix(issuer, "https://")
	},
	"role": func(r access.Role) string {
		if r == access.IT {
			return "IT"
		}
		return string(r)
	},
	"kind":    func(k movement.Kind) string { return sentenceCase(strings.ReplaceAll(string(k), "_", " ")) },
	"visible": visible,
	"day":     day,
	"signed":  signed,

	"sentence": sentence,
	"capital":  sentenceCase,
	"others":   others,
	"form":     func(number string) string { return paper.Number(number).String() },
	"formLine": formLine,
}

// formLine says "D7K2M9Q4X/3" as people do.
func formLine(place string) string {
	number, line, _ := strings.Cut(place, "/")
	return "form " + paper.Number(number).String() + " line " + line
}

// visible names control characters, as scanners' handbooks do.
func visible(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch name := controls[r]; {
		case name != "":
			b.WriteString("⟨" + name + "⟩")
		case unicode.IsControl(r):
			fmt.Fprintf(&b, "⟨%02X⟩", r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

var controls = map[rune]string{0x02: "STX", 0x03: "ETX", 0x04: "EOT", 0x09: "TAB", 0x0a: "LF", 0x0d: "CR", 0x1c: "FS", 0x1d: "GS", 0x1e: "RS", 0x1f: "US"}

func faultOf(err error) (*fault.Error, bool) { return errors.AsType[*fault.Error](err) }

func sentenceCase(s string) string {
	if s == "" {
		return ""
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// sentence begins with a capital and ends with a stop.
func sentence(s string) string {
	if s == "" {
		return ""
	}
	s = sentenceCase(s)
	if !strings.ContainsAny(s[len(s)-1:], ".!?") {
		s += "."
	}
	return s
}
