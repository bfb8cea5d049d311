package receive

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"branchline/agent/counter"
	"branchline/agent/scan"
	"branchline/internal/fault"
	"branchline/internal/gs1"
	"branchline/internal/movement"
	"branchline/internal/paper"
)

// formLine is a line as it stands on a form, of an hour before the desk opens.
func (c *rig) formLine(line int, text, lot string, packs int64) counter.FormLine {
	l := counter.FormLine{Line: line, At: c.now.Truncate(time.Hour).Add(-time.Hour), Text: text, Lot: lot, Quantity: movement.Units(packs), By: "AB", TypedBy: "CD"}
	if lot != "" {
		l.Expiry = day("2028-01-31")
	}
	return l
}

func (c *rig) openForm(n paper.Number, order string) string {
	c.t.Helper()
	id, _, err := c.desk.OpenForm(context.Background(), n, order)
	if err != nil {
		c.t.Fatal(err)
	}
	return id
}

func (c *rig) typeIn(id string, lines ...counter.FormLine) (a scan.Answer) {
	c.t.Helper()
	for _, l := range lines {
		var err error
		if a, err = c.desk.TypeIn(context.Background(), id, l); err != nil {
			c.t.Fatalf("line %d: %v", l.Line, err)
		}
	}
	return a
}

func (c *rig) confirmForm(id string) counter.Receipt {
	c.t.Helper()
	r, err := c.desk.Confirm(context.Background(), id, "CD")
	if err != nil {
		c.t.Fatal(err)
	}
	return r
}

// onForms lists what was recorded of forms: "line kind product/lot=quantity", with
// the reason where it goes to a person.
func (c *rig) onForms() string {
	var list []string
	for _, m := range c.movements() {
		if m.Paper.Form == "" {
			continue
		}
		s := fmt.Sprintf("%d %s %s/%s=%s", m.Paper.Line, m.Kind, strings.TrimLeft(m.Product.Code, "0"), m.Lot, m.Quantity)
		if m.Problem != nil {
			s += " !" + m.Problem.Code
		}
		list = append(list, s)
	}
	return strings.Join(list, ", ")
}

// What was written on a form goes the way of everything else, with the time that
// stands there and a mark; a restart in the middle loses no line.
func TestAFormIsTypedIn(t *testing.T) {
	c := openWith(t, t.TempDir(), known())
	defer func() { c.store.Close() }()
	n := paper.NewNumber(paper.Receipt)
	id := c.openForm(n, "P00017")
	c.typeIn(id, c.formLine(1, plain, "ABC", 12))
	shown := c.shown()
	c.restart()
	if again := c.shown(); again != shown {
		t.Fatalf("before %s\nafter  %s", shown, again)
	}
	if list := c.desk.Forms(); len(list) != 1 || list[0].Form != n || list[0].ID != id || list[0].Entries != 1 {
		t.Fatalf("open forms %+v", list)
	}
	if work := c.desk.Work(scan.Receive); len(work) != 1 || work[0].ID != "" {
		t.Errorf("the delivery is open, as if it was scanned: %+v", work)
	}
	byName := c.formLine(2, "", "", 2)
	byName.Product = gtin(other)
	byName.At = byName.At.Add(20 * time.Minute)
	unknown := c.formLine(3, "New thing 500 mg", "N1", 1)
	unknown.Person = true
	c.typeIn(id, byName, unknown)
	r := c.confirmForm(id)
	if r.Form != n || r.Again != 0 || r.Epoch == "" {
		t.Errorf("receipt %+v", r)
	}
	if got, want := c.onForms(), "1 receipt 4012345678901/ABC=12, 2 receipt 4012345678918/=2, 3 receipt /N1=1 !product_needed"; got != want {
		t.Errorf("recorded %s\nwant     %s", got, want)
	}
	at := time.Date(2026, 11, 23, 9, 0, 0, 0, c.now.Location())
	for i, m := range c.movements() {
		want := at
		if i == 1 {
			want = at.Add(20 * time.Minute)
		}
		if !m.OccurredAt.Equal(want) || !m.RecordedAt.After(m.OccurredAt) || m.By != "AB" || m.Paper != (movement.Paper{Form: string(n), Line: i + 1, TypedBy: "CD"}) ||
			m.Document != (movement.Document{Type: "order", Ref: "P00017"}) || m.NaturalKey != fmt.Sprintf("form/%s/%d", string(n), i+1) || m.Group.Size != 3 || m.Source.Adapter != "paper" {
			t.Errorf("recorded %s", m.AppendJSON(nil))
		}
	}
}

// A form that is typed in twice counts once, however its product is said; a line
// that says something else goes to a person, once for each content.
func TestAFormThatIsTypedInTwiceCountsOnce(t *testing.T) {
	c := openWith(t, t.TempDir(), known())
	defer func() { c.store.Close() }()
	n := paper.NewNumber(paper.Dispense)
	id := c.openForm(n, "")
	c.typeIn(id, c.formLine(1, plain, "ABC", 12), c.formLine(2, other, "", 1))
	c.confirmForm(id)
	once := c.onForms()

	c.restart()
	c.now = c.now.Add(24 * time.Hour)
	yesterday := func(line int, text, lot string, packs int64) counter.FormLine {
		l := c.formLine(line, text, lot, packs)
		l.At, l.TypedBy = l.At.Add(-24*time.Hour), "EF"
		return l
	}
	id, a, err := c.desk.OpenForm(t.Context(), n, "")
	if err != nil || a.Code != "form_again" || !strings.Contains(a.Text, "2 lines") {
		t.Errorf("opened again: %+v, %v", a, err)
	}
	if a := c.typeIn(id, yesterday(1, caseOf12[3:], "ABC", 1)); a.Code != "form_again" {
		t.Errorf("typed again: %+v", a)
	}
	if r := c.confirmForm(id); r.Again != 1 || r.Differ != 0 || c.onForms() != once {
		t.Errorf("again %d, recorded %s\nbefore   %s", r.Again, c.onForms(), once)
	}

	for range 2 {
		id = c.openForm(n, "")
		c.typeIn(id, yesterday(1, plain, "ABC", 12), yesterday(2, other, "", 3), yesterday(4, other, "", 1))
		c.confirmForm(id)
	}
	if got, want := c.onForms(), once+", 2 dispense 4012345678918/=3 !conflicting_repeat, 4 dispense 4012345678918/=1"; got != want {
		t.Errorf("recorded %s\nwant     %s", got, want)
	}
	sizes := map[movement.Group]int{}
	for _, m := range c.movements() {
		sizes[m.Group]++
	}
	for g, have := range sizes {
		if g.Size != have {
			t.Errorf("group %+v has %d movements", g, have)
		}
	}
}

// What is scanned while a form is open, of the same order too, is not of the form.
func TestNoScanComesIntoAForm(t *testing.T) {
	c := openWith(t, t.TempDir(), known())
	defer func() { c.store.Close() }()
	id := c.openForm(paper.NewNumber(paper.Receipt), "P00017")
	c.typeIn(id, c.formLine(1, plain, "ABC", 12))
	c.scan("P00017")
	c.scan("page:" + other)
	c.scan(other)
	if v, err := c.desk.View(id); err != nil || v.Entries != 1 {
		t.Errorf("the form has %d lines, %v", v.Entries, err)
	}
	if len(c.desk.Sessions()) != 2 {
		t.Errorf("open %+v", c.desk.Sessions())
	}
	if a := c.scan(paper.NewNumber(paper.Receipt).Barcode()); a.Sound == scan.OK {
		t.Errorf("a form's barcode at a scanner: %+v", a)
	}
}

func TestALineThatCannotBeIsRefused(t *testing.T) {
	c := openWith(t, t.TempDir(), known())
	defer func() { c.store.Close() }()
	n := paper.NewNumber(paper.Dispense)
	id := c.openForm(n, "")
	c.typeIn(id, c.formLine(1, plain, "ABC", 2))
	for name, x := range map[string]struct {
		spoil func(*counter.FormLine)
		code  string
	}{
		"the future":            {func(l *counter.FormLine) { l.At = c.now.Add(time.Minute) }, "in_the_future"},
		"no time":               {func(l *counter.FormLine) { l.At = time.Time{} }, "bad_time"},
		"three days ago":        {func(l *counter.FormLine) { l.At = c.now.Add(-72 * time.Hour) }, counter.FormOld},
		"too long ago":          {func(l *counter.FormLine) { l.At, l.Sure = c.now.Add(-36*24*time.Hour), true }, "form_too_old"},
		"no initials":           {func(l *counter.FormLine) { l.By = " " }, "no_initials"},
		"nobody types":          {func(l *counter.FormLine) { l.TypedBy = "" }, "no_initials"},
		"no line":               {func(l *counter.FormLine) { l.Line = 0 }, "bad_line"},
		"no product":            {func(l *counter.FormLine) { l.Text = " " }, "no_product"},
		"no packs":              {func(l *counter.FormLine) { l.Quantity = 0 }, "bad_quantity"},
		"half a pack":           {func(l *counter.FormLine) { l.Quantity = movement.QuantityScale / 2 }, "bad_quantity"},
		"a wrong digit":         {func(l *counter.FormLine) { l.Text = "4012345678902" }, "check_digit"},
		"a name for a product":  {func(l *counter.FormLine) { l.Text, l.Person = "Mustermann", true }, "no_product"},
		"a patient's plan":      {func(l *counter.FormLine) { l.Text = "<MP v='025'><P g='Erika'/></MP>" }, gs1.CodePersonal},
		"another lot than read": {func(l *counter.FormLine) { l.Text, l.Lot = lotted, "XYZ" }, "lot_differs"},
		"line 1 once more":      {func(l *counter.FormLine) { l.Line = 1 }, "line_typed"},
	} {
		l := c.formLine(2, other, "", 1)
		x.spoil(&l)
		if _, err := c.desk.TypeIn(t.Context(), id, l); fault.CodeOf(err) != x.code {
			t.Errorf("%s: %v, want %s", name, err, x.code)
		}
	}
	l := c.formLine(2, other, "", 1)
	l.At, l.Sure = c.now.Add(-72*time.Hour), true
	changed := c.formLine(1, other, "", 5)
	changed.Change = true
	c.typeIn(id, l, changed)
	c.confirmForm(id)
	if got, want := c.onForms(), "1 dispense 4012345678918/=5, 2 dispense 4012345678918/=1"; got != want {
		t.Errorf("recorded %s, want %s", got, want)
	}
	for _, order := range []string{"P00018", "NO-SUCH"} {
		if _, _, err := c.desk.OpenForm(t.Context(), n, order); err == nil {
			t.Errorf("a form of what was handed out is of %s", order)
		}
	}
}

// What a line says of a product that nobody knows is all there is to find it by:
// when it was typed in wrongly and is changed, the new words count.
func TestTheWordsOfALineCanBeChanged(t *testing.T) {
	c := openWith(t, t.TempDir(), known())
	defer func() { c.store.Close() }()
	id := c.openForm(paper.NewNumber(paper.Receipt), "")
	wrong := c.formLine(1, "Amoxicillin 500 mg", "N1", 1)
	wrong.Person = true
	c.typeIn(id, wrong)
	right := c.formLine(1, "Amlodipin 5 mg", "N1", 1)
	right.Person, right.Change = true, true
	a := c.typeIn(id, right)
	c.confirmForm(id)
	for _, m := range c.movements() {
		if m.Source.Raw != "Amlodipin 5 mg" {
			t.Errorf("recorded %q, and the branch was told %q (%s)", m.Source.Raw, a.Text, a.Sound)
		}
	}
}
