package receive

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"branchline/agent/counter"
	"branchline/agent/outbox"
	"branchline/agent/scan"
	"branchline/internal/fault"
	"branchline/internal/gs1"
	"branchline/internal/movement"
)

// model is a desk as one would do it with pencil and paper.
type model struct {
	open      map[string][]line // by document
	at        map[string]string // which document a station works on
	confirmed []string
	// missed are the stations of a document whose last scan is not among its
	// lines, with the command that was asked about; stored is what of it the
	// disk has.
	missed, stored map[place]string
}

type place struct{ doc, station string }

type line struct {
	number               int
	station              string
	code, lot, date, ser string
	packs                int64
	mark                 string // damaged, short or left
}

func (l line) String() string {
	return fmt.Sprintf("%s lot %s %s serial %s × %d %s", l.code, l.lot, l.date, l.ser, l.packs, l.mark)
}

// packsOf are the codes that the test scans.
var packsOf = map[string]line{
	plain:  {code: plain},
	other:  {code: other},
	lotted: {code: plain, lot: "ABC", date: "2028-01-31"},
	later:  {code: plain, lot: "ABC", date: "2029-01-31"},
	serial: {code: plain, lot: "ABC", date: "2028-01-31", ser: "S1"},
}

func (m *model) latest(doc, station string) *line {
	for i := range slices.Backward(m.open[doc]) {
		if m.open[doc][i].station == station {
			return &m.open[doc][i]
		}
	}
	return nil
}

func (m *model) add(doc string, l line) {
	l.number = 1
	if n := len(m.open[doc]); n > 0 {
		l.number = m.open[doc][n-1].number + 1
	}
	m.open[doc] = append(m.open[doc], l)
}

// asks tells whether a line must be answered before confirming.
func (l line) asks() bool { return l.code == plain && l.lot == "" && l.mark == "" }

// conflicts tells whether the lot came with another date.
func (m *model) conflicts(doc string, l line) bool {
	return slices.ContainsFunc(m.open[doc], func(o line) bool {
		return l.lot != "" && o.lot == l.lot && o.code == l.code && o.date != l.date && o.mark != "short" && l.mark != "short"
	})
}

func (m *model) close(doc string) {
	delete(m.open, doc)
	maps.DeleteFunc(m.missed, func(p place, _ string) bool { return p.doc == doc })
	m.written(doc)
	for station, at := range m.at {
		if at == doc {
			delete(m.at, station)
		}
	}
}

// do is what an accepted step means.
func (m *model) do(station, what string) {
	doc := m.at[station]
	if what == unreadable {
		m.confirmed = append(m.confirmed, doc+" !"+gs1.CodeCheckDigit)
		m.missed[place{doc, station}] = ""
		m.written(doc)
		return
	}
	if _, missed := m.missed[place{doc, station}]; missed && !strings.HasPrefix(what, "P000") && what[0] != '/' {
		delete(m.missed, place{doc, station})
		m.written(doc)
	}
	switch {
	case strings.HasPrefix(what, "P000"):
		if _, ok := m.open[what]; !ok {
			m.open[what] = nil
		}
		if doc != what {
			m.written(what)
		}
		m.at[station] = what
	case what == "BL-UNDO":
		number := m.latest(doc, station).number
		m.open[doc] = slices.DeleteFunc(m.open[doc], func(l line) bool { return l.number == number })
	case strings.HasPrefix(what, "BL-QTY-"):
		m.latest(doc, station).packs, _ = strconv.ParseInt(what[7:], 10, 64)
	case what == "BL-PERSON":
		i := m.asked(doc, station)
		m.open[doc][i].mark = "left"
	case what == "BL-CANCEL":
		if len(m.open[doc]) > 0 {
			m.confirmed = append(m.confirmed, doc+" thrown away")
		}
		m.close(doc)
	case what == "BL-CONFIRM":
		for _, l := range m.open[doc] {
			kept := l.String()
			if m.conflicts(doc, l) && l.mark != "damaged" {
				kept += " conflicting"
			}
			m.confirmed = append(m.confirmed, doc+" "+kept)
		}
		m.close(doc)
	case what == "/correct":
		l := m.latest(doc, station)
		l.lot, l.date, l.mark = "NEW", "2028-06-30", strings.ReplaceAll(l.mark, "left", "")
	case what == "/damaged":
		l := m.latest(doc, station)
		if l.packs == 1 {
			l.mark = "damaged"
			return
		}
		apart := *l
		l.packs--
		apart.packs, apart.mark = 1, "damaged"
		m.add(doc, apart)
	case what == "/short":
		m.add(doc, line{station: station, code: other, packs: 2, mark: "short"})
	default:
		l := packsOf[what]
		l.station, l.packs = station, 1
		m.add(doc, l)
	}
}

// refuse is what a refused step leaves behind.
func (m *model) refuse(station, what string, saved bool) {
	at := place{m.at[station], station}
	_, missed := m.missed[at]
	switch {
	case what == serial && len(m.open[at.doc]) > 0 || what == unreadable:
		m.missed[at] = ""
	case saved && missed && m.aboutLatest(what) && m.latest(at.doc, station) != nil:
		m.missed[at] = what
	default:
		return
	}
	if saved {
		m.written(at.doc)
	}
}

// written says that the document itself was written, with all that was missed.
func (m *model) written(doc string) {
	maps.DeleteFunc(m.stored, func(p place, _ string) bool { return p.doc == doc })
	for at, asked := range m.missed {
		if at.doc == doc {
			m.stored[at] = asked
		}
	}
}

// aboutLatest tells whether a command means the latest line of its station.
func (m *model) aboutLatest(what string) bool {
	return what == "BL-UNDO" || strings.HasPrefix(what, "BL-QTY-") || what == "BL-PERSON"
}

// restarted forgets what the disk has not got.
func (m *model) restarted() { m.missed = maps.Clone(m.stored) }

// asked is the place of the line that BL-PERSON is about, -1 for none: the
// station's latest that asks, else anybody's.
func (m *model) asked(doc, station string) int {
	other := -1
	for i, l := range slices.Backward(m.open[doc]) {
		switch {
		case !l.asks():
		case l.station == station:
			return i
		case other < 0:
			other = i
		}
	}
	return other
}

// allowed tells what the desk must take.
func (m *model) allowed(station, what string) bool {
	doc, open := m.at[station]
	if strings.HasPrefix(what, "P000") {
		return !open || doc == what
	}
	if !open {
		return false
	}
	l := m.latest(doc, station)
	if asked, missed := m.missed[place{doc, station}]; missed && l != nil {
		if m.aboutLatest(what) && asked != what || what == "/correct" || what == "/damaged" {
			return false
		}
	}
	switch {
	case what == "BL-UNDO":
		return l != nil
	case strings.HasPrefix(what, "BL-QTY-"):
		return l != nil && l.ser == ""
	case what == "BL-PERSON":
		return m.asked(doc, station) >= 0
	case what == "BL-CONFIRM":
		return len(m.open[doc]) > 0 && !slices.ContainsFunc(m.open[doc], line.asks)
	case what == "/correct":
		return l != nil
	case what == "/damaged":
		return l != nil && l.mark != "short"
	case what == serial:
		return !slices.ContainsFunc(m.open[doc], func(o line) bool { return o.ser == "S1" })
	}
	return true
}

func (m *model) String() string {
	var list []string
	for doc, lines := range m.open {
		list = append(list, doc+" "+fmt.Sprint(lines))
	}
	slices.Sort(list)
	return strings.Join(list, "\n")
}

// shownAs is the desk in the model's words.
func shownAs(d *Desk) string {
	var list []string
	for _, s := range d.Sessions() {
		var lines []line
		for _, e := range s.Entries {
			l := line{code: strings.TrimLeft(e.Item.Product.Code, "0"), lot: e.Item.Lot, date: e.Item.Expiry.String(), ser: e.Item.Serial,
				packs: int64(e.Quantity / movement.QuantityScale), mark: e.Set}
			if e.Left != "" && e.Set == "" {
				l.mark = "left"
			}
			lines = append(lines, l)
		}
		list = append(list, s.Document.Ref+" "+fmt.Sprint(lines))
	}
	slices.Sort(list)
	return strings.Join(list, "\n")
}

// recordedAs are the recorded movements in the model's words.
func recordedAs(list []*movement.Movement) []string {
	var out []string
	for _, v := range list {
		if _, ok := v.ThrownAway(); ok {
			out = append(out, v.Document.Ref+" thrown away")
			continue
		}
		l := line{code: strings.TrimLeft(v.Product.Code, "0"), lot: v.Lot, date: v.Expiry.String(), ser: v.Serial,
			packs: int64(v.Quantity / movement.QuantityScale)}
		end := ""
		if v.Problem != nil {
			switch v.Problem.Code {
			case LotNeeded:
				l.mark = "left"
			case "came_damaged":
				l.mark = "damaged"
			case "did_not_come":
				l.mark = "short"
			case gs1.CodeCheckDigit:
				out = append(out, v.Document.Ref+" !"+v.Problem.Code)
				continue
			case ConflictingExpiry:
				end = " conflicting"
			}
		}
		out = append(out, v.Document.Ref+" "+l.String()+end)
	}
	return out
}

// failing fails the next write, before or after it is on the disk.
type failing struct {
	*memory
	before, after bool
}

var errDisk = fault.New(fault.Transient, "disk_full", "the disk is full")

func (f *failing) Append(ctx context.Context, w outbox.Write) ([]outbox.Place, error) {
	before, after := f.before, f.after
	f.before, f.after = false, false
	if before {
		return nil, errDisk
	}
	places, err := f.memory.Append(ctx, w)
	if after && err == nil {
		return nil, errDisk
	}
	return places, err
}

// Whatever is scanned, corrected and taken back, and whenever the power or the
// disk fails: the desk is what paper and pencil say, what it refuses changes
// nothing, and everything confirmed is recorded once.
func TestTheDeskIsItsModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		store := &failing{memory: &memory{notes: map[string][]byte{}, keys: map[string]bool{}}}
		c := &rig{t: t, now: time.Date(2026, 11, 23, 10, 0, 0, 0, time.FixedZone("", 3600))}
		start := func() {
			var err error
			c.desk, err = NewDesk(DefaultConfig(), Options{Store: store, Log: slog.New(slog.DiscardHandler), Reference: known(),
				Now: func() time.Time { return c.now }})
			if err != nil {
				t.Fatal(err)
			}
		}
		start()
		m := &model{open: map[string][]line{}, at: map[string]string{}, missed: map[place]string{}, stored: map[place]string{}}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			station := rapid.SampledFrom([]string{"front", "back"}).Draw(t, "station")
			what := rapid.SampledFrom([]string{"P00017", "P00017", "P00018", plain, other, lotted, later, serial, plain, other, lotted, unreadable,
				"BL-UNDO", "BL-UNDO", "BL-QTY-3", "BL-PERSON", "BL-CONFIRM", "BL-CONFIRM", "BL-CANCEL", "/correct", "/damaged", "/short"}).Draw(t, "what")
			_, open := m.at[station]
			if !open && !strings.HasPrefix(what, "P") {
				what = "P00018"
			}
			allowed := m.allowed(station, what)
			trouble := rapid.SampledFrom([]string{"", "", "", "", "disk", "unsure", "cut"}).Draw(t, "trouble")
			store.before, store.after = trouble == "disk", trouble == "unsure"
			taken, err := c.try(t, station, what)
			broken := err != nil && fault.CodeOf(err) == errDisk.Code
			store.before, store.after = false, false
			switch {
			case broken && trouble == "disk": // nothing has changed
				if !allowed || what == unreadable {
					m.refuse(station, what, false)
				}
			case broken: // it is on the disk, and seen there
				if allowed {
					m.do(station, what)
				} else {
					m.refuse(station, what, true)
				}
				start()
				m.restarted()
			case taken != allowed:
				t.Fatalf("%s at %s: taken %v, must be %v\n%s", what, station, taken, allowed, m)
			case taken:
				m.do(station, what)
			default:
				m.refuse(station, what, true)
			}
			if trouble == "cut" {
				start()
				m.restarted()
			}
			if got := shownAs(c.desk); got != m.String() {
				t.Fatalf("after %s at %s the desk has\n%s\nit must have\n%s", what, station, got, m)
			}
			for _, s := range c.desk.Sessions() {
				if _, err := c.desk.View(s.ID); err != nil {
					t.Fatal(err)
				}
			}
		}
		got := recordedAs(store.list)
		slices.Sort(got)
		slices.Sort(m.confirmed)
		if !slices.Equal(got, m.confirmed) {
			t.Fatalf("recorded\n%s\nmust be\n%s", strings.Join(got, "\n"), strings.Join(m.confirmed, "\n"))
		}
		sizes := map[movement.Group]int{}
		for _, v := range store.list {
			if _, gone := v.ThrownAway(); !gone && (v.Problem == nil || v.Problem.Code != gs1.CodeCheckDigit) {
				sizes[v.Group]++
			}
		}
		for g, n := range sizes {
			if g.Size != n {
				t.Fatalf("group %+v has %d movements", g, n)
			}
		}
	})
}

// try does a step and tells whether it was taken.
func (c *rig) try(t *rapid.T, station, what string) (taken bool, err error) {
	if !strings.HasPrefix(what, "/") {
		a, err := c.desk.Scan(context.Background(), c.read(station+":"+what))
		if a.Code == "cancel_again" {
			a, err = c.desk.Scan(context.Background(), c.read(station+":"+what))
		}
		return err == nil && a.Sound != scan.Refused && a.Code != "serial_twice", err
	}
	a := counter.Action{Verb: counter.Verb(what[1:]), Station: station, By: "CD"}
	switch what {
	case "/correct":
		a.Lot, a.Expiry = "NEW", day("2028-06-30")
	case "/damaged":
		a.Quantity, a.Reason = movement.Units(1), "wet"
	case "/short":
		a.Quantity, a.Product, a.Reason = movement.Units(2), gtin(other), "missing"
	}
	for _, s := range c.desk.Sessions() {
		if slices.Contains(s.Stations, station) {
			_, err := c.desk.Do(context.Background(), s.ID, a)
			return err == nil, err
		}
	}
	t.Fatalf("%s works on nothing", station)
	return false, nil
}
