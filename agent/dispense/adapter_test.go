package dispense

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"branchline/agent/outbox"
	"branchline/internal/movement"
)

// pharmacy is a folder with an adapter on a real outbox, looked at by hand.
type pharmacy struct {
	t     *testing.T
	e     Export
	store *outbox.Outbox
	path  string
	d     *Dispense
	log   *lockedBuffer
	reg   *prometheus.Registry
	now   time.Time
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

const head = "receipt;line;pzn;qty;when;patient\n"

func sample(folder string) Export {
	return Export{
		Name: "till", Folder: folder, Arrival: "whole", CSV: CSV{Delimiter: ";"},
		Mapping: Mapping{
			Product: Column{Name: "pzn"}, Schemes: []movement.Scheme{movement.SKU}, Quantity: Column{Name: "qty"},
			OccurredAt: Column{Name: "when"}, TimeFormats: []string{"YYYY-MM-DD HH:mm"}, TimeZone: "Europe/Berlin",
			Document: Column{Name: "receipt"}, Key: []Column{{Name: "receipt"}, {Name: "line"}},
		},
	}
}

func lasting(d time.Duration) *time.Duration { return &d }

func open(t *testing.T, change func(*Export)) *pharmacy {
	t.Helper()
	p := &pharmacy{t: t, e: sample(t.TempDir()), path: filepath.Join(t.TempDir(), "outbox.db"), now: time.Now()}
	if change != nil {
		change(&p.e)
	}
	p.start()
	t.Cleanup(func() { p.store.Close() })
	return p
}

func (p *pharmacy) start() {
	p.t.Helper()
	cfg := outbox.DefaultConfig()
	cfg.Path, cfg.Branch = p.path, "BR01"
	var err error
	p.log, p.reg = &lockedBuffer{}, prometheus.NewRegistry()
	log := slog.New(slog.NewTextHandler(p.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	if p.store, err = outbox.Open(cfg, log, nil); err != nil {
		p.t.Fatal(err)
	}
	p.d, err = New(Config{Exports: []Export{p.e}}, Options{Store: p.store, Log: log, Metrics: p.reg, Now: func() time.Time { return p.now }})
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p *pharmacy) restart() {
	p.store.Close()
	p.start()
}

func (p *pharmacy) file(name string) string { return filepath.Join(p.e.Folder, name) }

// put writes a file, newer than all before.
func (p *pharmacy) put(name, text string) {
	p.t.Helper()
	p.now = p.now.Add(time.Minute)
	if err := os.WriteFile(p.file(name), []byte(text), 0o644); err != nil {
		p.t.Fatal(err)
	}
	if err := os.Chtimes(p.file(name), p.now, p.now); err != nil {
		p.t.Fatal(err)
	}
}

// look looks, lets files settle, and looks again.
func (p *pharmacy) look() Status {
	p.d.adapters[0].look(p.t.Context())
	p.now = p.now.Add(time.Minute)
	p.d.adapters[0].look(p.t.Context())
	return p.d.Status()[0]
}

// movements reads the whole bulk lane.
func (p *pharmacy) movements() []movement.Movement {
	p.t.Helper()
	return movements(p.t, p.store)
}

func movements(t testing.TB, store *outbox.Outbox) []movement.Movement {
	t.Helper()
	var list []movement.Movement
	for _, s := range store.Streams() {
		if s.Lane != movement.Bulk {
			continue
		}
		for from := uint64(1); from <= s.Last; {
			b, err := store.Read(s.Epoch, s.Lane, from, 4000, 1<<20)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range b.Records {
				m, err := movement.Decode(r)
				if err != nil {
					t.Fatal(err)
				}
				list = append(list, m)
			}
			from = b.Through() + 1
		}
	}
	return list
}

// told lists what was recorded as "receipt/line=quantity" or "!code".
func (p *pharmacy) told() string {
	var list []string
	for _, m := range p.movements() {
		if m.Problem != nil {
			list = append(list, "!"+m.Problem.Code)
		} else {
			list = append(list, strings.TrimPrefix(m.NaturalKey, "till/")+"="+m.Quantity.String())
		}
	}
	return strings.Join(list, " ")
}

func (p *pharmacy) want(told string) {
	p.t.Helper()
	if got := p.told(); got != told {
		p.t.Errorf("recorded %q, want %q", got, told)
	}
}

func row(receipt, line int, qty string) string {
	return fmt.Sprintf("R%d;%d;A1;%s;2026-11-23 10:00;Maria Musterfrau\n", receipt, line, qty)
}

func TestFileIsReadWhenItHasSettled(t *testing.T) {
	p := open(t, nil)
	p.put("a.csv", head+row(1, 1, "2"))
	p.d.adapters[0].look(t.Context())
	p.want("")
	p.now = p.now.Add(*p.d.adapters[0].e.Settle - time.Second)
	p.put("a.csv", head+row(1, 1, "2")+row(1, 2, "1")) // still being written
	p.d.adapters[0].look(t.Context())
	p.want("")
	s := p.look()
	p.want("R1/1=2 R1/2=1")
	if s.State != Watching || s.Rows != (Counts{Good: 2}) || len(s.Files) != 1 || !s.Files[0].Done || s.Files[0].Rows != (Counts{Good: 2}) {
		t.Errorf("status %+v", s)
	}
}

func TestNothingCountsTwice(t *testing.T) {
	first := head + row(1, 1, "2") + row(1, 2, "1")
	cases := map[string]func(p *pharmacy){
		"looked at again":         func(p *pharmacy) {},
		"touched":                 func(p *pharmacy) { p.put("a.csv", first) },
		"delivered under another": func(p *pharmacy) { p.put("b.csv", first) },
		"appended to":             func(p *pharmacy) { p.put("a.csv", first+row(2, 1, "3")) },
		"rewritten, sorted anew":  func(p *pharmacy) { p.put("a.csv", head+row(2, 1, "3")+row(1, 2, "1")+row(1, 1, "2")) },
		"rewritten, shorter":      func(p *pharmacy) { p.put("a.csv", head+row(1, 2, "1")) },
		"rotated": func(p *pharmacy) {
			if err := os.Rename(p.file("a.csv"), p.file("a-1.csv")); err != nil {
				p.t.Fatal(err)
			}
			p.put("a.csv", head+row(2, 1, "3"))
		},
		"its rows twice within it": func(p *pharmacy) { p.put("a.csv", first+row(1, 1, "2")+row(2, 1, "3")) },
	}
	for name, then := range cases {
		for _, restarted := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, restarted %v", name, restarted), func(t *testing.T) {
				p := open(t, nil)
				p.put("a.csv", first)
				p.look()
				if restarted {
					p.restart()
				}
				then(p)
				p.look()
				want := "R1/1=2 R1/2=1"
				if b, _ := os.ReadFile(p.file("a.csv")); strings.Contains(string(b), "R2") {
					want += " R2/1=3"
				}
				p.want(want)
			})
		}
	}
}

func TestGrowingFile(t *testing.T) {
	p := open(t, func(e *Export) { e.Arrival = "growing" })
	p.put("a.csv", head[:10])
	p.look()
	p.put("a.csv", head+row(1, 1, "2")+row(1, 2, "1")[:12])
	p.look()
	p.want("R1/1=2")
	p.put("a.csv", head+row(1, 1, "2")+row(1, 2, "1"))
	p.restart()
	p.look()
	p.want("R1/1=2 R1/2=1")
	p.put("a.csv", head+row(1, 1, "2")+row(1, 2, "1")+row(2, 1, "7"))
	s := p.look()
	p.want("R1/1=2 R1/2=1 R2/1=7")
	if got := s.Files[0].Rows; got != (Counts{Good: 3}) {
		t.Errorf("counted %+v", got)
	}
	p.restart()
	if again := p.d.Status()[0].Files; len(again) != 1 || !again[0].Done || again[0].Rows != s.Files[0].Rows {
		t.Errorf("after a restart the file is %+v", again)
	}
	if line := p.movements()[2].Source.Line; line != 4 {
		t.Errorf("line %d", line)
	}
}

// A last line that was not whole after all is looked at again.
func TestLastLineWithoutAnEnd(t *testing.T) {
	p := open(t, nil)
	p.put("a.csv", head+row(1, 1, "2")+strings.TrimSuffix(row(1, 2, "1"), "\n"))
	p.look()
	p.want("R1/1=2 R1/2=1")
	p.put("a.csv", head+row(1, 1, "2")+row(1, 2, "1")+row(1, 3, "5"))
	p.look()
	p.want("R1/1=2 R1/2=1 R1/3=5")
}

func TestHeaderThatNoLongerFits(t *testing.T) {
	p := open(t, func(e *Export) { e.Finished = "move" })
	const strange = "receipt;line;article;qty;when;patient\nR9;1;A1;1;2026-11-23 10:00;Maria Musterfrau\n"
	p.put("a.csv", head+row(1, 1, "2"))
	p.put("b.csv", strange)
	p.put("c.csv", head+row(2, 1, "2"))
	s := p.look()
	p.want("R1/1=2 R2/1=2") // what came after it does not wait
	if s.State != Held || s.Code != "header_changed" || !strings.Contains(s.Reason, `"pzn"`) || !strings.Contains(s.Reason, "b.csv") {
		t.Errorf("status %+v", s)
	}
	if text, _ := os.ReadFile(p.file("b.csv")); string(text) != strange {
		t.Errorf("the file was touched: %q", text)
	}
	since := s.Since
	if s = p.look(); s.Since != since || strings.Count(p.log.b.String(), "header_changed")+strings.Count(p.log.b.String(), "no column") != 1 {
		t.Errorf("said again and again: %+v\n%s", s, p.log.b.String())
	}
	if n := testutil.ToFloat64(p.d.adapters[0].m.held); n != 1 {
		t.Errorf("%v files are held", n)
	}
	p.put("d.csv", strange)
	for i := range recentFiles {
		p.put(fmt.Sprintf("e%02d.csv", i), head+row(3, i, "2"))
	}
	if s = p.look(); s.State != Held || !strings.Contains(s.Reason, "b.csv") || !strings.Contains(s.Reason, "another file is not done") {
		t.Errorf("status %+v", s)
	}
	if !slices.ContainsFunc(p.look().Files, func(f FileStatus) bool { return f.Name == "b.csv" && strings.Contains(f.Reason, "pzn") }) {
		t.Error("a held file is not shown for the many that were read")
	}
	os.Remove(p.file("b.csv"))
	p.put("d.csv", head+row(4, 1, "2"))
	if s = p.look(); s.State != Watching {
		t.Errorf("status %+v", s)
	}
	if n := testutil.ToFloat64(p.d.adapters[0].m.held); n != 0 {
		t.Errorf("%v files are held", n)
	}
}

func TestFinishedFilesAreMoved(t *testing.T) {
	p := open(t, func(e *Export) { e.Finished = "move" })
	for range 2 {
		p.put("a.csv", head+row(1, 1, "2"))
		p.look()
		if _, err := os.Stat(p.file("a.csv")); err == nil {
			t.Error("the file is still there")
		}
	}
	p.want("R1/1=2")
	moved, _ := filepath.Glob(p.file("done/a*.csv"))
	if len(moved) != 2 {
		t.Errorf("moved to %v", moved)
	}
}

func TestFolderThatComesAndGoes(t *testing.T) {
	p := open(t, nil)
	p.put("a.csv", head+row(1, 1, "2"))
	away := p.e.Folder + ".away"
	os.Rename(p.e.Folder, away)
	if s := p.look(); s.State != Waiting || s.Code != "folder_unreadable" {
		t.Errorf("status %+v", s)
	}
	os.Rename(away, p.e.Folder)
	if s := p.look(); s.State != Watching {
		t.Errorf("status %+v", s)
	}
	p.want("R1/1=2")
}

func TestOtherFilesAreLeftAlone(t *testing.T) {
	p := open(t, nil)
	for _, name := range []string{"a.txt", ".a.csv", "~a.csv", "a.csv.tmp", "a.csv.part"} {
		p.put(name, head+row(1, 1, "2"))
	}
	os.Mkdir(p.file("folder.csv"), 0o755)
	p.put("B.CSV", head+row(2, 1, "2"))
	p.look()
	p.want("R2/1=2")
}

// Marked names stand in every column that is not mapped, and in lines whose
// columns cannot be told apart. None of them comes out anywhere.
func TestNothingAboutPatientsIsKept(t *testing.T) {
	const mark = "MUSTERFRAU"
	var text strings.Builder
	text.WriteString("patient;receipt;insurance;line;pzn;note;qty;when;doctor\n")
	for i := range 50 {
		fmt.Fprintf(&text, "%s;R%d;%s;1;A1;\"%s, \"\"x\"\"\";1;2026-11-23 10:00;%s\n", mark, i, mark, mark, mark)
	}
	for _, bad := range []string{
		mark + ";R90;x;1;A1;" + mark + ";many;2026-11-23 10:00;" + mark, // no number
		mark + ";R91;x;1;;" + mark + ";1;2026-11-23 10:00;" + mark,      // no product
		mark + ";R92;x;1;A1;" + mark + ";1;yesterday;" + mark,           // no date
		mark + ";;x;;A1;" + mark + ";1;2026-11-23 10:00;" + mark,        // no key
		mark + ";" + mark + ";R93;x;1;A1;" + mark,                       // too few
		mark + ";R94;x;1;A1;" + mark + ";1;2026-11-23 10:00;a;b;" + mark,
		mark + ";R95;\"" + mark + ";1;A1;x;1;2026-11-23 10:00;" + mark,          // a quote too many
		"\"" + mark + "\" " + mark + ";R96;x;1;A1;x;1;2026-11-23 10:00;" + mark, // a quote in the middle
		mark + strings.Repeat(mark, 10_000),
		mark + "\xff;R97;x;1;A1\xff;" + mark + "\xff;1;2026-11-23 10:00;" + mark, // no UTF-8
	} {
		text.WriteString(bad + "\n")
	}
	p := open(t, nil)
	p.put("a.csv", text.String())
	// A header whose place a row has taken.
	p.put("b.csv", mark+";R1;1;A1;1;2026-11-23 10:00\n")
	s := p.look()
	if s.Rows != (Counts{Good: 50, Bad: 10}) || s.State != Held {
		t.Errorf("status %+v", s)
	}
	seen := fmt.Sprintf("%+v\n%s\n", s, p.log.b.String())
	families, err := p.reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		seen += f.String() + "\n"
	}
	p.store.Close()
	file, err := os.ReadFile(p.path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(file, []byte("till/R49/1")) || !strings.Contains(seen, "branchline_agent_export_rows_total") {
		t.Fatal("this test looks at the wrong places")
	}
	for where, text := range map[string]string{"store": string(file), "log, status or metrics": seen} {
		if i := strings.Index(strings.ToUpper(text), mark); i >= 0 {
			t.Errorf("a name stands in the %s: %.200q", where, text[max(i-50, 0):])
		}
	}
	p.start()
}

func TestOldCheckpointsAreForgotten(t *testing.T) {
	p := open(t, nil)
	marks := p.d.adapters[0].marks
	for i := range maxCheckpoints + 1 {
		marks.byName[fmt.Sprint(i)] = &checkpoint{At: time.Unix(int64(i), 0)}
	}
	notes := marks.forget(map[string]bool{"0": true})
	if len(notes) != maxCheckpoints/10+1 || marks.byName["0"] == nil || marks.byName["1"] != nil || marks.byName[fmt.Sprint(maxCheckpoints)] == nil {
		t.Errorf("%d forgotten", len(notes))
	}
	if !slices.ContainsFunc(notes, func(n outbox.Note) bool { return n.Key == "till/1" && n.Value == nil }) {
		t.Error("not deleted from the store")
	}
}
