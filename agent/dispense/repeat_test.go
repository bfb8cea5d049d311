package dispense

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"branchline/agent/outbox"
	"branchline/internal/movement"
	"branchline/internal/wire"
)

func TestSameKeyWithOtherContentGoesToAPerson(t *testing.T) {
	p := open(t, nil)
	p.put("a.csv", head+row(1, 1, "2")+row(1, 2, "1"))
	p.look()
	p.put("a.csv", head+row(1, 1, "2")+row(1, 2, "9"))
	p.look()
	p.want("R1/1=2 R1/2=1 !conflicting_repeat")
	p.put("a.csv", head+row(1, 1, "2")+row(1, 2, "9")+row(2, 1, "9")+row(2, 1, "8"))
	s := p.look()
	p.want("R1/1=2 R1/2=1 !conflicting_repeat R2/1=9 !conflicting_repeat")
	m := p.movements()[2]
	if !strings.Contains(m.Problem.Text, "line 3 of a.csv") || m.Quantity != movement.Units(9) {
		t.Errorf("told %+v", m)
	}
	if s.Rows != (Counts{Good: 3, Bad: 2, Known: 1}) {
		t.Errorf("counted %+v", s.Rows)
	}
}

// forgetful is a store whose retention is over: keys are known, records gone.
type forgetful struct{ *outbox.Outbox }

func (forgetful) Read(string, movement.Lane, uint64, int, int) (*wire.Batch, error) { return nil, nil }

// A till whose numbers begin again loses nothing, though what had the numbers
// before is no longer kept to compare with.
func TestAKeyUsedAgainAfterTheRetentionGoesToAPerson(t *testing.T) {
	p := open(t, nil)
	at := func(days int) string { return p.now.AddDate(0, 0, days).Format("2006-01-02") + " 10:00" }
	line := func(nr, days int, qty string) string {
		return fmt.Sprintf("R%d;1;A1;%s;%s;Maria Musterfrau\n", nr, qty, at(days))
	}
	p.put("a.csv", head+line(1, -60, "1")+line(2, -60, "1"))
	p.look()
	p.want("R1/1=1 R2/1=1")
	var err error
	p.d, err = New(Config{Exports: []Export{p.e}}, Options{Store: forgetful{p.store}, Log: slog.New(slog.DiscardHandler),
		Now: func() time.Time { return p.now }, Retention: 30 * 24 * time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	p.put("b.csv", head+line(1, -60, "1")+line(2, -1, "1"))
	s := p.look()
	p.want("R1/1=1 R2/1=1 !repeat_unproved")
	if s.Rows != (Counts{Bad: 1, Known: 1}) {
		t.Errorf("counted %+v", s.Rows)
	}
	p.put("c.csv", head+line(2, -1, "1"))
	p.look()
	p.want("R1/1=1 R2/1=1 !repeat_unproved")
}

// A till's numbers begin again with the year, and a file of January is read months
// later only: its rows have keys whose records are gone, and are no repeats.
func TestALateFileWithNumbersThatBeganAgainLosesNothing(t *testing.T) {
	p := open(t, nil)
	at := func(days int) string { return p.now.AddDate(0, 0, days).Format("2006-01-02") + " 10:00" }
	first := fmt.Sprintf("R1;1;A1;1;%s;x\n", at(-1))
	p.put("old.csv", head+first)
	p.look()
	p.now = p.now.AddDate(0, 0, 300)
	var err error
	p.d, err = New(Config{Exports: []Export{p.e}}, Options{Store: forgetful{p.store}, Log: slog.New(slog.DiscardHandler),
		Now: func() time.Time { return p.now }, Retention: 30 * 24 * time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	p.put("new.csv", head+first+fmt.Sprintf("R1;1;B7;5;%s;x\n", at(-40)))
	s := p.look()
	p.want("R1/1=1 !repeat_unproved")
	if s.Rows != (Counts{Bad: 1, Known: 1}) {
		t.Errorf("counted %+v", s.Rows)
	}
}

// Of a key that an earlier version has recorded only the time is known.
func TestWhatIsLaterThanAnOldKeyIsNoRepeat(t *testing.T) {
	now := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	im := &importer{now: func() time.Time { return now }, retention: 30 * 24 * time.Hour}
	for days, want := range map[int]bool{-1: true, -40: true, -99: true, -101: false} {
		m := &movement.Movement{OccurredAt: now.AddDate(0, 0, days)}
		if got := im.later(m, outbox.Place{Known: true, By: now.AddDate(0, 0, -100)}); got != want {
			t.Errorf("%d days: %v", days, got)
		}
		if got := im.later(m, outbox.Place{Known: true}); got != (days > -30) {
			t.Errorf("%d days, recorded at an unknown time: %v", days, got)
		}
	}
}

// A file of the same name on the same day that begins with another bad row is
// not taken for the first.
func TestAnotherBadRowInTheSamePlaceIsTold(t *testing.T) {
	p := open(t, nil)
	p.now = time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	for _, text := range []string{"too;few\n", "other;few\n", ";1;A1;1;2026-11-23 10:00;Maria\n", ";1;A2;1;2026-11-23 10:00;Maria\n"} {
		p.put("a.csv", head+text)
		p.look()
	}
	p.want("!wrong_column_count !wrong_column_count !missing_key !missing_key")
	for _, m := range p.movements() {
		if strings.Contains(string(m.AppendJSON(nil)), "few") {
			t.Errorf("something of a line that cannot be told apart was kept: %s", m.AppendJSON(nil))
		}
	}
}

func TestAnImplausibleQuantityGoesToAPerson(t *testing.T) {
	p := open(t, nil)
	p.put("a.csv", head+row(1, 1, "1000")+row(1, 2, "9999999")+row(1, 3, "1"))
	p.look()
	p.want("R1/1=1000 !implausible_quantity R1/3=1")
	if m := p.movements()[1]; m.Quantity != movement.Units(9999999) || m.Source.Raw == "" || !strings.Contains(m.Problem.Text, "more than the 1000") {
		t.Errorf("a person cannot release %+v", m)
	}
	p.put("a.csv", head+row(1, 1, "1000")+row(1, 2, "9")+row(1, 3, "5000"))
	p.look()
	p.want("R1/1=1000 !implausible_quantity R1/3=1 !conflicting_repeat !conflicting_repeat")
}

func TestATimeAfterTheFileGoesToAPerson(t *testing.T) {
	for zone, want := range map[string]string{"Europe/Berlin": "R1/1=1 R2/1=1 !implausible_time !implausible_time", "": "R1/1=1 R2/1=1 R3/1=1 !implausible_time"} {
		p := open(t, func(e *Export) { e.Mapping.TimeZone = zone })
		loc, err := location(zone)
		if err != nil {
			t.Fatal(err)
		}
		at := func(d time.Duration) string { return p.now.Add(d).In(loc).Format("2006-01-02 15:04") }
		line := func(nr int, d time.Duration) string { return fmt.Sprintf("R%d;1;A1;1;%s;Maria\n", nr, at(d)) }
		p.put("a.csv", head+line(1, -time.Hour)+line(2, time.Hour)+line(3, 20*time.Hour)+line(4, 400*24*time.Hour))
		p.look()
		p.want(want)
		if m := p.movements()[3]; m.Product.Code != "A1" || m.Source.Raw == "" {
			t.Errorf("a person cannot release %+v", m)
		}
	}
}

// A file that comes again under another name is told, and counts as known.
func TestAFileThatComesAgain(t *testing.T) {
	p := open(t, nil)
	p.put("a.csv", head+row(1, 1, "2")+row(1, 2, "1"))
	p.look()
	p.put("b.csv", head+row(1, 1, "2")+row(1, 2, "1"))
	if s := p.look(); s.Rows != (Counts{Good: 2, Known: 2}) {
		t.Errorf("counted %+v", s.Rows)
	}
	p.want("R1/1=2 R1/2=1")
	p.put("b.csv", head+row(1, 1, "2")+row(1, 2, "1"))
	p.look()
	for _, want := range []string{"file=b.csv good=0 bad=0 known=2", `holds nothing new" adapter=till file=b.csv rows=2`} {
		if !strings.Contains(p.log.b.String(), want) {
			t.Errorf("no %s in the log:\n%s", want, p.log.b.String())
		}
	}
	p.put("b.csv", head+row(1, 1, "2")+row(1, 2, "1")+row(1, 3, "4"))
	if s := p.look(); s.Rows != (Counts{Good: 3, Known: 2}) {
		t.Errorf("counted %+v", s.Rows)
	}
}

func TestBadRowsAreToldOnce(t *testing.T) {
	bad := head + "too;few\n" + row(1, 1, "2") + row(1, 2, "many") + "x;y\n" + "x;y\n" + row(1, 3, "1")
	p := open(t, nil)
	p.put("a.csv", bad)
	p.look()
	const told = "!wrong_column_count R1/1=2 !bad_quantity !wrong_column_count !wrong_column_count R1/3=1"
	p.want(told)
	p.put("a.csv", strings.Replace(bad, "R1;3;", "R1;4;", 1)) // read again from its start
	p.look()
	p.want(told + " R1/4=1")
	p.put("a.csv", strings.Replace(bad, "many", "3", 1))
	p.look()
	p.want(told + " R1/4=1 R1/2=3")
}
