package dispense

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"branchline/internal/conf"
	"branchline/internal/fault"
	"branchline/internal/movement"
)

var update = flag.Bool("update", false, "rewrite the expectations under testdata")

// adapterFile is the adapter.yaml of a case: an export without its folder.
type adapterFile struct{ Export }

func (a *adapterFile) UnmarshalYAML(decode func(any) error) error { return decode(&a.Export) }

func (a *adapterFile) Validate() error {
	folder, err := filepath.Abs("anywhere")
	if err != nil {
		return err
	}
	a.Folder = folder
	return a.Export.Validate()
}

// Each folder holds adapter.yaml, one export, and what it must become: a
// movement a line, or why the file is refused.
func TestExportCases(t *testing.T) {
	folders, err := filepath.Glob("../../testdata/exports/*/*")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, folder := range folders {
		if info, err := os.Stat(folder); err != nil || !info.IsDir() {
			continue
		}
		n++
		t.Run(filepath.Base(filepath.Dir(folder))+"/"+filepath.Base(folder), func(t *testing.T) {
			got := caseResult(t, folder)
			for _, name := range []string{"Maria", "Muster", "Jürgen", "Müller"} {
				if strings.Contains(got, name) {
					t.Errorf("a patient's name comes out:\n%s", got)
				}
			}
			golden := filepath.Join(folder, "movements.jsonl")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
	if n < 40 {
		t.Errorf("only %d cases are there", n)
	}
}

func caseResult(t *testing.T, folder string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(folder, "adapter.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var a adapterFile
	if err := conf.Parse("adapter.yaml", text, &a); err != nil {
		t.Fatal(err)
	}
	inputs, err := filepath.Glob(filepath.Join(folder, "export.*"))
	if err != nil || len(inputs) != 1 {
		t.Fatalf("the case has %d exports, %v", len(inputs), err)
	}
	input, err := os.ReadFile(inputs[0])
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), filepath.Base(inputs[0]))
	if err := os.WriteFile(path, input, 0o644); err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 23, 17, 0, 0, 0, time.UTC)
	if err := os.Chtimes(path, at, at); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	_, err = Try(t.Context(), a.Export, path, func(m *movement.Movement, _ int64) error {
		c := *m
		c.RecordedAt = at
		if err := c.Validate(); err != nil {
			t.Errorf("line %d: %v", m.Source.Line, err)
		}
		out.Write(append(c.AppendJSON(nil), '\n'))
		return nil
	})
	if err != nil {
		if fault.ClassOf(err) == fault.Defect {
			t.Error(err)
		}
		fmt.Fprintf(&out, "%s: %v\n", fault.CodeOf(err), err)
	}
	return out.String()
}

func TestTryStopsWhenToldTo(t *testing.T) {
	e := sample(t.TempDir())
	path := filepath.Join(e.Folder, "a.csv")
	if err := os.WriteFile(path, []byte(head+row(1, 1, "1")+row(1, 2, "x")+row(1, 3, "1")), 0o644); err != nil {
		t.Fatal(err)
	}
	enough := errors.New("enough")
	sum, err := Try(t.Context(), e, path, func(m *movement.Movement, _ int64) error {
		if m.Problem != nil {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) || sum.Good != 1 || sum.Bad != 1 || sum.Reasons["bad_quantity"] != 1 || !slices.Equal(sum.Unmapped, []string{"patient"}) {
		t.Errorf("%+v, %v", sum, err)
	}
}

// Whatever bytes a file holds, reading it ends, every movement is valid, and
// no line is swallowed without a movement.
func FuzzReader(f *testing.F) {
	f.Add([]byte(head+row(1, 1, "2")), byte(0))
	f.Add([]byte("\xef\xbb\xbf"+head+row(1, 1, "2")), byte(1))
	f.Add([]byte("\xff\xfea\x00;\x00"), byte(2))
	f.Add([]byte("receipt;line;pzn;qty;when;patient\n\"a;\"b;c\n\"\"\"\";;;;;\n"), byte(4))
	f.Add([]byte("receipt;line;pzn;qty;when;patient\n\"a\nb\";1;A;1;2026-11-23 10:00;x"), byte(12))
	names := []string{"utf-8", "windows-1252", "utf-16", "cp850"}
	folder := f.TempDir()
	f.Fuzz(func(t *testing.T, text []byte, how byte) {
		e := sample(folder)
		e.CSV.Encoding = names[how&3]
		e.CSV.QuotedNewlines = how&8 != 0
		if how&4 != 0 {
			no := false
			e.CSV.Header, e.CSV.Columns = &no, 3
			e.Mapping = Mapping{Product: Column{Number: 1}, Quantity: Column{Number: 2}, OccurredAt: Column{Number: 3},
				TimeFormats: []string{"DD.MM.YYYY"}, Key: []Column{{Number: 1}}, Decimal: ",",
				Schemes: []movement.Scheme{movement.GTIN, movement.PZN, movement.NDC}}
		}
		if err := e.Validate(); err != nil {
			t.Fatal(err)
		}
		r, err := newReader(&e, file{ReaderAt: bytes.NewReader(text), name: "a.csv", size: int64(len(text)), changed: time.Unix(1.8e9, 0)})
		if err != nil {
			return
		}
		var m movement.Movement
		line := int64(0)
		for n := 0; r.next(&m) == nil; n++ {
			if n > len(text) {
				t.Fatal("more rows than bytes")
			}
			if m.Source.Line <= line {
				t.Fatalf("line %d after line %d", m.Source.Line, line)
			}
			line = m.Source.Line
			m.RecordedAt = m.OccurredAt
			if err := m.Validate(); err != nil {
				t.Fatal(err)
			}
			if m.NaturalKey == "" {
				t.Fatal("a row without a key")
			}
		}
		r.mark()
		if r.pos.Offset > int64(len(text)) || !r.rows.encoding().wide && r.pos.Offset < int64(bytes.LastIndexByte(text, '\n')+1) {
			t.Fatalf("stopped at %d of %d", r.pos.Offset, len(text))
		}
		// The same place is found again.
		again, err := newReader(&e, file{ReaderAt: bytes.NewReader(text), name: "a.csv", size: int64(len(text)), changed: time.Unix(1.8e9, 0)})
		if err != nil {
			t.Fatal(err)
		}
		if same, err := again.seek(r.pos); err != nil || !same {
			t.Fatalf("seek: %v, %v", same, err)
		}
		if strings.Contains(r.pos.Anchor, "\xff") {
			t.Fatal("anchor")
		}
	})
}
