package e2e

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"branchline/agent/reference"
	"branchline/agent/uplink"
	"branchline/hub/broker"
	"branchline/hub/catalogue"
	hubfeed "branchline/hub/feed"
	"branchline/hub/ledger"
	"branchline/internal/conf"
	"branchline/internal/feed"
	"branchline/internal/movement"
	"branchline/internal/odoo"
	"branchline/internal/odoo/odootest"
	"branchline/internal/rig"
	"branchline/internal/wire"
)

// goods is a hub's catalogue of so many products of one edition, and no branch
// in Odoo.
type goods struct {
	*catalogue.Catalogue
	mu   sync.Mutex
	list []feed.Product
	asOf time.Time
}

func (g *goods) AsOf() time.Time { g.mu.Lock(); defer g.mu.Unlock(); return g.asOf }

func (g *goods) Goods() []feed.Product { g.mu.Lock(); defer g.mu.Unlock(); return g.list }

func (g *goods) Site(string) (w odoo.Warehouse, p odoo.Places, ok bool) { return w, p, false }

// edition makes the catalogue another one: products n and up to n carry its
// number in their names.
func (g *goods) edition(number, n int) {
	list := make([]feed.Product, n)
	for i := range list {
		list[i] = feed.Product{Key: fmt.Sprint(i + 1), Name: productName(number, i), Reference: fmt.Sprintf("R%d", i),
			Barcode: fmt.Sprintf("4%012d", uint64(i)*2654435761%1_000_000_000_000), Tracking: feed.ByLot, Expires: true, Unit: "Units"}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.list, g.asOf = list, time.Now()
}

func productName(edition, i int) string {
	stems := []string{"Ibuprofen", "Paracetamol", "Amoxicillin", "Metformin", "Simvastatin", "Pantoprazol", "Levothyroxin", "Bisoprolol", "Ramipril", "Clopidogrel"}
	makers := []string{"Hexal", "Ratiopharm", "Stada", "Sandoz", "Bayer", "Zentiva", "Aristo"}
	x := uint64(i) * 0x9E3779B97F4A7C15
	return fmt.Sprintf("%s %s %d mg N%d edition %d", stems[x>>20%10], makers[x>>30%7], x>>40%100*5, x>>50%3+1, edition)
}

// teller is the hub's side: what branches say goes to ingest and to the feed.
type teller struct {
	ingest broker.Sink
	feed   atomic.Pointer[hubfeed.Feed]
	heard  func(branch string, st wire.State)
}

func (s *teller) Receive(ctx context.Context, branch string, c wire.Channel, payload []byte, reply func(wire.Answer)) error {
	if f := s.feed.Load(); f != nil && c == wire.Want {
		return f.Wanted(branch, payload)
	}
	return s.ingest.Receive(ctx, branch, c, payload, reply)
}

func newTeller(l *memLedger) *teller {
	s := &teller{}
	in := newIngest(l)
	s.heard = func(branch string, st wire.State) {
		if f := s.feed.Load(); f != nil {
			f.Heard(branch, st.Documents)
		}
	}
	in.OnState = func(branch string, st wire.State) { s.heard(branch, st) }
	s.ingest = in
	return s
}

// tell runs a feed until the test ends, or the returned function is called.
func (s *teller) tell(t testing.TB, cfg hubfeed.Config, b func() broker.Broker, c hubfeed.Catalogue, o hubfeed.Odoo, branches ...hubfeed.Branch) func() {
	publish := func(branch string, c wire.Channel, payload []byte) error {
		return b().Publish(branch, c, payload, false)
	}
	f := hubfeed.New(cfg, branches, o, c, publish, quiet(), time.Now, prometheus.NewRegistry())
	s.feed.Store(f)
	return run(t, f.Run)
}

func feedConfig() hubfeed.Config {
	cfg := hubfeed.DefaultConfig()
	cfg.DeliveriesEvery, cfg.StockEvery, cfg.CallsPerSecond, cfg.BytesPerSecond = 50*time.Millisecond, 50*time.Millisecond, 1000, 50<<20
	return cfg
}

// listen is an agent with a copy of its own.
func listen(t testing.TB, addr, path string, o uplink.Store) *reference.Store {
	s := reference.Open(reference.Config{Path: path, Branch: "BR01"}, quiet(), prometheus.NewRegistry())
	t.Cleanup(func() { s.Close() }) // after Run has ended
	run(t, s.Run)
	u, err := uplink.New(listenConfig(addr), o, quiet(), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	u.Feed, u.Describe = s, func(st *wire.State) { st.Documents = s.State() }
	run(t, u.Run)
	return s
}

func listenConfig(addr string) uplink.Config {
	cfg := uplinkConfig("BR01", addr)
	cfg.ReportEvery = 200 * time.Millisecond
	return cfg
}

// edition tells of which edition a copy is, and fails where it is of none, or of
// several.
func edition(t testing.TB, s *reference.Store, sizes map[int]int) int {
	t.Helper()
	found := 0
	for number, n := range sizes {
		if p, _, ok := s.Find(movement.Product{Scheme: movement.SKU, Code: "R0"}); ok && strings.HasSuffix(p.Name, fmt.Sprintf("edition %d", number)) {
			found = number
			for _, i := range []int{1, n / 2, n - 1} {
				if p, _, ok := s.Find(movement.Product{Scheme: movement.SKU, Code: fmt.Sprintf("R%d", i)}); !ok || p.Name != productName(number, i) {
					t.Errorf("product %d beside edition %d is %q", i, number, p.Name)
				}
			}
			if _, _, ok := s.Find(movement.Product{Scheme: movement.SKU, Code: fmt.Sprintf("R%d", n)}); ok {
				t.Errorf("edition %d has a product too many", number)
			}
		}
	}
	return found
}

// TestWhatOdooHasReachesTheBranch, all three kinds, with a simulated Odoo over
// both brokers, and with a real one where its variables are set.
func TestWhatOdooHasReachesTheBranch(t *testing.T) {
	eachBroker(t, func(t *testing.T, start func(broker.Sink) brokerUnderTest) {
		sim, url := odootest.Start(t, odootest.Options{Version: 19})
		o := sim.Options()
		cfg := odoo.Config{URL: url, DB: o.DB, User: o.User, Key: odoo.Key(o.Key)}
		admin := odooClient(t, cfg)
		cfg.User, cfg.Key = o.StockUser, odoo.Key(o.StockKey)
		reaches(t, start, admin, odooClient(t, cfg))
	})
	t.Run("real", func(t *testing.T) {
		cfg := odoo.Config{URL: os.Getenv("ODOO_URL"), DB: os.Getenv("ODOO_DB"), User: os.Getenv("ODOO_USER"), Key: odoo.Key(os.Getenv("ODOO_KEY"))}
		if cfg.URL == "" {
			t.Skip("ODOO_URL, ODOO_DB, ODOO_USER, ODOO_KEY, ODOO_STOCK_USER and ODOO_STOCK_KEY are not set: no real Odoo to read")
		}
		admin := odooClient(t, cfg)
		cfg.User, cfg.Key = os.Getenv("ODOO_STOCK_USER"), odoo.Key(os.Getenv("ODOO_STOCK_KEY"))
		reaches(t, func(s broker.Sink) brokerUnderTest { return embedded(t, s) }, admin, odooClient(t, cfg))
	})
}

func odooClient(t *testing.T, cfg odoo.Config) *odoo.Client {
	t.Helper()
	c, err := odoo.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func reaches(t *testing.T, start func(broker.Sink) brokerUnderTest, admin, user *odoo.Client) {
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	var chain *rig.Chain
	err := errors.New("not tried")
	for try := 0; err != nil && try < 5; try++ { // earlier runs have used some numbers
		chain, err = rig.NewChain(ctx, admin, fmt.Sprintf("%03d", rand.IntN(1000)), 1)
	}
	must(err)
	site, tracked, plain := chain.Branches[0].Warehouse, chain.Products[0], chain.Products[3]
	order, err := chain.Order(ctx, chain.Branches[0], rig.OrderLine{Product: tracked, Quantity: 10}, rig.OrderLine{Product: plain, Quantity: 5})
	must(err)

	cfg := catalogue.DefaultConfig()
	cfg.Path, cfg.Every = "", 2*time.Second
	c := catalogue.New(cfg, user, noAliases{}, quiet(), time.Now, nil)
	must(c.Refresh(ctx))
	run(t, c.Run)
	ledger := newMemLedger()
	s := newTeller(ledger)
	b := start(s)
	often := feedConfig()
	often.DeliveriesEvery, often.StockEvery = 200*time.Millisecond, 200*time.Millisecond
	s.tell(t, often, b.now, c, user, hubfeed.Branch{Code: "BR01", Warehouse: chain.Branches[0].Code})
	outbox := newMemOutbox("BR01")
	fill(outbox, 0, 2000)
	copied := listen(t, b.addr, filepath.Join(t.TempDir(), "reference.db"), outbox)

	doc := movement.Document{Type: "order", Ref: order}
	until(t, "the branch knows the order", func() bool { _, ok := copied.Delivery(doc); return ok })
	var p reference.Product
	until(t, "the branch knows the product", func() bool {
		found, units, ok := copied.Find(movement.Product{Scheme: movement.GTIN, Code: tracked.GTIN})
		p = found
		return ok && units == movement.Units(1)
	})
	if p.Name != tracked.Name || p.Tracking != feed.ByLot || !p.Expires || !p.Active() || p.Unit != "Units" {
		t.Errorf("%+v", p)
	}
	d, _ := copied.Delivery(doc)
	if d.Partner != "Acme Wholesale" || !d.Ready || d.Name == "" || d.Due.IsZero() || len(d.Lines) != 2 || d.Lines[0].Product != p.Key ||
		d.Lines[0].Ordered != movement.Units(10) || d.Lines[0].Received != 0 || d.Lines[0].Code.Code != tracked.GTIN || d.Lines[1].Open() != movement.Units(5) {
		t.Errorf("%+v", d)
	}

	// A part of it comes, with lot and expiry.
	receipts, err := user.OpenReceipts(ctx, site)
	must(err)
	r := receipts[0]
	var replace []int64
	for _, m := range r.Moves {
		replace = append(replace, m.Lines...)
	}
	must(user.WriteReceipt(ctx, r.ID, replace, []odoo.ReceiptLine{{MoveID: r.Moves[0].ID, ProductID: tracked.ID, LotName: "L1",
		Expires: time.Date(2028, 5, 31, 12, 0, 0, 0, time.UTC), Quantity: 4, FromID: r.Moves[0].FromID, ToID: r.Moves[0].ToID}}, ""))
	v, err := user.Validate(ctx, r.ID, odoo.Confirm{Backorder: true})
	must(err)
	if !v.Done() {
		t.Fatalf("%+v", v)
	}
	until(t, "the branch has the stock, with its expiry", func() bool {
		lots := copied.Stock(p.Key)
		return len(lots) == 1 && lots[0] == reference.LotStock{Lot: "L1", Expiry: movement.Date{Year: 2028, Month: 5, Day: 31}, Quantity: movement.Units(4)}
	})
	until(t, "the branch knows what is left of the order", func() bool {
		rest, ok := copied.Delivery(doc)
		for _, l := range rest.Lines {
			if l.Product == p.Key && l.Ordered == movement.Units(10) && l.Received == movement.Units(4) {
				return ok && rest.Name != d.Name && len(rest.Lines) == 2
			}
		}
		return false
	})
	drained(t, outbox)
	exactlyOnce(t, ledger, 2000)
}

type noAliases struct{}

func (noAliases) Aliases(context.Context) ([]ledger.Alias, error) { return nil, nil }

func (noAliases) AliasGeneration(context.Context) (int64, error) { return 0, nil }

// TestBrokerAndHubAreLostInTheMiddleOfTheCatalogue: it comes all the same, and
// until then the edition before is in use.
func TestBrokerAndHubAreLostInTheMiddleOfTheCatalogue(t *testing.T) {
	eachBroker(t, func(t *testing.T, start func(broker.Sink) brokerUnderTest) {
		sizes := map[int]int{1: 500, 2: 10_000}
		ledger := newMemLedger()
		s := newTeller(ledger)
		b := start(s)
		g := &goods{}
		g.edition(1, sizes[1])
		cfg := feedConfig()
		cfg.BytesPerSecond = 300 << 10
		stop := s.tell(t, cfg, b.now, g, nil)
		outbox := newMemOutbox("BR01")
		copied := listen(t, b.addr, filepath.Join(t.TempDir(), "reference.db"), outbox)
		missing := func() int { return ofCatalogue(copied).Missing }
		until(t, "the first edition", func() bool { return edition(t, copied, sizes) == 1 })
		g.edition(2, sizes[2])
		until(t, "some of the second", func() bool { return missing() > 2 })
		whole := missing()
		until(t, "more of the second", func() bool { return missing() < whole-2 })
		b.crash()
		left := missing()
		fill(outbox, 0, 500)
		if edition(t, copied, sizes) != 1 {
			t.Error("the second edition is in use before it has come")
		}
		until(t, "it goes on", func() bool { return missing() > 1 && missing() < left-2 })
		// Another hub, which remembers nothing.
		stop()
		s.tell(t, feedConfig(), b.now, g, nil)
		b.crash()
		until(t, "the second edition", func() bool { return edition(t, copied, sizes) == 2 })
		drained(t, outbox)
		exactlyOnce(t, ledger, 500)
	})
}

// ofCatalogue is how a branch's copy of the catalogue is.
func ofCatalogue(s *reference.Store) (st wire.DocumentState) {
	for _, d := range s.State() {
		if d.Kind == wire.Catalogue {
			st = d
		}
	}
	return st
}

// listenProcess listens until its catalogue has as many products as the
// variable says, and says on its output how many parts are missing.
func listenProcess(ctx context.Context, dir string) error {
	s := reference.Open(reference.Config{Path: filepath.Join(dir, "reference.db"), Branch: "BR01"}, quiet(), prometheus.NewRegistry())
	cfg := listenConfig(os.Getenv(addrVariable))
	cfg.Secret = conf.NewSecret(secret)
	u, err := uplink.New(cfg, newMemOutbox("BR01"), quiet(), prometheus.NewRegistry())
	if err != nil {
		return err
	}
	u.Feed, u.Describe = s, func(st *wire.State) { st.Documents = s.State() }
	ctx, cancel := context.WithCancel(ctx)
	var g sync.WaitGroup
	g.Go(func() { _ = s.Run(ctx) })
	g.Go(func() { _ = u.Run(ctx) })
	begun := false
	for range time.Tick(2 * time.Millisecond) {
		st := ofCatalogue(s)
		if st.Missing > 1 {
			begun = true
			fmt.Println("missing", st.Missing)
		}
		if st.Missing == 0 && st.Version != "" && begun {
			break
		}
	}
	cancel()
	g.Wait()
	return s.Close()
}

// TestAgentIsKilledInTheMiddleOfTheCatalogue: what had come is not sent again,
// and until all has come the edition before is in use.
func TestAgentIsKilledInTheMiddleOfTheCatalogue(t *testing.T) {
	sizes := map[int]int{1: 500, 2: 20_000}
	s := newTeller(newMemLedger())
	b := embedded(t, s)
	g := &goods{}
	g.edition(1, sizes[1])
	stop := s.tell(t, feedConfig(), b.now, g, nil)
	dir := t.TempDir()
	path := filepath.Join(dir, "reference.db")
	child := func(until func(line string) bool) {
		t.Helper()
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), roleVariable+"=listen", dirVariable+"="+dir, addrVariable+"="+b.addr)
		out, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if until(lines.Text()) {
				_ = cmd.Process.Kill()
			}
		}
		_ = cmd.Wait()
	}
	check := func(want int) {
		t.Helper()
		copied := reference.Open(reference.Config{Path: path, Branch: "BR01"}, quiet(), prometheus.NewRegistry())
		defer copied.Close()
		if got := edition(t, copied, sizes); got != want {
			t.Errorf("edition %d is in use, want %d", got, want)
		}
	}
	child(func(string) bool { return false })
	check(1)
	g.edition(2, sizes[2])
	stop()
	cfg := feedConfig()
	cfg.BytesPerSecond = 512 << 10
	s.tell(t, cfg, b.now, g, nil)
	left := 1 << 30
	for range 4 {
		first := 0
		child(func(line string) bool {
			var n int
			if _, err := fmt.Sscanf(line, "missing %d", &n); err != nil {
				return false
			}
			if first == 0 {
				if first = n; n > left {
					t.Errorf("%d parts are missing after %d were", n, left)
				}
			}
			left = n
			return n <= first-8
		})
		check(1)
	}
	child(func(string) bool { return false })
	check(2)
}

// BenchmarkCatalogueResident brings 50,000 products to the agent's own program,
// for the time, the file, and the memory that is resident: before, at most, and
// afterwards.
func BenchmarkCatalogueResident(b *testing.B) {
	if _, err := os.Stat("/proc/self/status"); err != nil {
		b.Skip("needs /proc")
	}
	bin := filepath.Join(delivered(b), "branchline-agent")
	for b.Loop() {
		g := &goods{}
		g.edition(1, 50_000)
		s := newTeller(newMemLedger())
		reports := make(chan wire.State, 100)
		heard := s.heard
		s.heard = func(branch string, st wire.State) {
			heard(branch, st)
			reports <- st
		}
		hub := startBroker(b, s)
		agent := runAgent(b, bin, b.TempDir(), hub.Addr().String())
		report := func() (st wire.State) {
			select {
			case st = <-reports:
			case <-time.After(time.Minute):
				b.Fatal("the agent does not report")
			}
			return st
		}
		report()
		before, _ := resident(b, agent)
		began := time.Now()
		s.tell(b, feedConfig(), func() broker.Broker { return hub }, g, nil)
		for report().Documents[2].Version == "" {
		}
		b.ReportMetric(time.Since(began).Seconds(), "s")
		now, peak := resident(b, agent)
		b.ReportMetric(before, "before_MB")
		b.ReportMetric(peak, "peak_MB")
		b.ReportMetric(now, "after_MB")
		_ = agent.Process.Kill()
		_ = agent.Wait()
	}
}

// runAgent starts the agent's program with nothing but a line to the hub.
func runAgent(b *testing.B, bin, dir, addr string) *exec.Cmd {
	b.Helper()
	text := fmt.Sprintf("branch: BR01\ndata_dir: %s\nhub:\n  server: mqtt://%s\n  secret_file: secret\n  report_every: 100ms\nweb:\n  listen: 127.0.0.1:0\n", dir, addr)
	for name, content := range map[string]string{"agent.yaml": text, "secret": secret} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	cmd := exec.Command(bin, "run", "--config", filepath.Join(dir, "agent.yaml"))
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	return cmd
}

// resident is how many megabytes of a process are resident, and were at most.
func resident(b *testing.B, cmd *exec.Cmd) (now, peak float64) {
	b.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", cmd.Process.Pid))
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		_, _ = fmt.Sscanf(line, "VmRSS: %f kB", &now)
		_, _ = fmt.Sscanf(line, "VmHWM: %f kB", &peak)
	}
	return now / 1024, peak / 1024
}

func startBroker(t testing.TB, sink broker.Sink) *broker.Embedded {
	t.Helper()
	cfg := broker.DefaultEmbeddedConfig()
	cfg.Listen = "127.0.0.1:0"
	b, err := broker.NewEmbedded(cfg, secrets, sink, quiet(), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	run(t, b.Run)
	return b
}
