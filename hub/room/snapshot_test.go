package room

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// While the board takes long to put together, whoever looks gets the last one; but
// not one that is too old, and not for ever.
func TestNobodyWaitsForASlowBoard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, last, next := New(Parts{}), &snapshot{made: time.Now(), took: 2 * time.Second}, &building{done: make(chan struct{})}
		m.shots.last, m.shots.next = last, next
		ask := func() (*snapshot, time.Duration, error) {
			began := time.Now()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			s, err := m.snapshot(ctx)
			return s, time.Since(began), err
		}
		time.Sleep(7 * time.Second)
		if s, took, err := ask(); s != last || took != 0 || err != nil {
			t.Errorf("what took 2 s was made anew after 7: %v, %s, %v", s == last, took, err)
		}
		time.Sleep(2 * time.Second)
		if s, took, err := ask(); s != last || took != patience || err != nil {
			t.Errorf("the last one %v after %s, %v", s == last, took, err)
		}
		time.Sleep(oldAtMost)
		if _, took, err := ask(); took != time.Minute || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("what is too old was given after %s, %v", took, err)
		}
		go func() {
			time.Sleep(10 * time.Second)
			next.made = &snapshot{made: time.Now()}
			close(next.done)
		}()
		if s, took, err := ask(); s != next.made || took != 10*time.Second || err != nil {
			t.Errorf("the next one %v after %s, %v", s == next.made, took, err)
		}
	})
}
