package web

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"branchline/agent/scan"
	"branchline/internal/fault"
	"branchline/internal/ui"
)

// Rows is what the page can do with rows of exports that could not be read.
type Rows interface {
	// List gives those that nobody at the branch has settled, the newest first.
	List() []BadRow
	Get(id string) (BadRow, error)
	// Check says what a row would be recorded as with other values, or what is
	// still wrong with it, as a fault of class Data.
	Check(id string, values []string) (says string, err error)
	// Correct and Dismiss record what a person decides; an error means that
	// nothing was recorded.
	Correct(ctx context.Context, id string, values []string, by, why string) error
	Dismiss(ctx context.Context, id, by, why string) error
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

// shownRows bounds the list.
const shownRows = 200

// rowsPage is the list, by file.
type rowsPage struct {
	Files []rowsFile
	All   int
	More  int
	By    string
	Last  *Answer
}

type rowsFile struct {
	Export, Name, Local string
	Rows                []BadRow
}

func (p *Page) badRows(w http.ResponseWriter, r *http.Request) {
	list := p.Rows.List()
	page := rowsPage{All: len(list), More: max(len(list)-shownRows, 0), By: initialsOf(r), Last: p.latest(Station)}
	for _, row := range list[:len(list)-page.More] {
		i := slices.IndexFunc(page.Files, func(f rowsFile) bool { return f.Export == row.Export && f.Name == row.File })
		if i < 0 {
			i = len(page.Files)
			page.Files = append(page.Files, rowsFile{Export: row.Export, Name: row.File, Local: cmp.Or(row.Local, row.File)})
		}
		row.Why = sentence(row.Why)
		page.Files[i].Rows = append(page.Files[i].Rows, row)
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

// dismissFile dismisses all rows of a file that are on the list, one after the
// other; what was dismissed before one fails stays so.
func (p *Page) dismissFile(w http.ResponseWriter, r *http.Request) {
	export, file := r.PostFormValue("export"), r.PostFormValue("file")
	by, err := p.signed(r)
	if err != nil {
		p.fail(w, r, err, "/rows")
		return
	}
	done := 0
	for _, row := range p.Rows.List() {
		if row.Export != export || row.File != file {
			continue
		}
		if err := p.Rows.Dismiss(r.Context(), row.ID, by, r.PostFormValue("why")); err != nil && fault.CodeOf(err) != "no_row" {
			p.fail(w, r, err, "/rows")
			return
		}
		done++
	}
	rememberInitials(w, by)
	p.reply(w, r, scan.Answer{Sound: scan.OK, Text: ui.Many(done, "row of "+file+" is", "rows of "+file+" are") + " dismissed"}, "/rows")
}

// place says where a row stands.
func place(r BadRow) string { return fmt.Sprintf("line %d of %s", r.Line, cmp.Or(r.Local, r.File)) }
