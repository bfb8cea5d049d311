package post

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"branchline/hub/ledger"
	"branchline/internal/fault"
	"branchline/internal/movement"
	"branchline/internal/odoo"
)

var markedRuns = []ledger.Run{
	{Stream: ledger.Stream{Branch: "BR01", Epoch: "abcdefghijkl", Lane: movement.Live}, First: 1, Last: 9},
	{Stream: ledger.Stream{Branch: "BR01", Epoch: "abcdefghijkl", Lane: movement.Bulk}, First: 3, Last: 3},
	{Stream: ledger.Stream{Branch: "BR01", Epoch: "abcdefghijkl", Lane: movement.Bulk}, First: 7, Last: 8},
}

func aMarker() odoo.Marker {
	p := ledger.Posting{Name: ledger.PostingName(movement.Dispense, markedRuns), Branch: "BR01", Kind: movement.Dispense}
	return mark(&p, 0, markedRuns)
}

func TestAMarkerSaysExactlyWhatIsInside(t *testing.T) {
	m := aMarker()
	if want := "BR01 dispense abcdefghijkl/live:1-9;abcdefghijkl/bulk:3,7-8"; m.Body != want {
		t.Errorf("body %q, want %q", m.Body, want)
	}
	if !strings.HasPrefix(m.Posting, "BL/BR01/abcd/L1-9/") {
		t.Errorf("name %q", m.Posting)
	}
	html, err := m.HTML()
	if err != nil {
		t.Fatal(err)
	}
	again, ok := odoo.ReadMarker(html)
	if !ok {
		t.Fatalf("%s does not read back", html)
	}
	got, err := read(again)
	if err != nil {
		t.Fatal(err)
	}
	want := marked{posting: m.Posting, branch: "BR01", kind: movement.Dispense, runs: markedRuns}
	if d := cmp.Diff(want, got, cmp.AllowUnexported(marked{})); d != "" {
		t.Error(d)
	}
}

// With the chain's hashes a marker reads back as it was, one of an older hub
// without them; and of very many runs only the last of each stream has one.
func TestAMarkerNamesTheChain(t *testing.T) {
	runs := append([]ledger.Run(nil), markedRuns...)
	runs[0].Hash, runs[2].Hash = "0011aabb", "99ffee00"
	p := ledger.Posting{Name: ledger.PostingName(movement.Dispense, runs), Branch: "BR01", Kind: movement.Dispense}
	m := mark(&p, 0, runs)
	if want := "BR01 dispense abcdefghijkl/live:1-9@0011aabb;abcdefghijkl/bulk:3,7-8@99ffee00"; m.Body != want {
		t.Errorf("body %q, want %q", m.Body, want)
	}
	if p.Name != aMarker().Posting {
		t.Errorf("the name is %s, and %s without the chain", p.Name, aMarker().Posting)
	}
	for _, name := range []string{p.Name, ledger.ChainedName(movement.Dispense, runs)} {
		m.Posting = name
		if got, err := read(m); err != nil || !cmp.Equal(got.runs, runs) || got.posting != name {
			t.Errorf("%s reads back as %+v, %v", name, got, err)
		}
	}
	if ledger.ChainedName(movement.Dispense, runs) == p.Name {
		t.Error("the chain is not in the name")
	}
	var many []ledger.Run
	for i := range uint64(6000) {
		many = append(many, ledger.Run{Stream: markedRuns[i/3000].Stream, First: 10_000 + 2*i, Last: 10_000 + 2*i, Hash: "0011aabb"})
	}
	m = mark(&p, 0, many)
	if n := strings.Count(m.Body, "@"); n != 2 || !strings.HasSuffix(m.Body, "@0011aabb") || len(m.Body) > odoo.MaxMarker {
		t.Errorf("%d hashes in %d bytes", n, len(m.Body))
	}
}

func TestAForgedMarkerIsNotBelieved(t *testing.T) {
	good := aMarker()
	for name, body := range map[string]string{
		"empty":               "",
		"another movement":    strings.Replace(good.Body, "3,", "4,", 1),
		"one more":            good.Body + ",99",
		"another branch":      strings.Replace(good.Body, "BR01", "BR02", 1),
		"another kind":        strings.Replace(good.Body, "dispense", "return", 1),
		"no kind":             strings.Replace(good.Body, "dispense", "theft", 1),
		"a run backwards":     strings.Replace(good.Body, "1-9", "9-1", 1),
		"a seq beyond bounds": strings.Replace(good.Body, "1-9", "1-9223372036854775807", 1),
		"a hash too short":    strings.Replace(good.Body, "1-9", "1-9@0011aab", 1),
		"no hash":             strings.Replace(good.Body, "1-9", "1-9@", 1),
		"a foreign hash":      strings.Replace(good.Body, "1-9", "1-9@0011AABB", 1),
		"no lane":             strings.Replace(good.Body, "/live", "/side", 1),
	} {
		t.Run(name, func(t *testing.T) {
			m := good
			m.Body = body
			if _, err := read(m); fault.ClassOf(err) != fault.Data || err == nil {
				t.Errorf("error %v, want one of class Data", err)
			}
		})
	}
}

// What stands in a note anybody in Odoo may have written.
func FuzzRead(f *testing.F) {
	good := aMarker()
	f.Add(good.Posting, good.Body)
	f.Add("BL/BR01/", "BR01 dispense abcdefghijkl/live:1-18446744073709551615")
	f.Fuzz(func(t *testing.T, posting, body string) {
		m, err := read(odoo.Marker{Posting: posting, Body: body})
		if err == nil && ledger.PostingName(m.kind, m.runs) != posting {
			t.Errorf("%q %q was believed", posting, body)
		}
	})
}

func TestHalvesHoldTheWhole(t *testing.T) {
	part := func(ids ...int) (p []ledger.PostingPart) {
		for _, id := range ids {
			p = append(p, ledger.PostingPart{Movement: ledger.MovementID(id), Quantity: 1})
		}
		return p
	}
	whole := &ledger.PostingBody{Lines: []ledger.PostingLine{{ProductID: 1, Parts: part(1, 2, 3)}, {ProductID: 2, Parts: part(4)}, {ProductID: 3, Parts: part(5, 6)}}}
	var alone []ledger.MovementID
	var split func(b *ledger.PostingBody, depth int)
	split = func(b *ledger.PostingBody, depth int) {
		if depth > 10 {
			t.Fatal("it does not end")
		}
		parts := halves(b)
		if len(parts) == 0 {
			alone = append(alone, b.Movements()...)
			if n := len(b.Movements()); n != 1 {
				t.Errorf("%d movements cannot be halved", n)
			}
		}
		for _, p := range parts {
			split(p, depth+1)
		}
	}
	split(whole, 0)
	if d := cmp.Diff(whole.Movements(), alone); d != "" {
		t.Error(d)
	}
}

func TestPausesGrowAndAreJittered(t *testing.T) {
	p := &Poster{cfg: DefaultConfig()}
	for attempts, most := range []int{3, 6, 12, 24} {
		seen := map[int64]bool{}
		for range 50 {
			d := p.backoff(int64(attempts))
			if d.Seconds() < float64(most)/3-0.1 || d.Seconds() > float64(most)+0.1 {
				t.Fatalf("after %d tries the pause is %s", attempts, d)
			}
			seen[int64(d)] = true
		}
		if len(seen) < 10 {
			t.Errorf("after %d tries the pauses are alike", attempts)
		}
	}
	if d := p.backoff(1000); d > p.cfg.RetryMost*3/2 {
		t.Errorf("the longest pause is %s", d)
	}
}

func TestConfigNamesTheField(t *testing.T) {
	for field, change := range map[string]func(c *Config){
		"parallel": func(c *Config) { c.Parallel = 0 }, "calls_per_second": func(c *Config) { c.CallsPerSecond = 0 }, "burst": func(c *Config) { c.Burst = 1 },
		"retry_first": func(c *Config) { c.RetryFirst = 0 }, "retry_most": func(c *Config) { c.RetryMost = 1 }, "break_after": func(c *Config) { c.BreakAfter = 0 },
		"break_for": func(c *Config) { c.BreakFor = 0 }, "setup_pause": func(c *Config) { c.SetupPause = 0 }, "defect_pause": func(c *Config) { c.DefectPause = -1 },
		"defect_tries": func(c *Config) { c.DefectTries = 0 }, "sweep_every": func(c *Config) { c.SweepEvery = 0 },
	} {
		c := DefaultConfig()
		if err := c.Validate(); err != nil {
			t.Fatal(err)
		}
		change(&c)
		if err := c.Validate(); err == nil || !strings.HasPrefix(err.Error(), field+":") {
			t.Errorf("%s: %v", field, err)
		}
	}
}

func TestWhatIsToldOfDifferencesIsBounded(t *testing.T) {
	all := make([]string, 40)
	for i := range all {
		all[i] = strings.Repeat("x", 60)
	}
	few := told(all, fewDifferences)
	if len(few) > fewDifferences+100 || !strings.HasSuffix(few, "; and 32 more") {
		t.Errorf("%d bytes: %s", len(few), few)
	}
	if got := told(all, allDifferences); strings.Count(got, "; ") != 39 || strings.Contains(got, "more") {
		t.Error(got)
	}
	if told(nil, 10) != "" || told([]string{"a long difference"}, 3) != "a long difference" {
		t.Error("none or one")
	}
}
