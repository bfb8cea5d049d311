package dispense

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// year is a file that is rewritten whole, with columns that a mapping can gain.
func (p *pharmacy) year(rows int) string {
	var b strings.Builder
	b.WriteString("receipt;line;pzn;qty;day;clock;patient;unit;lot;expiry;reason;paper\n")
	for i := range rows {
		fmt.Fprintf(&b, "R%d;1;A1;1;%s;10:%02d;Maria;Tablet;L%d;2028-01-01;broken;P%d\n", i, p.now.AddDate(0, 0, -1-i/20).Format("2006-01-02"), i%60, i, i)
	}
	return b.String()
}

func bare(e *Export) {
	e.Mapping.OccurredAt, e.Mapping.TimeFormats, e.Mapping.Document = Column{Name: "day"}, []string{"YYYY-MM-DD", "YYYY-MM-DD HH:mm"}, Column{}
}

var gains = map[string]func(*Mapping){
	"unit":       func(m *Mapping) { m.Unit = Column{Name: "unit"} },
	"fixed unit": func(m *Mapping) { m.FixedUnit = "Tablet" },
	"lot":        func(m *Mapping) { m.Lot = Column{Name: "lot"} },
	"serial":     func(m *Mapping) { m.Serial = Column{Name: "lot"} },
	"expiry":     func(m *Mapping) { m.Expiry, m.ExpiryFormats = Column{Name: "expiry"}, []string{"YYYY-MM-DD"} },
	"reason":     func(m *Mapping) { m.Reason = Column{Name: "reason"} },
	"document":   func(m *Mapping) { m.Document = Column{Name: "paper"} },
	"time":       func(m *Mapping) { m.OccurredTime = Column{Name: "clock"} },
	"several": func(m *Mapping) {
		m.OccurredTime, m.Lot, m.Unit = Column{Name: "clock"}, Column{Name: "lot"}, Column{Name: "unit"}
	},
}

// A mapping that is made better reads more of what was recorded. Those rows are no new
// events and no corrections, in either direction, also where the records are no longer
// kept; a quantity that is another is told all the same, and so is a correction of what
// was read from the start.
func TestABetterMappingFloodsNobody(t *testing.T) {
	for name, gain := range gains {
		for _, gone := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, records gone: %v", name, gone), func(t *testing.T) {
				p := open(t, bare)
				text := p.year(100)
				p.put("year.csv", text)
				p.look()
				before := p.e.Mapping
				gain(&p.e.Mapping)
				again := func(text string) Status {
					t.Helper()
					p.restart()
					if gone {
						var err error
						p.d, err = New(Config{Exports: []Export{p.e}}, Options{Store: forgetful{p.store}, Log: slog.New(slog.NewTextHandler(p.log, nil)),
							Now: func() time.Time { return p.now }, Retention: 30 * 24 * time.Hour})
						if err != nil {
							t.Fatal(err)
						}
					}
					p.put("year.csv", text)
					return p.look()
				}
				if s := again(strings.Replace(text, "R0;1;A1;1", "R5000;1;A1;1", 1)); s.Rows.Known != 99 || s.Rows.Good != 1 || s.Rows.Bad != 0 {
					t.Errorf("%+v", s.Rows)
				}
				if n := strings.Count(p.log.b.String(), "count as known"); n != 1 {
					t.Errorf("said %d times", n)
				}
				if s := again(strings.Replace(text, "R1;1;A1;1", "R1;1;A1;7", 1)); s.Rows.Known != 99 || s.Rows.Bad != 1 {
					t.Errorf("a correction of the quantity: %+v", s.Rows)
				}
				if gone { // what was recorded last cannot be made less of
					return
				}
				p.e.Mapping = before
				if s := again(text + "\n"); s.Rows.Known != 100 || s.Rows.Bad != 0 {
					t.Errorf("when it is taken back: %+v", s.Rows)
				}
			})
		}
	}
}

// What the mapping read from the start, and the file says otherwise, is a correction.
func TestACorrectionOfWhatWasReadFromTheStartIsTold(t *testing.T) {
	p := open(t, func(e *Export) {
		bare(e)
		e.Mapping.Lot = Column{Name: "lot"}
	})
	text := strings.Replace(p.year(3), "Tablet;L1;", "Tablet;;", 1)
	p.put("year.csv", text)
	p.look()
	p.e.Mapping.Unit = Column{Name: "unit"}
	p.restart()
	p.put("year.csv", strings.Replace(text, "Tablet;;", "Tablet;L1;", 1)) // filled in later
	if s := p.look(); s.Rows.Bad != 1 || s.Rows.Known != 2 {
		t.Errorf("%+v", s.Rows)
	}
}

// What is filled in after the mapping reads it is a correction.
func TestACorrectionOfWhatWasReadLaterIsTold(t *testing.T) {
	p := open(t, bare)
	p.now = p.now.Add(-24 * time.Hour) // the change is before what is recorded
	p.e.Mapping.Unit = Column{Name: "unit"}
	p.restart()
	p.put("year.csv", strings.Replace(p.year(2), "Tablet;L1", ";L1", 1))
	p.look()
	p.put("year.csv", p.year(2))
	if s := p.look(); s.Rows != (Counts{Good: 2, Bad: 1, Known: 1}) {
		t.Errorf("%+v", s.Rows)
	}
}

// A reason that becomes known makes no other event of a row.
func TestAReasonThatBecomesKnown(t *testing.T) {
	for _, gone := range []bool{false, true} {
		p := open(t, func(e *Export) { bare(e); e.Mapping.Reason = Column{Name: "reason"} })
		text := strings.ReplaceAll(p.year(5), "broken", "umetikettiert")
		p.put("year.csv", text)
		p.look()
		p.e.Mapping.Reasons = []string{"umetikettiert"}
		p.restart()
		if gone {
			p.d.adapters[0].Store = forgetful{p.store}
		}
		p.put("year.csv", strings.Replace(text, "R0;1", "R9;1", 1))
		if s := p.look(); s.Rows.Known != 4 || s.Rows.Good != 1 || s.Rows.Bad != 0 {
			t.Errorf("%+v", s.Rows)
		}
	}
}

func TestReadingsAreBoundAndKept(t *testing.T) {
	p := open(t, bare)
	for i := range 2 * maxReadings {
		p.e.Mapping.Unit = Column{Name: []string{"unit", ""}[i%2]}
		p.now = p.now.Add(time.Hour)
		p.restart()
	}
	r := p.d.adapters[0].reads
	if len(r.list) != maxReadings || r.list[0].Since.After(r.list[1].Since) {
		t.Errorf("%d: %v", len(r.list), r.list)
	}
	last := r.list[maxReadings-1]
	p.restart()
	if l := p.d.adapters[0].reads.list; len(l) != maxReadings || !l[maxReadings-1].Since.Equal(last.Since) {
		t.Error("noted again without a change")
	}
	if got := r.at(last.Since.Add(-time.Minute)); fmt.Sprint(got) == fmt.Sprint(last.Fields) {
		t.Errorf("read then: %v", got)
	}
	if _, err := loadReadings(p.store, &p.e, p.now); err != nil {
		t.Error(err)
	}
}
