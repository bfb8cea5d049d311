package dispense

import (
	"strings"
	"testing"
	"time"

	"branchline/internal/fault"
)

// A row that people at the hub have settled is no task at the branch any more: it is
// listed with who has done what, also after a restart and when its file comes again,
// and whoever is at it just then is told so, and records nothing.
func TestARowThatIsSettledAtTheHub(t *testing.T) {
	p := open(t, nil)
	p.put("a.csv", twelve+"R1;2;A1;x;2026-11-23 10:00;Erika Musterfrau\nR1;3;A1;y;2026-11-23 10:00;Erika Musterfrau\n")
	p.look()
	p.restart()
	keys := map[int64]string{}
	for _, m := range p.movements() {
		keys[m.Source.Line] = m.NaturalKey
	}
	rows := map[int64]BadRow{}
	for _, r := range p.rows() {
		rows[r.Line] = r
	}
	if len(rows) != 3 {
		t.Fatal(rows)
	}
	if err := p.d.Dismiss(t.Context(), rows[4].ID, word); err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 24, 9, 0, 0, 0, time.Local)
	said := HubWord{As: "discarded", Who: "anna", Why: "a test of the till", At: at}
	words := map[string]HubWord{keys[3]: said, keys[4]: {As: "released", Who: "bob", Why: "late", At: at}, "of nothing": said}
	for _, want := range []int{1, 0} {
		if n, err := p.d.SettledAtHub(t.Context(), words); n != want || err != nil {
			t.Errorf("took %d, want %d, %v", n, want, err)
		}
	}
	before := len(p.live())
	for range 2 {
		if row := p.badRow(); row.Line != 2 {
			t.Errorf("line %d is on the list", row.Line)
		}
		list := p.d.HubRows(at, 10)
		if len(list) != 1 || list[0].HubWord.Who != said.Who || !list[0].At.Equal(at) || list[0].Line != 3 || list[0].File != "a.csv" || list[0].Adapter != "till" || !strings.Contains(list[0].Was, "x") {
			t.Errorf("settled at the hub: %+v", list)
		}
		if old := p.d.HubRows(at.Add(time.Second), 10); len(old) != 0 || len(p.d.HubRows(at, 0)) != 0 {
			t.Errorf("lately: %+v", old)
		}
		_, err := p.d.Correct(t.Context(), rows[3].ID, Settling{Values: values(rows[3], map[string]string{"qty": "1"}), By: "AB", Why: "x"})
		if fault.CodeOf(err) != "no_row" || !strings.Contains(err.Error(), "anna has discarded line 3 of a.csv at the hub on 24 November 2026 09:00, because: a test of the till; nothing was recorded now") {
			t.Error(err)
		}
		p.put("again.csv", twelve+"R1;2;A1;x;2026-11-23 10:00;Erika Musterfrau\n")
		p.look()
		p.restart()
	}
	if len(p.live()) != before {
		t.Errorf("recorded %+v", p.live()[before:])
	}
}

// Whom the hub's word cannot be kept for keeps the row, and it is taken with the next.
func TestTheHubsWordIsKeptOrNotTaken(t *testing.T) {
	p := open(t, nil)
	p.put("a.csv", twelve)
	p.look()
	key := p.movements()[0].NaturalKey
	p.store.Close()
	words := map[string]HubWord{key: {As: "corrected", Who: "anna", Why: "12", At: time.Now()}}
	if n, err := p.d.SettledAtHub(t.Context(), words); n != 0 || err == nil {
		t.Errorf("took %d, %v", n, err)
	}
	p.restart()
	p.badRow()
	if n, err := p.d.SettledAtHub(t.Context(), words); n != 1 || err != nil {
		t.Errorf("took %d, %v", n, err)
	}
	p.none()
}
