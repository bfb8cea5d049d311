package outbox_test

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"branchline/agent/outbox"
	"branchline/internal/movement"
)

func TestWithdrawnWritesLeaveTheQueue(t *testing.T) {
	o := open(t, config(t))
	write := func(ctx context.Context) error {
		_, err := o.Append(ctx, outbox.Write{Lane: movement.Live, Movements: []*movement.Movement{dispensed(1)}})
		return err
	}
	outbox.Hold(o, func() {
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for range outbox.QueueRoom(o) {
			wg.Go(func() {
				if err := write(ctx); !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
			})
		}
		for outbox.QueueRoom(o) > 0 {
			runtime.Gosched()
		}
		cancel()
		wg.Wait()
	})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := write(ctx); err != nil {
		t.Fatal(err)
	}
	if n := len(drain(t, o)); n != 1 {
		t.Errorf("%d records, want 1", n)
	}
}

// Whoever commits for the others answers for his own scan first.
func TestAWriteThatIsDoneDoesNotWaitForAJob(t *testing.T) {
	o := open(t, config(t))
	written, ended := make(chan error, 1), make(chan error, 1)
	outbox.Hold(o, func() {
		room := outbox.QueueRoom(o)
		queued := func(n int) {
			for outbox.QueueRoom(o) > room-n {
				runtime.Gosched()
			}
		}
		go func() {
			_, err := o.Append(context.Background(), outbox.Write{Lane: movement.Live, Movements: []*movement.Movement{dispensed(1)}})
			written <- err
		}()
		queued(1)
		go func() { ended <- outbox.Job(o, func() { written <- <-written }) }()
		queued(2)
	})
	if err := errors.Join(<-ended, <-written); err != nil {
		t.Fatal(err)
	}
}

func TestAWriteForWhichNobodyWaitsIsRecorded(t *testing.T) {
	o := open(t, config(t))
	ticket, err := o.Submit(t.Context(), outbox.Write{Lane: movement.Live, Movements: []*movement.Movement{dispensed(1)}})
	if err != nil {
		t.Fatal(err)
	}
	<-ticket.Done()
	if n := len(drain(t, o)); n != 1 {
		t.Errorf("%d records", n)
	}
}

// A scan waits for the commit that is under way, not for the parts of a file that
// queue behind it; and a flood of scans does not hold up the file for ever.
func TestAScanGoesBeforeThePartsOfAFile(t *testing.T) {
	var ticks atomic.Int64
	o, err := outbox.Open(config(t), slog.New(slog.DiscardHandler), func() time.Time { return start.Add(time.Duration(ticks.Add(1)) * time.Second) })
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	var wg sync.WaitGroup
	outbox.Hold(o, func() {
		room := outbox.QueueRoom(o)
		queued := func(n int) {
			for outbox.QueueRoom(o) > room-n {
				runtime.Gosched()
			}
		}
		var before *outbox.Ticket
		for n := range 3 {
			ticket, err := o.Submit(t.Context(), outbox.Write{Lane: movement.Bulk, Movements: []*movement.Movement{dispensed(n)}, After: before})
			if err != nil {
				t.Fatal(err)
			}
			before = ticket
			wg.Go(func() { <-ticket.Done() })
		}
		queued(3)
		wg.Go(func() {
			if _, err := o.Append(context.Background(), outbox.Write{Lane: movement.Live, Movements: []*movement.Movement{dispensed(9)}}); err != nil {
				t.Error(err)
			}
		})
		queued(4)
	})
	wg.Wait()
	v, err := outbox.Inspect(o)
	if err != nil {
		t.Fatal(err)
	}
	if live, bulk := v.Streams[0], v.Streams[1]; live.Records != 1 || bulk.Records != 3 || !live.From.Before(bulk.From) {
		t.Errorf("the scan was committed at %s, the file from %s on", live.From, bulk.From)
	}
}

func TestAFileRestsWhileSomebodyScans(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, err := outbox.Open(config(t), slog.New(slog.DiscardHandler), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer o.Close()
		for _, c := range []struct {
			name       string
			lane       movement.Lane
			took, idle time.Duration
			want       time.Duration
		}{
			{"a part while somebody scans", movement.Bulk, 30 * time.Millisecond, 0, 60 * time.Millisecond},
			{"after a part that took long", movement.Bulk, time.Minute, 0, 100 * time.Millisecond},
			{"when nobody has scanned for a while", movement.Bulk, 30 * time.Millisecond, 2 * time.Second, 0},
			{"a scan", movement.Live, 30 * time.Millisecond, 0, 0},
		} {
			outbox.Scanned(o, c.took)
			time.Sleep(c.idle)
			began := time.Now()
			if _, err := o.Append(t.Context(), outbox.Write{Lane: c.lane, Movements: []*movement.Movement{dispensed(1)}}); err != nil {
				t.Fatal(err)
			}
			if rested := time.Since(began); rested != c.want {
				t.Errorf("%s: rested %s, want %s", c.name, rested, c.want)
			}
		}
	})
}
