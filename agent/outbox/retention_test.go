package outbox_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"branchline/agent/outbox"
	"branchline/internal/fault"
	"branchline/internal/movement"
)

const day = 24 * time.Hour

func ack(t testing.TB, o *outbox.Outbox, lane movement.Lane, through uint64) {
	t.Helper()
	for _, s := range o.Streams() {
		if s.Lane == lane {
			if err := o.Ack(s.Epoch, lane, through); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func tend(t testing.TB, o *outbox.Outbox) {
	t.Helper()
	if err := outbox.Tend(o); err != nil {
		t.Fatal(err)
	}
}

// kept is the range of seqs that a lane's only stream still has.
func kept(o *outbox.Outbox, lane movement.Lane) string {
	for _, s := range o.Streams() {
		if s.Lane == lane {
			return fmt.Sprintf("%d-%d", s.Oldest, s.Last)
		}
	}
	return "nothing"
}

func TestRecordsGoTheRetentionAfterTheirAcknowledgement(t *testing.T) {
	w := &watch{t: start}
	c := config(t)
	o := openAt(t, c, w)
	for i := range 10 {
		appendAll(t, o, movement.Live, large(i))
	}
	w.pass(40 * day) // long offline: nothing may go for its age alone
	tend(t, o)
	if got := kept(o, movement.Live); got != "1-10" {
		t.Fatalf("unacknowledged: kept %s", got)
	}
	ack(t, o, movement.Live, 4)
	tend(t, o)
	w.pass(10 * day)
	ack(t, o, movement.Live, 7)
	tend(t, o)
	o.Close()
	o = openAt(t, c, w) // the times of acknowledgement survive
	w.pass(20*day - 2*time.Hour)
	tend(t, o)
	if got := kept(o, movement.Live); got != "1-10" {
		t.Errorf("just before the retention: kept %s", got)
	}
	w.pass(4 * time.Hour)
	tend(t, o)
	if got := kept(o, movement.Live); got != "5-10" {
		t.Errorf("after the first retention: kept %s, want 5-10", got)
	}
	w.pass(10 * day)
	tend(t, o)
	if got := kept(o, movement.Live); got != "8-10" {
		t.Errorf("after the second retention: kept %s, want 8-10", got)
	}
	ack(t, o, movement.Live, 10)
	tend(t, o)
	w.pass(31 * day)
	tend(t, o)
	if got := kept(o, movement.Live); got != "10-10" { // the chain goes on from it
		t.Errorf("all acknowledged: kept %s, want 10-10", got)
	}
	o.Close()
	o = openAt(t, c, w)
	if p := appendAll(t, o, movement.Live, dispensed(11)); p[0].Seq != 11 {
		t.Errorf("goes on with %d, want 11", p[0].Seq)
	}
	s := o.Streams()[0]
	b, err := o.Read(s.Epoch, s.Lane, 1, 10, 1<<20)
	if err != nil || b.First != 10 || b.Gone != 9 || b.Oldest != 10 {
		t.Errorf("read %+v, %v", b, err)
	}
}

func TestManyOldRecordsGoInPortions(t *testing.T) {
	w := &watch{t: start}
	o := openAt(t, config(t), w)
	var writes []*outbox.Ticket
	for i := range 700 {
		tk, err := o.Submit(t.Context(), outbox.Write{Lane: movement.Live, Movements: []*movement.Movement{large(i)},
			Notes: []outbox.Note{{Space: "s", Key: fmt.Sprint(i), Value: make([]byte, 5<<20/100)}}}) // a commit for about a hundred
		if err != nil {
			t.Fatal(err)
		}
		if writes = append(writes, tk); i%3 == 0 {
			if _, err := tk.Wait(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, tk := range writes {
		if _, err := tk.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	ack(t, o, movement.Live, 700)
	tend(t, o)
	w.pass(31 * day)
	rounds := 0
	for before := ""; before != kept(o, movement.Live); rounds++ {
		before = kept(o, movement.Live)
		tend(t, o)
	}
	if n := len(drain(t, o)); n > 8 || rounds > 6 {
		t.Errorf("%d records kept after %d rounds", n, rounds)
	}
}

func TestKeysOutliveTheirRecordsUntilTheMemoryEnds(t *testing.T) {
	w := &watch{t: start}
	c := config(t)
	o := openAt(t, c, w)
	old := large(1)
	old.NaturalKey = "old"
	first := appendAll(t, o, movement.Bulk, old)
	appendAll(t, o, movement.Bulk, large(2))
	ack(t, o, movement.Bulk, 2)
	tend(t, o)
	w.pass(31 * day)
	tend(t, o)
	if got := kept(o, movement.Bulk); got != "2-2" {
		t.Fatalf("kept %s", got)
	}
	o.Close()
	o = openAt(t, c, w)
	w.pass(360 * day)
	tend(t, o)
	p := appendAll(t, o, movement.Bulk, keyed(1, "old"))
	if !p[0].Known || p[0].Seq != 1 || p[0].Epoch != first[0].Epoch {
		t.Errorf("after 391 days the key is at %+v", p[0])
	}
	w.pass(50 * day)
	tend(t, o)
	if p := appendAll(t, o, movement.Bulk, keyed(1, "old")); p[0].Known {
		t.Errorf("after 441 days the key is still at %+v", p[0])
	}
}

func TestManyKeysAreFoldedMergedAndFound(t *testing.T) {
	c := config(t)
	o := open(t, c)
	const total, part = 90_000, 3000
	key := func(i int) string { return fmt.Sprintf("pms:%d:1", i) }
	write := func(o *outbox.Outbox, from int) []outbox.Place {
		var ms []*movement.Movement
		for i := from; i < from+part; i++ {
			ms = append(ms, keyed(i, key(i)))
		}
		return appendAll(t, o, movement.Bulk, ms...)
	}
	for i := 0; i < total; i += part {
		for _, p := range write(o, i) {
			if p.Known {
				t.Fatalf("%+v was never recorded", p)
			}
		}
	}
	tend(t, o)
	if runs, pending := outbox.KeyRuns(o); runs < 2 || runs >= 8+2 || pending > 8192+part {
		t.Errorf("%d runs, %d keys waiting", runs, pending)
	}
	for _, when := range []string{"at once", "reopened"} {
		for i := 0; i < total; i += 7 * part {
			for j, p := range write(o, i) {
				if !p.Known || p.Seq != uint64(i+j+1) {
					t.Fatalf("%s: key %d is at %+v", when, i+j, p)
				}
			}
		}
		o.Close()
		o = open(t, c)
	}
}

func TestAFileOfFreePagesIsCompactedWhenOpened(t *testing.T) {
	w := &watch{t: start}
	c := config(t)
	o := openAt(t, c, w)
	for i := range 20 {
		var ms []*movement.Movement
		for j := range 5000 {
			ms = append(ms, dispensed(5000*i+j))
		}
		appendAll(t, o, movement.Bulk, ms...)
	}
	before := fileSize(t, c.Path)
	if before < 32<<20 {
		t.Fatalf("the file has %d bytes only", before)
	}
	ack(t, o, movement.Bulk, 100_000)
	tend(t, o)
	w.pass(31 * day)
	for range 30 {
		tend(t, o)
	}
	appendAll(t, o, movement.Live, keyed(1, "k"))
	want := drain(t, o)
	o.Close()
	if fileSize(t, c.Path) < before {
		t.Error("bbolt has learned to shrink: compaction is no longer needed")
	}
	o = openAt(t, c, w)
	if after := fileSize(t, c.Path); after > 1<<20 {
		t.Errorf("after compaction the file has %d bytes", after)
	}
	if got := drain(t, o); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Error("compaction changed the records")
	}
	if p := appendAll(t, o, movement.Live, keyed(1, "k"), dispensed(3)); !p[0].Known || p[1].Seq != 2 {
		t.Errorf("after compaction: %+v", p)
	}
	if p := appendAll(t, o, movement.Bulk, dispensed(4)); p[0].Seq != 100_001 {
		t.Errorf("after compaction bulk goes on with %d", p[0].Seq)
	}
}

func fileSize(t testing.TB, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

func TestAFullOutboxStopsCaptureAndGoesOnWhenThereIsRoom(t *testing.T) {
	w := &watch{t: start}
	c := config(t)
	c.MaxBytes = 2 << 20
	o := openAt(t, c, w)
	var err error
	n := 0
	for ; err == nil && n < 10_000; n++ {
		var ms []*movement.Movement
		for j := range 100 {
			ms = append(ms, dispensed(100*n+j))
		}
		_, err = o.Append(t.Context(), outbox.Write{Lane: movement.Bulk, Movements: ms})
	}
	if fault.CodeOf(err) != "outbox_full" || fault.ClassOf(err) != fault.Transient || fault.HintOf(err) == "" {
		t.Fatalf("error %v (%s)", err, fault.CodeOf(err))
	}
	st, err := o.Stats()
	if err != nil || st.Trouble != "outbox_full" || st.TroubleText == "" || st.Bytes > c.MaxBytes || st.Bytes < c.MaxBytes/2 {
		t.Errorf("stats %+v, %v", st, err)
	}
	before := len(drain(t, o))
	if before != (n-1)*100 {
		t.Errorf("%d records, %d were accepted", before, (n-1)*100)
	}
	ack(t, o, movement.Bulk, uint64(before))
	tend(t, o)
	w.pass(31 * day)
	tend(t, o)
	appendAll(t, o, movement.Bulk, dispensed(1))
	if st, err := o.Stats(); err != nil || st.Trouble != "" {
		t.Errorf("stats %+v, %v", st, err)
	}
}
