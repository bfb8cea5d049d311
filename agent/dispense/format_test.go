package dispense

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"branchline/internal/conf"
	"branchline/internal/movement"
)

// example is a case under testdata.
type example struct {
	name string
	e    Export
	file string
	text []byte
}

func examples(t testing.TB) []example {
	t.Helper()
	folders, err := filepath.Glob("../../testdata/exports/*/*/adapter.yaml")
	if err != nil || len(folders) < 20 {
		t.Fatalf("%d examples, %v", len(folders), err)
	}
	var list []example
	for _, path := range folders {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var a adapterFile
		if err := conf.Parse(path, text, &a); err != nil {
			t.Fatal(err)
		}
		files, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "export.*"))
		x := example{name: filepath.Base(filepath.Dir(path)), e: a.Export, file: filepath.Base(files[0])}
		if x.text, err = os.ReadFile(files[0]); err != nil {
			t.Fatal(err)
		}
		list = append(list, x)
	}
	return list
}

func (x *example) reader() (*reader, error) {
	return newReader(&x.e, file{ReaderAt: bytes.NewReader(x.text), name: x.file, size: int64(len(x.text)), changed: time.Unix(1.8e9, 0)})
}

// From each place between two rows, in whatever format, the same rows follow
// as when the file is read from its start, and no other place is taken for one.
func TestEveryFormatGoesOnWhereItWas(t *testing.T) {
	for _, x := range examples(t) {
		t.Run(x.name, func(t *testing.T) {
			r, err := x.reader()
			if err != nil {
				return // as its case says
			}
			places, rows := []position{r.pos}, []string{}
			var m movement.Movement
			for {
				err := r.next(&m)
				r.mark()
				if err != nil {
					break
				}
				places, rows = append(places, r.pos), append(rows, string(m.AppendJSON(nil)))
			}
			for i, at := range places {
				again, err := x.reader()
				if err != nil {
					t.Fatal(err)
				}
				same, err := again.seek(at)
				if err != nil {
					t.Fatal(err)
				}
				if !same {
					if x.e.XML == nil {
						t.Fatalf("place %d is not found again", i)
					}
					continue
				}
				if x.e.XML != nil {
					t.Fatal("a place in XML, which has none")
				}
				var rest []string
				for again.next(&m) == nil {
					rest = append(rest, string(m.AppendJSON(nil)))
				}
				want := rows[i:]
				if i == len(rows) && len(rest) == 1 && at.Offset < int64(len(x.text)) {
					want = rows[i-1:] // the last row, which has no end, is read again
				}
				if !slices.Equal(rest, want) {
					t.Fatalf("from place %d\n%s\nwant\n%s", i, rest, want)
				}
			}
		})
	}
}

// A file that is cut anywhere is read without harm: what was read before is
// the same, but for a row that the cut goes through.
func TestEveryFormatCutAnywhere(t *testing.T) {
	for _, x := range examples(t) {
		if len(x.text) > 4000 || len(x.e.formats()) == 0 {
			continue // the many of CSV take too long
		}
		t.Run(x.name, func(t *testing.T) {
			whole := told(t, x)
			for n := range x.text {
				cut := x
				cut.text = x.text[:n]
				got := told(t, cut)
				if len(got) > len(whole)+1 {
					t.Fatalf("cut at %d it has %d rows of %d", n, len(got), len(whole))
				}
				for i := range len(got) - 1 {
					if got[i] != whole[i] {
						t.Fatalf("cut at %d row %d is %s, was %s", n, i, got[i], whole[i])
					}
				}
			}
		})
	}
}

func told(t *testing.T, x example) (rows []string) {
	r, err := x.reader()
	if err != nil {
		return nil
	}
	var m movement.Movement
	for {
		err := r.next(&m)
		if err != nil {
			return rows
		}
		rows = append(rows, string(m.AppendJSON(nil)))
	}
}

// Whatever bytes a file of any format holds, reading it ends, and every
// movement is valid and has a key.
func FuzzFormats(f *testing.F) {
	all := examples(f)
	for i, x := range all {
		if len(x.text) < 4000 {
			f.Add(x.text, byte(i))
		}
	}
	f.Fuzz(func(t *testing.T, text []byte, which byte) {
		x := all[int(which)%len(all)]
		x.text = text
		r, err := x.reader()
		if err != nil {
			return
		}
		var m movement.Movement
		for n := 0; ; n++ {
			err := r.next(&m)
			if err != nil {
				if !errors.Is(err, io.EOF) && strings.Contains(err.Error(), "Muster") {
					t.Fatalf("it quotes the file: %v", err)
				}
				break
			}
			if n > len(text) {
				t.Fatal("more rows than bytes")
			}
			m.RecordedAt = m.OccurredAt
			if err := m.Validate(); err != nil || m.NaturalKey == "" {
				t.Fatalf("%v in %s", err, m.AppendJSON(nil))
			}
		}
		r.mark()
		if r.pos.Offset > int64(len(text)) {
			t.Fatalf("stopped at %d of %d", r.pos.Offset, len(text))
		}
		again, err := x.reader()
		if err != nil {
			t.Fatal(err)
		}
		if same, err := again.seek(r.pos); err != nil || !same && x.e.XML == nil {
			t.Fatalf("seek: %v, %v", same, err)
		}
	})
}
