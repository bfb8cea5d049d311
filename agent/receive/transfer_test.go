package receive

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"branchline/agent/capture"
	"branchline/agent/counter"
	"branchline/agent/scan"
	"branchline/internal/feed"
	"branchline/internal/movement"
)

// chain is a desk of a branch that knows two others.
func chain(t *testing.T, own string) *rig {
	ref := known()
	ref.Others = []feed.Branch{{Code: "BR02", Name: "Northgate"}, {Code: "BR03"}}
	d := openWith(t, t.TempDir(), ref)
	d.desk.Branch = own
	d.singles = capture.Direct{Store: d.store}
	d.desk.Single = d.singles
	return d
}

func (c *rig) again(own string) {
	c.restart()
	c.singles = capture.Direct{Store: c.store}
	c.desk.Branch, c.desk.Single = own, c.singles
}

// A transfer is told step by step, with a restart in the middle.
func TestTransfers(t *testing.T) {
	const number = "BR02/BR01/T261123-090000"
	for name, c := range map[string]struct {
		p     scan.Purpose
		steps []string
		want  string
	}{
		"sent from the page": {scan.TransferOut, []string{"open BR02 = ok: Transfer to Northgate (BR02) is open", "scan " + early + " = ok", "restart",
			"scan " + lotted + " = warn other_lot_first", "scan BL-QTY-3 = ok", "confirm"},
			"transfer_out BR02 BR01/BR02/T261123-100000 EAR 1 of 2, transfer_out BR02 BR01/BR02/T261123-100000 ABC 3 of 2"},
		"sent by scans alone": {scan.TransferOut, []string{"scan BL-BRANCH-BR03 = ok: transfer to BR03 is open", "scan " + early + " = ok", "scan BL-BRANCH-BR03 = ok",
			"scan " + expired + " = warn expired", "scan BL-UNDO = ok", "restart", "scan BL-CONFIRM = ok"},
			"transfer_out BR03 BR01/BR03/T261123-100002 EAR 1 of 1"},
		"nobody said where": {scan.TransferOut, []string{"scan " + early + " = refused no_branch", "scan BL-CONFIRM = refused no_branch",
			"scan BL-BRANCH-BR09 = refused unknown_branch", "scan BL-BRANCH-BR01 = refused unknown_branch", "open BR09 = unknown_branch", "begin session = no_branch"}, ""},
		"another is open": {scan.TransferOut, []string{"open BR02 = ok", "scan BL-BRANCH-BR03 = refused another_open"}, ""},
		"what cannot be read": {scan.TransferOut, []string{"open BR02 = ok", "scan 01234567890 = warn"},
			"transfer_out BR02 BR01/BR02/T261123-100000 !"},
		"taken in by its number": {scan.TransferIn, []string{"scan " + number + " = ok: transfer from Northgate (BR02) is open", "scan " + early + " = ok", "restart",
			"scan " + number + " = ok", "confirm", "scan " + number + " = warn transfer_received: scan only what was not counted then", "begin transfer " + number + " = ok"},
			"transfer_in BR02 " + number + " EAR 1 of 1"},
		"thrown away, then taken in": {scan.TransferIn, []string{"begin transfer " + number + " = ok", "scan " + early + " = ok", "cancel", "scan " + number + " = ok"},
			"!thrown_away"},
		"taken in by its sender": {scan.TransferIn, []string{"open BR03 = ok: transfer from BR03 is open", "scan " + early + " = ok", "confirm"},
			"transfer_in BR03 session EAR 1 of 1"},
		"sent to another branch": {scan.TransferIn, []string{"scan BR02/BR03/T261123-090000 = warn other_branch: but it was sent to BR03", "scan " + early + " = ok", "confirm"},
			"transfer_in BR02 BR02/BR03/T261123-090000 EAR 1 of 1"},
		"sent by itself": {scan.TransferIn, []string{"scan BR01/BR02/T261123-090000 = refused own_transfer", "begin transfer nonsense = bad_document"}, ""},
		"the rest comes later": {scan.TransferIn, []string{"scan " + number + " = ok", "scan " + early + " = ok", "confirm", "scan " + number + " = warn transfer_received", "scan " + lotted + " = ok", "confirm"},
			"transfer_in BR02 " + number + " EAR 1 of 1, transfer_in BR02 " + number + " ABC 1 of 1"},
		"packs after a number that was refused": {scan.TransferIn, []string{"scan BR01/BR02/T261123-090000 = refused own_transfer", "scan " + early + " = refused no_branch: not counted"}, ""},
		"packs of another box": {scan.TransferIn, []string{"scan " + number + " = ok", "scan " + early + " = ok", "scan BR03/BR01/T261123-090000 = refused another_open", "scan " + lotted + " = refused held",
			"scan " + number + " = ok", "scan " + lotted + " = ok", "scan BR03/BR01/T261123-090000 = refused another_open", "scan BL-CONFIRM = ok", "scan " + lotted + " = refused no_branch",
			"scan BR03/BR01/T261123-090000 = ok", "scan " + lotted + " = ok"}, "transfer_in BR02 " + number + " EAR 1 of 2, transfer_in BR02 " + number + " ABC 1 of 2"},
		"a number elsewhere":      {scan.Receive, []string{"scan " + number + " = refused transfer_number"}, ""},
		"a number where it sends": {scan.TransferOut, []string{"open BR02 = ok", "scan " + number + " = refused transfer_number", "begin transfer " + number + " = no_session"}, ""},
		"a branch elsewhere":      {scan.Count, []string{"scan BL-BRANCH-BR02 = refused not_here"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			d := chain(t, "BR01")
			defer func() { d.store.Close() }()
			for _, s := range c.steps {
				what, want, _ := strings.Cut(s, " = ")
				if got := d.transferStep(c.p, what); !said(got, want) {
					t.Fatalf("%s: %s, want %s", what, got, want)
				}
			}
			if got := d.transferred(); got != c.want {
				t.Errorf("recorded\n%s, want\n%s", got, c.want)
			}
		})
	}
}

// said tells whether an answer begins with what is wanted, and has its words.
func said(got, want string) bool {
	begin, words, _ := strings.Cut(want, ": ")
	return strings.HasPrefix(got, begin) && strings.Contains(strings.ToLower(got), strings.ToLower(words))
}

func (c *rig) transferStep(p scan.Purpose, step string) string {
	c.t.Helper()
	what, rest, _ := strings.Cut(step, " ")
	answered := func(a scan.Answer, err error) string {
		if err != nil {
			return scan.Refuse(err).Code
		}
		return strings.TrimSpace(a.Sound.String()+" "+a.Code) + " " + a.Text
	}
	ctx := context.Background()
	id := ""
	if list := c.desk.Work(p); len(list) > 0 {
		id = list[0].ID
	}
	switch what {
	case "restart":
		c.again("BR01")
	case "open":
		_, a, err := c.desk.OpenTransfer(ctx, p, rest, "front")
		return answered(a, err)
	case "begin":
		kind, ref, _ := strings.Cut(rest, " ")
		if kind == "session" {
			kind = ""
		}
		_, a, err := c.desk.Open(ctx, p, movement.Document{Type: kind, Ref: ref}, "front")
		return answered(a, err)
	case "scan":
		return answered(c.hand(p, rest), nil)
	case "confirm":
		_, err := c.desk.Confirm(ctx, id, "AB")
		if err != nil {
			c.t.Fatal(err)
		}
	case "cancel":
		if err := c.desk.Cancel(ctx, id, "AB", "wrong box"); err != nil {
			c.t.Fatal(err)
		}
	}
	return ""
}

// transferred is what was recorded, as "kind other-branch document lot quantity of
// the group's size".
func (c *rig) transferred() string {
	var list []string
	for _, m := range c.movements() {
		if m.Settles != (movement.Settlement{}) {
			list = append(list, "!thrown_away")
			continue
		}
		ref := m.Document.Ref
		if m.Document.Type == "session" {
			ref = "session"
		}
		w := fmt.Sprintf("%s %s %s", m.Kind, m.Counterpart, ref)
		if m.Problem != nil {
			w += " !"
		} else {
			w += fmt.Sprintf(" %s %s of %d", m.Lot, m.Quantity, m.Group.Size)
		}
		list = append(list, w)
	}
	return strings.Join(list, ", ")
}

// Two transfers to one branch that are begun within a second have two numbers, and
// each is found again by its own.
func TestEachTransferHasItsNumber(t *testing.T) {
	d := chain(t, "BR01")
	defer func() { d.store.Close() }()
	first, _, err := d.desk.OpenTransfer(t.Context(), scan.TransferOut, "BR02", "front")
	if err != nil {
		t.Fatal(err)
	}
	second, _, err := d.desk.OpenTransfer(t.Context(), scan.TransferOut, "BR02", "back")
	if err != nil {
		t.Fatal(err)
	}
	v, err := d.desk.View(second)
	if err != nil || first == second || v.Document.Ref != "BR01/BR02/T261123-100001" || v.Counterpart != "BR02" || v.Partner != "Northgate (BR02)" {
		t.Errorf("%+v, %v", v.Work, err)
	}
	if id, _, err := d.desk.Open(t.Context(), scan.TransferOut, v.Document, "front"); err != nil || id != second {
		t.Errorf("joined %s, %v", id, err)
	}
}

// A transfer that no record can hold goes to a person as one.
func TestATransferThatCannotBeRecorded(t *testing.T) {
	d := chain(t, "BR01")
	defer func() { d.store.Close() }()
	id, _, err := d.desk.OpenTransfer(t.Context(), scan.TransferOut, "BR02", "front")
	if err != nil {
		t.Fatal(err)
	}
	d.hand(scan.TransferOut, early)
	s, err := d.desk.session(id)
	if err != nil {
		t.Fatal(err)
	}
	s.Entries[0].Item.Lot = strings.Repeat("X", 5000)
	if _, err := d.desk.Confirm(t.Context(), id, "AB"); err != nil {
		t.Fatal(err)
	}
	list := d.movements()
	if len(list) != 1 || list[0].Problem == nil || list[0].Counterpart != "BR02" {
		t.Errorf("%+v", list)
	}
}

var _ counter.Desk = (*Desk)(nil)

// A scanner that sends to, or takes in from, one other branch counts nothing without a
// box's number: what is sent has one from its first pack on.
func TestAScannerOfOneOtherBranch(t *testing.T) {
	for p, want := range map[scan.Purpose]string{
		scan.TransferOut: "ok, ok, ok; transfer_out BR02 BR01/BR02/T261123-100004 EAR 1 of 2, transfer_out BR02 BR01/BR02/T261123-100004 EAR 1 of 2",
		scan.TransferIn:  "refused no_box, refused no_box, refused no_open_delivery; ",
	} {
		d := chain(t, "BR01")
		var said []string
		for _, text := range []string{early, early, "BL-CONFIRM"} {
			d.now = d.now.Add(2 * time.Second)
			s := d.read(text)
			s.Purpose, s.Counterpart = p, "BR02"
			a, err := d.desk.Scan(t.Context(), s)
			if err != nil {
				t.Fatal(err)
			}
			said = append(said, strings.TrimSpace(a.Sound.String()+" "+a.Code))
		}
		if got := strings.Join(said, ", ") + "; " + d.transferred(); got != want {
			t.Errorf("%s: %s\nwant %s", p, got, want)
		}
		d.store.Close()
	}
}
