package outbox_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"branchline/agent/outbox"
	"branchline/internal/movement"
)

// What was recorded is found by its natural key, and by what its record contains,
// in both lanes and across a restart.
func TestThePastIsFound(t *testing.T) {
	c := config(t)
	o := open(t, c)
	var list []*movement.Movement
	for i := range 3000 {
		m := keyed(i, fmt.Sprint("k", i))
		m.Serial = fmt.Sprint("S", i%1000)
		list = append(list, m)
	}
	for i, lane := range []movement.Lane{movement.Bulk, movement.Live} {
		if _, err := o.Append(t.Context(), outbox.Write{Lane: lane, Movements: list[i*1500 : (i+1)*1500]}); err != nil {
			t.Fatal(err)
		}
	}
	check := func() {
		t.Helper()
		places, err := o.Known("k7", "none", "k1507")
		if err != nil || !places[0].Known || places[0].Seq != 8 || places[0].Lane != movement.Bulk || places[1].Known || places[2].Seq != 8 || places[2].Lane != movement.Live {
			t.Errorf("%+v, %v", places, err)
		}
		var found []string
		part := []byte(`"serial":"S7"`)
		if err := o.Holding(t.Context(), part, func(at outbox.Place, record []byte) bool {
			if !bytes.Contains(record, part) {
				t.Errorf("%s", record)
			}
			found = append(found, fmt.Sprint(at.Lane, at.Seq))
			return true
		}); err != nil || fmt.Sprint(found) != "[live 508 bulk 8 bulk 1008]" {
			t.Errorf("%v, %v", found, err)
		}
		n := 0
		if err := o.Holding(t.Context(), part, func(outbox.Place, []byte) bool { n++; return n < 2 }); err != nil || n != 2 {
			t.Errorf("%d, %v", n, err)
		}
		ended, end := context.WithCancel(t.Context())
		end()
		if err := o.Holding(ended, part, func(outbox.Place, []byte) bool { return true }); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
	check()
	o.Close()
	o = open(t, c)
	check()
}

// A look-up goes through a busy branch's month in less than a person waits.
func BenchmarkHolding(b *testing.B) {
	o := open(b, config(b))
	for part := range 20 {
		var list []*movement.Movement
		for i := range 5000 {
			m := keyed(i, fmt.Sprint("k", part, "/", i))
			m.Serial = fmt.Sprint("S", part, "/", i)
			list = append(list, m)
		}
		if _, err := o.Append(b.Context(), outbox.Write{Lane: movement.Bulk, Movements: list}); err != nil {
			b.Fatal(err)
		}
	}
	began := time.Now()
	for b.Loop() {
		n := 0
		if err := o.Holding(b.Context(), []byte(`"serial":"S7/7"`), func(outbox.Place, []byte) bool { n++; return true }); err != nil || n != 1 {
			b.Fatal(n, err)
		}
	}
	b.ReportMetric(float64(b.N)*100_000/time.Since(began).Seconds(), "records/s")
}
