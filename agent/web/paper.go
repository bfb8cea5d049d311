package web

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"branchline/agent/counter"
	"branchline/agent/scan"
	"branchline/internal/fault"
	"branchline/internal/movement"
	"branchline/internal/paper"
)

// onPaper is the work of typing forms in, among the works on the page.
const onPaper scan.Purpose = "paper"

// backOf is where a session's own list is.
func backOf(w *counter.Work) string { return "/" + workOf(w) }

// workOf is the work on the page that a session belongs to.
func workOf(w *counter.Work) string {
	if w.Form != "" {
		return string(onPaper)
	}
	return string(w.Purpose)
}

// paperPage is where forms are printed, and begun to be typed in.
type paperPage struct {
	Answer   *Answer
	Open     []card
	Expected []paper.Order
	Done     []done
	// Number and Order are what was typed, Wrong what is the matter with it.
	Number, Order, Wrong string
}

func (p *Page) paper(w http.ResponseWriter, _ *http.Request) {
	p.showPaper(w, http.StatusOK, paperPage{})
}

func (p *Page) showPaper(w http.ResponseWriter, status int, body paperPage) {
	state := p.State()
	body.Answer = p.latest(string(onPaper), Station)
	if p.Forms != nil {
		body.Expected = p.Forms.Expected()
		for _, c := range p.Forms.Forms() {
			body.Open = append(body.Open, card{c})
		}
	}
	body.Done = p.doneLately(onPaper, state.Hub.Connected)
	p.show(w, status, "paper.html", "/paper", frame{Title: "On paper", Purpose: scan.LookUp, State: &state, Body: body})
}

// printForms makes forms to be printed, each with a number of its own.
func (p *Page) printForms(w http.ResponseWriter, r *http.Request) {
	q, now := r.URL.Query(), p.Now()
	sheets, _ := strconv.Atoi(q.Get("sheets"))
	branch := p.State().Branch
	var forms []paper.Form
	kind := paper.Kind(q.Get("kind"))
	order := q.Get("order")
	if order != "" && p.Forms != nil {
		expected := p.Forms.Expected()
		if i := slices.IndexFunc(expected, func(o paper.Order) bool { return o.Document == order }); i >= 0 {
			forms = paper.ForOrder(expected[i], branch, now)
		}
	} else if slices.Contains(paper.Kinds, kind) {
		forms = paper.Blank(kind, branch, sheets, now)
	}
	if len(forms) == 0 {
		p.refuse(w, fault.New(fault.Data, "no_form", "there is no such form").WithHint("choose one under On paper"), "/paper")
		return
	}
	// It is not asked for again: each time the numbers are other ones.
	p.show(w, http.StatusOK, "forms.html", "/paper", frame{Title: "Forms to print", Purpose: scan.LookUp, Still: true, Body: forms})
}

// openForm begins to type a form in, or goes on.
func (p *Page) openForm(w http.ResponseWriter, r *http.Request) {
	body := paperPage{Number: strings.TrimSpace(r.PostFormValue("number")), Order: strings.TrimSpace(r.PostFormValue("order"))}
	n, err := paper.Parse(body.Number)
	var id string
	var a scan.Answer
	if err == nil {
		id, a, err = p.Forms.OpenForm(r.Context(), n, body.Order)
	}
	if err != nil {
		body.Wrong = sentence(err.Error())
		p.showPaper(w, http.StatusUnprocessableEntity, body)
		return
	}
	p.reply(w, r, a, "/paper/"+url.PathEscape(id))
}

// typingPage is a form that is being typed in.
type typingPage struct {
	sessionPage
	// Wrong is what is the matter with what was typed; Old asks whether the date is
	// right.
	Wrong string
	Old   bool
	// The fields, as they were typed.
	Line                                                  int
	Day, Time, Text, Physical, Lot, Expiry, Packs, By, Me string
	Person, Sure, Change                                  bool
	// Pick is the product that was chosen by its name, Product its code as the page
	// gives it back; Choices are those that a word has found, or that are on the order.
	Pick, Product, Query string
	Choices              []choosable
	Today                string
}

// choosable is a product that can be chosen.
type choosable struct{ Name, Code, Value string }

// typedLine is a line of a form that was typed in.
type typedLine struct {
	counter.Entry
	Title, Code string
}

// Typed lists the lines that were typed in, by their numbers.
func (s sessionPage) Typed() (list []typedLine) {
	for _, l := range s.Lines {
		for _, e := range l.Entries {
			title, code := l.Title(), l.Code()
			if l.Product.Code == "" {
				title, code = "A product that a person has to find", ""
			}
			list = append(list, typedLine{e, title, code})
		}
	}
	slices.SortFunc(list, func(a, b typedLine) int { return a.Line - b.Line })
	return list
}

// What tells what the form is for.
func (t typingPage) What() string {
	if t.Form.Kind() == paper.Receipt {
		return "goods received"
	}
	return "handed out at the counter"
}

func (p *Page) typing(w http.ResponseWriter, r *http.Request) {
	v, ok := p.view(w, r)
	if !ok {
		return
	}
	q := r.URL.Query()
	t := p.typingOf(v)
	t.Me, t.Query = initialsOf(r), cutText(strings.TrimSpace(q.Get("q")))
	typed := t.Typed()
	if n := len(typed); n > 0 {
		last := typed[n-1]
		at := last.At.In(p.Now().Location())
		t.Line, t.Day, t.Time, t.By = last.Line+1, at.Format(time.DateOnly), at.Format("15:04"), last.By
	} else {
		t.Line = 1
	}
	if line, err := strconv.Atoi(q.Get("line")); err == nil && line > 0 {
		t.Line = line
	}
	if i := slices.IndexFunc(typed, func(e typedLine) bool { return e.Line == t.Line }); i >= 0 {
		t.take(&typed[i], p.Now().Location())
	}
	switch pick := q.Get("product"); pick {
	case "":
	case "none":
		t.Product = ""
	default:
		t.Product = pick
	}
	p.showTyping(w, http.StatusOK, t)
}

// take puts a line that was typed in into the fields, to be changed.
func (t *typingPage) take(e *typedLine, loc *time.Location) {
	at := e.At.In(loc)
	t.Change, t.Day, t.Time, t.Lot, t.Packs, t.By = true, at.Format(time.DateOnly), at.Format("15:04"), e.Lot, e.Quantity.String(), e.By
	if !e.Expiry.IsZero() {
		t.Expiry = e.Expiry.String()
	}
	for _, l := range t.Lines {
		for _, o := range l.Entries {
			if o.Number == e.Number && l.Product.Code != "" {
				t.Product = valueOf(l.Product)
			}
		}
	}
}

func (p *Page) typingOf(v counter.View) typingPage {
	return typingPage{sessionPage: p.pageOf(v, Station), Today: p.Now().Format(time.DateOnly)}
}

func (p *Page) showTyping(w http.ResponseWriter, status int, t typingPage) {
	chosen, _ := productOf(t.Product)
	for _, l := range t.Lines {
		if l.Product == chosen && chosen.Code != "" {
			t.Pick = l.Title()
		}
		if t.Query == "" && l.Ordered > 0 && l.Product.Code != "" {
			t.Choices = append(t.Choices, choosable{l.Title(), l.Code(), valueOf(l.Product)})
		}
	}
	if p.Knowledge != nil && t.Query != "" {
		for _, f := range p.Knowledge.Search(t.Query) {
			if f.Code.Code != "" {
				t.Choices = append(t.Choices, choosable{f.Name, f.Code.Words(), valueOf(f.Code)})
			}
		}
	}
	if chosen.Code != "" && t.Pick == "" {
		t.Pick = chosen.Words()
		if p.Knowledge != nil {
			for _, f := range p.Knowledge.Search(strings.TrimLeft(chosen.Code, "0")) {
				if f.Code == chosen {
					t.Pick = f.Name
				}
			}
		}
	}
	p.show(w, status, "typing.html", "/paper", frame{Title: t.Name(), Purpose: scan.LookUp, Body: t})
}

// valueOf and productOf are a product as a form of the page holds it.
func valueOf(c movement.Product) string { return string(c.Scheme) + " " + c.Code }

func productOf(value string) (c movement.Product, ok bool) {
	scheme, code, _ := strings.Cut(value, " ")
	c = movement.Product{Scheme: movement.Scheme(scheme), Code: code}
	return c, code != "" && len(code) <= 64 && slices.Contains(movement.Schemes, c.Scheme)
}

func cutText(s string) string {
	if len(s) > maxSearch {
		return strings.ToValidUTF8(s[:maxSearch], "")
	}
	return s
}

// typeIn saves a line of a form. What is wrong is told with the fields as they were
// typed.
func (p *Page) typeIn(w http.ResponseWriter, r *http.Request) {
	v, ok := p.view(w, r)
	if !ok {
		return
	}
	t := p.typingOf(v)
	get := func(name string) string { return strings.TrimSpace(r.PostFormValue(name)) }
	t.Line, _ = strconv.Atoi(get("line"))
	t.Day, t.Time, t.Text, t.Physical, t.Lot, t.Expiry, t.Packs, t.By, t.Me = get("day"), get("time"), get("text"), get("physical"), get("lot"), get("expiry"), get("packs"), get("by"), get("me")
	t.Person, t.Sure, t.Change, t.Product = get("person") != "", get("sure") != "", get("change") != "", get("product")
	l, err := t.line(p.Now())
	var a scan.Answer
	if err == nil {
		a, err = p.Forms.TypeIn(r.Context(), v.ID, l)
	}
	if err != nil {
		t.Wrong, t.Old = sentence(err.Error()), fault.CodeOf(err) == counter.FormOld || t.Sure
		p.showTyping(w, http.StatusUnprocessableEntity, t)
		return
	}
	rememberInitials(w, t.Me)
	p.reply(w, r, a, "/paper/"+url.PathEscape(v.ID))
}

func (t *typingPage) line(now time.Time) (l counter.FormLine, err error) {
	l = counter.FormLine{Line: t.Line, Text: t.Text, Physical: t.Physical, Person: t.Person, Lot: t.Lot, By: t.By, TypedBy: t.Me, Sure: t.Sure, Change: t.Change}
	if t.Product != "" {
		var ok bool
		if l.Product, ok = productOf(t.Product); !ok {
			return l, fault.New(fault.Data, "no_product", "%.70q is no product", t.Product).WithHint("choose it anew")
		}
	}
	if t.Day != "" && t.Time != "" {
		if l.At, err = time.ParseInLocation("2006-01-02 15:04", t.Day+" "+t.Time, now.Location()); err != nil {
			return l, fault.New(fault.Data, "bad_time", "%.20q %.20q is no date and time", t.Day, t.Time).WithHint("write them as 2026-11-23 and 14:30")
		}
	}
	if l.Quantity, err = movement.ParseQuantity(t.Packs); err != nil {
		return l, fault.New(fault.Data, "bad_quantity", "%.20q is not a number of packs", t.Packs).WithHint("type how many packs there are")
	}
	if t.Expiry != "" {
		if l.Expiry, err = movement.ParseDate(t.Expiry); err != nil {
			return l, fault.New(fault.Data, "bad_expiry", "%.20q is not a date", t.Expiry).WithHint("choose the day; where the form names only a month, its last day")
		}
	}
	return l, nil
}
