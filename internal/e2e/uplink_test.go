package e2e

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"branchline/agent/uplink"
	"branchline/hub/broker"
	"branchline/internal/conf"
	"branchline/internal/movement"
	"branchline/internal/wire"
)

// sinkFunc is a hub made of one function.
type sinkFunc func(ctx context.Context, branch string, c wire.Channel, payload []byte, reply func(wire.Answer)) error

func (f sinkFunc) Receive(ctx context.Context, branch string, c wire.Channel, payload []byte, reply func(wire.Answer)) error {
	return f(ctx, branch, c, payload, reply)
}

// bubble runs a test in a bubble with its own clock: a hub with the sink, and an
// agent with the outbox.
func bubble(t *testing.T, sink broker.Sink, change func(*uplink.Config), test func(t *testing.T, o *memOutbox, u *uplink.Uplink, reg *prometheus.Registry)) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes()
		cfg := broker.DefaultEmbeddedConfig()
		cfg.Listener = p
		hub, err := broker.NewEmbedded(cfg, secrets, sink, quiet(), prometheus.NewRegistry())
		if err != nil {
			t.Fatal(err)
		}
		stopHub := run(t, hub.Run)
		o := newMemOutbox("BR01")
		c := uplink.DefaultConfig()
		c.Branch, c.Server, c.Secret, c.Dial = "BR01", "mqtt://hub:1883", conf.NewSecret(secret), p.dial
		if change != nil {
			change(&c)
		}
		reg := prometheus.NewRegistry()
		u, err := uplink.New(c, o, quiet(), reg)
		if err != nil {
			t.Fatal(err)
		}
		stop := run(t, u.Run)
		test(t, o, u, reg)
		stop()
		stopHub()
		pass(time.Minute) // what still writes to a dead line gives up
	})
}

func unsentIn(o *memOutbox, l movement.Lane) (n uint64) {
	for _, s := range o.Streams() {
		if s.Lane == l {
			n += s.Unsent()
		}
	}
	return n
}

// TestARefusedRecordStandsAloneAndStopsItsStreamOnly, until a person has mended
// it.
func TestARefusedRecordStandsAloneAndStopsItsStreamOnly(t *testing.T) {
	var mu sync.Mutex
	mended := false
	inner := newIngest(newMemLedger())
	sink := sinkFunc(func(ctx context.Context, branch string, c wire.Channel, payload []byte, reply func(wire.Answer)) error {
		mu.Lock()
		defer mu.Unlock()
		if b, err := wire.Open(payload); err == nil && !mended && b.Lane == movement.Bulk && b.First <= 77 && b.Through() >= 77 {
			reply(wire.Answer{Of: wire.NameOf(payload), Verdict: wire.Refused, Code: "broken_chain", Text: "does not fit"})
			return nil
		}
		return inner.Receive(ctx, branch, c, payload, reply)
	})
	bubble(t, sink, nil, func(t *testing.T, o *memOutbox, u *uplink.Uplink, _ *prometheus.Registry) {
		fill(o, 0, 1000)
		pass(time.Minute)
		if live, bulk := unsentIn(o, movement.Live), unsentIn(o, movement.Bulk); live != 0 || bulk != 500-76 {
			t.Errorf("unsent: %d live, %d bulk", live, bulk)
		}
		if a := u.Status().Alarms; len(a) != 1 || a[0].Code != "broken_chain" {
			t.Errorf("alarms %+v", a)
		}
		mu.Lock()
		mended = true
		mu.Unlock()
		pass(6 * time.Minute)
		if left, _ := o.unsent(); left != 0 {
			t.Errorf("%d unsent after it was mended", left)
		}
		if s := u.Status(); len(s.Alarms) != 0 || !s.Connected {
			t.Errorf("status %+v", s)
		}
	})
}

// TestSilentHubIsAskedAgainAndTheLineGivenUp: the broker takes everything, but
// no hub answers.
func TestSilentHubIsAskedAgainAndTheLineGivenUp(t *testing.T) {
	var mu sync.Mutex
	awake := false
	inner := newIngest(newMemLedger())
	sink := sinkFunc(func(ctx context.Context, branch string, c wire.Channel, payload []byte, reply func(wire.Answer)) error {
		mu.Lock()
		defer mu.Unlock()
		if !awake {
			return nil
		}
		return inner.Receive(ctx, branch, c, payload, reply)
	})
	bubble(t, sink, nil, func(t *testing.T, o *memOutbox, u *uplink.Uplink, reg *prometheus.Registry) {
		fill(o, 0, 100)
		pass(10 * time.Minute)
		if n := gathered(t, reg, "branchline_agent_uplink_connects_total"); n < 4 || n > 12 {
			t.Errorf("connected %v times in ten minutes of silence", n)
		}
		if s := u.Status(); !s.LastContact.IsZero() {
			t.Errorf("status %+v", s)
		}
		mu.Lock()
		awake = true
		mu.Unlock()
		pass(3 * time.Minute)
		if left, _ := o.unsent(); left != 0 {
			t.Errorf("%d unsent after the hub awoke", left)
		}
		if s := u.Status(); s.LastContact.IsZero() || s.LastError != nil {
			t.Errorf("status %+v", s)
		}
	})
}

// TestTheWindowIsBounded: however large the backlog, little is in flight.
func TestTheWindowIsBounded(t *testing.T) {
	var mu sync.Mutex
	batches := 0
	sink := sinkFunc(func(_ context.Context, _ string, c wire.Channel, _ []byte, _ func(wire.Answer)) error {
		mu.Lock()
		defer mu.Unlock()
		if c == wire.Movements {
			batches++
		}
		return nil
	})
	bubble(t, sink, func(c *uplink.Config) { c.BatchRecords, c.WindowBatches = 10, 5 }, func(t *testing.T, o *memOutbox, u *uplink.Uplink, _ *prometheus.Registry) {
		fill(o, 0, 4000)
		pass(20 * time.Second) // before any timeout
		mu.Lock()
		defer mu.Unlock()
		if batches != 10 || u.Status().InFlight != 10 { // five of each lane
			t.Errorf("%d batches came, %d are in flight", batches, u.Status().InFlight)
		}
	})
}

// TestLiveDoesNotWaitBehindBulk: a scan is the next thing that the hub hears,
// though a file's backlog is on its way.
func TestLiveDoesNotWaitBehindBulk(t *testing.T) {
	inner := newIngest(newMemLedger())
	var mu sync.Mutex
	var lanes []movement.Lane
	sink := sinkFunc(func(ctx context.Context, branch string, c wire.Channel, payload []byte, reply func(wire.Answer)) error {
		if b, err := wire.Open(payload); err == nil {
			mu.Lock()
			lanes = append(lanes, b.Lane)
			mu.Unlock()
			pass(time.Second) // a slow hub
		}
		return inner.Receive(ctx, branch, c, payload, reply)
	})
	bubble(t, sink, func(c *uplink.Config) { c.BatchRecords, c.WindowBatches = 10, 2 }, func(t *testing.T, o *memOutbox, _ *uplink.Uplink, _ *prometheus.Registry) {
		for i := range 1000 {
			o.append(movement.Bulk, record(i))
		}
		pass(10*time.Second + 500*time.Millisecond)
		mu.Lock()
		before := len(lanes)
		mu.Unlock()
		o.append(movement.Live, record(5000))
		pass(5 * time.Second)
		mu.Lock()
		defer mu.Unlock()
		for i, l := range lanes[before:] {
			if l == movement.Live {
				if i > 3 { // what was already handed to the line, and a window of two
					t.Errorf("%d bulk batches went before", i)
				}
				return
			}
		}
		t.Error("the live record has not come")
	})
}

// TestWrongSecretIsSaidInWords, and tried again without haste.
func TestWrongSecretIsSaidInWords(t *testing.T) {
	wrong := func(c *uplink.Config) { c.Secret = conf.NewSecret("wrong") }
	bubble(t, newIngest(newMemLedger()), wrong, func(t *testing.T, _ *memOutbox, u *uplink.Uplink, _ *prometheus.Registry) {
		pass(5 * time.Minute)
		s := u.Status()
		want := "the broker at mqtt://hub:1883 refuses BR01: not Authorized: check name and secret here and at the broker"
		if s.Connected || s.LastError == nil || s.LastError.Error() != want {
			t.Errorf("status %+v", s)
		}
	})
}
