package receive

import (
	"fmt"
	"strings"
	"testing"

	"branchline/agent/scan"
	"branchline/internal/movement"
)

// Every case is also run with the agent ended and started between any two
// scans: it must make no difference.
func TestDesk(t *testing.T) {
	const g = "4012345678901"
	cases := map[string]struct {
		scans    string // code>sound/reason, separated by spaces
		recorded string
		open     int
	}{
		"a delivery":                              {"P00017>ok " + plain + ">ok " + serial + ">ok BL-CONFIRM>ok", "P00017 " + g + "//=1, P00017 " + g + "/ABC/S1=1", 0},
		"not confirmed yet":                       {"P00017>ok " + plain + ">ok", "", 1},
		"with AIM identifiers":                    {"]C0P00017>ok ]E0" + plain + ">ok ]C0BL-CONFIRM>ok", "P00017 " + g + "//=1", 0},
		"a delivery note":                         {"BR01/IN/00042>ok " + plain + ">ok BL-CONFIRM>ok", "BR01/IN/00042 " + g + "//=1", 0},
		"quantity":                                {"P00017>ok " + plain + ">ok BL-QTY-6>ok " + other + ">ok BL-CONFIRM>ok", "P00017 " + g + "//=6, P00017 4012345678918//=1", 0},
		"quantity set anew":                       {"P00017>ok " + plain + ">ok BL-QTY-6>ok BL-QTY-4>ok BL-CONFIRM>ok", "P00017 " + g + "//=4", 0},
		"quantity of a case":                      {"P00017>ok ]C10204012345678901" + "3712>ok BL-QTY-3>ok BL-CONFIRM>ok", "P00017 " + g + "//=36", 0},
		"quantity of a serial":                    {"P00017>ok " + serial + ">ok BL-QTY-2>refused/serial_with_count BL-QTY-1>ok BL-CONFIRM>ok", "P00017 " + g + "/ABC/S1=1", 0},
		"quantity of nothing":                     {"P00017>ok BL-QTY-2>refused/nothing_scanned", "", 1},
		"quantity that is none":                   {"P00017>ok " + plain + ">ok BL-QTY-0>refused/bad_quantity BL-QTY-x>refused/unknown_command BL-QTY-999999>refused/unknown_command", "", 1},
		"undo":                                    {"P00017>ok " + plain + ">ok " + other + ">ok BL-UNDO>ok BL-CONFIRM>ok", "P00017 " + g + "//=1", 0},
		"undo to the start":                       {"P00017>ok " + plain + ">ok BL-UNDO>ok BL-UNDO>refused/nothing_to_undo BL-CONFIRM>refused/nothing_scanned", "", 1},
		"undone serial again":                     {"P00017>ok " + serial + ">ok BL-UNDO>ok " + serial + ">ok BL-CONFIRM>ok", "P00017 " + g + "/ABC/S1=1", 0},
		"serial twice":                            {"P00017>ok " + serial + ">ok " + serial + ">warn/serial_twice BL-CONFIRM>ok", "P00017 " + g + "/ABC/S1=1", 0},
		"lot with two expiries":                   {"P00017>ok " + lotted + ">ok " + later + ">warn/conflicting_expiry BL-CONFIRM>ok", "P00017 !conflicting_expiry, P00017 !conflicting_expiry", 0},
		"two expiries, one undone":                {"P00017>ok " + lotted + ">ok " + lotted + ">ok " + later + ">warn/conflicting_expiry BL-UNDO>ok BL-CONFIRM>ok", "P00017 " + g + "/ABC/=1, P00017 " + g + "/ABC/=1", 0},
		"two expiries, right undone":              {"P00017>ok " + lotted + ">ok b:P00017>ok b:" + later + ">warn/conflicting_expiry " + later + ">warn/conflicting_expiry b:BL-UNDO>ok BL-UNDO>ok BL-CONFIRM>ok", "P00017 " + g + "/ABC/=1", 0},
		"two expiries, counted":                   {"P00017>ok " + lotted + ">ok " + later + ">warn/conflicting_expiry BL-QTY-5>ok BL-CONFIRM>ok", "P00017 !conflicting_expiry, P00017 !conflicting_expiry", 0},
		"three expiries, one undone":              {"P00017>ok " + lotted + ">ok " + later + ">warn/conflicting_expiry " + latest + ">warn/conflicting_expiry BL-UNDO>ok BL-CONFIRM>ok", "P00017 !conflicting_expiry, P00017 !conflicting_expiry", 0},
		"two expiries, other lots":                {"P00017>ok " + lotted + ">ok " + plain + ">ok " + later + ">warn/conflicting_expiry ]d20104012345678918" + "17280131" + "10ABC>ok BL-CONFIRM>ok", "P00017 !conflicting_expiry, P00017 " + g + "//=1, P00017 !conflicting_expiry, P00017 4012345678918/ABC/=1", 0},
		"two expiries in a count":                 {"count:" + lotted + ">ok count:" + later + ">warn/conflicting_expiry count:BL-CONFIRM>ok", "count@20261123T090002.000Z !conflicting_expiry, count@20261123T090002.000Z !conflicting_expiry", 0},
		"expired":                                 {"P00017>ok ]d20104012345678901" + "17250131" + "10OLD>warn/expired BL-CONFIRM>ok", "P00017 " + g + "/OLD/=1", 0},
		"unreadable":                              {"P00017>ok 4012345678902>warn/check_digit " + plain + ">ok BL-CONFIRM>ok", "P00017 !check_digit, P00017 " + g + "//=1", 0},
		"quantity of an unreadable":               {"P00017>ok " + lotted + ">ok " + unreadable + ">warn/check_digit BL-QTY-9>refused/last_scan_missed " + other + ">ok BL-QTY-2>ok BL-CONFIRM>ok", "P00017 !check_digit, P00017 " + g + "/ABC/=1, P00017 4012345678918//=2", 0},
		"undo of an unreadable":                   {"P00017>ok " + lotted + ">ok " + unreadable + ">warn/check_digit BL-UNDO>refused/last_scan_missed BL-CONFIRM>ok", "P00017 !check_digit, P00017 " + g + "/ABC/=1", 0},
		"undo asked twice":                        {"P00017>ok " + lotted + ">ok " + other + ">ok " + unreadable + ">warn/check_digit BL-UNDO>refused/last_scan_missed BL-UNDO>ok BL-QTY-3>ok BL-CONFIRM>ok", "P00017 !check_digit, P00017 " + g + "/ABC/=3", 0},
		"undo, then a quantity":                   {"P00017>ok " + lotted + ">ok " + unreadable + ">warn/check_digit BL-UNDO>refused/last_scan_missed BL-QTY-9>refused/last_scan_missed BL-QTY-9>ok BL-CONFIRM>ok", "P00017 !check_digit, P00017 " + g + "/ABC/=9", 0},
		"quantity of an unreadable, first of all": {"P00017>ok " + unreadable + ">warn/check_digit BL-QTY-9>refused/nothing_scanned", "P00017 !check_digit", 1},
		"another's unreadable":                    {"a:P00017>ok b:P00017>ok a:" + lotted + ">ok b:" + unreadable + ">warn/check_digit a:BL-QTY-9>ok a:BL-CONFIRM>ok", "P00017 !check_digit, P00017 " + g + "/ABC/=9", 0},
		"reason after an unreadable":              {"P00017>ok " + lotted + ">ok " + unreadable + ">warn/check_digit BL-DAMAGED-BROKEN>refused/last_scan_missed", "P00017 !check_digit", 1},
		"quantity after a refused":                {"P00017>ok " + serial + ">ok " + lotted + ">ok " + serial + ">warn/serial_twice BL-QTY-9>refused/last_scan_missed", "", 1},
		"quantity after a patient":                {"P00017>ok " + lotted + ">ok ]C18018123456789012345675>refused/personal_code BL-QTY-9>refused/last_scan_missed", "", 1},
		"two codes of a pack":                     {"P00017>ok " + hibcFirst + ">ok " + hibcSecond + ">warn/expired BL-CONFIRM>ok", "P00017 +A123BJC5D6E71/10X3/=1", 0},
		"a second code twice":                     {"P00017>ok " + hibcFirst + ">ok " + hibcSecond + ">warn/expired " + hibcSecond + ">warn/expired BL-CONFIRM>ok", "P00017 +A123BJC5D6E71/10X3/=1", 0},
		"another pack's second code":              {"P00017>ok " + lotted + ">ok " + hibcSecond + ">warn/not_trade_item BL-CONFIRM>ok", "P00017 !not_trade_item, P00017 " + g + "/ABC/=1", 0},
		"a second code after an unreadable":       {"P00017>ok " + hibcFirst + ">ok " + unreadable + ">warn/check_digit " + hibcSecond + ">warn/not_trade_item", "P00017 !check_digit, P00017 !not_trade_item", 1},
		"a second code that links elsewhere":      {"P00017>ok +A999123457>ok " + hibcSecond + ">warn/not_trade_item", "P00017 !not_trade_item", 1},
		"a second code of another lot":            {"P00017>ok +A123BJC5D6E71/$99XH>ok " + hibcSecond + ">warn/not_trade_item", "P00017 !not_trade_item", 1},
		"a second code first":                     {"P00017>ok " + hibcSecond + ">warn/not_trade_item " + hibcFirst + ">ok", "P00017 !not_trade_item", 1},
		"no session":                              {plain + ">warn/no_open_delivery BL-CONFIRM>refused/no_open_delivery BL-UNDO>refused/no_open_delivery", "!no_open_delivery", 0},
		"confirmed twice":                         {"P00017>ok " + plain + ">ok BL-CONFIRM>ok BL-CONFIRM>refused/no_open_delivery", "P00017 " + g + "//=1", 0},
		"the same order again":                    {"P00017>ok " + plain + ">ok BL-CONFIRM>ok P00017>ok " + plain + ">ok BL-CONFIRM>ok", "P00017 " + g + "//=1, P00017 " + g + "//=1", 0},
		"opened twice":                            {"P00017>ok P00017>ok", "", 1},
		"another while open":                      {"P00017>ok " + plain + ">ok P00018>refused/another_open BL-CONFIRM>ok P00018>ok", "P00017 " + g + "//=1", 1},
		"cancel, nothing in it":                   {"P00017>ok BL-CANCEL>ok", "", 0},
		"two stations, two":                       {"a:P00017>ok b:P00018>ok a:" + plain + ">ok b:" + other + ">ok b:BL-CONFIRM>ok", "P00018 4012345678918//=1", 1},
		"two stations, one":                       {"a:P00017>ok b:P00017>ok a:" + plain + ">ok b:" + other + ">ok a:BL-UNDO>ok b:BL-CONFIRM>ok a:BL-CONFIRM>refused/no_open_delivery", "P00017 4012345678918//=1", 0},
		"unknown command":                         {"P00017>ok BL-DANCE>refused/unknown_command", "", 1},
		"about a person":                          {"P00017>ok ]C18018123456789012345675>refused/personal_code", "", 1},
		"a count":                                 {"count:" + plain + ">ok count:" + other + ">ok count:" + plain + ">ok count:BL-QTY-3>ok count:BL-CONFIRM>ok", "count@20261123T090002.000Z " + g + "//=4, count@20261123T090002.000Z 4012345678918//=1", 0},
	}
	for name, c := range cases {
		for _, restarts := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, restarts %v", name, restarts), func(t *testing.T) {
				d := open(t, t.TempDir())
				defer func() { d.store.Close() }()
				for _, s := range strings.Fields(c.scans) {
					code, want, _ := strings.Cut(s, ">")
					a := d.scan(code)
					got := a.Sound.String()
					if a.Code != "" {
						got += "/" + a.Code
					}
					if got != want {
						t.Errorf("%q answered %s (%s), want %s", code, got, a.Text, want)
					}
					if restarts {
						d.restart()
					}
				}
				if got := d.recorded(); got != c.recorded {
					t.Errorf("recorded %q, want %q", got, c.recorded)
				}
				if n := len(d.desk.Sessions()); n != c.open {
					t.Errorf("%d sessions are open, want %d", n, c.open)
				}
			})
		}
	}
}

func TestCancelIsAskedTwice(t *testing.T) {
	c := open(t, t.TempDir())
	defer c.store.Close()
	c.scan("P00017")
	c.scan(plain)
	if a := c.scan("BL-CANCEL"); a.Code != "cancel_again" {
		t.Fatalf("answered %+v", a)
	}
	c.now = c.now.Add(cancelWithin)
	if a := c.scan("BL-CANCEL"); a.Code != "cancel_again" {
		t.Fatalf("too late, answered %+v", a)
	}
	if a := c.scan("BL-CANCEL"); a.Sound != scan.OK || len(c.desk.Sessions()) != 0 {
		t.Fatalf("answered %+v", a)
	}
	c.restart()
	if got := c.movements(); len(c.desk.Sessions()) != 0 || len(got) != 1 || !got[0].Settles.Dismissed {
		t.Error("what was cancelled came back", got)
	}
}

// A confirmed session is one group, whose movements say where they come from.
func TestConfirmedGroup(t *testing.T) {
	c := open(t, t.TempDir())
	defer c.store.Close()
	for _, s := range []string{"P00017", lotted, "BL-QTY-2", plain, "BL-CONFIRM"} {
		c.scan(s)
	}
	got := c.movements()
	if len(got) != 2 {
		t.Fatalf("recorded %+v", got)
	}
	for _, m := range got {
		if m.Kind != movement.Receipt || m.Group != got[0].Group || m.Group.Size != 2 || m.Document != (movement.Document{Type: "order", Ref: "P00017"}) || m.By != "AB" || m.Source.Adapter != "front" {
			t.Errorf("recorded %+v", m)
		}
	}
	if got[0].Source.Raw != lotted || got[0].ExpiryRaw != "280131" || got[0].NaturalKey == got[1].NaturalKey {
		t.Errorf("recorded %+v", got[0])
	}
}
