package main

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"branchline/agent/config"
	"branchline/agent/dispense"
	"branchline/agent/outbox"
)

// A row that was recorded long ago looks like a new one to try-export, which
// must not be taken for a promise to count it again.
func TestTryExportSaysWhatItCannotKnow(t *testing.T) {
	dir, path := install(t, 0o600)
	var out strings.Builder
	c := tryExportCommand{configFlag: configFlag{path}, File: filepath.Join(dir, "day.csv")}
	if err := c.Run(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"line 2: dispense 2 of gtin 04012345678901", "line 3: for a person", "1 row understood, 1 for a person. Nothing was recorded.",
		"Whether a row was recorded before is not looked up here"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
}

// Rows that count for nothing are shown as what they are: those that the mapping
// leaves out are counted, a reprint says which row it repeats, and another content
// under the same key goes to a person.
func TestTryExportTellsWhatCountsForNothing(t *testing.T) {
	dir, path := install(t, 0o600)
	text := strings.Replace(strings.ReplaceAll(small, "%DIR%", dir), "key: [No]}", "key: [No], kind_column: What, kinds: {D: dispense, V: return, T: ignore}}", 1)
	rows := "No,Code,Qty,When,What\n"
	for _, r := range []string{"1,D", "1,D", "T,T", "2,D", "1,V", "3,T", "1,D"} {
		no, what, _ := strings.Cut(r, ",")
		rows += no + ",04012345678901,2,2026-03-02 09:30:00," + what + "\n"
	}
	for name, content := range map[string]string{path: text, filepath.Join(dir, "day.csv"): rows} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var out strings.Builder
	if err := (&tryExportCommand{configFlag: configFlag{path}, File: filepath.Join(dir, "day.csv")}).Run(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"line 2: dispense 2 of gtin", "line 3: the same as line 2, as of a reprint: recorded once, key till/1\n", "line 5: dispense 2",
		"line 6: for a person, conflicting_repeat: line 6 of day.csv has the same key as line 2 of day.csv, but says something else", "line 8: the same as line 2",
		"2 rows understood, 1 for a person, 2 that repeat an earlier row, 2 left out as the mapping says. Nothing was recorded.", "  1 for conflicting_repeat\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
}

// A file that is not there, or none, is said in words.
func TestTryExportOfNoFile(t *testing.T) {
	dir, path := install(t, 0o600)
	for file, want := range map[string]string{filepath.Join(dir, "nope.csv"): "cannot be read: ", dir: "cannot be read: it is no file"} {
		c := tryExportCommand{configFlag: configFlag{path}, File: file}
		err := c.Run(&strings.Builder{})
		if err == nil || !strings.HasPrefix(err.Error(), file+" "+want) || strings.Contains(err.Error(), "open ") || !strings.Contains(err.Error(), "check the path") {
			t.Errorf("%v", err)
		}
	}
}

const several = `branch: BR01
data_dir: %DIR%
hub: {server: "mqtt://127.0.0.1:1", secret_file: agent.secret}
exports:
  - name: till
    folder: %DIR%/till
    pattern: "day*.csv"
    mapping: {product: Code, quantity: Qty, occurred_at: When, time_formats: ["YYYY-MM-DD HH:mm:ss"], key: [No]}
  - name: old
    folder: %DIR%/old
    fixed:
      columns: [{name: no, from: 1, to: 4}, {name: code, from: 5, to: 17}, {name: qty, from: 18, to: 20}, {name: when, from: 21, to: 34}]
    mapping: {product: code, quantity: qty, occurred_at: when, time_formats: [YYYYMMDDHHmmss], key: [no]}
`

// What a file is becomes clear from where it lies or what it is called; what it
// says wrong is told so that the mapping can be mended.
func TestTryExport(t *testing.T) {
	dir, path := install(t, 0o600)
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(several, "%DIR%", dir)), 0o600); err != nil {
		t.Fatal(err)
	}
	rows := "No,Code,Qty,When,Patient,Born\n"
	for i := range 60 {
		rows += fmt.Sprintf("%d,04012345678901,%d,2026-03-02 09:30:00,Erika,1958\n", i, i%2)
	}
	fixed := "   1" + "4012345678901" + "  2" + "20260302093000\n"
	cases := map[string]struct {
		name, text string
		command    tryExportCommand
		want       string // parts, or of the error, divided by |
		not        string
	}{
		"by its pattern": {"day1.csv", rows, tryExportCommand{Rows: 50}, "line 2: for a person|line 51:|… and 10 more rows (--rows 0 shows all)|30 rows understood, 30 for a person|  30 for zero_quantity|never read: Patient, Born", "line 52:"},
		"all rows":       {"day1.csv", rows, tryExportCommand{}, "line 61:|30 rows understood", "--rows 0"},
		"by its folder":  {"old/strange.name", fixed, tryExportCommand{Rows: 50}, "line 1: dispense 2 of gtin 04012345678901|1 row understood, 0 for a person", "nobody mapped"},
		"by name":        {"strange.name", fixed, tryExportCommand{Export: "old"}, "1 row understood", ""},
		"as records":     {"day1.csv", rows, tryExportCommand{JSON: true, Rows: 3}, `"natural_key":"till/1"`, "understood"},
		"unclear which":  {"strange.name", fixed, tryExportCommand{}, `--export: "" must be one of: till, old`, ""},
		"no such export": {"day1.csv", rows, tryExportCommand{Export: "tull"}, `--export: "tull" must be one of: till, old`, ""},
		"another sign":   {"day1.csv", strings.ReplaceAll(rows, ",", ";"), tryExportCommand{}, "is the delimiter right", "Erika"},
		"other capitals": {"day1.csv", strings.Replace(rows, "Qty", "QTY", 1), tryExportCommand{}, `no column "Qty", but one that differs in capitals`, "Erika"},
		"no header":      {"day1.csv", "1,04012345678901,1,2026-03-02 09:30:00,Erika,1958\n", tryExportCommand{}, `no column "Code" among its 6`, "Erika"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			c.command.Config, c.command.File = path, filepath.Join(dir, filepath.FromSlash(c.name))
			if err := os.MkdirAll(filepath.Dir(c.command.File), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(c.command.File, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			var out strings.Builder
			if err := c.command.Run(&out); err != nil {
				fmt.Fprintln(&out, err)
			}
			for _, want := range strings.Split(c.want, "|") {
				if !strings.Contains(out.String(), want) {
					t.Errorf("%q is not in\n%s", want, out.String())
				}
			}
			if c.not != "" && strings.Contains(out.String(), c.not) {
				t.Errorf("%q is in\n%s", c.not, out.String())
			}
		})
	}
}

var guideBlock = regexp.MustCompile("(?s)```yaml\n(.*?)```\n\nTried on `([^`]+)`: (\\d+) rows are understood, (\\d+) goe?s? to a person")

// Every format of the guide is tried by the command as the guide says, and no
// patient is in what it prints.
func TestTryExportOfEveryFormat(t *testing.T) {
	guide, err := os.ReadFile("../configs/exports.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := guideBlock.FindAllStringSubmatch(string(guide), -1)
	if len(blocks) != 6 {
		t.Fatalf("%d blocks", len(blocks))
	}
	for _, m := range blocks {
		t.Run(filepath.Base(filepath.Dir(m[2])), func(t *testing.T) {
			dir, path := install(t, 0o600)
			block := regexp.MustCompile(`folder: .*`).ReplaceAllLiteralString(m[1], "folder: "+filepath.ToSlash(dir))
			config := "branch: BR01\ndata_dir: " + filepath.ToSlash(dir) + "\nhub: {server: \"mqtt://127.0.0.1:1\", secret_file: agent.secret}\nexports:\n" + block
			if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
				t.Fatal(err)
			}
			files, err := filepath.Glob(filepath.Join("..", m[2], "export.*"))
			if err != nil || len(files) != 1 {
				t.Fatal(files, err)
			}
			sample, err := os.ReadFile(files[0])
			if err != nil {
				t.Fatal(err)
			}
			file, written := filepath.Join(dir, filepath.Base(files[0])), time.Date(2026, 11, 23, 17, 0, 0, 0, time.UTC)
			if err := errors.Join(os.WriteFile(file, sample, 0o600), os.Chtimes(file, written, written)); err != nil {
				t.Fatal(err)
			}
			var out strings.Builder
			c := tryExportCommand{configFlag: configFlag{path}, File: file}
			if err := c.Run(&out); err != nil {
				t.Fatal(err)
			}
			if want := m[3] + " rows understood, " + m[4] + " for a person. Nothing was recorded."; !strings.Contains(out.String(), want) {
				t.Errorf("%q is not in\n%s", want, out.String())
			}
			for _, name := range []string{"Maria", "MARIA", "Musterfrau", "MUSTERFRAU", "Müller"} {
				if strings.Contains(out.String(), name) {
					t.Errorf("%s is printed:\n%s", name, out.String())
				}
			}
		})
	}
}

// A file whose name is told to nobody can be found by what the hub calls it, long after
// it has left the folder.
func TestTryExportSaysWhatAFileIsToldAs(t *testing.T) {
	dir, path := install(t, 0o600)
	day, err := os.ReadFile(filepath.Join(dir, "day.csv"))
	if err != nil {
		t.Fatal(err)
	}
	archived := filepath.Join(t.TempDir(), "Musterfrau.csv")
	if err := os.WriteFile(archived, day, 0o600); err != nil {
		t.Fatal(err)
	}
	try := func(file string) string {
		t.Helper()
		var out strings.Builder
		if err := (&tryExportCommand{configFlag: configFlag{path}, File: file}).Run(&out); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	if out := try(archived); !strings.Contains(out, "withheld- and a number, which the agent knows when it has run") {
		t.Errorf("before it has run: %s", out)
	}
	cfg, err := config.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	store, err := outbox.Open(cfg.Outbox, log, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = dispense.New(cfg.Exports, dispense.Options{Store: store, Log: log})
	told, toldErr := dispense.ToldAs(&cfg.Exports.Exports[0], store, "Musterfrau.csv")
	if err := errors.Join(err, toldErr, store.Close()); err != nil {
		t.Fatal(err)
	}
	if out := try(archived); !strings.HasPrefix(told, "withheld-") || !strings.Contains(out, "at the hub, and in the log, it is "+told) {
		t.Errorf("%s: %s", told, out)
	}
	if out := try(filepath.Join(dir, "day.csv")); strings.Contains(out, "at the hub") {
		t.Error(out)
	}
}
