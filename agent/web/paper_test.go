package web_test

import (
	"context"
	"regexp"
	"strings"
	"testing"
	"time"

	"branchline/agent/counter"
	"branchline/agent/scan"
	"branchline/internal/fault"
	"branchline/internal/movement"
	"branchline/internal/paper"
	"branchline/internal/ui/uitest"
)

func (d *desk) Forms() []counter.Work {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.view.Form == "" || d.done != nil {
		return nil
	}
	return []counter.Work{d.view.Work}
}

func (d *desk) OpenForm(_ context.Context, n paper.Number, order string) (string, scan.Answer, error) {
	d.opened = append(d.opened, string(n)+" "+order)
	return d.view.ID, scan.Answer{Sound: scan.OK, Action: true, Text: "form " + n.String() + " is open"}, nil
}

func (d *desk) TypeIn(_ context.Context, _ string, l counter.FormLine) (scan.Answer, error) {
	if time.Since(l.At) > 48*time.Hour && !l.Sure {
		return scan.Answer{}, fault.New(fault.Data, counter.FormOld, "that is long ago").WithHint("look at the form once more")
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, l)
	return scan.Answer{Sound: scan.OK, Text: "saved"}, nil
}

func (d *desk) Expected() []paper.Order {
	o := paper.Order{Document: "P00021", Partner: "Northern Drug Supply", AsOf: time.Now().Add(-time.Hour)}
	for range 4 {
		for _, l := range newDesk().view.Lines {
			o.Products = append(o.Products, paper.Product{Name: l.Name, Code: l.Product, Ordered: l.Ordered, Unit: "packs"})
		}
	}
	return []paper.Order{o}
}

// typing is a desk with one form on it, of which some lines are typed in.
func typing() *desk {
	d := newDesk()
	v := &d.view
	v.Form, v.ID, v.Stations = "R7K2M9Q4X7", "P00017@20261123T094200.000Z", []string{"on paper"}
	n := 0
	for i := range v.Lines {
		for j := range v.Lines[i].Entries {
			n++
			e := &v.Lines[i].Entries[j]
			e.Line, e.By, e.TypedBy = n, "AB", "CD"
		}
	}
	return d
}

const form = "/paper/P00017@20261123T094200.000Z"

// Forms are printed one to a sheet, each with a number that nobody else has.
func TestFormsArePrinted(t *testing.T) {
	_, url := serve(t, newDesk())
	page := uitest.Open(t, url+"/paper")
	page.WaitText("Northern Drug Supply")
	page.Shot("paper")
	numbers := regexp.MustCompile(`[RD][0-9A-Z]{3}-[0-9A-Z]{4}-[0-9A-Z]{2}`)
	seen := map[string]bool{}
	for path, want := range map[string]struct {
		sheets int
		text   string
	}{
		"/paper/print?kind=dispense&sheets=3":  {3, "Handed out at the counter"},
		"/paper/print?kind=receipt&sheets=2":   {2, "Order or delivery note"},
		"/paper/print?order=P00021":            {2, "Northern Drug Supply"},
		"/paper/print?kind=receipt&sheets=999": {paper.MaxSheets, "Goods received"},
	} {
		page.Go(url + path)
		page.WaitText(want.text)
		page.WaitText("Write no names of patients")
		if got := uitest.Eval[int](page, `document.querySelectorAll("article.form").length`); got != want.sheets {
			t.Errorf("%s: %d sheets", path, got)
		}
		for _, text := range numbers.FindAllString(page.Text("main"), -1) {
			n, err := paper.Parse(text)
			if err != nil || seen[text] {
				t.Errorf("%s: %s (%v) was there before: %v", path, n, err, seen[text])
			}
			seen[text] = true
		}
		if got := uitest.Eval[int](page, `document.querySelectorAll(".number svg title").length`); got != want.sheets {
			t.Errorf("%s: %d barcodes", path, got)
		}
	}
	if len(seen) != 3+2+2+paper.MaxSheets {
		t.Errorf("%d numbers", len(seen))
	}
	for path, name := range map[string]string{"/paper/print?kind=dispense": "form-dispense-print", "/paper/print?order=P00021": "form-receipt-print"} {
		page.Go(url + path)
		page.Size(1040, 720) // A4 across, in CSS pixels, without its margins
		page.Print()
		page.Shot(name)
		if tall := uitest.Eval[float64](page, `document.querySelector("article.form").getBoundingClientRect().height`); tall > 192/25.4*96 {
			t.Errorf("%s: a sheet is %.0f mm high, and A4 has 192", path, tall/96*25.4)
		}
	}
}

// A form is typed in by the keyboard, a scanner that types, and a look at the date;
// what is wrong stays in its fields.
func TestAFormIsTypedInOnThePage(t *testing.T) {
	d := typing()
	_, url := serve(t, d)
	page := uitest.Open(t, url+"/paper")
	page.WaitText("5 lines typed in")
	n := paper.NewNumber(paper.Receipt)
	page.Click("#number")
	wrong := "0"
	if strings.HasSuffix(string(n), wrong) {
		wrong = "1"
	}
	page.Type(string(n[:len(n)-1]) + wrong)
	page.Press(uitest.Enter)
	page.WaitText("is wrong, or two are exchanged")
	page.Shot("paper-wrong")
	page.Scan(n.Barcode())
	page.Wait(`document.getElementById("number").value === "` + n.Barcode() + `"`)
	page.Click("#open .primary")
	page.WaitText("as it stands on the form")
	if len(d.opened) != 1 || d.opened[0] != string(n)+" " {
		t.Errorf("opened %q", d.opened)
	}
	page.Shot("typing")
	set := func(id, value string) {
		t.Helper()
		uitest.Eval[string](page, `document.getElementById("`+id+`").value = "`+value+`"`)
	}
	long := time.Now().AddDate(0, 0, -3).Format(time.DateOnly)
	set("form-line", "6")
	set("day", long)
	set("time", "14:30")
	page.Scan("]d20104012345678903" + "10A77B12\x1d" + "17280531")
	page.Wait(`document.activeElement.id === "lot"`)
	set("packs", "2")
	set("by", "AB")
	set("me", "CD")
	page.Click("#save")
	page.WaitText("That is long ago")
	page.Shot("typing-old")
	if got := uitest.Eval[string](page, `["form-line","day","time","text","packs","by","me"].map(id => document.getElementById(id).value).join("|")`); got != "6|"+long+"|14:30|]d20104012345678903"+"10A77B12\x1d"+"17280531|2|AB|CD" {
		t.Errorf("the fields hold %q", got)
	}
	page.Click("#sure")
	page.Click("#save")
	page.WaitText("Saved.")
	if len(d.lines) != 1 {
		t.Fatalf("typed in %+v", d.lines)
	}
	at, _ := time.ParseInLocation("2006-01-02 15:04", long+" 14:30", time.Local)
	want := counter.FormLine{Line: 6, At: at, Sure: true, Text: "]d2010401234567890310A77B12\x1d17280531", Physical: d.lines[0].Physical, Quantity: movement.Units(2), By: "AB", TypedBy: "CD"}
	if d.lines[0] != want || !strings.HasPrefix(want.Physical, "]d2") {
		t.Errorf("typed in %+v\nwant     %+v", d.lines[0], want)
	}
	if len(d.typed) != 0 {
		t.Errorf("a scan was counted: %+v", d.typed)
	}

	page.Click(`#typed a[href$="line=3"]`)
	page.WaitText("Change line 3")
	if got := uitest.Eval[string](page, `document.querySelector("[name=product]").value + "|" + document.getElementById("lot").value`); got != "gtin 04012345678927|M1" {
		t.Errorf("line 3 is %q", got)
	}
	page.Shot("typing-change")
	page.Size(390, 844)
	page.Go(url + form)
	page.Shot("typing-phone")
	page.Size(1366, 768)
	page.Go(url + strings.Replace(form, "paper", "session", 1) + "/review")
	page.WaitText("Line by line, as the form says")
	page.Shot("typing-review")
}
