package edition

import (
	"strings"
	"testing"
	"testing/fstest"

	"go.yaml.in/yaml/v3"
	"pgregory.net/rapid"

	"branchline/internal/edition"
)

// in makes a folder of files by their names.
func in(t testing.TB, files map[string]string) *Folder {
	t.Helper()
	dir := fstest.MapFS{}
	for name, text := range files {
		dir[name] = &fstest.MapFile{Data: []byte(text)}
	}
	f, err := read(dir)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestLayers(t *testing.T) {
	br := Branch{Code: "BR01", Groups: []string{"city", "night"}}
	for name, c := range map[string]struct {
		defaults, city, night, own string
		want                       string
	}{
		"nothing at all":          {want: ""},
		"defaults alone":          {defaults: "log: {level: debug}", want: "log: {level: debug}"},
		"a branch goes first":     {defaults: "log: {level: debug}", city: "log: {level: info}", own: "log: {level: warn}", want: "log: {level: warn}"},
		"groups in their order":   {city: "log: {level: info}", night: "log: {level: warn}", want: "log: {level: warn}"},
		"settings are joined":     {defaults: "outbox: {max_bytes: 1, retention: 1h}", own: "outbox: {retention: 2h}", want: "outbox: {max_bytes: 1, retention: 2h}"},
		"null takes away":         {defaults: "log: {level: debug, file: x}", own: "log: {level: null}", want: "log: {file: x}"},
		"null over a group":       {defaults: "log: {level: debug}\nweb: {listen: a}", own: "log: ~", want: "web: {listen: a}"},
		"null over nothing":       {own: "log: ~\nweb: {listen: ~}", want: "web: {}"},
		"a value over a group":    {defaults: "log: {level: debug}", own: "log: x", want: "log: x"},
		"entries by their names":  {defaults: "scanners: [{name: a, port: p, speed: 9600}, {name: b, port: q}]", own: "scanners: [{name: b, port: r}, {name: c, port: s}]", want: "scanners: [{name: a, port: p, speed: 9600}, {name: b, port: r}, {name: c, port: s}]"},
		"an entry that is absent": {defaults: "scanners: [{name: a}, {name: b}]", city: "scanners: [{name: a, absent: true}]", want: "scanners: [{name: b}]"},
		"absent and never there":  {own: "scanners: [{name: a, absent: true}, {name: b}]", want: "scanners: [{name: b}]"},
		"absent, then there":      {defaults: "scanners: [{name: a}]", city: "scanners: [{name: a, absent: true}]", own: "scanners: [{name: a, port: p}]", want: "scanners: [{name: a, port: p}]"},
		"an empty list":           {defaults: "scanners: [{name: a}]", own: "scanners: []", want: "scanners: []"},
		"other lists":             {defaults: "x: [1, 2]", own: "x: [3]", want: "x: [3]"},
		"entries without names":   {defaults: "x: [{a: 1}]", own: "x: [{name: n}]", want: "x: [{name: n}]"},
		"two of one name":         {defaults: "x: [{name: n, a: 1}]", own: "x: [{name: n}, {name: n}]", want: "x: [{name: n}, {name: n}]"},
		"texts stay texts":        {defaults: `x: "1"`, own: `y: 'true'`, want: "x: \"1\"\ny: 'true'"},
		"a secret":                {defaults: "hub: {secret_file: a}", own: "hub: {secret_file: {secret: door}}", want: "hub: {secret_file: {secret: door}}"},
		"a list over a secret":    {defaults: "x: {secret: door}", own: "x: [1]", want: "x: [1]"},
	} {
		t.Run(name, func(t *testing.T) {
			files := map[string]string{}
			for file, text := range map[string]string{"defaults.yaml": c.defaults, "groups/city.yaml": c.city, "groups/night.yaml": c.night, "branches/BR01.yaml": c.own} {
				if text != "" {
					files[file] = text
				}
			}
			got := in(t, files).Effective(br)
			if len(got.Layers) != len(files) || same(t, got.Configuration) != same(t, c.want) {
				t.Errorf("of %v\n%swant\n%s", got.Layers, got.Configuration, c.want)
			}
		})
	}
}

// same writes YAML in one way.
func same(t testing.TB, text string) string {
	t.Helper()
	var v any
	if err := yaml.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v in %q", err, text)
	}
	out, err := yaml.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// Each value is told with the file and the line that it comes from.
func TestWhereAValueComesFrom(t *testing.T) {
	e := in(t, map[string]string{
		"defaults.yaml":      "# for all\nlog:\n  level: debug\nscanners:\n  - name: front\n    port: COM1\n    for: receive\n",
		"branches/BR01.yaml": "scanners:\n  - name: front\n    port: COM7\n",
	}).Effective(Branch{Code: "BR01"})
	want := map[string]Value{
		"log.level":            {Value: "debug", Source: Source{"defaults.yaml", 3}},
		"scanners[front].port": {Value: "COM7", Source: Source{"branches/BR01.yaml", 3}},
		"scanners[front].for":  {Value: "receive", Source: Source{"defaults.yaml", 7}},
		"scanners[front].name": {Value: "front", Source: Source{"branches/BR01.yaml", 2}},
	}
	for _, v := range e.Values {
		if w, ok := want[v.Setting]; !ok || v.Value != w.Value || v.Source != w.Source {
			t.Errorf("%+v, want %+v", v, w)
		}
		delete(want, v.Setting)
	}
	if len(want) > 0 || len(e.Problems) > 0 {
		t.Errorf("not told: %v; %v", want, e.Problems)
	}
}

// A layer over itself, and over nothing, is itself; and what counts does not depend on
// how often it is put together.
func TestMergingIsStable(t *testing.T) {
	value := rapid.Custom(func(t *rapid.T) string {
		return rapid.SampledFrom([]string{"1", `"x"`, "null", "[1, 2]", "[]", "{}", "{a: 1, b: null}", "[{name: n, a: 1}, {name: m}]", "[{name: n, absent: true}]", "{secret: door}", "[{a: 1}]", "{a: {b: {c: 1}}}"}).Draw(t, "value")
	})
	rapid.Check(t, func(rt *rapid.T) {
		text := func(label string) string {
			var b strings.Builder
			for _, name := range []string{"p", "q", "r"} {
				if rapid.Bool().Draw(rt, label+name) {
					b.WriteString(name + ": " + value.Draw(rt, label+name) + "\n")
				}
			}
			return b.String()
		}
		one, two := text("one"), text("two")
		br := Branch{Code: "B", Groups: []string{"g"}}
		all := in(t, map[string]string{"defaults.yaml": one, "groups/g.yaml": two}).Effective(br)
		again := in(t, map[string]string{"defaults.yaml": one, "groups/g.yaml": two, "branches/B.yaml": two}).Effective(br)
		if all.Configuration != again.Configuration {
			rt.Fatalf("a layer twice:\n%s\nonce:\n%s", again.Configuration, all.Configuration)
		}
		flat := in(t, map[string]string{"defaults.yaml": all.Configuration}).Effective(br)
		if flat.Configuration != all.Configuration {
			rt.Fatalf("what counts, read again:\n%s\nwas:\n%s", flat.Configuration, all.Configuration)
		}
	})
}

// Whatever lies in the folder, nothing panics, and what comes of it is what an edition
// can hold.
func FuzzLayers(f *testing.F) {
	f.Add("log: {level: debug}", "log: ~", "scanners: [{name: a, absent: true}]")
	f.Add("a: &x 1\nb: *x", "<<: {a: 1}", "a: 1\na: 2")
	f.Add("- 1", "{", "\x00")
	f.Fuzz(func(t *testing.T, defaults, group, own string) {
		dir := in(t, map[string]string{"defaults.yaml": defaults, "groups/g.yaml": group, "branches/B.yaml": own})
		br := Branch{Code: "B", Groups: []string{"g"}}
		dir.Check([]Branch{br})
		e := dir.Effective(br)
		if e.Configuration == "" || len(e.Problems) > 0 {
			return
		}
		if names, err := edition.Secrets(e.Configuration); err != nil || len(names) != len(e.Secrets) {
			t.Fatalf("no edition can hold it: %v (%v, %v)\n%s", err, names, e.Secrets, e.Configuration)
		}
	})
}
