//go:build linux

package e2e

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"branchline/agent/uplink"
	"branchline/hub/ledger"
	"branchline/hub/projection"
	"branchline/internal/conf"
	"branchline/internal/movement"
	"branchline/internal/odoo/odootest"
	"branchline/internal/rig"
)

// movementsVariable says how many movements the large ledger has: 800,000 if empty.
const movementsVariable = "BRANCHLINE_MOVEMENTS"

// largeLoad is how many movements the speeds are measured with.
const largeLoad = 200_000

// BenchmarkLargeLedger makes a ledger of a chain's year and measures on it what must
// not grow with it: how fast movements are taken in and projected, against an empty
// ledger in the same run; and with the hub's program on it, which at the same time
// takes in, plans and posts what branches send: from start to serving, the pages that
// people search with, and the hub's memory.
func BenchmarkLargeLedger(b *testing.B) {
	each := 2 * largeBatch
	if s := os.Getenv(movementsVariable); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 {
			b.Fatalf("%s: %q is no number of movements", movementsVariable, s)
		}
		const round = largeBatch * largePosting
		each = (n/largeBranches + round - 1) / round * round
	}
	// A large folder that a kill leaves behind is found, and removed, by the next run.
	dir := filepath.Join(os.TempDir(), "branchline-large")
	clear := func() {
		if err := os.RemoveAll(dir); err != nil {
			b.Error(err)
		}
	}
	clear()
	b.Cleanup(clear)
	for b.Loop() {
		if err := os.MkdirAll(filepath.Join(dir, "hub"), 0o700); err != nil {
			b.Fatal(err)
		}
		path := filepath.Join(dir, "hub", "ledger.db")
		year := fillLarge(b, path, each)
		empty := emptySpeeds(b, filepath.Join(dir, "empty.db"))
		full := largeSpeeds(b, path, year)
		b.ReportMetric(float64(each*largeBranches), "movements")
		b.ReportMetric(full.taken/empty.taken, "ingest_of_empty")
		b.ReportMetric(full.projected/empty.projected, "projected_of_empty")
		b.ReportMetric(full.projected, "projected/s")
		servesLarge(b, dir, year)
		b.ReportMetric(0, "ns/op")
	}
}

func fillLarge(b *testing.B, path string, each int) *largeYear {
	b.Helper()
	l, err := ledger.Open(b.Context(), ledger.Config{Path: path, NoSync: true}, quiet())
	if err != nil {
		b.Fatal(err)
	}
	year := newLargeYear(each)
	year.fill(b, l)
	if err := l.Close(); err != nil {
		b.Fatal(err)
	}
	debug.FreeOSMemory()
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(info.Size())/float64(each*largeBranches), "bytes/movement")
	return year
}

// speeds are in movements a second.
type speeds struct{ taken, projected float64 }

// emptySpeeds measures with a ledger that knows the branches and little else.
func emptySpeeds(b *testing.B, path string) speeds {
	b.Helper()
	return largeSpeeds(b, path, newLargeYear(largeLoad/largeBranches))
}

// largeSpeeds measures how fast a ledger takes in what branches send, waiting for the
// disk, and how fast it is projected.
func largeSpeeds(b *testing.B, path string, y *largeYear) (s speeds) {
	b.Helper()
	l, err := ledger.Open(b.Context(), ledger.Config{Path: path}, quiet())
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	p := projection.New(l, quiet(), nil)
	y.send(b, l, 0, 20_000)
	if err := p.CatchUp(b.Context()); err != nil {
		b.Fatal(err)
	}
	began := time.Now()
	y.send(b, l, 100, largeLoad)
	s.taken = largeLoad / time.Since(began).Seconds()
	began = time.Now()
	if err := p.CatchUp(b.Context()); err != nil {
		b.Fatal(err)
	}
	s.projected = largeLoad / time.Since(began).Seconds()
	return s
}

const largeYAML = `data_dir: %[1]s/hub
broker: {listen: "%[2]s", max_branches: 3000, plain: true}
odoo: {url: %[3]s, db: %[4]s, user: %[5]s, key_file: odoo.key}
web: {listen: "%[6]s"}
log: {level: warn}
branches:
`

// servesLarge runs the hub's program on the ledger.
func servesLarge(b *testing.B, dir string, y *largeYear) {
	b.Helper()
	sim, url := odootest.Start(b, odootest.Options{})
	for n := range largeBranches {
		if _, err := sim.AddBranch(largeCode(n), "Branch "+largeCode(n)); err != nil {
			b.Fatal(err)
		}
	}
	for n := range largeProducts {
		if _, err := sim.AddProduct(odootest.Product{Name: fmt.Sprintf("Product %d mg tabs %d", n%977, n), Code: fmt.Sprintf("P%05d", n), Barcode: largeGTIN(n), Tracking: "lot", Expires: true}); err != nil {
			b.Fatal(err)
		}
	}
	mqtt, err := rig.FreePort()
	if err != nil {
		b.Fatal(err)
	}
	port, err := rig.FreePort()
	if err != nil {
		b.Fatal(err)
	}
	broker, page := fmt.Sprintf("127.0.0.1:%d", mqtt), fmt.Sprintf("127.0.0.1:%d", port)
	o := sim.Options()
	var text strings.Builder
	fmt.Fprintf(&text, largeYAML, dir, broker, url, o.DB, o.StockUser, page)
	sum := sha256.Sum256([]byte(secret))
	for n := range largeBranches {
		fmt.Fprintf(&text, "  - {code: %s, zone: Europe/Berlin, groups: [%s], secret_sha256: %s}\n", largeCode(n), []string{"North", "South"}[n%2], hex.EncodeToString(sum[:]))
	}
	for name, content := range map[string]string{"hub.yaml": text.String(), "odoo.key": o.StockKey} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	bin := delivered(b)
	r := &rig.Rig{Dir: dir, HubPage: "http://" + page + "/", Hub: &rig.Process{Name: "hub", Program: filepath.Join(bin, "branchline-hub"),
		Args: []string{"run", "--config", filepath.Join(dir, "hub.yaml")}, Health: "http://" + page + "/healthz", LogFile: filepath.Join(dir, "hub.log")}}
	forgetPages()
	began := time.Now()
	if err := r.Hub.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(r.Hub.Kill)
	b.ReportMetric(float64(time.Since(began).Milliseconds()), "start_ms")
	look := &onlooker{b: b, desk: r.Desk()}
	look.at("/") // signs in
	forgetPages()
	cold := look.round(y)
	sent, stop := largeTraffic(b, broker)
	var warm [][]time.Duration
	for range 20 {
		warm = append(warm, look.round(y)...)
	}
	if sent() == 0 {
		b.Error("nothing was taken in meanwhile")
	}
	look.report("cold", cold)
	look.report("warm", warm)
	stop()
	b.ReportMetric(peakMB(b, r.Hub), "hub_MB")
	if err := r.Hub.Stop(); err != nil {
		log, _ := os.ReadFile(r.Hub.LogFile)
		b.Errorf("%v\n%s", err, log)
	}
}

// forgetPages has the kernel forget what it has of files in memory, where it lets us.
func forgetPages() { _ = os.WriteFile("/proc/sys/vm/drop_caches", []byte("3"), 0) }

// peakMB is the most memory that the process had resident.
func peakMB(b *testing.B, p *rig.Process) float64 {
	b.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.PID()))
	if err != nil {
		b.Fatal(err)
	}
	var kb float64
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			_, _ = fmt.Sscanf(rest, "%f", &kb)
		}
	}
	return kb / 1024
}

// largeTraffic has branches send all the time, over MQTT; sent tells how many
// movements the hub has taken in.
func largeTraffic(b *testing.B, broker string) (sent func() uint64, stop func()) {
	b.Helper()
	ctx, cancel := context.WithCancel(b.Context())
	var stops []func()
	var boxes []*memOutbox
	r := rand.New(rand.NewPCG(3, 5))
	for n := range 20 {
		box := newMemOutbox(largeCode(n))
		var records [][]byte
		for i := range 5000 {
			m := dispensing(r, i)
			m.Product.Code = largeGTIN(r.IntN(largeProducts))
			records = append(records, m.AppendJSON(nil))
		}
		box.append(movement.Bulk, records...)
		cfg := uplink.DefaultConfig()
		cfg.Branch, cfg.Server, cfg.Secret = largeCode(n), "mqtt://"+broker, conf.NewSecret(secret)
		cfg.BatchRecords = 100
		u, err := uplink.New(cfg, box, quiet(), prometheus.NewRegistry())
		if err != nil {
			b.Fatal(err)
		}
		boxes = append(boxes, box)
		done := make(chan struct{})
		go func() { defer close(done); _ = u.Run(ctx) }()
		stops = append(stops, func() { <-done })
	}
	return func() (n uint64) {
			for _, box := range boxes {
				left, _ := box.unsent()
				n += 5000 - left
			}
			return n
		}, func() {
			cancel()
			for _, s := range stops {
				s()
			}
		}
}

// onlooker looks at pages and keeps how long each took.
type onlooker struct {
	b    *testing.B
	desk *rig.Desk
	n    uint64
}

func (o *onlooker) at(path string) time.Duration {
	o.b.Helper()
	began := time.Now()
	status, body, err := o.desk.Get(o.b.Context(), path)
	if err != nil || status != 200 {
		o.b.Errorf("%s: %d, %v\n%.500s", path, status, err, body)
	}
	return time.Since(began)
}

// largePages are what is looked at, each with other values every time.
var largePages = []struct {
	name string
	path func(y *largeYear, product, branch, n int) string
}{
	{"board", func(*largeYear, int, int, int) string { return "/" }},
	{"branch", func(_ *largeYear, _, branch, _ int) string { return "/branches/" + largeCode(branch) }},
	{"recall", func(_ *largeYear, product, _, n int) string {
		return fmt.Sprintf("/recall?lot=%c%05d%02d", 'A'+product%26, product, n%largeLots)
	}},
	{"recall_most", func(_ *largeYear, _, _, n int) string { return fmt.Sprintf("/recall?lot=A00000%02d", n%largeLots) }},
	{"by_lot", func(_ *largeYear, product, _, n int) string {
		return fmt.Sprintf("/trace?lot=%c%05d%02d", 'A'+product%26, product, n%largeLots)
	}},
	{"by_product", func(_ *largeYear, product, _, _ int) string { return "/trace?product=" + largeGTIN(product) }},
	{"by_serial", func(y *largeYear, _, branch, n int) string {
		return "/trace?serial=" + largeSerial(branch, n%y.each/20*20)
	}},
	{"by_document", func(y *largeYear, _, branch, n int) string {
		return fmt.Sprintf("/trace?document=RX%d-%07d", branch, n%y.each/3)
	}},
	{"by_branch_and_day", func(y *largeYear, _, branch, n int) string {
		day := y.end.AddDate(0, 0, -n%300).Format(time.DateOnly)
		return fmt.Sprintf("/trace?branch=%s&from=%s&to=%s", largeCode(branch), day, day)
	}},
	{"movement", func(y *largeYear, _, branch, n int) string {
		return fmt.Sprintf("/movements/%s/%s/bulk/%d", largeCode(branch), largeEpoch, n%y.each+1)
	}},
	{"exceptions", func(*largeYear, int, int, int) string { return "/exceptions" }},
	{"postings", func(*largeYear, int, int, int) string { return "/postings" }},
}

// round looks at every page once.
func (o *onlooker) round(y *largeYear) [][]time.Duration {
	o.b.Helper()
	took := make([]time.Duration, len(largePages))
	for i, p := range largePages {
		o.n++
		r := rand.New(rand.NewPCG(o.n, 1))
		took[i] = o.at(p.path(y, r.IntN(3000), r.IntN(largeBranches), r.IntN(1<<30)))
	}
	return [][]time.Duration{took}
}

// report tells the worst of each page.
func (o *onlooker) report(when string, rounds [][]time.Duration) {
	for i, p := range largePages {
		var took []time.Duration
		for _, r := range rounds {
			took = append(took, r[i])
		}
		o.b.ReportMetric(float64(slices.Max(took).Microseconds())/1000, p.name+"_"+when+"_ms")
	}
}
