package dispense

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestExamine(t *testing.T) {
	cases := map[string]struct {
		files  map[string]string
		change func(*Export)
		want   string // in what is found, or in the error
		wrong  bool
	}{
		"no file yet":                    {nil, nil, "the mapping was not tried", false},
		"a good file":                    {map[string]string{"a.csv": head + row(1, 1, "2") + row(1, 2, "many")}, nil, "a.csv fits the mapping: of its first 2 rows 1 are understood, 1 would go to a person", false},
		"another header":                 {map[string]string{"a.csv": "receipt;line;article;qty;when;patient\n"}, nil, `"pzn"`, true},
		"an older one of another header": {map[string]string{"a.csv": "receipt;line;article;qty;when;patient\n", "b.csv": head + row(1, 1, "2")}, nil, "b.csv fits the mapping: of its first 1 rows 1 are understood, 0 would go to a person; but a.csv does not fit, and is held", false},
		"no folder":                      {nil, func(e *Export) { e.Folder += "/none" }, "cannot be looked into", true},
		"a file for done":                {map[string]string{"done": ""}, func(e *Export) { e.Finished, e.Done = "move", filepath.Join(e.Folder, "done") }, "cannot be moved", true},
		"done is made":                   {nil, func(e *Export) { e.Finished, e.Done = "move", filepath.Join(e.Folder, "done") }, "was not tried", false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			e := sample(t.TempDir())
			for i, file := range slices.Sorted(maps.Keys(c.files)) {
				path := filepath.Join(e.Folder, file)
				if err := os.WriteFile(path, []byte(c.files[file]), 0o600); err != nil {
					t.Fatal(err)
				}
				at := time.Date(2026, 11, 23, 10, i, 0, 0, time.UTC)
				if err := os.Chtimes(path, at, at); err != nil {
					t.Fatal(err)
				}
			}
			if c.change != nil {
				c.change(&e)
			}
			found, err := Examine(t.Context(), e)
			said := found
			if err != nil {
				said = err.Error()
			}
			if (err != nil) != c.wrong || !strings.Contains(said, c.want) {
				t.Errorf("found %q, %v; want %q", found, err, c.want)
			}
			if left, _ := os.ReadDir(e.Folder); err == nil && len(left) != len(c.files) {
				t.Errorf("it left %v", left)
			}
		})
	}
}
