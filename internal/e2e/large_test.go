//go:build linux

package e2e

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"syscall"
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
		full, empty := largeSpeeds(b, path, filepath.Join(dir, "empty.db"), year)
		b.ReportMetric(float64(each*largeBranches), "movements")
		b.ReportMetric(full.taken()/empty.taken(), "ingest_of_empty")
		b.ReportMetric(full.projected()/empty.projected(), "projected_of_empty")
		b.ReportMetric(full.projected(), "projected/s")
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

// loaded is a ledger while it is measured how fast it takes in what branches send,
// waiting for the disk, and how fast that is projected.
type loaded struct {
	b                  *testing.B
	l                  *ledger.Ledger
	p                  *projection.Projector
	y                  *largeYear
	n                  int
	taking, projecting time.Duration
}

func load(b *testing.B, path string, y *largeYear) *loaded {
	b.Helper()
	l, err := ledger.Open(b.Context(), ledger.Config{Path: path}, quiet())
	if err != nil {
		b.Fatal(err)
	}
	return &loaded{b: b, l: l, p: projection.New(l, quiet(), nil), y: y}
}

func (o *loaded) send(n int) {
	o.b.Helper()
	began := time.Now()
	o.y.send(o.b, o.l, o.n/largeBatch, n)
	sent := time.Now()
	if err := o.p.CatchUp(o.b.Context()); err != nil {
		o.b.Fatal(err)
	}
	o.n, o.taking, o.projecting = o.n+n, o.taking+sent.Sub(began), o.projecting+time.Since(sent)
}

// taken and projected are in movements a second.
func (o *loaded) taken() float64     { return float64(o.n) / o.taking.Seconds() }
func (o *loaded) projected() float64 { return float64(o.n) / o.projecting.Seconds() }

// largeSpeeds measures the large ledger and one that knows the branches and little
// else, in turns, so that what else the machine does at the time meets both.
func largeSpeeds(b *testing.B, path, emptyPath string, y *largeYear) (full, empty *loaded) {
	b.Helper()
	const rounds = 10
	full, empty = load(b, path, y), load(b, emptyPath, newLargeYear(largeLoad/largeBranches))
	for i := range rounds + 1 {
		if i == 1 { // the first round fills the caches
			full.n, full.taking, full.projecting, empty.n, empty.taking, empty.projecting = 0, 0, 0, 0, 0, 0
		}
		full.send(largeLoad / rounds)
		empty.send(largeLoad / rounds)
	}
	for _, o := range []*loaded{full, empty} {
		if err := o.l.Close(); err != nil {
			b.Error(err)
		}
	}
	return full, empty
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
	look.at("/", "/branches/L") // signs in
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
// It forgets only what is on the disk.
func forgetPages() {
	syscall.Sync()
	_ = os.WriteFile("/proc/sys/vm/drop_caches", []byte("3"), 0)
}

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

// at looks at a page, which must show a text.
func (o *onlooker) at(path, shows string) time.Duration {
	o.b.Helper()
	began := time.Now()
	status, body, err := o.desk.Get(o.b.Context(), path)
	took := time.Since(began)
	if err != nil || status != 200 || !strings.Contains(body, shows) {
		o.b.Errorf("%s: %d, %v, does not show %q\n%.500s", path, status, err, shows, body)
	}
	return took
}

// largePages are what is looked at, each with other values every time, and what it
// must show.
var largePages = []struct {
	name string
	page func(y *largeYear, product, branch, n int) (path, shows string)
}{
	{"board", func(*largeYear, int, int, int) (string, string) { return "/", "/branches/L" }},
	{"branch", func(_ *largeYear, _, branch, _ int) (string, string) {
		return "/branches/" + largeCode(branch), largeCode(branch)
	}},
	{"recall", func(_ *largeYear, product, _, n int) (string, string) {
		return fmt.Sprintf("/recall?lot=%c%05d%02d", 'A'+product%26, product, n%largeLots), " together</th>"
	}},
	{"recall_most", func(_ *largeYear, _, _, n int) (string, string) {
		return fmt.Sprintf("/recall?lot=A00000%02d", n%largeLots), " together</th>"
	}},
	{"by_lot", func(_ *largeYear, product, _, n int) (string, string) {
		return fmt.Sprintf("/trace?lot=%c%05d%02d", 'A'+product%26, product, n%largeLots), foundMovement
	}},
	{"by_product", func(_ *largeYear, product, _, _ int) (string, string) {
		return "/trace?product=" + largeGTIN(product), foundMovement
	}},
	{"by_serial", func(y *largeYear, _, branch, n int) (string, string) {
		return "/trace?serial=" + largeSerial(branch, n%y.each/20*20), foundMovement
	}},
	{"by_document", func(y *largeYear, _, branch, n int) (string, string) {
		return "/trace?document=" + y.document(branch, n%y.each).Ref, foundMovement
	}},
	{"by_branch_and_day", func(y *largeYear, _, branch, n int) (string, string) {
		batch := y.each / largeBatch
		day := y.end.Add(-time.Duration((1 - float64(n%batch)/float64(batch)) * 365 * 24 * float64(time.Hour)))
		return fmt.Sprintf("/trace?branch=%s&from=%s&to=%s", largeCode(branch), day.Format(time.DateOnly), day.AddDate(0, 0, 1).Format(time.DateOnly)), foundMovement
	}},
	{"movement", func(y *largeYear, _, branch, n int) (string, string) {
		return fmt.Sprintf("/movements/%s/%s/bulk/%d", largeCode(branch), largeEpoch, n%y.each+1), largeEpoch
	}},
	{"exceptions", func(*largeYear, int, int, int) (string, string) { return "/exceptions", "lot_two_expiries" }},
	{"postings", func(*largeYear, int, int, int) (string, string) { return "/postings", "/postings/BL" }},
	{"reconciliation", func(*largeYear, int, int, int) (string, string) {
		return "/reconciliation", "/reconciliation/L"
	}},
	{"replenishment", func(_ *largeYear, _, branch, _ int) (string, string) {
		return "/replenishment/" + largeCode(branch), largeCode(branch)
	}},
	{"feed_1000", func(y *largeYear, _, _, n int) (string, string) {
		at := fmt.Sprintf(`{"Batch":%d,"Seq":0}`, 1+n%(y.each*largeBranches/largeBatch/2))
		return "/api/v1/feed/movements?limit=1000&cursor=" + base64.RawURLEncoding.EncodeToString([]byte(at)), `"cursor"`
	}},
}

const foundMovement = `href="/movements/L`

// round looks at every page once.
func (o *onlooker) round(y *largeYear) [][]time.Duration {
	o.b.Helper()
	took := make([]time.Duration, len(largePages))
	for i, p := range largePages {
		o.n++
		r := rand.New(rand.NewPCG(o.n, 1))
		path, shows := p.page(y, r.IntN(largeOften), r.IntN(largeBranches), r.IntN(1<<30))
		took[i] = o.at(path, shows)
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
