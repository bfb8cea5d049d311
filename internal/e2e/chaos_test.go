package e2e

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"pgregory.net/rapid"

	"branchline/agent/uplink"
	"branchline/hub/broker"
	"branchline/hub/ingest"
	"branchline/internal/conf"
	"branchline/internal/movement"
	"branchline/internal/wire"
)

// pass lets time pass on a bubble's own clock; on the real one it takes none
// worth speaking of.
func pass(d time.Duration) { time.Sleep(d) }

// pipes is a network in memory: a listener and the way to it.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	close  func()

	mu   sync.Mutex
	last net.Conn
}

func newPipes() *pipes {
	p := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
	p.close = sync.OnceFunc(func() { close(p.closed) })
	return p
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error { p.close(); return nil }

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

func (p *pipes) dial(*url.URL) (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case p.conns <- there:
		p.mu.Lock()
		defer p.mu.Unlock()
		p.last = here
		return here, nil
	case <-p.closed:
		return nil, errors.New("the hub is down")
	}
}

// cut breaks the newest connection.
func (p *pipes) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.last != nil {
		_ = p.last.Close()
	}
}

// storm is a network and a broker at their worst, between agents and ingest: it
// loses, repeats, delays and reorders messages both ways, and cuts lines.
type storm struct {
	inner broker.Sink
	pipes *pipes

	mu   sync.Mutex
	r    *rand.Rand
	calm bool
	held []func()
}

func (s *storm) chance(percent int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.calm && s.r.IntN(100) < percent
}

func (s *storm) Receive(ctx context.Context, branch string, c wire.Channel, payload []byte, reply func(wire.Answer)) error {
	stormy := func(a wire.Answer) {
		for range 2 {
			if !s.chance(10) {
				reply(a)
			}
			if !s.chance(10) {
				return
			}
		}
	}
	deliver := func() error { return s.inner.Receive(ctx, branch, c, payload, stormy) }
	switch {
	case s.chance(4):
		s.pipes.cut()
	case s.chance(8):
		return nil
	case s.chance(4):
		return errors.New("the disk is slow today")
	case s.chance(10): // comes later, perhaps much later
		s.mu.Lock()
		s.held = append(s.held, func() { _ = deliver() })
		s.mu.Unlock()
		return nil
	}
	err := deliver()
	if s.chance(10) {
		err = deliver()
	}
	if s.chance(20) {
		s.release()
	}
	return err
}

// release delivers what was held back, newest first.
func (s *storm) release() {
	s.mu.Lock()
	held := s.held
	s.held = nil
	s.mu.Unlock()
	for i := range held {
		held[len(held)-1-i]()
	}
}

// world is one branch with one or several copies of its outbox, and a hub.
type world struct {
	pipes    *pipes
	storm    *storm
	ledger   *memLedger
	backups  []*memLedger
	outboxes []*memOutbox
	uplinks  []*uplink.Uplink
	stops    []func()
	captured int
}

func (w *world) start(t *testing.T, i int) {
	cfg := uplink.DefaultConfig()
	cfg.Branch, cfg.Server, cfg.Secret = "BR01", "mqtt://hub:1883", conf.NewSecret(secret)
	cfg.BatchRecords, cfg.WindowBatches, cfg.Dial = 7, 4, w.pipes.dial
	u, err := uplink.New(cfg, w.outboxes[i], quiet(), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = u.Run(ctx) }()
	w.uplinks[i] = u
	w.stops[i] = func() { cancel(); <-done }
}

func (w *world) capture(i int, lane movement.Lane, n int) {
	var records [][]byte
	for range n {
		records = append(records, record(w.captured))
		w.captured++
	}
	w.outboxes[i].append(lane, records...)
}

// TestNothingIsLostOrDoubledInAnyWeather: whatever the network does, and though
// the hub is restored from backups, retention ends, and the outbox is copied,
// in the end every captured record is in the hub exactly once, or named in a
// recorded gap. Copies of the outbox are the one exception, see overwritten and
// [ingest.CodeInsideGap].
func TestNothingIsLostOrDoubledInAnyWeather(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		type step struct {
			what string
			a, b int
		}
		steps := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) step {
			return step{rapid.SampledFrom([]string{"capture", "capture", "capture", "wait", "wait", "cut", "backup", "restore",
				"expire", "clone"}).Draw(rt, "what"), rapid.IntRange(0, 40).Draw(rt, "a"), rapid.IntRange(0, 5).Draw(rt, "b")}
		}), 1, 40).Draw(rt, "steps")
		seed := rapid.Uint64().Draw(rt, "seed")
		var failure string
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, seed)
			for _, s := range steps {
				i := s.b % len(w.outboxes)
				switch s.what {
				case "capture":
					w.capture(i, movement.Lanes[s.a%2], 1+s.a)
				case "wait":
					pass(time.Duration(s.a*s.b*s.b) * 100 * time.Millisecond)
				case "cut":
					w.pipes.cut()
				case "backup":
					w.backups = append(w.backups, w.ledger.backup())
				case "restore":
					if len(w.backups) > 0 {
						w.ledger.restore(w.backups[s.a%len(w.backups)])
					}
				case "expire":
					w.outboxes[i].expire()
				case "clone":
					if len(w.outboxes) < 3 {
						w.outboxes = append(w.outboxes, w.outboxes[i].clone())
						w.uplinks, w.stops = append(w.uplinks, nil), append(w.stops, nil)
						w.start(t, len(w.outboxes)-1)
					}
				}
			}
			failure = w.settle(t)
		})
		if failure != "" {
			rt.Fatal(failure)
		}
	})
}

func newWorld(t *testing.T, seed uint64) *world {
	w := &world{pipes: newPipes(), ledger: newMemLedger(), outboxes: []*memOutbox{newMemOutbox("BR01")},
		uplinks: make([]*uplink.Uplink, 1), stops: make([]func(), 1)}
	reg := prometheus.NewRegistry()
	w.storm = &storm{inner: ingest.New(w.ledger, quiet(), reg), pipes: w.pipes, r: rand.New(rand.NewPCG(seed, 0))}
	cfg := broker.DefaultEmbeddedConfig()
	cfg.Listener = w.pipes
	hub, err := broker.NewEmbedded(cfg, secrets, w.storm, quiet(), reg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = hub.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		<-done
		pass(time.Minute) // what still writes to a dead line gives up
	})
	w.start(t, 0)
	return w
}

// settle lets the weather clear, each agent say its last alone, and compares.
func (w *world) settle(t *testing.T) (failure string) {
	w.storm.mu.Lock()
	w.storm.calm = true
	w.storm.mu.Unlock()
	w.storm.release()
	for _, stop := range w.stops {
		stop()
	}
	stuck := map[string]bool{}
	for i, o := range w.outboxes {
		for _, l := range movement.Lanes {
			w.capture(i, l, 1) // life goes on: a gap shows with the next movement
		}
		w.start(t, i)
		pass(10 * time.Minute) // reports, timeouts and pauses pass
		refused := false
		for _, a := range w.uplinks[i].Status().Alarms {
			refused = refused || a.Code == ingest.CodeInsideGap
		}
		w.stops[i]()
		if refused && len(w.outboxes) == 1 {
			return "a branch without copies is refused"
		}
		for _, s := range o.streams {
			if left := s.last() - min(s.acked, s.last()); left > 0 && !refused {
				return fmt.Sprintf("outbox %d still has %d records of %s/%v unsent", i, left, s.epoch, s.lane)
			}
			for _, r := range s.records[s.purged:] {
				if refused { // kept at the branch, with an alarm
					stuck[string(r)] = true
				}
			}
		}
	}
	counts, err := w.ledger.count()
	if err != nil {
		return err.Error()
	}
	gone := w.inGaps()
	for n := range w.captured {
		r := string(record(n))
		if c := counts[r]; c > 1 || c == 0 && !gone[r] && !stuck[r] && !w.overwritten(r) {
			return fmt.Sprintf("record %d is %d times in the ledger", n, c)
		}
	}
	return ""
}

// overwritten tells whether a record is beyond saving and beyond naming: no copy
// of the outbox keeps it any more, and after a restore of the hub another copy's
// records took its place before the gap could show.
func (w *world) overwritten(record string) bool {
	for _, o := range w.outboxes {
		for _, s := range o.streams {
			for _, kept := range s.records[s.purged:] {
				if string(kept) == record {
					return false
				}
			}
		}
	}
	return len(w.outboxes) > 1
}

// inGaps tells which records the ledger's gaps name.
func (w *world) inGaps() map[string]bool {
	gone := map[string]bool{}
	for s, rows := range w.ledger.streams {
		for _, g := range rows.gaps {
			for _, o := range w.outboxes {
				for _, st := range o.streams {
					if st.epoch == s.Epoch && st.lane == s.Lane {
						for seq := g.first; seq <= min(g.last, uint64(len(st.records))); seq++ {
							gone[string(st.records[seq-1])] = true
						}
					}
				}
			}
		}
	}
	return gone
}
