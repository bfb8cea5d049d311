package receive

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"branchline/agent/counter"
	"branchline/agent/scan"
	"branchline/internal/feed"
	"branchline/internal/movement"
)

// placed says of each scan of a receipt which movement it is, as that stands in
// the outbox.
func (c *rig) placed(id string) string {
	c.t.Helper()
	c.restart()
	r, err := c.desk.Receipt(id)
	if err != nil {
		c.t.Fatal(err)
	}
	list := c.movements()
	var all []string
	for _, l := range r.Lines {
		for _, e := range l.Entries {
			if e.Seq < r.First || e.Seq > r.Through || int(e.Seq) > len(list) {
				c.t.Errorf("scan %d is movement %d of %d to %d", e.Number, e.Seq, r.First, r.Through)
				continue
			}
			m := list[e.Seq-1]
			code := ""
			if m.Problem != nil {
				code = " !" + m.Problem.Code
			}
			all = append(all, fmt.Sprintf("#%d own %s: %s %s%s%s", e.Number, e.Own, m.Quantity, m.Lot, m.Serial, code))
		}
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}

// A receipt knows of each scan which movement it has become.
func TestAReceiptKnowsItsMovements(t *testing.T) {
	d := openWith(t, t.TempDir(), known())
	defer func() { d.store.Close() }()
	confirm := func(want string) {
		t.Helper()
		id := d.desk.Sessions()[0].ID
		if _, err := d.desk.Confirm(t.Context(), id, "AB"); err != nil {
			t.Fatal(err)
		}
		if got := d.placed(id); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	}
	for _, s := range []string{"P00017", other, lotted, caseOf12, "BL-PERSON", later, "BL-UNDO", unreadable, lotted} {
		d.step(s)
	}
	confirm("#1 own 1: 1 \n#2 own 1: 1 ABC\n#3 own 12: 1  !lot_needed\n#4 own 1: 1 ABC")

	// What was counted is summed.
	for _, s := range []string{lotted, other, lotted, later} {
		d.scan("count:" + s)
	}
	confirm("#1 own 1: 2 ABC !conflicting_expiry\n#2 own 1: 1 \n#3 own 1: 2 ABC !conflicting_expiry\n#4 own 1: 1 ABC !conflicting_expiry")
}

// A pack that had left before is the movement that tells so.
func TestAReceiptKnowsTheSerialThatLeftBefore(t *testing.T) {
	d := dispensing(t)
	defer func() { d.store.Close() }()
	d.hand(scan.Dispense, serial)
	id, _, err := d.desk.Open(t.Context(), scan.Dispense, movement.Document{}, "front")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{early, serial, serial[:len(serial)-1] + "2"} {
		d.hand(scan.Dispense, s)
	}
	if _, err := d.desk.Confirm(t.Context(), id, "AB"); err != nil {
		t.Fatal(err)
	}
	if got, want := d.placed(id), "#1 own 1: 1 EAR\n#2 own 1: 1 ABCS1 !serial_again\n#3 own 1: 1 ABCS2"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// That Odoo is not ready stands on the open session until it is.
func TestNotReadyLasts(t *testing.T) {
	ref := known()
	ref.Expected[0].Ready = false
	d := openWith(t, t.TempDir(), ref)
	defer func() { d.store.Close() }()
	d.scan("P00017")
	d.scan(other)
	d.restart()
	view := func() counter.View {
		v, err := d.desk.View(d.desk.Sessions()[0].ID)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	if v := view(); !v.NotReady || !v.Checked {
		t.Errorf("%+v", v.Work)
	}
	ref.Expected = []feed.Delivery{ref.Expected[0]}
	ref.Expected[0].Ready, ref.At = true, ref.At.Add(time.Minute)
	d.scan(other)
	if v := view(); v.NotReady {
		t.Errorf("%+v", v.Work)
	}
}
