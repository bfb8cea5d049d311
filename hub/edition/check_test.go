package edition

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What is wrong is told once, by file and line, with how many branches it concerns.
func TestWhatIsWrongInTheFolder(t *testing.T) {
	all := []Branch{{"BR01", []string{"city"}}, {"BR02", []string{"city"}}, {"BR03", nil}}
	for name, c := range map[string]struct {
		files map[string]string
		want  []string
	}{
		"nothing":                 {map[string]string{"defaults.yaml": "log: {level: debug}"}, nil},
		"a name nearly right":     {map[string]string{"defaults.yaml": "log:\n  level: debug\noutbx: {}"}, []string{`defaults.yaml:3: outbx: there is no such setting, did you mean "outbox"? (3 branches, BR01 the first)`}},
		"a value of another kind": {map[string]string{"groups/city.yaml": "scanners:\n  - name: front\n    port: COM1\n    for: receive\n    speed: fast"}, []string{`groups/city.yaml:5: scanners[front].speed: "fast" is not a whole number (2 branches, BR01 the first)`}},
		"what must be given":      {map[string]string{"branches/BR02.yaml": "scanners:\n  - name: front\n    port: COM1"}, []string{`branches/BR02.yaml:2: scanners[front].for: must be given (BR02)`}},
		"the PC's own":            {map[string]string{"defaults.yaml": "data_dir: /var"}, []string{"defaults.yaml:1: data_dir: belongs to the branch's PC, in its agent.yaml (3 branches, BR01 the first)"}},
		"mended by the branch":    {map[string]string{"defaults.yaml": "outbx: {}", "branches/BR01.yaml": "outbx: ~", "branches/BR02.yaml": "outbx: ~"}, []string{`defaults.yaml:1: outbx: there is no such setting, did you mean "outbox"? (BR03)`}},
		"no YAML":                 {map[string]string{"defaults.yaml": "a: [1"}, []string{"defaults.yaml: is not YAML: line 1:"}},
		"an alias":                {map[string]string{"defaults.yaml": "log:\n  level: &x debug"}, []string{"defaults.yaml:2: anchors and aliases"}},
		"twice":                   {map[string]string{"defaults.yaml": "log: {}\nlog: {}"}, []string{`defaults.yaml:2: the setting "log" is there twice`}},
		"a list":                  {map[string]string{"defaults.yaml": "- 1"}, []string{"defaults.yaml:1: is not a group of settings"}},
		"two documents":           {map[string]string{"defaults.yaml": "a: 1\n---\nb: 1"}, []string{"defaults.yaml: holds more than one document"}},
		"files of nobody":         {map[string]string{"groups/town.yaml": "", "branches/BR09.yaml": "", "branches/notes.txt": "", "branches/.hidden": ""}, []string{`branches/BR09.yaml: there is no branch "BR09"`, "branches/notes.txt: is no layer", `groups/town.yaml: no branch is of the group "town"`}},
		"a secret's name":         {map[string]string{"defaults.yaml": "hub: {secret_file: {secret: a b}}"}, []string{`defaults.yaml:1: "a b" cannot name a secret`}},
		"too large":               {map[string]string{"defaults.yaml": "# " + strings.Repeat("x", maxFile)}, []string{"defaults.yaml: cannot be read: it has more than"}},
		"too deep":                {map[string]string{"defaults.yaml": "a: " + strings.Repeat("[", 30) + strings.Repeat("]", 30)}, []string{"defaults.yaml:1: it is nested more than 20 deep"}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, p := range in(t, c.files).Check(all) {
				got = append(got, p.String())
			}
			if len(got) != len(c.want) {
				t.Fatalf("%q, want %q", got, c.want)
			}
			for i := range got {
				if !strings.HasPrefix(got[i], c.want[i]) {
					t.Errorf("%q, want %q", got[i], c.want[i])
				}
			}
		})
	}
}

// The sample is right, and shows what it says.
func TestTheSampleFolder(t *testing.T) {
	f, err := Read(filepath.Join("..", "..", "configs", "fleet"))
	if err != nil {
		t.Fatal(err)
	}
	branches := []Branch{{Code: "BR01"}, {Code: "BR02", Groups: []string{"city"}}, {Code: "BR03", Groups: []string{"city"}}}
	if wrong := f.Check(branches); len(wrong) > 0 {
		t.Errorf("%v", wrong)
	}
	for i, want := range []string{"short_dated_days: 90", "short_dated_days: 60", "name: robot"} {
		if e := f.Effective(branches[i]); !strings.Contains(e.Configuration, want) || (i < 2) == strings.Contains(e.Configuration, "robot") {
			t.Errorf("%s", e.Configuration)
		}
	}
}

func TestAFolderThatIsNotThere(t *testing.T) {
	if _, err := Read(filepath.Join(t.TempDir(), "no")); !os.IsNotExist(err) {
		t.Errorf("%v", err)
	}
}
