package gs1_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"branchline/internal/fault"
	"branchline/internal/gs1"
)

var update = flag.Bool("update", false, "rewrite what the scans mean")

const scansDir = "../../testdata/scans"

// scanCase is one block of a file under testdata/scans.
type scanCase struct {
	name    string
	scan    string
	profile gs1.Profile
	now     time.Time
	want    string
	line    int // of want, in the file
}

var spelled = strings.NewReplacer("<GS>", "\x1d", "<TAB>", "\t", "<CR>", "\r", "<LF>", "\n",
	"<RS>", "\x1e", "<EOT>", "\x04", "<NUL>", "\x00", "<SP>", " ")

func readScans(t testing.TB, path string) (cases []scanCase, lines []string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines = strings.Split(strings.TrimRight(string(text), "\n"), "\n")
	fresh := func() scanCase { return scanCase{now: time.Date(2026, 6, 15, 12, 0, 0, 0, time.UTC)} }
	c := fresh()
	flush := func(at int) {
		if c.name != "" && (c.scan == "" || c.want == "") {
			t.Fatalf("%s:%d: case %q needs scan and means or refused", path, at, c.name)
		}
		if c.name != "" {
			cases = append(cases, c)
		}
		c = fresh()
	}
	for i, line := range lines {
		key, value, ok := strings.Cut(line, ": ")
		switch {
		case strings.HasPrefix(line, "//"):
		case line == "":
			flush(i)
		case c.name == "":
			c.name = line
		case !ok:
			t.Fatalf("%s:%d: no key", path, i+1)
		case key == "scan":
			c.scan = spelled.Replace(value)
		case key == "scanner":
			c.profile = readProfile(t, value)
		case key == "now":
			if c.now, err = time.Parse(time.DateOnly, value); err != nil {
				t.Fatalf("%s:%d: %v", path, i+1, err)
			}
		case key == "means", key == "refused":
			c.want, c.line = line, i
		default:
			t.Fatalf("%s:%d: unknown key %q", path, i+1, key)
		}
	}
	flush(len(lines))
	return cases, lines
}

func readProfile(t testing.TB, text string) (p gs1.Profile) {
	t.Helper()
	for _, f := range strings.Fields(text) {
		key, value, _ := strings.Cut(f, "=")
		switch key {
		case "substitute":
			p.Substitute = spelled.Replace(value)
		case "separators":
			if err := p.Separators.UnmarshalText([]byte(value)); err != nil {
				t.Fatal(err)
			}
		case "plain_is_gs1":
			p.PlainIsGS1 = true
		case "pzn":
			p.PZN = true
		case "substitute_in_data":
			p.SubstituteInData = true
		default:
			t.Fatalf("unknown setting %q", f)
		}
	}
	if err := p.Validate(); err != nil {
		t.Fatal(err)
	}
	return p
}

// outcome writes a result the way the files under testdata/scans do.
func outcome(c gs1.Code, err error) string {
	if err != nil {
		return "refused: " + fault.CodeOf(err)
	}
	var out []string
	say := func(key, value string) {
		if value != "" {
			out = append(out, key+"="+value)
		}
	}
	say("gtin", c.GTIN())
	say("content", c.Content())
	say("sscc", c.SSCC())
	say("lot", c.Lot())
	say("serial", c.Serial())
	if d, ok := c.Expiry(); ok {
		day := fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day)
		if h, m, ok := c.ExpiryTime(); ok {
			day += fmt.Sprintf("T%02d:%02d", h, m)
		}
		say("expiry", day)
	}
	if n, ok := c.Count(); ok {
		say("count", fmt.Sprint(n))
	}
	for _, e := range c.Elements {
		switch e.AI {
		case "00", "01", "02", "10", "21", "30", "37":
		default:
			say(e.AI, e.Value)
		}
	}
	if c.ProvesSeparators {
		out = append(out, "separators")
	}
	if c.MayBePZN {
		out = append(out, "maybe-pzn")
	}
	return "means: " + strings.Join(out, " ")
}

func TestScans(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(scansDir, "*.txt"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no scans in %s: %v", scansDir, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			cases, lines := readScans(t, file)
			for i := range cases {
				c := &cases[i]
				t.Run(c.name, func(t *testing.T) {
					code, err := gs1.Parse(c.scan, c.profile, c.now)
					got := outcome(code, err)
					if *update {
						lines[c.line] = got
						return
					}
					if got != c.want {
						t.Errorf("%q\n got %s\nwant %s\nerror %v", c.scan, got, c.want, err)
					}
					if err == nil && code.Raw != c.scan {
						t.Errorf("the raw code became %q", code.Raw)
					}
					if err != nil && (fault.ClassOf(err) != fault.Data || fault.HintOf(err) == "") {
						t.Errorf("class %v, hint %q: a person needs both right", fault.ClassOf(err), fault.HintOf(err))
					}
				})
			}
			if *update {
				if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}
