//go:build linux

package e2e

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"branchline/hub/ledger"
	"branchline/internal/rig"
)

// The export that loads the agent: so many lines a file, and so many files one
// after the other for each measure.
const (
	beepLines = 100_000
	beepFiles = 4
)

// recordedRows is what stands before the number of good rows in the agent's metrics.
const recordedRows = `branchline_agent_export_rows_total{adapter="till",result="good"} `

const beepYAML = `branch: BR01
data_dir: %[1]s
hub: {server: "mqtt://%[2]s", secret_file: secret}
scanners:
  - {name: goods-in, port: %[3]s, for: receive, by: AB, repeat: allow, gs1: {separators: proved}, sounds: {ok: "+", warn: "!", refused: "-"}}
  - {name: counter, port: %[4]s, for: dispense, by: CD, repeat: allow, gs1: {separators: proved}, sounds: {ok: "+", warn: "!", refused: "-"}}
exports:
  - name: till
    folder: %[1]s/exports
    settle: 100ms
    poll: 100ms
    finished: move
    mapping:
      product: gtin
      quantity: qty
      lot: lot
      occurred_at: time
      time_formats: ["YYYY-MM-DD HH:mm:ss"]
      time_zone: UTC
      key: [receipt]
web: {listen: %[5]s}
`

// branchPC is an agent's program with two scanners, an export folder and a hub
// that takes what it sends.
type branchPC struct {
	b       *testing.B
	dir     string
	page    string
	process *rig.Process
	goodsIn *rig.Scanner
	counter *rig.Scanner
}

func newBranchPC(b *testing.B) *branchPC {
	b.Helper()
	p := &branchPC{b: b, dir: b.TempDir()}
	bin := filepath.Join(p.dir, "branchline-agent")
	if out, err := exec.Command("go", "build", "-o", bin, "../../agent").CombinedOutput(); err != nil {
		b.Fatalf("building: %v\n%s", err, out)
	}
	l, err := ledger.Open(b.Context(), ledger.Config{Path: filepath.Join(b.TempDir(), "ledger.db")}, quiet())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { l.Close() })
	hub := startEmbedded(b, l)
	for _, s := range []**rig.Scanner{&p.goodsIn, &p.counter} {
		if *s, err = rig.NewScanner(); err != nil {
			b.Skip(err)
		}
		b.Cleanup((*s).Unplug)
	}
	port, err := rig.FreePort()
	if err != nil {
		b.Fatal(err)
	}
	listen := fmt.Sprintf("127.0.0.1:%d", port)
	p.page = "http://" + listen + "/"
	if err := os.Mkdir(filepath.Join(p.dir, "exports"), 0o700); err != nil {
		b.Fatal(err)
	}
	for name, content := range map[string]string{"secret": secret,
		"agent.yaml": fmt.Sprintf(beepYAML, p.dir, hub.Addr(), p.goodsIn.Port, p.counter.Port, listen)} {
		if err := os.WriteFile(filepath.Join(p.dir, name), []byte(content), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	p.process = &rig.Process{Name: "BR01", Program: bin, Args: []string{"run", "--config", filepath.Join(p.dir, "agent.yaml")},
		Health: p.page + "healthz", LogFile: filepath.Join(p.dir, "log")}
	if err := p.process.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(p.process.Kill)
	p.until("both scanners are open", func() bool {
		up := p.metrics()
		return strings.Contains(up, `scanner_up{scanner="goods-in"} 1`) && strings.Contains(up, `scanner_up{scanner="counter"} 1`)
	})
	return p
}

func (p *branchPC) until(what string, done func() bool) {
	p.b.Helper()
	ctx, cancel := context.WithTimeout(p.b.Context(), time.Minute)
	defer cancel()
	if err := rig.Until(ctx, what, func() (bool, error) { return done(), nil }); err != nil {
		log, _ := os.ReadFile(p.process.LogFile)
		p.b.Fatalf("%v\n%s", err, log)
	}
}

func (p *branchPC) metrics() string {
	res, err := http.Get(p.page + "metrics")
	if err != nil {
		p.b.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		p.b.Fatal(err)
	}
	return string(body)
}

// export is a file whose rows no other file has.
func export(file int) []byte {
	var f bytes.Buffer
	f.WriteString("receipt,gtin,qty,lot,time\n")
	at := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	for i := range beepLines {
		fmt.Fprintf(&f, "%d-%d,04012345678901,1,L%d,%s\n", file, i, i%400, at.Add(time.Duration(i)*time.Second/4).Format(time.DateTime))
	}
	return f.Bytes()
}

// drop puts files into the export folder, all at once.
func (p *branchPC) drop(first int) {
	in := filepath.Join(p.dir, "exports")
	name := func(i int) string { return fmt.Sprintf("%06d.csv", first+i) }
	for i := range beepFiles {
		if err := os.WriteFile(filepath.Join(in, "."+name(i)), export(first+i), 0o600); err != nil {
			p.b.Fatal(err)
		}
	}
	for i := range beepFiles {
		if err := os.Rename(filepath.Join(in, "."+name(i)), filepath.Join(in, name(i))); err != nil {
			p.b.Fatal(err)
		}
	}
}

// recorded is how many rows of exports the agent has recorded.
func (p *branchPC) recorded() int {
	for line := range strings.Lines(p.metrics()) {
		if n, ok := strings.CutPrefix(line, recordedRows); ok {
			rows, err := strconv.ParseFloat(strings.TrimSpace(n), 64)
			if err != nil {
				p.b.Error(err)
			}
			return int(rows)
		}
	}
	return 0
}

// scan scans with s until it is told to stop, each code as soon as the one before
// was answered, and gives how long each answer took, from the first character to
// the beep. A delivery is confirmed after so many packs.
func (p *branchPC) scan(s *rig.Scanner, delivery int, stop func(scans int) bool) (took []time.Duration) {
	r := rand.New(rand.NewPCG(1, uint64(delivery)))
	beep := make([]byte, 64)
	one := func(code string) byte {
		began := time.Now()
		if err := s.Scan(code); err != nil {
			p.b.Error(err)
		}
		n, err := s.Heard(beep)
		if err != nil || n != 1 {
			p.b.Errorf("scanning %q the agent answered %q, %v", code, beep[:n], err)
			return '-'
		}
		took = append(took, time.Since(began))
		return beep[0]
	}
	for n := 0; !stop(n); n++ {
		code := fmt.Sprintf("]d20104012345678901"+"17290531"+"10L%d", r.IntN(50))
		if delivery > 0 && n%200 == 0 {
			if n > 0 && one("BL-CONFIRM") == '-' {
				p.b.Error("a delivery was not confirmed")
			}
			if one(fmt.Sprintf("P%07d", delivery+n)) == '-' {
				p.b.Error("a delivery was not opened")
			}
		}
		if one(code) == '-' {
			p.b.Error("a scan was not counted")
			return took
		}
	}
	if delivery > 0 {
		one("BL-CONFIRM")
	}
	return took
}

// both scans with both scanners at once.
func (p *branchPC) both(delivery int, stop func(scans int) bool) (took []time.Duration) {
	var atTheDoor, atTheCounter []time.Duration
	var wg sync.WaitGroup
	wg.Go(func() { atTheDoor = p.scan(p.goodsIn, delivery, stop) })
	wg.Go(func() { atTheCounter = p.scan(p.counter, 0, stop) })
	wg.Wait()
	return append(atTheDoor, atTheCounter...)
}

// BenchmarkScanToBeep measures from the first character of a code on a scanner's
// line to the beep, with two scanners at once, neither of which ever pauses: at
// rest, and while the agent imports 100,000 lines of an export after another, and
// sends them. Aim: p95_ms under 50.
func BenchmarkScanToBeep(b *testing.B) {
	p := newBranchPC(b)
	idle := p.both(1, func(n int) bool { return n == 300 })
	var loaded []time.Duration
	rows, files := 0, 0
	var importing time.Duration
	for b.Loop() {
		p.drop(files)
		p.until("the first file is being read", func() bool { return p.recorded() > files*beepLines })
		before, began := p.recorded(), time.Now()
		files += beepFiles
		var read atomic.Bool
		var watch sync.WaitGroup
		watch.Go(func() {
			for range time.Tick(250 * time.Millisecond) { // to ask is work for the agent, too
				if b.Failed() || p.recorded() >= files*beepLines {
					break
				}
			}
			read.Store(true)
		})
		loaded = append(loaded, p.both(1_000_000+10_000*files, func(int) bool { return read.Load() })...)
		watch.Wait()
		importing += time.Since(began)
		rows += files*beepLines - before
	}
	if b.Failed() {
		log, _ := os.ReadFile(p.process.LogFile)
		b.Fatalf("the agent says:\n%s", log)
	}
	milliseconds := func(list []time.Duration, percent int) float64 {
		slices.Sort(list)
		return float64(list[len(list)*percent/100].Microseconds()) / 1000
	}
	b.ReportMetric(milliseconds(loaded, 50), "p50_ms")
	b.ReportMetric(milliseconds(loaded, 95), "p95_ms")
	b.ReportMetric(milliseconds(loaded, 99), "p99_ms")
	b.ReportMetric(milliseconds(idle, 95), "idle_p95_ms")
	b.ReportMetric(float64(len(loaded)), "scans")
	b.ReportMetric(float64(rows)/importing.Seconds(), "lines/s")
	b.ReportMetric(0, "ns/op")
}
