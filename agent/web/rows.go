package web

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"branchline/agent/scan"
	"branchline/internal/ui"
)

// Rows is what the page can do with rows of exports that could not be read.
type Rows interface {
	// List gives those that nobody at the branch has settled, the newest first: at
	// most n, without the first from of them. All is how many there are.
	List(from, n int) (rows []BadRow, all int, err error)
	Get(id string) (BadRow, error)
	// Check says what a row would be recorded as with other values, or what is
	// still wrong with it, as a fault of class Data.
	Check(id string, values []string) (says string, err error)
	// Correct and Dismiss record what a person decides; an error means that
	// nothing was recorded.
	Correct(ctx context.Context, id string, values []string, by, why string) error
	Dismiss(ctx context.Context, id, by, why string) error
	// DismissFile dismisses all rows of a file of an export that nobody has settled,
	// and tells how many; what was dismissed before an error stays so.
	DismissFile(ctx context.Context, export, file, by, why string) (dismissed int, err error)
	// SettledAtHub lists those that people at the hub have settled lately, the latest
	// first.
	SettledAtHub() []SettledRow
}

// SettledRow is a row that people at the hub have settled, so that nobody at the
// branch need.
type SettledRow struct {
	Export string
	// File is its name in its folder, Was why the row was set aside.
	File string
	Line int64
	Was  string
	// As is what was done with it in a word: "discarded", "corrected", "released";
	// Who, Why and At are theirs.
	As, Who, Why string
	At           time.Time
}

// BadRow is a row of an export that could not be read, or not believed.
type BadRow struct {
	ID, Export, File string
	// Local is the file's name in its folder, where that is told to nobody else, as
	// it can be about a patient; the same as File for all others.
	Local string
	Line  int64
	Read  time.Time
	Why   string
	// Columns are the mapped ones as they were read; none where the row can only
	// be taken as it is, or dismissed.
	Columns []RowColumn
	// Says is what was understood; empty for nothing.
	Says string
}

// RowColumn is one column of a row.
type RowColumn struct{ Name, Value string }

// Kept tells whether anything of the row was kept.
func (r BadRow) Kept() bool {
	return r.Says != "" || slices.ContainsFunc(r.Columns, func(c RowColumn) bool { return c.Value != "" })
}

// shownRows is how many rows a page of the list has.
const shownRows = 200

// rowsPage is a part of the list, by file.
type rowsPage struct {
	Files []rowsFile
	All   int
	// Settled are those that people at the hub have settled.
	Settled []SettledRow
	// First and Through count from 1; Newer and Older are where the pages before and
	// after begin, -1 for none.
	First, Through, Newer, Older int
	By                           string
	Last                         *Answer
}

type rowsFile struct {
	Export, Name, Local string
	Rows                []BadRow
}

func (p *Page) badRows(w http.ResponseWriter, r *http.Request) {
	from, _ := strconv.Atoi(r.URL.Query().Get("from"))
	from = max(from, 0)
	list, all, err := p.Rows.List(from, shownRows)
	if err == nil && len(list) == 0 && from > 0 { // settled meanwhile
		from = 0
		list, all, err = p.Rows.List(0, shownRows)
	}
	if err != nil {
		p.refuse(w, err, "/way")
		return
	}
	page := rowsPage{All: all, First: from + 1, Through: from + len(list), Newer: -1, Older: -1, By: initialsOf(r), Last: p.latest(rowsWork, Station)}
	if from > 0 {
		page.Newer = max(from-shownRows, 0)
	}
	if page.Through < all {
		page.Older = page.Through
	}
	for _, row := range list {
		i := slices.IndexFunc(page.Files, func(f rowsFile) bool { return f.Export == row.Export && f.Name == row.File })
		if i < 0 {
			i = len(page.Files)
			page.Files = append(page.Files, rowsFile{Export: row.Export, Name: row.File, Local: cmp.Or(row.Local, row.File)})
		}
		row.Why = sentence(row.Why)
		page.Files[i].Rows = append(page.Files[i].Rows, row)
	}
	for _, row := range p.Rows.SettledAtHub() {
		row.Was, row.Why = sentence(row.Was), sentence(row.Why)
		page.Settled = append(page.Settled, row)
	}
	p.show(w, http.StatusOK, "rows.html", "/way", frame{Title: "Rows that were set aside", Purpose: scan.LookUp, Body: page})
}

// rowPage is one row, to be corrected or dismissed.
type rowPage struct {
	BadRow
	By, Word string
	// Will is what it would be recorded as, with Seen the values that this is
	// about; Wrong is what is in the way.
	Will, Seen, Wrong string
}

func (p *Page) badRow(w http.ResponseWriter, r *http.Request) {
	row, err := p.Rows.Get(r.PathValue("id"))
	if err != nil {
		p.refuse(w, err, "/rows")
		return
	}
	page := rowPage{BadRow: row, By: initialsOf(r)}
	if len(row.Columns) == 0 {
		page.Will, page.Seen = row.Says, url.Values{"v": nil}.Encode()
	}
	p.showRow(w, http.StatusOK, page)
}

func (p *Page) showRow(w http.ResponseWriter, status int, page rowPage) {
	page.Why, page.Local = sentence(page.Why), cmp.Or(page.Local, page.File)
	p.show(w, status, "row.html", "/way", frame{Title: "A row that was set aside", Purpose: scan.LookUp, Body: page})
}

// correctRow shows what a row would be recorded as, and records it when that was
// seen before.
func (p *Page) correctRow(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	row, err := p.Rows.Get(id)
	if err != nil {
		p.refuse(w, err, "/rows")
		return
	}
	page := rowPage{By: strings.TrimSpace(r.PostFormValue("by")), Word: strings.TrimSpace(r.PostFormValue("why"))}
	values := r.PostForm["v"]
	for i := range row.Columns {
		if i < len(values) {
			row.Columns[i].Value = values[i]
		}
	}
	page.BadRow, page.Seen = row, url.Values{"v": values}.Encode()
	if page.Will, err = p.Rows.Check(id, values); err == nil && r.PostFormValue("do") == "record" && r.PostFormValue("seen") == page.Seen {
		by, no := p.signed(r)
		if err = no; err == nil {
			err = p.Rows.Correct(r.Context(), id, values, by, page.Word)
		}
		if err == nil {
			rememberInitials(w, by)
			p.reply(w, r, scan.Answer{Sound: scan.OK, Text: place(row) + " is corrected, and safe on this PC"}, "/rows")
			return
		}
	}
	if err != nil {
		page.Wrong = sentence(err.Error())
		p.showRow(w, http.StatusUnprocessableEntity, page)
		return
	}
	p.showRow(w, http.StatusOK, page)
}

func (p *Page) dismissRow(w http.ResponseWriter, r *http.Request) {
	id, by := r.PathValue("id"), ""
	row, err := p.Rows.Get(id)
	if err == nil {
		by, err = p.signed(r)
	}
	if err == nil {
		err = p.Rows.Dismiss(r.Context(), id, by, r.PostFormValue("why"))
	}
	if err != nil {
		p.fail(w, r, err, "/rows/"+url.PathEscape(id))
		return
	}
	rememberInitials(w, by)
	p.reply(w, r, scan.Answer{Sound: scan.OK, Text: place(row) + " is dismissed"}, "/rows")
}

// dismissFile dismisses all rows of a file that wait, also those on other pages.
func (p *Page) dismissFile(w http.ResponseWriter, r *http.Request) {
	export, file := r.PostFormValue("export"), r.PostFormValue("file")
	by, err := p.signed(r)
	if err != nil {
		p.fail(w, r, err, "/rows")
		return
	}
	done, err := p.Rows.DismissFile(r.Context(), export, file, by, r.PostFormValue("why"))
	if err != nil {
		p.fail(w, r, err, "/rows")
		return
	}
	rememberInitials(w, by)
	p.reply(w, r, scan.Answer{Sound: scan.OK, Text: ui.Many(done, "row of "+file+" is", "rows of "+file+" are") + " dismissed"}, "/rows")
}

// rowsWork is the settling of rows, among the works on the page.
const rowsWork = "rows"

// place says where a row stands.
func place(r BadRow) string { return fmt.Sprintf("line %d of %s", r.Line, cmp.Or(r.Local, r.File)) }
