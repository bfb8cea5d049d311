package dispense

import (
	"context"
	"slices"
	"strings"
	"testing"

	"branchline/agent/outbox"
	"branchline/internal/fault"
	"branchline/internal/movement"
)

// live reads what people have recorded.
func (p *pharmacy) live() (list []movement.Movement) {
	p.t.Helper()
	for _, s := range p.store.Streams() {
		if s.Lane != movement.Live || s.Last == 0 {
			continue
		}
		b, err := p.store.Read(s.Epoch, s.Lane, 1, 1000, 1<<20)
		if err != nil || b == nil {
			p.t.Fatal(b, err)
		}
		for _, r := range b.Records {
			m, err := movement.Decode(r)
			if err != nil {
				p.t.Fatal(err)
			}
			list = append(list, m)
		}
	}
	return list
}

// rows gives all rows on the list.
func (p *pharmacy) rows() []BadRow {
	p.t.Helper()
	rows, all, err := p.d.BadRows(0, maxOpenRows)
	if err != nil || all != len(rows) {
		p.t.Fatalf("%d rows of %d, %v", len(rows), all, err)
	}
	return rows
}

// badRow gives the only row on the list.
func (p *pharmacy) badRow() BadRow {
	p.t.Helper()
	rows := p.rows()
	if len(rows) != 1 || p.d.Status()[0].Open != 1 {
		p.t.Fatalf("%d rows, %d said: %+v", len(rows), p.d.Status()[0].Open, rows)
	}
	return rows[0]
}

func (p *pharmacy) none() {
	p.t.Helper()
	if rows := p.rows(); len(rows) != 0 || p.d.Status()[0].Open != 0 {
		p.t.Errorf("still on the list: %+v", rows)
	}
}

func values(r BadRow, change map[string]string) (list []string) {
	for _, c := range r.Columns {
		v := c.Value
		if to, ok := change[c.Name]; ok {
			v = to
		}
		list = append(list, v)
	}
	return list
}

const twelve = head + "R1;1;A1;1 2;2026-11-23 10:00;Erika Musterfrau\n"

var word = Settling{By: "AB", Why: "the receipt says 12"}

// A row that could not be read is corrected: a movement of its own, linked to it,
// as the file would have made it, so that the same row mended in the file is known.
func TestCorrectABadRow(t *testing.T) {
	p := open(t, nil)
	p.put("a.csv", twelve)
	p.look()
	p.restart() // it is still on the list
	row := p.badRow()
	if row.Code != "bad_quantity" || row.File != "a.csv" || row.Line != 2 || row.Says != nil {
		t.Errorf("%+v", row)
	}
	want := []RowColumn{{"pzn", "A1"}, {"qty", "1 2"}, {"when", "2026-11-23 10:00"}, {"receipt", "R1"}, {"line", "1"}}
	if !slices.Equal(row.Columns, want) {
		t.Errorf("columns %q", row.Columns)
	}
	for name, s := range map[string]Settling{
		"no_initials":   {Values: values(row, map[string]string{"qty": "12"}), Why: "x"},
		"no_reason":     {Values: values(row, map[string]string{"qty": "12"}), By: "AB", Why: " "},
		"bad_quantity":  {Values: values(row, nil), By: "AB", Why: "x"},
		"bad_value":     {Values: values(row, map[string]string{"qty": "1\n2"}), By: "AB", Why: "x"},
		"other_columns": {By: "AB", Why: "x"},
	} {
		if _, err := p.d.Correct(t.Context(), row.ID, s); fault.CodeOf(err) != name {
			t.Errorf("%s: %v", name, err)
		}
	}
	fixed := values(row, map[string]string{"qty": "12"})
	seen, err := p.d.Preview(row.ID, fixed)
	if err != nil || seen.Quantity != movement.Units(12) || len(p.live()) != 0 {
		t.Fatal(seen, err, p.live())
	}
	s := word
	s.Values = fixed
	if _, err := p.d.Correct(t.Context(), row.ID, s); err != nil {
		t.Fatal(err)
	}
	p.none()
	bad, made := p.movements(), p.live()
	if len(bad) != 1 || len(made) != 1 {
		t.Fatal(bad, made)
	}
	m := made[0]
	if m.Problem != nil || m.Quantity != movement.Units(12) || m.By != "AB" || m.Document.Ref != "R1" || m.NaturalKey != "till/R1/1" ||
		m.Settles != (movement.Settlement{Key: bad[0].NaturalKey, Why: word.Why}) || m.Source.File != "a.csv" || m.Source.Line != 2 {
		t.Errorf("%+v", m)
	}
	if _, err := p.d.Correct(t.Context(), row.ID, s); fault.CodeOf(err) != "no_row" {
		t.Errorf("settled twice: %v", err)
	}
	p.restart()
	p.none()
	p.put("b.csv", twelve) // exported again as it was
	p.put("c.csv", strings.Replace(twelve, "1 2", "12", 1))
	if s := p.look(); s.Rows.Known != 2 {
		t.Errorf("%+v", s.Rows)
	}
	p.none()
	if len(p.movements()) != 1 {
		t.Error("it counts twice")
	}
}

func TestDismissABadRow(t *testing.T) {
	p := open(t, nil)
	p.put("a.csv", twelve)
	p.look()
	row := p.badRow()
	if err := p.d.Dismiss(t.Context(), row.ID, Settling{By: "AB"}); fault.CodeOf(err) != "no_reason" {
		t.Error(err)
	}
	if err := p.d.Dismiss(t.Context(), row.ID, word); err != nil {
		t.Fatal(err)
	}
	p.none()
	made := p.live()
	if len(made) != 1 || made[0].Settles != (movement.Settlement{Key: p.movements()[0].NaturalKey, Why: word.Why, Dismissed: true}) || made[0].Kind != "" {
		t.Errorf("%+v", made)
	}
	p.put("b.csv", twelve)
	p.look()
	p.none()
}

// A row whose columns cannot be told apart: nothing of it is kept, and what it
// should have been is typed from the paper.
func TestCorrectARowOfWhichNothingIsKept(t *testing.T) {
	p := open(t, nil)
	p.put("a.csv", head+"R1;1;A1;2;2026-11-23 10:00;Erika;Musterfrau\n")
	p.look()
	row := p.badRow()
	for _, c := range row.Columns {
		if c.Value != "" {
			t.Errorf("kept %+v", c)
		}
	}
	s := word
	s.Values = values(row, map[string]string{"pzn": "A1", "qty": "2", "when": "2026-11-23 10:00", "receipt": "R1", "line": "1"})
	if _, err := p.d.Correct(t.Context(), row.ID, s); err != nil {
		t.Fatal(err)
	}
	if made := p.live(); len(made) != 1 || made[0].NaturalKey != "till/R1/1" {
		t.Errorf("%+v", made)
	}
}

// What was understood and not believed is taken as it is, or otherwise.
func TestTakeAnImplausibleRow(t *testing.T) {
	for quantity, want := range map[string]int64{"5000": 5000, "5": 5} {
		p := open(t, nil)
		p.put("a.csv", head+row(1, 1, "5000"))
		p.look()
		bad := p.badRow()
		if bad.Says == nil || bad.Says.Quantity != movement.Units(5000) {
			t.Errorf("%+v", bad)
		}
		s := word
		s.Values = values(bad, map[string]string{"qty": quantity})
		if _, err := p.d.Correct(t.Context(), bad.ID, s); err != nil {
			t.Fatal(err)
		}
		if made := p.live(); len(made) != 1 || made[0].Quantity != movement.Units(want) || made[0].NaturalKey != "till/R1/1!settled" {
			t.Errorf("%+v", made)
		}
	}
}

// A row with the key of another is an event of its own, when a person says so.
func TestTakeAConflictingRow(t *testing.T) {
	p := open(t, nil)
	p.put("a.csv", head+row(1, 1, "1"))
	p.look()
	p.put("b.csv", head+row(1, 1, "2"))
	p.look()
	bad := p.badRow()
	if bad.Code != "conflicting_repeat" || len(bad.Columns) != 0 || bad.Says == nil || bad.Says.Quantity != movement.Units(2) {
		t.Errorf("%+v", bad)
	}
	if _, err := p.d.Correct(t.Context(), bad.ID, word); err != nil {
		t.Fatal(err)
	}
	p.none()
	if made := p.live(); len(made) != 1 || made[0].Quantity != movement.Units(2) || made[0].Settles.Key != p.movements()[1].NaturalKey {
		t.Errorf("%+v", made)
	}
}

// A correction cannot be what another row is already.
func TestCorrectToWhatIsRecorded(t *testing.T) {
	p := open(t, nil)
	p.put("a.csv", head+row(1, 1, "1")+row(1, 2, "x"))
	p.look()
	bad := p.badRow()
	for code, change := range map[string]map[string]string{"recorded_already": {"qty": "1", "line": "1"}, "key_taken": {"qty": "7", "line": "1"}} {
		s := word
		s.Values = values(bad, change)
		if _, err := p.d.Correct(t.Context(), bad.ID, s); fault.CodeOf(err) != code || fault.HintOf(err) == "" {
			t.Errorf("%s: %v", code, err)
		}
	}
	p.badRow()
	p.restart()
	p.badRow()
}

// Columns are given back as they were read, or not at all.
func TestColumnsOfARow(t *testing.T) {
	e := sample(t.TempDir())
	for raw, want := range map[string]string{
		"pzn=A1; qty=1; when=x; receipt=R; line=1":        "A1|1|x|R|1",
		"pzn=A; B; qty==1; when=; receipt=R=; line=1; 2":  "A; B|=1||R=|1; 2",
		"pzn=A1; qty=1; qty=2; when=x; receipt=R; line=1": "||||",
		"pzn=A1; qty=1; when=x; rece":                     "A1|1|||",
		"":                                                "||||",
	} {
		var got []string
		for _, c := range e.columnsOf(raw) {
			got = append(got, c.Value)
		}
		if s := strings.Join(got, "|"); s != want {
			t.Errorf("%q: %q, want %q", raw, s, want)
		}
	}
}

// A power cut after the correction is recorded leaves the row on the list; it is
// recorded once all the same.
func TestCorrectAfterAPowerCut(t *testing.T) {
	for name, settle := range map[string]func(d *Dispense, r BadRow) error{
		"corrected": func(d *Dispense, r BadRow) error {
			_, err := d.Correct(t.Context(), r.ID, Settling{Values: values(r, map[string]string{"qty": "12"}), By: "AB", Why: "seen"})
			return err
		},
		"dismissed": func(d *Dispense, r BadRow) error { return d.Dismiss(t.Context(), r.ID, word) },
	} {
		t.Run(name, func(t *testing.T) {
			p := open(t, nil)
			p.put("a.csv", twelve)
			p.look()
			row := p.badRow()
			before, err := p.store.Note(badSpace, "till/"+row.ID)
			if err != nil || before == nil {
				t.Fatal(before, err)
			}
			if err := settle(p.d, row); err != nil {
				t.Fatal(err)
			}
			if _, err := p.store.Append(t.Context(), outbox.Write{Notes: []outbox.Note{{Space: badSpace, Key: "till/" + row.ID, Value: before}}}); err != nil {
				t.Fatal(err)
			}
			p.restart()
			if err := settle(p.d, p.badRow()); err != nil {
				t.Fatal(err)
			}
			p.none()
			if made := p.live(); len(made) != 1 {
				t.Errorf("%+v", made)
			}
		})
	}
}

// A row is on the list again after its correction was recorded, as in a store that
// was brought back; a person who now decides otherwise is told what holds.
func TestDecideOtherwiseAboutASettledRow(t *testing.T) {
	p := open(t, nil)
	p.put("a.csv", twelve)
	p.look()
	row := p.badRow()
	before, err := p.store.Note(badSpace, "till/"+row.ID)
	if err != nil || before == nil {
		t.Fatal(before, err)
	}
	correct := func(qty string) error {
		_, err := p.d.Correct(t.Context(), row.ID, Settling{Values: values(row, map[string]string{"qty": qty}), By: "AB", Why: "seen"})
		return err
	}
	if err := correct("2"); err != nil {
		t.Fatal(err)
	}
	if _, err := p.store.Append(t.Context(), outbox.Write{Notes: []outbox.Note{{Space: badSpace, Key: "till/" + row.ID, Value: before}}}); err != nil {
		t.Fatal(err)
	}
	p.restart()
	err = correct("12")
	if fault.CodeOf(err) != "settled_before" || !strings.Contains(err.Error(), "AB corrected it to 2 of SKU A1") || !strings.Contains(err.Error(), "seen") {
		t.Errorf("the person is told %v", err)
	}
	if made := p.live(); len(made) != 1 || made[0].Quantity != movement.Units(2) {
		t.Errorf("%+v", made)
	}
	p.none()
	p.restart()
	p.none()
}

// watched is a store that tells what is written.
type watched struct {
	*outbox.Outbox
	writes []outbox.Write
}

func (w *watched) Append(ctx context.Context, write outbox.Write) ([]outbox.Place, error) {
	w.writes = append(w.writes, write)
	return w.Outbox.Append(ctx, write)
}

// What a person decides and that the row leaves the list are one commit: a kill
// comes before both or after both.
func TestADecisionAndTheListAreOneCommit(t *testing.T) {
	p := open(t, nil)
	p.put("a.csv", twelve)
	p.look()
	w := &watched{Outbox: p.store}
	p.d.adapters[0].Store, p.d.adapters[0].bad.store = w, w
	if err := p.d.Dismiss(t.Context(), p.badRow().ID, word); err != nil {
		t.Fatal(err)
	}
	if len(w.writes) != 1 || len(w.writes[0].Movements) != 1 || len(w.writes[0].Notes) != 1 {
		t.Errorf("%d writes: %+v", len(w.writes), w.writes)
	}
	p.restart()
	p.none()
}

// A file of which every row is bad: all of them can be looked at, a part at a time,
// and dismissed together.
func TestManyRowsAreListedInParts(t *testing.T) {
	const many = 2300
	p := open(t, nil)
	var b strings.Builder
	b.WriteString(head)
	for i := range many {
		b.WriteString(row(i, 1, "x"))
	}
	p.put("a.csv", b.String())
	p.put("b.csv", head+row(many, 1, "y"))
	if s := p.look(); s.Open != many+1 || s.Rows.Bad != many+1 {
		t.Errorf("%d of %d", s.Open, s.Rows.Bad)
	}
	p.restart()
	seen := map[string]bool{}
	for from := 0; from < many+1; from += 500 {
		rows, all, err := p.d.BadRows(from, 500)
		if err != nil || all != many+1 || len(rows) != min(500, many+1-from) {
			t.Fatalf("from %d: %d of %d, %v", from, len(rows), all, err)
		}
		for _, r := range rows {
			seen[r.ID] = true
		}
	}
	if rows, _, err := p.d.BadRows(many+1, 500); err != nil || len(rows) != 0 || len(seen) != many+1 {
		t.Errorf("%d seen, and %d behind the last: %v", len(seen), len(rows), err)
	}
	if n, err := p.d.DismissFile(t.Context(), "till", "a.csv", Settling{By: "AB"}); n != 0 || fault.CodeOf(err) != "no_reason" {
		t.Error(n, err)
	}
	if n, err := p.d.DismissFile(t.Context(), "till", "a.csv", word); n != many || err != nil {
		t.Error(n, err)
	}
	p.restart()
	if r := p.badRow(); r.File != "b.csv" {
		t.Errorf("%+v", r)
	}
	made := 0
	for _, s := range p.store.Streams() {
		if s.Lane == movement.Live {
			made += int(s.Last)
		}
	}
	if made != many {
		t.Errorf("%d are recorded as dismissed", made)
	}
}
