package dispense

import (
	"encoding/binary"
	"os"
	"strings"
	"testing"
	"time"
)

// by makes an export one of another format, as the case of that name has it.
func by(t *testing.T, name string) (change func(*Export), text []byte) {
	t.Helper()
	for _, x := range examples(t) {
		if x.name == name {
			return func(e *Export) {
				x.e.Folder, x.e.Name, x.e.Pattern = e.Folder, e.Name, "*"
				*e = x.e
			}, x.text
		}
	}
	t.Fatalf("no case %q", name)
	return nil, nil
}

// quantities tells what was recorded without its keys.
func (p *pharmacy) quantities() string {
	var list []string
	for _, m := range p.movements() {
		if m.Problem != nil {
			list = append(list, "!"+m.Problem.Code)
		} else {
			list = append(list, m.Quantity.String())
		}
	}
	return strings.Join(list, " ")
}

// A table to which the till adds rows is read on from where it was, though its
// header counts them and changes each time.
func TestTableThatGrows(t *testing.T) {
	change, table := by(t, "dBASE III, cp850, a deleted row")
	start, width := int(binary.LittleEndian.Uint16(table[8:])), int(binary.LittleEndian.Uint16(table[10:]))
	with := func(rows, said int) string {
		b := append([]byte(nil), table[:start+rows*width]...)
		binary.LittleEndian.PutUint32(b[4:], uint32(said))
		b[3] = byte(rows) // the day
		return string(b) + "\x1a"
	}
	p := open(t, func(e *Export) {
		change(e)
		e.Arrival = "growing"
	})
	for _, step := range []struct {
		rows, said int
		want       string
	}{
		{1, 1, "2"}, {1, 2, "2"}, {2, 2, "2 !row_deleted"},
		{4, 3, "2 !row_deleted !check_digit"}, {8, 8, "2 !row_deleted !check_digit !bad_date !bad_quantity !missing_key"},
	} {
		p.put("sales.dbf", with(step.rows, step.said))
		s := p.look()
		if got := p.quantities(); got != step.want {
			t.Fatalf("with %d rows, said %d: %q, want %q (%s)", step.rows, step.said, got, step.want, s.Reason)
		}
		p.restart()
	}
	// A table that is packed has its rows elsewhere, and the same keys.
	b := []byte(with(8, 6))
	packed := append(append(b[:start+width:start+width], b[start+2*width:start+6*width]...), b[start+7*width:]...)
	p.put("sales.dbf", string(packed))
	p.look()
	if got := p.quantities(); got != "2 !row_deleted !check_digit !bad_date !bad_quantity !missing_key 0.5" {
		t.Errorf("packed: %q", got)
	}
}

// Each format is recorded once, also when its file comes again, under another
// name, after a restart; nothing about a patient is in the store or the log.
func TestEveryFormatIsRecordedOnce(t *testing.T) {
	for _, name := range []string{"places in characters", "receipts with items", "RDS, two orders and two packs",
		"two pharmacies, a void and a partial fill", "Visual FoxPro, its own types", "totals between the rows, cp850"} {
		t.Run(name, func(t *testing.T) {
			change, text := by(t, name)
			p := open(t, change)
			p.put("a.txt", string(text))
			s := p.look()
			want := p.quantities()
			if len(s.Files) != 1 || !s.Files[0].Done || want == "" {
				t.Fatalf("%q, %+v", want, s)
			}
			p.restart()
			p.put("a.txt", string(text))
			p.look()
			p.put("b.txt", string(text))
			s = p.look()
			if got := p.quantities(); got != want || !s.Files[0].Done || s.Files[0].Rows.Good+s.Files[0].Rows.Bad != 0 {
				t.Errorf("again: %q, want %q; %+v", got, want, s.Files)
			}
			for _, m := range p.movements() {
				for _, secret := range []string{"Maria", "MARIA", "Muster", "MUSTER"} {
					if strings.Contains(string(m.AppendJSON(nil)), secret) || strings.Contains(p.log.b.String(), secret) {
						t.Errorf("%s is told", secret)
					}
				}
			}
		})
	}
}

// A file that is cut waits, and the others of its folder are read; one that
// is no longer what the mapping expects is held, and only this one.
func TestFaultsOfFilesStayWhereTheyAre(t *testing.T) {
	change, text := by(t, "receipts with items")
	p := open(t, change)
	p.put("a.xml", string(text[:len(text)-20]))
	p.put("b.xml", string(text))
	s := p.look()
	if s.State != Waiting || s.Code != codeUnreadable || !strings.Contains(p.quantities(), "1.5") {
		t.Errorf("%+v, recorded %q", s, p.quantities())
	}
	p.put("a.xml", string(text))
	if s = p.look(); s.State != Watching {
		t.Errorf("mended it is %+v", s)
	}
	p.put("c.xml", "<Maria/>")
	if s = p.look(); s.State != Held || strings.Contains(s.Reason, "Maria") {
		t.Errorf("another file is %+v", s)
	}
}

// A file that cannot be read to its end is not read again at every look.
func TestAFaultyFileIsLeftAloneForAWhile(t *testing.T) {
	change, text := by(t, "receipts with items")
	p := open(t, change)
	slow := p.d.adapters[0]
	slow.Now = func() time.Time { // each look at the clock takes a second
		p.now = p.now.Add(time.Second)
		return p.now
	}
	p.put("a.xml", string(text[:len(text)-20]))
	p.look()
	before := slow.failed["a.xml"].until
	slow.look(t.Context())
	s := p.d.Status()[0]
	if before.IsZero() || !slow.failed["a.xml"].until.Equal(before) || s.State != Waiting || s.Code != codeUnreadable {
		t.Errorf("left alone it is %+v", s)
	}
	p.now = p.now.Add(maxPatience)
	p.look()
	p.put("a.xml", string(text))
	if s = p.look(); s.State != Watching {
		t.Errorf("mended it is %+v", s)
	}
}

// A folder on another machine that goes away and comes back.
func TestFolderThatVanishesAndComesBack(t *testing.T) {
	p := open(t, nil)
	p.put("a.csv", head+row(1, 1, "2"))
	p.look()
	away := p.e.Folder + "-away"
	if err := os.Rename(p.e.Folder, away); err != nil {
		t.Fatal(err)
	}
	if s := p.look(); s.State != Waiting || s.Code != "folder_unreadable" {
		t.Errorf("without its folder it is %+v", s)
	}
	if err := os.Rename(away, p.e.Folder); err != nil {
		t.Fatal(err)
	}
	p.put("b.csv", head+row(1, 1, "2")+row(2, 1, "3"))
	if s := p.look(); s.State != Watching {
		t.Errorf("with its folder back it is %+v", s)
	}
	p.want("R1/1=2 R2/1=3")
}

// Files that are named by their day, with a column more from one day on.
func TestFilesByDayWithAnotherHeader(t *testing.T) {
	p := open(t, func(e *Export) { e.Pattern = "sales-????????.csv" })
	p.put("sales-20261122.csv", head+row(1, 1, "2"))
	p.put("stock.csv", "something;else\n")
	p.put("sales-20261123.csv", "patient;when;qty;new;pzn;line;receipt\nMaria;2026-11-23 10:00;4;x;A1;1;R2\n")
	if s := p.look(); s.State != Watching {
		t.Errorf("%+v", s)
	}
	p.want("R1/1=2 R2/1=4")
}
