package receive

import (
	"strings"
	"testing"

	"branchline/internal/movement"
)

func TestNumbersInWords(t *testing.T) {
	for n, want := range map[int64]string{0: "zero", 3: "three", 13: "thirteen", 30: "thirty", 42: "forty-two", 100: "one hundred", 310: "three hundred ten",
		1000: "one thousand", 30_000: "thirty thousand", 999_999: "nine hundred ninety-nine thousand nine hundred ninety-nine", 1_000_000: "", -1: ""} {
		if got := inWords(movement.Units(n)); got != want {
			t.Errorf("%d is %q, want %q", n, got, want)
		}
	}
	if got := inWords(movement.Units(1) / 2); got != "" {
		t.Errorf("a half is %q", got)
	}
}

// The question names both numbers in figures and in words, and a scanner is told
// which barcodes answer it.
func TestManyTimesTheOrderIsAskedAbout(t *testing.T) {
	d := openWith(t, t.TempDir(), known())
	defer d.store.Close()
	d.scan("P00017")
	d.scan(lotted)
	const want = "Paracetamol: 200 packs (two hundred) scanned, and 20 packs (twenty) still expected. Did 200 really come?"
	if a := d.scan("BL-QTY-200"); a.Text != want {
		t.Errorf("%q", a.Text)
	}
	if a := d.scan("BL-CONFIRM"); !strings.Contains(a.Text, want) || !strings.Contains(a.Text, "BL-ACCEPT if they came") {
		t.Errorf("%q", a.Text)
	}
	d.desk.cfg.AskOver = 0
	if a := d.scan("BL-QTY-201"); a.Code != OverOrdered {
		t.Errorf("%+v", a)
	}
	d.desk.cfg.AskOver = 3
	d.scan("BL-ACCEPT")
	d.scan("BL-CONFIRM")
	if list := d.movements(); len(list) != 1 || list[0].Reason != "accepted by AB: over_ordered, far_over_ordered" {
		t.Errorf("%+v", list)
	}
}
