package outbox_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
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
