//go:build linux

package outbox_test

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"branchline/agent/outbox"
	"branchline/internal/movement"
)

// BenchmarkAppendOne compares one durable append with what no store on bbolt
// can do without: a page written and synced, then the root written and synced.
// A plain bbolt transaction with one key is measured beside them. All take
// turns, so that they meet the same disk; what is compared is the tenth
// percentile, which other work on the machine disturbs least. Aim: of_bare ≥
// 0.9.
func BenchmarkAppendOne(b *testing.B) {
	o := open(b, config(b))
	f, err := os.Create(filepath.Join(b.TempDir(), "bare"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	if err := errors.Join(f.Truncate(32<<20), f.Sync()); err != nil {
		b.Fatal(err)
	}
	page := make([]byte, 4096)
	synced := func(at int64) {
		if _, err := f.WriteAt(page, at); err != nil {
			b.Fatal(err)
		}
		if err := syscall.Fdatasync(int(f.Fd())); err != nil {
			b.Fatal(err)
		}
	}
	plain, err := bolt.Open(filepath.Join(b.TempDir(), "plain"), 0o600, nil)
	if err != nil {
		b.Fatal(err)
	}
	defer plain.Close()
	name, value := []byte("records"), make([]byte, 450)
	if err := plain.Update(func(tx *bolt.Tx) error { _, err := tx.CreateBucket(name); return err }); err != nil {
		b.Fatal(err)
	}
	var ours, bare, bbolt []time.Duration
	timed := func(to *[]time.Duration, fn func()) {
		t := time.Now()
		fn()
		*to = append(*to, time.Since(t))
	}
	for n := range b.N {
		w := outbox.Write{Lane: movement.Live, Movements: []*movement.Movement{dispensed(n)}}
		timed(&ours, func() {
			if _, err := o.Append(b.Context(), w); err != nil {
				b.Fatal(err)
			}
		})
		timed(&bare, func() {
			synced(int64(2+n%16) * 4096)
			synced(int64(n%2) * 4096)
		})
		timed(&bbolt, func() {
			if err := plain.Update(func(tx *bolt.Tx) error { return tx.Bucket(name).Put(outbox.SeqKey(uint64(n+1)), value) }); err != nil {
				b.Fatal(err)
			}
		})
	}
	b.ReportMetric(1/tenth(ours).Seconds(), "appends/s")
	b.ReportMetric(tenth(bare).Seconds()/tenth(ours).Seconds(), "of_bare")
	b.ReportMetric(tenth(bbolt).Seconds()/tenth(ours).Seconds(), "of_bbolt")
	b.ReportMetric(0, "ns/op")
}

func tenth(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/10]
}

// BenchmarkAppendMany compares 64 writers at once with one. Aim: times_one ≥
// 10.
func BenchmarkAppendMany(b *testing.B) {
	rate := func(writers, each int) float64 {
		o := open(b, config(b))
		t := time.Now()
		var wg sync.WaitGroup
		for w := range writers {
			wg.Go(func() {
				for i := range each {
					if _, err := o.Append(b.Context(), outbox.Write{Lane: movement.Live,
						Movements: []*movement.Movement{dispensed(w*each + i)}}); err != nil {
						b.Error(err)
						return
					}
				}
			})
		}
		wg.Wait()
		return float64(writers*each) / time.Since(t).Seconds()
	}
	one, many := 0.0, 0.0
	for range b.N {
		one += rate(1, 300)
		many += rate(64, 100)
	}
	b.ReportMetric(many/float64(b.N), "appends/s")
	b.ReportMetric(many/one, "times_one")
	b.ReportMetric(0, "ns/op")
}

// dispensings is a file of n lines as a dispensing system exports them.
func dispensings(n int) string {
	var s strings.Builder
	for i := range n {
		fmt.Fprintf(&s, "2026-03-02T%02d:%02d:%02d+01:00,RX-%07d,%d,04012345%05d1,Amoxicillin 500 mg,L%04d,2027-06-30,%d,AB\n",
			8+i/3600%12, i/60%60, i%60, 1000000+i*7919%n, 1+i%3, i%700, i%900, 1+i%4)
	}
	return s.String()
}

// line makes the movement of a line of dispensings, as an importer would.
func line(m *movement.Movement, row []string, n int) error {
	at, err := time.Parse(time.RFC3339, row[0])
	if err != nil {
		return err
	}
	q, err := movement.ParseQuantity(row[7])
	if err != nil {
		return err
	}
	exp, err := movement.ParseDate(row[6])
	if err != nil {
		return err
	}
	*m = movement.Movement{
		Kind:    movement.Dispense,
		Product: movement.Product{Scheme: movement.GTIN, Code: row[3]},
		Lot:     row[5], Expiry: exp, Quantity: q, OccurredAt: at, By: row[8],
		Document:   movement.Document{Type: "dispensing", Ref: row[1]},
		NaturalKey: "pms:" + row[1] + ":" + row[2],
		Source:     movement.Source{Adapter: "pms", File: "day.csv", Line: int64(n)},
	}
	return nil
}

// BenchmarkImport compares the way of 100,000 lines into the outbox with
// reading the same file with encoding/csv and writing the same bytes with one
// sync. Aim: times_floor ≤ 4. "again" is the same file a second time, when
// every line is known. cpu_times_floor compares the processor's time, which
// two cores share, and which other work on the machine does not disturb.
func BenchmarkImport(b *testing.B) {
	const lines, part = 100_000, 2500
	text := dispensings(lines)
	var floor, first, again, cpuFloor, cpuFirst time.Duration
	for range b.N {
		dir := b.TempDir()
		runtime.GC()
		t, cpu := time.Now(), processor(b)
		r := csv.NewReader(strings.NewReader(text))
		r.ReuseRecord = true
		for {
			if _, err := r.Read(); err == io.EOF {
				break
			} else if err != nil {
				b.Fatal(err)
			}
		}
		f, err := os.Create(filepath.Join(dir, "copy"))
		if err != nil {
			b.Fatal(err)
		}
		if _, err := f.WriteString(text); err != nil {
			b.Fatal(err)
		}
		if err := errors.Join(f.Sync(), f.Close()); err != nil {
			b.Fatal(err)
		}
		floor += time.Since(t)
		cpuFloor += processor(b) - cpu
		o := open(b, config(b))
		for _, spent := range []*time.Duration{&first, &again} {
			t, cpu = time.Now(), processor(b)
			importFile(b, o, text, part)
			if *spent += time.Since(t); spent == &first {
				cpuFirst += processor(b) - cpu
			}
		}
		if s := o.Streams(); s[0].Last != lines {
			b.Fatalf("%d records", s[0].Last)
		}
		if err := o.Close(); err != nil {
			b.Fatal(err)
		}
	}
	n := float64(b.N)
	b.ReportMetric(first.Seconds()/n*1e9/lines, "ns/line")
	b.ReportMetric(first.Seconds()/floor.Seconds(), "times_floor")
	b.ReportMetric(cpuFirst.Seconds()/cpuFloor.Seconds(), "cpu_times_floor")
	b.ReportMetric(again.Seconds()/n*1e9/lines, "again_ns/line")
	b.ReportMetric(0, "ns/op")
}

// processor is the processor time that this process has used.
func processor(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func importFile(b *testing.B, o *outbox.Outbox, text string, part int) {
	r := csv.NewReader(strings.NewReader(text))
	r.ReuseRecord = true
	var before *outbox.Ticket
	room, movements := make([]movement.Movement, part), make([]*movement.Movement, part)
	for i := range room {
		movements[i] = &room[i]
	}
	for n, done := 0, false; !done; {
		w := outbox.Write{Lane: movement.Bulk, After: before, Movements: movements[:0]}
		for len(w.Movements) < part {
			row, err := r.Read()
			if err == io.EOF {
				done = true
				break
			}
			n++
			if err == nil {
				err = line(movements[len(w.Movements)], row, n)
			}
			if err != nil {
				b.Fatal(err)
			}
			w.Movements = w.Movements[:len(w.Movements)+1]
		}
		w.Notes = []outbox.Note{{Space: "files", Key: "day.csv", Value: strconv.AppendInt(nil, int64(n), 10)}}
		t, err := o.Submit(b.Context(), w)
		if err != nil {
			b.Fatal(err)
		}
		if before != nil {
			if _, err := before.Wait(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
		before = t
	}
	if _, err := before.Wait(b.Context()); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkDrain reads a backlog of 100,000 records as the uplink does, in
// batches of a thousand: one half recorded one by one, one half in bulk. It
// also tells the resident memory that the reading added. Aim: 300,000 records
// a second.
func BenchmarkDrain(b *testing.B) {
	c := config(b)
	o := open(b, c)
	var wg sync.WaitGroup
	for w := range 64 {
		wg.Go(func() {
			for i := range 781 {
				if _, err := o.Append(b.Context(), outbox.Write{Lane: movement.Live, Movements: []*movement.Movement{dispensed(w*1000 + i)}}); err != nil {
					b.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for i := range 20 {
		var ms []*movement.Movement
		for j := range 2500 {
			ms = append(ms, dispensed(2500*i+j))
		}
		appendAll(b, o, movement.Bulk, ms...)
	}
	if err := o.Close(); err != nil {
		b.Fatal(err)
	}
	o = open(b, c)
	before, most, n := resident(b), int64(0), 0
	b.ResetTimer()
	for range b.N {
		for _, s := range o.Streams() {
			for from := uint64(1); from <= s.Last; {
				batch, err := o.Read(s.Epoch, s.Lane, from, 1000, 1<<20)
				if err != nil {
					b.Fatal(err)
				}
				from = batch.Through() + 1
				n += len(batch.Records)
			}
			b.StopTimer()
			most = max(most, resident(b))
			b.StartTimer()
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "records/s")
	b.ReportMetric(float64(most-before)/(1<<20), "resident_MB_more")
	b.ReportMetric(0, "ns/op")
}

// resident is the process's resident memory in bytes.
func resident(b *testing.B) int64 {
	raw, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		b.Fatal(err)
	}
	var size, pages int64
	if _, err := fmt.Sscan(string(raw), &size, &pages); err != nil {
		b.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}
