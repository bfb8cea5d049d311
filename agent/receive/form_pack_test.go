package receive

import (
	"strings"
	"testing"
	"time"

	"branchline/agent/scan"
	"branchline/internal/paper"
)

// pen is a pack with a serial number.
const pen = "]d201" + "04012345678925" + "21S1"

// A pack with a serial number leaves once, whether it was scanned or written down;
// the other time goes to a person.
func TestAPackThatWasScannedAndWrittenDown(t *testing.T) {
	for _, order := range []string{"scan form", "form scan", "form form", "scan form again", "form again", "form scan again"} {
		t.Run(order, func(t *testing.T) {
			c := openWith(t, t.TempDir(), known())
			defer func() { c.store.Close() }()
			var n paper.Number
			type1 := func() {
				id := c.openForm(n, "")
				c.typeIn(id, c.formLine(1, pen, "", 1))
				c.confirmForm(id)
			}
			start := c.now
			for _, how := range strings.Fields(order) {
				switch how {
				case "scan":
					c.do(scan.Dispense, pen)
					c.do(scan.Dispense, "BL-CONFIRM")
				case "form":
					c.now = start.Add(3 * time.Hour)
					n = paper.NewNumber(paper.Dispense)
					type1()
				case "again":
					type1()
				}
			}
			counted, asked := 0, 0
			for _, m := range c.movements() {
				switch {
				case m.Serial != "S1":
				case m.Problem == nil:
					counted++
				default:
					asked++
				}
			}
			want := 1
			if order == "form again" {
				want = 0
			}
			if counted != 1 || asked != want {
				t.Errorf("the pack left %d times, and a person was asked %d times, want 1 and %d", counted, asked, want)
			}
		})
	}
}

// A line that was recorded as one pack and is typed in again as another goes to a
// person: one of them did not leave.
func TestALineOfAFormThatWasAnotherPack(t *testing.T) {
	c := openWith(t, t.TempDir(), known())
	defer func() { c.store.Close() }()
	n := paper.NewNumber(paper.Dispense)
	for _, pack := range []string{pen, strings.Replace(pen, "21S1", "21S2", 1), other} {
		id := c.openForm(n, "")
		c.typeIn(id, c.formLine(1, pack, "", 1))
		c.confirmForm(id)
	}
	var said []string
	for _, m := range c.movements() {
		code := ""
		if m.Problem != nil {
			code = m.Problem.Code
		}
		said = append(said, m.Serial+":"+code)
	}
	if got, want := strings.Join(said, " "), "S1: S2:conflicting_repeat :conflicting_repeat"; got != want {
		t.Errorf("recorded %s, want %s", got, want)
	}
}

// Other words of a product that nobody knows are another content, also when the form is
// typed in again after it was confirmed.
func TestOtherWordsOfAFormThatIsTypedInAgain(t *testing.T) {
	c := openWith(t, t.TempDir(), known())
	defer func() { c.store.Close() }()
	n := paper.NewNumber(paper.Receipt)
	for i, words := range []string{"Amoxicillin 500 mg", "Amlodipin 5 mg", "Amlodipin 5 mg", "Amoxicillin 500 mg"} {
		id := c.openForm(n, "")
		l := c.formLine(1, words, "N1", 1)
		l.Person = true
		c.typeIn(id, l)
		if r := c.confirmForm(id); r.Differ != []int{0, 1, 0, 0}[i] || r.Again != []int{0, 0, 1, 1}[i] {
			t.Errorf("%d, %s: again %d, differ %d", i, words, r.Again, r.Differ)
		}
	}
	if n := len(c.movements()); n != 2 {
		t.Errorf("%d recorded: %s", n, c.onForms())
	}
}

// Which line was which pack is kept as long as the form can be typed in.
func TestLinesOfOldFormsAreForgotten(t *testing.T) {
	c := openWith(t, t.TempDir(), known())
	id := c.openForm(paper.NewNumber(paper.Dispense), "")
	c.typeIn(id, c.formLine(1, pen, "", 1))
	c.confirmForm(id)
	for _, after := range []struct{ days, want int }{{366, 1}, {401, 0}} {
		begun := c.now
		c.now = begun.AddDate(0, 0, after.days)
		if err := c.desk.forgetPackLines(t.Context()); err != nil {
			t.Fatal(err)
		}
		c.now = begun
		n := 0
		for range c.store.Notes(packLineSpace, "") {
			n++
		}
		if n != after.want {
			t.Errorf("after %d days %d are kept, want %d", after.days, n, after.want)
		}
	}
	c.store.Close()
}
