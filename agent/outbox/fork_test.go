package outbox_test

import (
	"fmt"
	"testing"
	"time"

	"branchline/agent/outbox"
	"branchline/internal/fault"
	"branchline/internal/movement"
	"branchline/internal/wire"
)

func streamsOf(o *outbox.Outbox, lane movement.Lane) (list []wire.Stream) {
	for _, s := range o.Streams() {
		if s.Lane == lane {
			list = append(list, s)
		}
	}
	return list
}

func TestForkSendsTheRestInANewEpoch(t *testing.T) {
	for _, common := range []uint64{0, 1, 13, 24, 25} {
		t.Run(fmt.Sprint("common ", common), func(t *testing.T) {
			w := &watch{t: start}
			c := config(t)
			o := openAt(t, c, w)
			for i := range 25 {
				appendAll(t, o, movement.Live, keyed(i, fmt.Sprint("key ", i)))
			}
			appendAll(t, o, movement.Bulk, dispensed(99))
			old := streamsOf(o, movement.Live)[0]
			ack(t, o, movement.Live, 20) // by a hub that has forgotten some of it
			changed := o.Changed()
			if err := o.Fork(old.Epoch, movement.Live, common); err != nil {
				t.Fatal(err)
			}
			<-changed
			if err := o.Fork(old.Epoch, movement.Live, common); err != nil {
				t.Fatalf("the hub's answer came twice: %v", err)
			}
			for range 2 {
				all := streamsOf(o, movement.Live)
				next := all[len(all)-1]
				switch {
				case common > 0 && (common < 25 && len(all) != 2 || all[0] != wire.Stream{Epoch: old.Epoch, Lane: movement.Live, Oldest: 1, Last: common, Acked: common}):
					t.Errorf("the old stream is %+v", all[0])
				case common < 25 && (next.Epoch == old.Epoch || next.Last != 25-common || next.Acked != 0):
					t.Errorf("the new stream is %+v", next)
				}
				if common < 25 {
					b, err := o.Read(next.Epoch, next.Lane, 1, 100, 1<<20)
					if err != nil {
						t.Fatal(err)
					}
					for i, r := range b.Records {
						m, err := movement.Decode(r)
						if want := fmt.Sprint("key ", int(common)+i); err != nil || m.NaturalKey != want {
							t.Fatalf("record %d is %s, want that of %s", i, r, want)
						}
					}
				}
				o.Close()
				o = openAt(t, c, w)
			}
			places := appendAll(t, o, movement.Live, keyed(24, "key 24"), dispensed(50))
			if p := places[1]; p.Epoch == old.Epoch || p.Seq != 26-common {
				t.Errorf("capture goes on at %+v", p)
			}
			if p := places[0]; common < 25 && (p.Epoch != places[1].Epoch || p.Seq != 25-common) {
				t.Errorf("a known key is at %+v", p)
			}
			if st, err := o.Stats(); err != nil || st.Unsent != 27-common || len(st.Alarms) != 1 || st.Alarms[0].Code != "outbox_forked" {
				t.Errorf("stats %+v, %v", st, err)
			}
			if b, err := o.Read(old.Epoch, old.Lane, common+1, 10, 1<<20); b != nil || err != nil {
				t.Errorf("the rest of the old stream is still sent: %v, %v", b, err)
			}
			tend(t, o)
			w.pass(31 * day)
			tend(t, o) // the evidence goes with the retention
			tend(t, o)
			if _, err := o.Read(old.Epoch, old.Lane, 1, 10, 1<<20); fault.CodeOf(err) != "unknown_stream" {
				t.Errorf("the old stream is still there: %v", err)
			}
		})
	}
}

func TestAForkOfAForkKeepsEveryRecord(t *testing.T) {
	o := open(t, config(t))
	var many []*movement.Movement
	for i := range 5000 {
		many = append(many, keyed(i, fmt.Sprint(i)))
	}
	appendAll(t, o, movement.Bulk, many...)
	for _, common := range []uint64{1000, 500, 0} {
		s := streamsOf(o, movement.Bulk)
		if err := o.Fork(s[len(s)-1].Epoch, movement.Bulk, common); err != nil {
			t.Fatal(err)
		}
	}
	seen := make(map[string]int)
	for _, s := range streamsOf(o, movement.Bulk) {
		for from := uint64(1); from <= s.Last; {
			b, err := o.Read(s.Epoch, s.Lane, from, 1000, 1<<20)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range b.Records {
				seen[string(r)]++
			}
			from = b.Through() + 1
		}
	}
	if len(seen) != 5000 {
		t.Errorf("%d different records", len(seen))
	}
	for r, n := range seen {
		if n != 1 {
			t.Fatalf("%d times %s", n, r)
		}
	}
	if p := appendAll(t, o, movement.Bulk, keyed(4999, "4999")); !p[0].Known || p[0].Seq != 3500 {
		t.Errorf("a key known through three forks is at %+v", p)
	}
}

func TestAcknowledgementsNeverGoBackOrTooFar(t *testing.T) {
	c := config(t)
	o := open(t, c)
	for i := range 5 {
		appendAll(t, o, movement.Live, dispensed(i))
	}
	for _, step := range []struct{ through, want uint64 }{{3, 3}, {2, 3}, {0, 3}, {4, 4}, {99, 5}} {
		ack(t, o, movement.Live, step.through)
		if got := o.Streams()[0].Acked; got != step.want {
			t.Errorf("after %d: acked %d, want %d", step.through, got, step.want)
		}
	}
	o.Close()
	o = open(t, c)
	if got := o.Streams()[0].Acked; got != 5 {
		t.Errorf("after reopening: acked %d", got)
	}
	if err := o.Ack("aaaaaaaaaaaa", movement.Live, 1); fault.CodeOf(err) != "unknown_stream" {
		t.Errorf("an unknown stream: %v", err)
	}
}

func TestStatsTellWhatIsUnsent(t *testing.T) {
	w := &watch{t: start}
	o := openAt(t, config(t), w)
	for i := range 4 {
		w.pass(time.Minute)
		appendAll(t, o, movement.Lanes[i%2], dispensed(i))
	}
	ack(t, o, movement.Live, 1)
	st, err := o.Stats()
	if err != nil || st.Unsent != 3 || !st.OldestUnsent.Equal(start.Add(2*time.Minute)) || st.Bytes == 0 {
		t.Errorf("stats %+v, %v", st, err)
	}
	ack(t, o, movement.Live, 9)
	ack(t, o, movement.Bulk, 9)
	if st, err = o.Stats(); err != nil || st.Unsent != 0 || !st.OldestUnsent.IsZero() {
		t.Errorf("stats %+v, %v", st, err)
	}
}
