package receive

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"branchline/agent/counter"
	"branchline/agent/reference"
	"branchline/agent/scan"
	"branchline/internal/fault"
	"branchline/internal/feed"
	"branchline/internal/movement"
)

const (
	caseOf12 = "]I0" + "14012345678908"
	insulin  = "4012345678925"
	old      = "4012345678932"
	stranger = "4012345678949"
	early    = "]d20104012345678901" + "17270331" + "10EAR"
	expired  = "]d20104012345678901" + "17250131" + "10OLD"
	soon     = "]d20104012345678901" + "17261224" + "10SOO"
	bare     = "]d20104012345678901" + "10NEW"
)

func gtin(code string) movement.Product {
	return movement.Product{Scheme: movement.GTIN, Code: feed.GTIN14(code)}
}

func day(s string) movement.Date {
	d, err := movement.ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}

// known is a branch that knows a few things: a product by lots that comes in
// cases of twelve, plasters, insulin by serials, one that is archived.
func known() *reference.Memory {
	return &reference.Memory{
		Catalogue: []feed.Product{
			{Key: "p1", Name: "Paracetamol", Barcode: plain, Packs: []feed.Pack{{GTIN: caseOf12[3:], Units: movement.Units(12)}},
				Tracking: feed.ByLot, Expires: true, Unit: "packs"},
			{Key: "p2", Name: "Plasters", Barcode: other, Tracking: feed.ByQuantity, Unit: "packs"},
			{Key: "p3", Name: "Insulin", Barcode: insulin, Tracking: feed.BySerial, Unit: "pens"},
			{Key: "p4", Name: "Old syrup", Barcode: old, Tracking: feed.ByQuantity, Unit: "bottles", Archived: true},
		},
		Expected: []feed.Delivery{{Key: "d1", Name: "BR01/IN/00042", Order: "P00017", Partner: "Wholesale", Reference: "NOTE-7", Ready: true, Lines: []feed.DeliveryLine{
			{Product: "p1", Name: "Paracetamol", Code: gtin(plain), Ordered: movement.Units(30), Received: movement.Units(10), Unit: "packs"},
			{Product: "p2", Name: "Plasters", Code: gtin(other), Ordered: movement.Units(2), Unit: "packs"},
			{Product: "p9", Name: "New thing", Code: gtin(stranger), Ordered: movement.Units(1), Unit: "packs"},
		}}},
		OnHand: []feed.Stock{{Product: "p1", Lots: []feed.LotStock{
			{Lot: "EAR", Expiry: day("2027-03-31"), Quantity: movement.Units(3)},
			{Lot: "ABC", Expiry: day("2028-01-31"), Quantity: movement.Units(5)},
		}}},
		At: time.Date(2026, 11, 23, 6, 0, 0, 0, time.UTC),
	}
}

// act carries out "/verb:entry:field=value:…" on the only open session.
func (c *rig) act(s string) (scan.Answer, error) {
	c.t.Helper()
	parts := strings.Split(strings.TrimPrefix(s, "/"), ":")
	a := counter.Action{Verb: counter.Verb(parts[0]), Station: "page", By: "CD"}
	for _, p := range parts[1:] {
		name, value, ok := strings.Cut(p, "=")
		n, _ := strconv.ParseInt(value, 10, 64)
		switch {
		case !ok:
			a.Entry, _ = strconv.Atoi(name)
		case name == "same":
			a.Same = true
		case name == "lot":
			a.Lot = value
		case name == "code":
			a.Code = value
		case name == "serial":
			a.Serial = value
		case name == "expiry":
			a.Expiry = day(value)
		case name == "quantity":
			a.Quantity = movement.Units(n)
		case name == "reason":
			a.Reason = value
		case name == "product":
			a.Product = gtin(value)
		}
	}
	list := c.desk.Sessions()
	if len(list) != 1 {
		c.t.Fatalf("%d sessions are open", len(list))
	}
	return c.desk.Do(context.Background(), list[0].ID, a)
}

// step scans, or acts, and says what came of it as "sound/code".
func (c *rig) step(s string) string {
	c.t.Helper()
	if !strings.HasPrefix(s, "/") {
		a := c.scan(s)
		return strings.TrimSuffix(a.Sound.String()+"/"+a.Code, "/")
	}
	a, err := c.act(s)
	if err != nil {
		return "error/" + fault.CodeOf(err)
	}
	return strings.TrimSuffix(a.Sound.String()+"/"+a.Code, "/")
}

// noticed lists the notices of the open sessions as "entry code", the open
// questions with a question mark.
func (c *rig) noticed() string {
	c.t.Helper()
	var list []string
	for _, s := range c.desk.Sessions() {
		v, err := c.desk.View(s.ID)
		if err != nil {
			c.t.Fatal(err)
		}
		for _, n := range v.Notices {
			w := fmt.Sprintf("%d %s", n.Entry, n.Code)
			if n.Open {
				w += "?"
			}
			if len(n.Actions) == 0 || len(n.Actions) > 4 || n.Text == "" {
				c.t.Errorf("%d things can be done about %+v", len(n.Actions), n)
			}
			if first, _ := utf8.DecodeRuneInString(n.Text); unicode.IsLower(first) || strings.Contains(n.Text, "gtin ") {
				c.t.Errorf("it says %q", n.Text)
			}
			list = append(list, w)
		}
	}
	return strings.Join(list, ", ")
}

// lines lists the products of the open session as "name scanned/expected state".
func (c *rig) lines() string {
	c.t.Helper()
	var list []string
	for _, s := range c.desk.Sessions() {
		v, err := c.desk.View(s.ID)
		if err != nil {
			c.t.Fatal(err)
		}
		for _, l := range v.Lines {
			list = append(list, fmt.Sprintf("%s %s/%s %s", l.Name, l.Scanned, l.Ordered-l.Already, l.State))
		}
	}
	return strings.Join(list, ", ")
}

// Each case is also run with the agent ended and started between any two steps.
func TestFindings(t *testing.T) {
	const open = "P00017>ok "
	rest := ", Plasters 0/2 waiting, New thing 0/1 waiting"
	cases := map[string]struct {
		steps   string
		notices string
		lines   string // checked where it is not empty
	}{
		"all well":                                    {open + lotted + ">ok", "", "Paracetamol 1/20 partial" + rest},
		"complete":                                    {open + lotted + ">ok BL-QTY-20>ok " + other + ">ok BL-QTY-2>ok " + stranger + ">warn/unknown_code /accept:3>ok", "", "Paracetamol 20/20 complete, Plasters 2/2 complete, New thing 1/1 complete"},
		"short-dated":                                 {open + soon + ">warn/short_dated", "1 short_dated", "Paracetamol 1/20 look_at" + rest},
		"short-dated, accepted":                       {open + soon + ">warn/short_dated /accept:1>ok", "", "Paracetamol 1/20 partial" + rest},
		"expired":                                     {open + expired + ">warn/expired", "1 expired", ""},
		"expired, set apart":                          {open + expired + ">warn/expired /damaged:1:reason=expired>ok", "", ""},
		"other expiry in stock":                       {open + later + ">warn/other_expiry", "1 other_expiry", ""},
		"which lot":                                   {open + plain + ">warn/lot_needed BL-CONFIRM>refused/question_open", "1 lot_needed?", "Paracetamol 1/20 look_at" + rest},
		"lot told":                                    {open + plain + ">warn/lot_needed /correct:1:lot=ABC:expiry=2028-01-31>ok", "", "Paracetamol 1/20 partial" + rest},
		"lot told by its barcode":                     {open + plain + ">warn/lot_needed 1728013110ABC>ok", "", ""},
		"half told by a barcode":                      {open + plain + ">warn/lot_needed ]C110NEW>warn/expiry_needed ]C117280131>ok", "", ""},
		"lot of an unreadable":                        {open + plain + ">warn/lot_needed " + unreadable + ">warn/check_digit 1728013110ABC>warn/not_trade_item BL-CONFIRM>refused/question_open", "1 lot_needed?", "Paracetamol 1/20 look_at" + rest},
		"one lot for all":                             {open + plain + ">warn/lot_needed " + other + ">ok " + plain + ">warn/lot_needed /correct:3:same=1:lot=ABC:expiry=2028-01-31>ok BL-CONFIRM>ok", "", ""},
		"one lot for one":                             {open + plain + ">warn/lot_needed " + plain + ">warn/lot_needed /correct:2:lot=ABC:expiry=2028-01-31>ok", "1 lot_needed?", ""},
		"asked once a product":                        {open + plain + ">warn/lot_needed " + plain + ">warn/lot_needed " + insulin + ">warn/serial_needed", "3 serial_needed?, 3 not_on_order, 2 lot_needed?", ""},
		"all left to a person":                        {open + plain + ">warn/lot_needed " + plain + ">warn/lot_needed /person:1:same=1>ok BL-CONFIRM>ok", "", ""},
		"not for all":                                 {open + lotted + ">ok /correct:1:same=1:lot=X>error/not_for_all " + insulin + ">warn/serial_needed /correct:2:same=1:serial=S>error/not_for_all", "2 serial_needed?, 2 not_on_order", ""},
		"lot told, other expiry":                      {open + plain + ">warn/lot_needed /correct:1:lot=ABC:expiry=2029-01-31>warn/other_expiry", "1 other_expiry", ""},
		"lot of a case":                               {open + caseOf12 + ">warn/lot_needed /correct:1:lot=ABC:quantity=1>ok", "", "Paracetamol 12/20 partial" + rest},
		"two cases too many":                          {open + caseOf12 + ">warn/lot_needed BL-QTY-2>warn/over_ordered BL-PERSON>ok", "1 over_ordered", "Paracetamol 24/20 over" + rest},
		"case and packs":                              {open + caseOf12 + ">warn/lot_needed BL-PERSON>ok " + lotted + ">ok BL-QTY-8>ok " + lotted + ">warn/over_ordered", "3 over_ordered", "Paracetamol 21/20 over" + rest},
		"over, accepted":                              {open + lotted + ">ok BL-QTY-21>warn/over_ordered BL-ACCEPT>ok", "", "Paracetamol 21/20 over" + rest},
		"over, accepted, more":                        {open + lotted + ">ok BL-QTY-21>warn/over_ordered /accept:1>ok BL-QTY-22>warn/over_ordered", "1 over_ordered", ""},
		"far over":                                    {open + lotted + ">ok BL-QTY-60>warn/over_ordered BL-QTY-61>warn/far_over_ordered BL-CONFIRM>refused/question_open", "1 far_over_ordered?", "Paracetamol 61/20 over" + rest},
		"far over, accepted":                          {open + lotted + ">ok BL-QTY-200>warn/far_over_ordered BL-ACCEPT>ok " + lotted + ">warn/over_ordered BL-CONFIRM>ok", "", ""},
		"far over, at the page":                       {open + lotted + ">ok BL-QTY-200>warn/far_over_ordered /accept:1:code=far_over_ordered>ok", "", "Paracetamol 200/20 over" + rest},
		"far over, mended":                            {open + lotted + ">ok BL-QTY-200>warn/far_over_ordered BL-QTY-20>ok BL-CONFIRM>ok", "", ""},
		"far over, taken back":                        {open + lotted + ">ok " + lotted + ">ok BL-QTY-200>warn/far_over_ordered BL-UNDO>ok", "", "Paracetamol 1/20 partial" + rest},
		"far over, not left":                          {open + lotted + ">ok BL-QTY-200>warn/far_over_ordered BL-PERSON>refused/nothing_to_leave /person:1>error/nothing_to_leave", "1 far_over_ordered?", ""},
		"far over, and expired":                       {open + expired + ">warn/expired BL-QTY-200>warn/far_over_ordered BL-ACCEPT>ok BL-CONFIRM>refused/question_open BL-ACCEPT>ok BL-CONFIRM>ok", "", ""},
		"far over, agreed, grown":                     {open + lotted + ">ok BL-QTY-61>warn/far_over_ordered BL-ACCEPT>ok " + lotted + ">warn/over_ordered BL-QTY-122>warn/over_ordered BL-QTY-123>warn/far_over_ordered", "2 far_over_ordered?", ""},
		"far over, agreed, other":                     {open + lotted + ">ok BL-QTY-61>warn/far_over_ordered BL-ACCEPT>ok BL-QTY-62>warn/far_over_ordered", "1 far_over_ordered?", ""},
		"far over, in cases":                          {open + caseOf12 + ">warn/lot_needed BL-PERSON>ok BL-QTY-5>warn/over_ordered BL-QTY-6>warn/far_over_ordered", "1 far_over_ordered?", "Paracetamol 72/20 over" + rest},
		"far over, one missing":                       {open + lotted + ">ok BL-QTY-60>warn/over_ordered /short:1:reason=x:quantity=50>ok", "1 over_ordered", ""},
		"which expiry":                                {open + bare + ">warn/expiry_needed", "1 expiry_needed?", ""},
		"no expiry on the pack":                       {open + bare + ">warn/expiry_needed BL-ACCEPT>ok BL-CONFIRM>ok", "", ""},
		"no expiry on any of them":                    {open + bare + ">warn/expiry_needed " + bare + ">warn/expiry_needed /accept:2:same=1>ok BL-CONFIRM>ok", "", ""},
		"a lot is not accepted for all":               {open + plain + ">warn/lot_needed " + plain + ">warn/lot_needed /accept:2:same=1>error/not_for_all", "2 lot_needed?", ""},
		"a quantity at the page":                      {open + lotted + ">ok /quantity:quantity=7>ok", "", "Paracetamol 7/20 partial" + rest},
		"a quantity at the page, the last unreadable": {open + lotted + ">ok " + unreadable + ">warn/check_digit /quantity:quantity=7>error/last_scan_missed", "", ""},
		"the page, of two scanners":                   {open + lotted + ">ok b:P00017>ok b:" + other + ">ok /quantity:quantity=7>error/nothing_scanned /undo>error/nothing_to_undo", "", ""},
		"expiry known from stock":                     {open + "]d20104012345678901" + "10ABC>ok", "", ""},
		"left to a person":                            {open + plain + ">warn/lot_needed BL-PERSON>ok BL-CONFIRM>ok", "", ""},
		"nothing to leave":                            {open + lotted + ">ok BL-PERSON>refused/nothing_to_leave BL-ACCEPT>refused/nothing_to_accept", "", ""},
		"a lot is not accepted":                       {open + plain + ">warn/lot_needed /accept:1>error/cannot_accept", "1 lot_needed?", ""},
		"serial asked":                                {open + insulin + ">warn/serial_needed BL-QTY-2>ok /correct:1:serial=S9>error/serial_with_count BL-QTY-1>ok /correct:1:serial=S9>warn/not_on_order", "1 not_on_order", ""},
		"serial typed twice":                          {open + insulin + ">warn/serial_needed /correct:1:serial=S9>warn/not_on_order " + insulin + ">warn/serial_needed /correct:2:serial=S9>error/serial_twice", "2 serial_needed?, 2 not_on_order", ""},
		"archived":                                    {open + old + ">warn/product_not_moved", "1 product_not_moved, 1 not_on_order", ""},
		"unknown, on the order":                       {open + stranger + ">warn/unknown_code", "1 unknown_code", "Paracetamol 0/20 waiting, Plasters 0/2 waiting, New thing 1/1 look_at"},
		"unknown":                                     {open + "4012345678956>warn/unknown_code", "1 unknown_code", ""},
		"not on the order":                            {"P00018>warn/not_expected " + other + ">ok", "", "Plasters 1/0 free"},
		"one of many told once":                       {open + old + ">warn/product_not_moved " + old + ">warn/product_not_moved", "2 product_not_moved, 2 not_on_order", ""},
		"accepted for all":                            {open + old + ">warn/product_not_moved " + old + ">warn/product_not_moved /accept:2>ok", "", ""},
		"conflicting expiries":                        {open + early + ">ok ]d20104012345678901" + "17270430" + "10EAR>warn/conflicting_expiry", "2 conflicting_expiry, 1 conflicting_expiry", ""},
		"conflict corrected":                          {open + early + ">ok ]d20104012345678901" + "17270430" + "10EAR>warn/conflicting_expiry /accept:2>error/cannot_accept /correct:2:expiry=2027-03-31>ok", "", ""},
		"some damaged":                                {open + lotted + ">ok BL-QTY-5>ok /damaged:1:quantity=2:reason=wet>ok", "", "Paracetamol 5/20 partial" + rest},
		"more damaged than came":                      {open + lotted + ">ok /damaged:1:quantity=2:reason=wet>error/bad_quantity", "", ""},
		"damaged, why":                                {open + lotted + ">ok /damaged:1>error/reason_needed BL-DAMAGED-BROKEN>ok BL-DAMAGED-X>refused/unknown_reason", "", ""},
		"the rest is missing":                         {open + other + ">ok /short:1:reason=missing>ok", "", "Paracetamol 0/20 waiting, Plasters 1/2 short, New thing 0/1 waiting"},
		"all is missing":                              {open + "/short:product=" + plain + ":reason=missing>ok /short:product=" + plain + ":reason=missing>error/nothing_missing", "", "Paracetamol 0/20 short" + rest},
		"missing, nobody knows":                       {"P00018>warn/not_expected " + other + ">ok /short:1:reason=gone>error/quantity_needed /short:1:reason=gone:quantity=3>ok", "", "Plasters 1/0 free"},
		"corrected to nothing":                        {open + lotted + ">ok /correct:1>error/nothing_to_correct /correct:7:lot=X>error/no_such_line /dance:1>error/unknown_action", "", ""},
		"wrong quantities":                            {open + lotted + ">ok /quantity:1:quantity=0>error/bad_quantity /quantity:1:quantity=100000>error/bad_quantity /quantity:1:quantity=3>ok", "", "Paracetamol 3/20 partial" + rest},
		"delivery by its number":                      {"NOTE-7>ok " + lotted + ">ok", "", "Paracetamol 1/20 partial" + rest},
		"no delivery's number":                        {open + "NOTE-8>warn/not_gs1", "", ""},
		"undone by number":                            {open + lotted + ">ok " + other + ">ok /undo:1>ok", "", "Paracetamol 0/20 waiting, Plasters 1/2 partial, New thing 0/1 waiting"},
		"short dates of a count":                      {"count:" + soon + ">ok count:" + plain + ">warn/lot_needed count:BL-CONFIRM>refused/question_open", "2 lot_needed?", ""},
	}
	for name, c := range cases {
		for _, restarts := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, restarts %v", name, restarts), func(t *testing.T) {
				d := openWith(t, t.TempDir(), known())
				defer func() { d.store.Close() }()
				for _, s := range strings.Fields(c.steps) {
					code, want, _ := strings.Cut(s, ">")
					before := d.shown()
					got := d.step(code)
					if got != want {
						t.Errorf("%q gave %s, want %s", code, got, want)
					}
					if (strings.HasPrefix(got, "refused") || strings.HasPrefix(got, "error")) && d.shown() != before {
						t.Errorf("%q was refused, and changed %s\ninto %s", code, before, d.shown())
					}
					if restarts {
						d.restart()
					}
				}
				if got := d.noticed(); got != c.notices {
					t.Errorf("notices %q, want %q", got, c.notices)
				}
				if got := d.lines(); c.lines != "" && got != c.lines {
					t.Errorf("lines %q, want %q", got, c.lines)
				}
			})
		}
	}
}

// The question which lot it is offers what was seen of the product, then what
// is in stock.
func TestLotsOffered(t *testing.T) {
	d := openWith(t, t.TempDir(), known())
	defer d.store.Close()
	for _, s := range []string{"P00017", "]d20104012345678901" + "17290630" + "10ZZZ", lotted, plain} {
		d.scan(s)
	}
	v, err := d.desk.View(d.desk.Sessions()[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, l := range v.Notices[0].Lots {
		got = append(got, l.Lot+" "+l.Expiry.String())
	}
	want := []string{"ABC 2028-01-31", "ZZZ 2029-06-30", "EAR 2027-03-31"}
	if !slices.Equal(got, want) {
		t.Errorf("offered %q, want %q", got, want)
	}
}

// What is confirmed says what people did about it.
func TestWhatPeopleSaidIsRecorded(t *testing.T) {
	d := openWith(t, t.TempDir(), known())
	defer d.store.Close()
	for _, s := range []string{"P00017", soon, "/accept:1", plain, "/person:2", lotted, "/damaged:3:reason=wet", "/short:product=" + other + ":reason=not there",
		bare, "/correct:5:expiry=2028-05-31", "BL-CONFIRM"} {
		if got := d.step(s); strings.HasPrefix(got, "error") || strings.HasPrefix(got, "refused") {
			t.Fatalf("%s gave %s", s, got)
		}
	}
	want := []string{
		"SOO 2026-12-24 1 AB accepted by CD: short_dated",
		"  1 CD lot_needed",
		"ABC 2028-01-31 1 CD wet came_damaged",
		"  2 CD not there did_not_come",
		"NEW 2028-05-31 1 CD ",
	}
	for i, m := range d.movements() {
		got := fmt.Sprintf("%s %s %s %s %s", m.Lot, m.Expiry, m.Quantity, m.By, m.Reason)
		if m.Problem != nil {
			got = strings.TrimSpace(got+" ") + " " + m.Problem.Code
			got = strings.Replace(got, "1 CD lot", "1 CD lot", 1)
		}
		if strings.Join(strings.Fields(got), " ") != strings.Join(strings.Fields(want[i]), " ") {
			t.Errorf("movement %d is %q, want %q", i+1, got, want[i])
		}
		if m.Group.Size != len(want) {
			t.Errorf("group %+v", m.Group)
		}
	}
	if n := len(d.movements()); n != len(want) {
		t.Errorf("%d movements", n)
	}
}

// A question about several scans of a product is answered for all of them, with
// one button for each thing that can be done.
func TestOffersForSeveral(t *testing.T) {
	for code, want := range map[string]string{
		plain: "correct Enter lot and expiry for all 2 true|person Leave all 2 to a person true|undo Take the last one back false",
		bare:  "correct Enter the expiry for all 2 true|accept None of the 2 has one true|person Leave all 2 to a person true|undo Take the last one back false",
	} {
		c := openWith(t, t.TempDir(), known())
		for _, s := range []string{"P00017", code, code} {
			c.scan(s)
		}
		v, err := c.desk.View(c.desk.Sessions()[0].ID)
		if err != nil || len(v.Notices) != 1 || v.Notices[0].Alike != 2 {
			t.Fatal(v.Notices, err)
		}
		var got []string
		for _, o := range v.Notices[0].Actions {
			got = append(got, fmt.Sprint(o.Action.Verb, " ", o.Label, " ", o.Action.Same))
		}
		if strings.Join(got, "|") != want {
			t.Errorf("%s offers %s\nwant %s", code, strings.Join(got, "|"), want)
		}
		c.store.Close()
	}
}

// What went to a person instead of into the lines is said until the end, also
// after a restart, and on the receipt.
func TestScansThatWentToAPersonAreCounted(t *testing.T) {
	c := openWith(t, t.TempDir(), known())
	defer func() { c.store.Close() }()
	c.scan("P00017")
	c.scan(lotted)
	for range maxKept + 1 {
		c.scan(unreadable)
	}
	c.scan(serial)
	c.scan(serial) // refused, and kept by nobody
	c.restart()
	v, err := c.desk.View(c.desk.Sessions()[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	last := v.Kept[len(v.Kept)-1]
	if v.AllKept != maxKept+1 || len(v.Kept) != maxKept || !last.At.Equal(c.now.Add(-4*time.Second)) || !strings.Contains(last.Why, "check digit") {
		t.Errorf("%d are kept: %+v", v.AllKept, v.Kept)
	}
	r, err := c.desk.Confirm(context.Background(), v.ID, "AB")
	if err == nil {
		r, err = c.desk.Receipt(r.ID)
	}
	if err != nil || r.AllKept != maxKept+1 || len(r.Kept) != maxKept {
		t.Errorf("the receipt says %d: %+v, %v", r.AllKept, r.Kept, err)
	}
}
