package uplink

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"branchline/internal/conf"
	"branchline/internal/movement"
	"branchline/internal/wire"
)

// backlog is a store of one stream.
type backlog struct{ last uint64 }

const oneEpoch = "abcdefgh2345"

func (s *backlog) Streams() []wire.Stream {
	return []wire.Stream{{Epoch: oneEpoch, Lane: movement.Bulk, Oldest: 1, Last: s.last}}
}

func (s *backlog) Read(epoch string, lane movement.Lane, from uint64, n, _ int) (*wire.Batch, error) {
	b := &wire.Batch{Header: wire.Header{Branch: "BR01", Epoch: epoch, Lane: lane, First: from, Oldest: 1}}
	for i := from; i <= s.last && len(b.Records) < n; i++ {
		b.Records = append(b.Records, fmt.Appendf(nil, `{"v":1,"n":%d}`, i))
	}
	return b, nil
}

func (s *backlog) Ack(string, movement.Lane, uint64) error  { return nil }
func (s *backlog) Fork(string, movement.Lane, uint64) error { return nil }
func (s *backlog) Changed() <-chan struct{}                 { return nil }

// greedy always wants something.
type greedy struct{ asked []bool }

func (g *greedy) Begin()                    {}
func (g *greedy) Hear(wire.Channel, []byte) {}
func (g *greedy) Ready() <-chan struct{}    { return nil }
func (g *greedy) Next(busy bool) []byte     { g.asked = append(g.asked, busy); return []byte("want") }

// The feed is asked only when no movement can be sent, and is told when some are
// on their way.
func TestTheFeedComesLast(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Branch, cfg.Server, cfg.Secret = "BR01", "mqtt://hub:1883", conf.NewSecret("secret")
	cfg.BatchRecords, cfg.WindowBatches = 10, 3
	u, err := New(cfg, &backlog{last: 1000}, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	g := &greedy{}
	u.Feed = g
	s := newSession(u, nil)
	s.look()
	for i, want := range []wire.Channel{wire.Report, wire.Movements, wire.Movements, wire.Movements, wire.Want} {
		m := s.prepare(time.Now())
		if m == nil || m.channel != want {
			t.Fatalf("message %d is %+v, want one of %s", i, m, want)
		}
	}
	if len(g.asked) != 1 || !g.asked[0] {
		t.Errorf("asked %v, want once, with movements on their way", g.asked)
	}
	u.store, u.courses, s = &backlog{}, map[streamKey]*course{}, &session{u: u, reportAt: time.Now().Add(time.Hour)}
	s.look()
	if m := s.prepare(time.Now()); m == nil || m.channel != wire.Want || g.asked[1] {
		t.Errorf("with nothing to send the next message is %+v, busy %v", m, g.asked)
	}
}
