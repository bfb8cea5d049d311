package dispense

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func (p *pharmacy) writeTo(f *os.File, text string) {
	p.t.Helper()
	if _, err := f.WriteString(text); err != nil {
		p.t.Fatal(err)
	}
	if err := os.Chtimes(f.Name(), p.now, p.now); err != nil && !os.IsNotExist(err) {
		p.t.Fatal(err)
	}
}

// A program pauses for long in the middle of its file, with the file open, and goes
// on writing when it was moved: what it writes is read there.
func TestWrittenOnAfterItWasMoved(t *testing.T) {
	for _, restarted := range []bool{false, true} {
		p := open(t, func(e *Export) { e.Finished = "move" })
		p.put("a.csv", head+row(1, 1, "2"))
		f, err := os.OpenFile(p.file("a.csv"), os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		p.look()
		if _, err := os.Stat(p.file("done/a.csv")); err != nil {
			t.Fatal(err)
		}
		if restarted {
			p.restart()
		}
		for i := 2; i < 5; i++ {
			p.writeTo(f, row(i, 1, "3"))
			p.now = p.now.Add(23 * time.Hour)
			p.look()
		}
		p.want("R1/1=2 R2/1=3 R3/1=3 R4/1=3")
		if m := p.movements()[3]; m.Source.File != "a.csv" || m.Source.Line != 5 {
			t.Errorf("%+v", m.Source)
		}
		// Another of its name is a file of its own, and the one before it still read.
		p.put("a.csv", head+row(7, 1, "7"))
		p.look()
		p.writeTo(f, row(5, 1, "3"))
		p.now = p.now.Add(time.Hour)
		p.look()
		p.want("R1/1=2 R2/1=3 R3/1=3 R4/1=3 R7/1=7 R5/1=3")
		if s := p.d.Status()[0]; s.State != Watching {
			t.Errorf("%+v", s)
		}
	}
}

// Its time over, or taken away by somebody, a moved file is forgotten.
func TestMovedFilesAreForgotten(t *testing.T) {
	p := open(t, func(e *Export) { e.Finished = "move" })
	count := func() (n int) {
		t.Helper()
		for note, err := range p.store.Notes(noteSpace, "till/"+movedMark) {
			if err != nil || note.Value == nil {
				t.Fatal(err)
			}
			n++
		}
		return n
	}
	p.put("a.csv", head+row(1, 1, "2"))
	p.put("b.csv", head+row(2, 1, "2"))
	p.look()
	if n := count(); n != 2 {
		t.Errorf("%d are looked at", n)
	}
	os.Remove(p.file("done/b.csv"))
	p.now = p.now.Add(time.Hour)
	p.look()
	if n := count(); n != 1 {
		t.Errorf("%d are looked at", n)
	}
	p.now = p.now.Add(movedFor)
	p.look()
	if n := count(); n != 0 {
		t.Errorf("%d are looked at", n)
	}
}

// A file is moved only when it has not changed for long, however soon it is read.
func TestAFileIsMovedLaterThanItIsRead(t *testing.T) {
	p := open(t, func(e *Export) { e.Finished = "move" })
	a := p.d.adapters[0]
	there := func() bool { _, err := os.Stat(p.file("a.csv")); return err == nil }
	p.put("a.csv", head+row(1, 1, "2"))
	a.look(t.Context())
	p.now = p.now.Add(*a.e.Settle)
	soon := a.look(t.Context())
	p.want("R1/1=2")
	if !there() || soon > 9**a.e.Settle {
		t.Errorf("moved at once; looked at again in %s", soon)
	}
	p.put("a.csv", head+row(1, 1, "2")+row(2, 1, "1"))
	a.look(t.Context())
	for range 9 {
		p.now = p.now.Add(*a.e.Settle)
		a.look(t.Context())
	}
	if !there() {
		t.Error("moved while it was still growing")
	}
	a.writing = func(string) bool { return true }
	p.now = p.now.Add(*a.e.Settle)
	a.look(t.Context())
	if !there() {
		t.Error("moved while another program has it open for writing")
	}
	a.writing = func(string) bool { return false }
	a.look(t.Context())
	if there() {
		t.Error("not moved")
	}
	p.want("R1/1=2 R2/1=1")
}

// A file that cannot be moved is said, and not tried with every look.
func TestAFileThatCannotBeMoved(t *testing.T) {
	p := open(t, func(e *Export) { e.Finished = "move" })
	if err := os.WriteFile(filepath.Join(p.e.Folder, "done"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	p.put("a.csv", head+row(1, 1, "2"))
	s := p.look()
	if s.State != Waiting || s.Code != codeUnmoved || !strings.Contains(s.Reason, "a.csv") {
		t.Errorf("%+v", s)
	}
	os.Remove(p.file("done"))
	p.d.adapters[0].look(t.Context())
	if s := p.d.Status()[0]; s.Code != codeUnmoved {
		t.Errorf("tried again at once: %+v", s)
	}
	if s = p.look(); s.State != Watching {
		t.Errorf("%+v", s)
	}
}
