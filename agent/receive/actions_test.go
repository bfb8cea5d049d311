package receive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"branchline/agent/capture"
	"branchline/agent/counter"
	"branchline/agent/outbox"
	"branchline/agent/scan"
	"branchline/internal/fault"
	"branchline/internal/feed"
	"branchline/internal/movement"
)

func (c *rig) work(p scan.Purpose) string {
	var list []string
	for _, w := range c.desk.Work(p) {
		state := "expected"
		if w.ID != "" {
			state = fmt.Sprint("open at ", w.Stations)
		}
		if w.NotReady {
			state = "not ready"
		}
		list = append(list, fmt.Sprintf("%s %s %s/%s %s", w.Document.Type, w.Document.Ref, w.Scanned, w.Ordered, state))
	}
	return strings.Join(list, ", ")
}

func TestWork(t *testing.T) {
	ref := known()
	ref.Expected = append(ref.Expected,
		feed.Delivery{Key: "d2", Name: "BR01/IN/00043", Order: "P00017", Ready: true, Lines: []feed.DeliveryLine{{Product: "p2", Name: "Plasters", Code: gtin(other), Ordered: movement.Units(5), Unit: "packs"}}},
		feed.Delivery{Key: "d3", Name: "BR01/IN/00044", Ready: true, Due: ref.At, Lines: []feed.DeliveryLine{{Product: "p2", Name: "Plasters", Ordered: movement.Units(1), Unit: "packs"}}},
		feed.Delivery{Key: "d4", Name: "BR01/IN/00045", Order: "P00045"}, // Odoo does not let it be received
	)
	d := openWith(t, t.TempDir(), ref)
	defer func() { d.store.Close() }()
	if got := d.work(scan.Receive); got != "order P00017 0/28 expected, delivery BR01/IN/00044 0/1 expected, order P00045 0/0 not ready" {
		t.Errorf("work: %s", got)
	}
	d.scan("P00017")
	d.scan(lotted)
	d.restart()
	if got := d.work(scan.Receive); got != "order P00017 1/28 open at [front], delivery BR01/IN/00044 0/1 expected, order P00045 0/0 not ready" {
		t.Errorf("work: %s", got)
	}
	for _, code := range []string{"b:P00045", "c:BR01/IN/00045"} {
		if a := d.scan(code); a.Sound != scan.Warn || a.Code != NotReady || !strings.Contains(a.Text, "is not ready for it") {
			t.Errorf("%s answered %+v", code, a)
		}
	}
	if got := d.work(scan.Count); got != "" {
		t.Errorf("counts: %s", got)
	}
}

// A person may leave a delivery open and turn to another one, and come back.
func TestAStationTurnsFromOneSessionToAnother(t *testing.T) {
	d := open(t, t.TempDir())
	defer func() { d.store.Close() }()
	order := movement.Document{Type: "order", Ref: "P00017"}
	first, _, err := d.desk.Open(t.Context(), scan.Receive, order, "front")
	if err != nil {
		t.Fatal(err)
	}
	d.scan(plain)
	d.now = d.now.Add(time.Second)
	second, _, err := d.desk.Open(t.Context(), scan.Receive, movement.Document{}, "front")
	if err != nil || second == first {
		t.Fatal(second, err)
	}
	d.scan(other)
	d.restart()
	if v, err := d.desk.View(first); err != nil || len(v.Stations) != 0 || v.Entries != 1 {
		t.Errorf("the first is %+v, %v", v, err)
	}
	if v, err := d.desk.View(second); err != nil || v.Entries != 1 || v.Document.Type != "session" || v.Document.Ref != second {
		t.Errorf("the second is %+v, %v", v, err)
	}
	if again, _, err := d.desk.Open(t.Context(), scan.Receive, order, "front"); err != nil || again != first {
		t.Errorf("came back to %s, %v", again, err)
	}
	d.scan(plain)
	if v, _ := d.desk.View(first); v.Entries != 2 {
		t.Errorf("the first has %d entries", v.Entries)
	}
}

func TestWhatTheDeskRefuses(t *testing.T) {
	d := open(t, t.TempDir())
	defer d.store.Close()
	d.scan("P00017")
	d.scan(plain)
	id := d.desk.Sessions()[0].ID
	open := func(p scan.Purpose, doc movement.Document, station string) error {
		_, _, err := d.desk.Open(context.Background(), p, doc, station)
		return err
	}
	confirm := func(id, by string) error {
		_, err := d.desk.Confirm(context.Background(), id, by)
		return err
	}
	do := func(id string, a counter.Action) error {
		_, err := d.desk.Do(context.Background(), id, a)
		return err
	}
	_, noView := d.desk.View("x")
	_, noReceipt := d.desk.Receipt("x")
	long := strings.Repeat("x", 300)
	before := d.shown()
	for name, c := range map[string]struct {
		err  error
		code string
	}{
		"no view":            {noView, "no_session"},
		"no receipt":         {noReceipt, "no_receipt"},
		"purpose":            {open("stroll", movement.Document{}, "front"), "not_here"},
		"transfer":           {open(scan.TransferOut, movement.Document{}, "front"), "no_branch"},
		"no station":         {open(scan.Receive, movement.Document{}, ""), "bad_station"},
		"document type":      {open(scan.Receive, movement.Document{Type: "letter", Ref: "1"}, "front"), "bad_document"},
		"document number":    {open(scan.Receive, movement.Document{Type: "order", Ref: "a\x00b"}, "front"), "bad_document"},
		"no such session":    {open(scan.Receive, movement.Document{Type: "session", Ref: "receive@x"}, "front"), "no_session"},
		"no document number": {open(scan.Receive, movement.Document{Type: "order", Ref: " "}, "front"), "bad_document"},
		"no initials":        {confirm(id, " "), "initials_needed"},
		"long initials":      {confirm(id, long), "bad_initials"},
		"confirm nothing":    {confirm("x", "AB"), "no_session"},
		"do nothing":         {do("x", counter.Action{Verb: counter.Undo}), "no_session"},
		"long reason":        {do(id, counter.Action{Verb: counter.Damaged, Entry: 1, Reason: long}), "bad_reason"},
		"long lot":           {do(id, counter.Action{Verb: counter.Correct, Entry: 1, Lot: long}), "bad_lot"},
		"lot with a newline": {do(id, counter.Action{Verb: counter.Correct, Entry: 1, Lot: "a\nb"}), "bad_lot"},
		"no such day":        {do(id, counter.Action{Verb: counter.Correct, Entry: 1, Expiry: movement.Date{Year: 2027, Month: 2, Day: 30}}), "bad_expiry"},
		"cancel, no reason":  {d.desk.Cancel(context.Background(), id, "AB", ""), "reason_needed"},
		"cancel nothing":     {d.desk.Cancel(context.Background(), "x", "AB", "why"), "no_session"},
	} {
		if fault.CodeOf(c.err) != c.code || fault.ClassOf(c.err) != fault.Data {
			t.Errorf("%s: %v, want %s", name, c.err, c.code)
		}
	}
	if after := d.shown(); after != before {
		t.Errorf("changed %s\ninto %s", before, after)
	}
	if err := d.desk.Cancel(t.Context(), id, "AB", "wrong door"); err != nil || len(d.desk.Sessions()) != 0 {
		t.Error(err)
	}
}

func TestReceipt(t *testing.T) {
	d := openWith(t, t.TempDir(), known())
	defer func() { d.store.Close() }()
	d.scan("4012345678902") // takes a place in the lane
	for _, s := range []string{"P00017", lotted, "BL-QTY-3", other} {
		d.scan(s)
	}
	got, err := d.desk.Confirm(t.Context(), d.desk.Sessions()[0].ID, "CD")
	if err != nil {
		t.Fatal(err)
	}
	if got.By != "CD" || got.First != 2 || got.Through != 3 || got.Epoch == "" || got.Partner != "Wholesale" || len(got.Lines) != 3 {
		t.Errorf("receipt %+v", got)
	}
	if l := got.Lines[0]; l.Name != "Paracetamol" || l.Scanned != movement.Units(3) || l.Lots[0].Lot != "ABC" || l.Lots[0].Expiry != day("2028-01-31") {
		t.Errorf("line %+v", l)
	}
	words := func(v any) string { b, _ := json.Marshal(v); return string(b) }
	for range 2 {
		kept, err := d.desk.Receipt(got.Group)
		if err != nil || words(kept) != words(got) {
			t.Errorf("kept %s, %v\nwant %s", words(kept), err, words(got))
		}
		if list := d.desk.Receipts(); len(list) != 1 || list[0].Group != got.Group || list[0].Through != 3 || list[0].Lines != nil {
			t.Errorf("receipts %+v", list)
		}
		d.restart()
	}
	if n := d.desk.Waiting(); n != (Waiting{}) {
		t.Errorf("a receipt counts as open: %+v", n)
	}
	// A later one after more than a week lets it go.
	d.now = d.now.Add(keepReceipts)
	for _, s := range []string{"P00018", other, "BL-CONFIRM"} {
		d.scan(s)
	}
	if list := d.desk.Receipts(); len(list) != 1 || list[0].Document.Ref != "P00018" {
		t.Errorf("receipts %+v", list)
	}
}

// Where people sign at the page, a scanner alone neither confirms nor throws away.
func TestABarcodeSignsForNobody(t *testing.T) {
	d := open(t, t.TempDir())
	defer func() { d.store.Close() }()
	d.desk.Signed = true
	for _, s := range []string{"P00017", lotted} {
		d.scan(s)
	}
	for _, s := range []string{"BL-CONFIRM", "BL-CANCEL", "BL-CANCEL"} {
		if a := d.scan(s); a.Sound != scan.Refused || a.Code != "sign_at_the_page" {
			t.Errorf("%s answered %+v", s, a)
		}
	}
	if d.recorded() != "" || len(d.desk.Sessions()) != 1 {
		t.Errorf("recorded %q, %d open", d.recorded(), len(d.desk.Sessions()))
	}
	if a := d.scan("BL-QTY-3"); a.Sound != scan.OK {
		t.Errorf("answered %+v", a)
	}
}

// What was thrown away is kept for a week, with who did it and why; a session in
// which nothing was leaves nothing.
func TestWhatWasThrownAwayIsKept(t *testing.T) {
	d := open(t, t.TempDir())
	defer func() { d.store.Close() }()
	for _, s := range []string{"P00017", lotted, "BL-CANCEL", "BL-CANCEL", "P00018", "BL-CANCEL"} {
		d.scan(s)
	}
	for range 2 {
		list := d.desk.Receipts()
		if len(list) != 1 || list[0].Document.Ref != "P00017" || list[0].By != "AB" || list[0].Thrown != "scanned BL-CANCEL at front" {
			t.Fatalf("kept %+v", list)
		}
		r, err := d.desk.Receipt(list[0].Group)
		if err != nil || len(r.Lines) != 1 || r.Lines[0].Lots[0].Lot != "ABC" || r.Epoch != "" {
			t.Errorf("kept %+v, %v", r, err)
		}
		d.restart()
	}
	got := d.movements()
	if len(got) != 1 {
		t.Fatalf("recorded %+v", got)
	}
	m := &got[0]
	_, ok := m.ThrownAway()
	if err := m.Validate(); !ok || err != nil || m.By != "AB" || m.Settles.Why != "scanned BL-CANCEL at front" || m.Document.Ref != "P00017" ||
		m.Kind != "" || m.Quantity != 0 || m.Reason != "1 scan, 1 pack; 1 of 04012345678901 lot ABC" {
		t.Errorf("recorded %+v, %v", m, err)
	}
}

// What was thrown away has a record that holds, whatever was in it and whoever did
// it.
func TestARecordOfWhatIsThrownAwayHolds(t *testing.T) {
	entries := make([]Entry, maxEntries)
	for i := range entries {
		entries[i] = Entry{Number: i + 1, Quantity: movement.Units(1), Item: scan.Item{
			Product: movement.Product{Code: strings.Repeat("9", 64)}, Lot: strings.Repeat("ä", 32)}}
	}
	for _, by := range []string{"", " ", strings.Repeat("W", maxInitials)} {
		s := Free(scan.Receive, "front", time.Now())
		s.Entries = entries
		m := s.thrownAway(by, strings.Repeat("w", maxReason), time.Now())
		m.RecordedAt = m.OccurredAt
		if err := m.Validate(); err != nil || !strings.Contains(m.Reason, " more") {
			t.Errorf("by %q: %v, %q", by, err, m.Reason)
		}
	}
}

// A delivery without a document is called by when it began, not by its number.
func TestADeliveryWithoutADocumentIsCalledByItsTime(t *testing.T) {
	at := time.Date(2026, 11, 23, 9, 41, 0, 0, time.UTC)
	s := Free(scan.Receive, "front", at)
	if got := s.Words(); got != "delivery of 09:41 (0 lines)" {
		t.Errorf("called %q", got)
	}
	s = Open(movement.Document{Type: "order", Ref: "P00017"}, scan.Receive, "front", at)
	if got := s.Words(); got != "delivery P00017 (0 lines)" {
		t.Errorf("called %q", got)
	}
}

// The largest session there can be is confirmed, and its receipt kept.
func TestTheLargestSession(t *testing.T) {
	d := open(t, t.TempDir())
	defer d.store.Close()
	d.scan("P00017")
	s := d.desk.sessions[0]
	var entries []Entry
	for i := range maxEntries {
		entries = append(entries, Entry{Number: i + 1, Station: "front", Quantity: movement.Units(1), At: d.now,
			Item: scan.Item{Product: gtin(plain), Quantity: movement.Units(1), Lot: fmt.Sprintf("%s%d", strings.Repeat("L", 16), i), Serial: fmt.Sprintf("%s%d", strings.Repeat("S", 16), i)}})
	}
	if err := d.desk.commit(t.Context(), step{s, Change{Put: entries}, false}); err != nil {
		t.Fatal(err)
	}
	if a := d.scan(other); a.Code != "session_full" {
		t.Errorf("answered %+v", a)
	}
	r, err := d.desk.Confirm(t.Context(), s.ID, "AB")
	if err != nil || r.Through-r.First != maxEntries-1 {
		t.Fatal(r.First, r.Through, err)
	}
	if kept, err := d.desk.Receipt(r.Group); err != nil || len(kept.Lines) != 1 {
		t.Error(err)
	}
}

// dispensing is a desk whose single scans are recorded at once.
func dispensing(t *testing.T) *rig {
	d := openWith(t, t.TempDir(), known())
	d.singles = capture.Direct{Store: d.store}
	d.desk.Single = d.singles
	return d
}

func (c *rig) hand(p scan.Purpose, raw string) scan.Answer {
	c.t.Helper()
	sc := c.read(raw)
	sc.Purpose = p
	a, err := c.desk.Scan(context.Background(), sc)
	if err != nil {
		c.t.Fatal(err)
	}
	return a
}

func TestSingleScans(t *testing.T) {
	d := dispensing(t)
	defer d.store.Close()
	for _, c := range []struct {
		p         scan.Purpose
		raw, want string
		text      string
	}{
		{scan.Dispense, early, "ok", ""},
		{scan.Dispense, lotted, "warn other_lot_first", "Lot EAR of Paracetamol, good until 2027-03-31, should go before"},
		{scan.Dispense, expired, "warn expired", "lot EAR, good until 2027-03-31, should go first"},
		{scan.Dispense, other, "ok", "dispense: Plasters"},
		{scan.Dispense, plain, "warn lot_needed", "dispense recorded: Paracetamol, without its lot"}, // nothing can be asked any more
		{scan.Dispense, serial, "warn other_lot_first", ""},
		{scan.Dispense, serial, "warn serial_again", ""},
		{scan.Dispense, "BL-CONFIRM", "refused command_out_of_place", "scanned at Return"},
		{scan.Return, expired, "warn expired", ""},
		{scan.Wastage, "BL-REASON-BROKEN", "ok", "broken"},
		{scan.Wastage, expired, "ok", ""},
		{scan.Wastage, lotted, "ok", ""},
		{scan.Wastage, "BL-REASON-NONE", "refused unknown_reason", ""},
	} {
		a := d.hand(c.p, c.raw)
		if got := strings.TrimSpace(a.Sound.String() + " " + a.Code); got != c.want || !strings.Contains(a.Text, c.text) {
			t.Errorf("%s %q: %s (%s), want %s (%s)", c.p, c.raw, got, a.Text, c.want, c.text)
		}
	}
	list := d.movements()
	if len(list) != 10 {
		t.Fatalf("%d movements", len(list))
	}
	if list[8].Reason != "broken" || list[9].Reason != "" {
		t.Errorf("reasons %q, %q", list[8].Reason, list[9].Reason)
	}
}

// Goods that leave together are a session like any other; a serial that left
// before goes to a person.
func TestDispensingSession(t *testing.T) {
	d := dispensing(t)
	defer func() { d.store.Close() }()
	d.hand(scan.Dispense, serial)
	id, _, err := d.desk.Open(t.Context(), scan.Dispense, movement.Document{}, "front")
	if err != nil {
		t.Fatal(err)
	}
	d.restart()
	d.desk.Single = d.singles
	d.hand(scan.Dispense, serial)
	d.hand(scan.Dispense, "]d20104012345678901"+"17280131"+"10ABC\x1d21S2")
	if a := d.hand(scan.Dispense, plain); a.Code != LotNeeded {
		t.Errorf("answered %+v", a)
	}
	v, err := d.desk.View(id)
	if err != nil || len(v.Notices) == 0 || v.Notices[0].Lots[0].Lot != "ABC" {
		t.Fatalf("view %+v, %v", v, err)
	}
	if _, err := d.desk.Do(t.Context(), id, counter.Action{Verb: counter.Correct, Entry: 3, Lot: "EAR", Expiry: day("2027-03-31")}); err != nil {
		t.Fatal(err)
	}
	r, err := d.desk.Confirm(t.Context(), id, "AB")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range d.movements() {
		w := fmt.Sprintf("%s %s%s", m.Kind, m.Lot, m.Serial)
		if m.Group.ID != "" {
			w += fmt.Sprintf(" of %d", m.Group.Size)
		}
		if m.Problem != nil {
			w += " " + m.Problem.Code
		}
		got = append(got, w)
	}
	want := "dispense ABCS1, dispense ABCS2, dispense EAR of 1, dispense ABCS1 serial_again"
	if strings.Join(got, ", ") != want || r.First != 2 || r.Through != 4 {
		t.Errorf("recorded %q (%d to %d), want %q", got, r.First, r.Through, want)
	}
}

// The disk is full, or the power fails, after the goods are recorded: the session
// is closed all the same, so that nobody works on what is recorded; its serials go
// to a person at the next start, once.
func TestDispensingConfirmedInHalf(t *testing.T) {
	d := dispensing(t)
	defer func() { d.store.Close() }()
	id, _, err := d.desk.Open(t.Context(), scan.Dispense, movement.Document{}, "front")
	if err != nil {
		t.Fatal(err)
	}
	d.hand(scan.Dispense, serial)
	d.hand(scan.Dispense, early)
	d.desk.Store = &second{Store: d.store}
	if _, err := d.desk.Confirm(t.Context(), id, "AB"); err != nil {
		t.Fatal(err)
	}
	if _, err := d.desk.Do(t.Context(), id, counter.Action{Verb: counter.Quantity, Entry: 2, Quantity: movement.Units(5)}); fault.CodeOf(err) != "no_session" {
		t.Errorf("what is recorded can be changed: %v", err)
	}
	for range 3 {
		d.restart()
		good, person := 0, ""
		for _, m := range d.movements() {
			if m.Problem == nil {
				good++
			} else {
				person += m.Problem.Code + " " + m.Serial
			}
		}
		if good != 2 || person != "serial_again S1" {
			t.Errorf("%d recorded, with a person %q", good, person)
		}
	}
	if _, err := d.desk.Receipt(id); err != nil {
		t.Error(err)
	}
}

// second fails the second write.
type second struct {
	Store
	n int
}

func (s *second) Append(ctx context.Context, w outbox.Write) ([]outbox.Place, error) {
	if s.n++; s.n == 2 {
		return nil, errors.New("power cut")
	}
	return s.Store.Append(ctx, w)
}
