package e2e

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"branchline/hub/broker"
	"branchline/hub/ingest"
	"branchline/internal/wire"
)

// brokerUnderTest is a hub at either kind of broker, whose connections can be
// broken.
type brokerUnderTest struct {
	addr string
	hub  broker.Broker // the one that was started first
	// now is the hub's broker as it is after crashes.
	now func() broker.Broker
	// crash kills the broker, and starts it again with nothing remembered.
	crash func()
}

// eachBroker runs the test against the embedded broker, and against a real
// Mosquitto with the hub as its client.
func eachBroker(t *testing.T, test func(t *testing.T, start func(sink broker.Sink) brokerUnderTest)) {
	t.Run("embedded", func(t *testing.T) {
		test(t, func(sink broker.Sink) brokerUnderTest { return embedded(t, sink) })
	})
	t.Run("mosquitto", func(t *testing.T) {
		bin := mosquittoBinary(t)
		test(t, func(sink broker.Sink) brokerUnderTest { return external(t, bin, sink) })
	})
}

// embedded crashes by ending the broker and its connections without a word to
// anybody, and beginning anew at the same port.
func embedded(t *testing.T, sink broker.Sink) brokerUnderTest {
	cfg := broker.DefaultEmbeddedConfig()
	cfg.Listen = "127.0.0.1:0"
	start := func() (*broker.Embedded, func()) {
		b, err := broker.NewEmbedded(cfg, secrets, sink, quiet(), prometheus.NewRegistry())
		if err != nil {
			t.Fatal(err)
		}
		return b, run(t, b.Run)
	}
	b, stop := start()
	cfg.Listen = b.Addr().String()
	var now atomic.Pointer[broker.Embedded]
	now.Store(b)
	u := brokerUnderTest{addr: cfg.Listen, hub: b, now: func() broker.Broker { return now.Load() }}
	u.crash = func() {
		stop()
		b, stop = start()
		now.Store(b)
	}
	return u
}

func mosquittoBinary(t *testing.T) string {
	for _, name := range []string{"mosquitto", "/usr/sbin/mosquitto"} {
		if bin, err := exec.LookPath(name); err == nil {
			return bin
		}
	}
	t.Skip("mosquitto is not installed (apt-get install mosquitto)")
	return ""
}

// external runs a Mosquitto that remembers nothing, and the hub as its client.
func external(t *testing.T, bin string, sink broker.Sink) brokerUnderTest {
	m := newMosquitto(t, bin)
	cfg := broker.DefaultExternalConfig()
	cfg.Server = fmt.Sprintf("mqtt://127.0.0.1:%d", m.port)
	cfg.MinBackoff, cfg.MaxBackoff, cfg.Timeout = 20*time.Millisecond, 200*time.Millisecond, 5*time.Second
	known := func(branch string) bool { _, ok := secrets(branch); return ok }
	b, err := broker.NewExternal(cfg, known, sink, quiet(), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	run(t, b.Run)
	return brokerUnderTest{addr: fmt.Sprintf("127.0.0.1:%d", m.port), hub: b, now: func() broker.Broker { return b }, crash: func() { m.kill(); m.start() }}
}

type mosquitto struct {
	t         *testing.T
	bin, conf string
	port      int
	cmd       *exec.Cmd
}

// newMosquitto starts one that persists nothing, and ends it with the test.
func newMosquitto(t *testing.T, bin string) *mosquitto {
	m := &mosquitto{t: t, bin: bin, port: freePort(t), conf: filepath.Join(t.TempDir(), "mosquitto.conf")}
	text := fmt.Sprintf("listener %d 127.0.0.1\nallow_anonymous true\npersistence false\nmessage_size_limit 1100000\n", m.port)
	if err := os.WriteFile(m.conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	m.start()
	t.Cleanup(m.kill)
	return m
}

func (m *mosquitto) start() {
	m.cmd = exec.Command(m.bin, "-c", m.conf)
	m.cmd.Stdout, m.cmd.Stderr = io.Discard, io.Discard
	if err := m.cmd.Start(); err != nil {
		m.t.Fatal(err)
	}
}

func (m *mosquitto) kill() {
	if m.cmd != nil {
		_ = m.cmd.Process.Kill()
		_ = m.cmd.Wait()
		m.cmd = nil
	}
}

func freePort(t *testing.T) int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func newIngest(l ingest.Ledger) *ingest.Ingest {
	return ingest.New(l, quiet(), prometheus.NewRegistry())
}

func TestEverythingReachesTheLedgerOnce(t *testing.T) {
	eachBroker(t, func(t *testing.T, start func(broker.Sink) brokerUnderTest) {
		ledger := newMemLedger()
		b := start(newIngest(ledger))
		outbox := newMemOutbox("BR01")
		_, stop := startAgent(t, uplinkConfig("BR01", b.addr), outbox)
		fill(outbox, 0, 5000)
		drained(t, outbox)
		stop()
		exactlyOnce(t, ledger, 5000)
	})
}

// tripwire does something once, in the middle of the stream of messages.
type tripwire struct {
	broker.Sink
	at   int
	do   func()
	mu   sync.Mutex
	seen int
}

func (s *tripwire) Receive(ctx context.Context, branch string, c wire.Channel, payload []byte, reply func(wire.Answer)) error {
	s.mu.Lock()
	s.seen++
	trip := s.seen == s.at
	s.mu.Unlock()
	if trip {
		go s.do()
	}
	return s.Sink.Receive(ctx, branch, c, payload, reply)
}

// TestBrokerIsKilledInTheMiddle: a broker that forgets everything costs time
// and nothing else.
func TestBrokerIsKilledInTheMiddle(t *testing.T) {
	eachBroker(t, func(t *testing.T, start func(broker.Sink) brokerUnderTest) {
		ledger := newMemLedger()
		crashed := make(chan struct{})
		var b brokerUnderTest
		sink := &tripwire{Sink: newIngest(ledger), at: 20}
		sink.do = func() {
			b.crash()
			close(crashed)
		}
		b = start(sink)
		first, second := newMemOutbox("BR01"), newMemOutbox("BR02")
		fill(first, 0, 3000)
		fill(second, 3000, 6000)
		for _, o := range []*memOutbox{first, second} {
			cfg := uplinkConfig(o.branch, b.addr)
			cfg.BatchRecords = 50
			startAgent(t, cfg, o)
		}
		<-crashed
		fill(first, 6000, 6500)
		drained(t, first, second)
		exactlyOnce(t, ledger, 6500)
	})
}

// TestHubRestoredFromBackup: the branch sends again what the backup lacks,
// though it is all acknowledged and nothing new is there.
func TestHubRestoredFromBackup(t *testing.T) {
	eachBroker(t, func(t *testing.T, start func(broker.Sink) brokerUnderTest) {
		ledger := newMemLedger()
		b := start(newIngest(ledger))
		outbox := newMemOutbox("BR01")
		cfg := uplinkConfig("BR01", b.addr)
		cfg.ReportEvery = 100 * time.Millisecond
		startAgent(t, cfg, outbox)
		fill(outbox, 0, 1000)
		drained(t, outbox)
		backup := ledger.backup()
		fill(outbox, 1000, 2000)
		drained(t, outbox)
		ledger.restore(backup)
		awaitRecords(t, ledger, 2000)
		exactlyOnce(t, ledger, 2000)
	})
}

// TestPresence: the hub sees branches come and go.
func TestPresence(t *testing.T) {
	eachBroker(t, func(t *testing.T, start func(broker.Sink) brokerUnderTest) {
		b := start(newIngest(newMemLedger()))
		outbox := newMemOutbox("BR01")
		_, stop := startAgent(t, uplinkConfig("BR01", b.addr), outbox)
		online := func() bool {
			c := b.hub.Connections()
			return len(c) == 1 && c[0].Branch == "BR01" && c[0].Online
		}
		until(t, "the branch is seen online", online)
		stop()
		until(t, "the branch is seen offline", func() bool { return !online() })
	})
}
