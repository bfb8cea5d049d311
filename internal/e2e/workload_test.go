//go:build linux

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"branchline/internal/movement"
	"branchline/internal/rig"
)

// workload is what people and dispensing systems do at the branches while
// processes die.
type workload struct {
	t     *testing.T
	r     *rig.Rig
	order map[*rig.Agent]string
	stop  context.CancelFunc
	done  sync.WaitGroup

	rows     atomic.Int64 // of files, each with a key of its own
	attempts atomic.Int64 // scans at the counter
	beeps    atomic.Int64 // of them, told to be safe
	receipts atomic.Int64 // confirmed deliveries
	beepsOf  map[*rig.Scanner]chan byte
}

func newWorkload(t *testing.T, r *rig.Rig) *workload {
	return &workload{t: t, r: r, order: map[*rig.Agent]string{}, beepsOf: map[*rig.Scanner]chan byte{}}
}

func (w *workload) String() string {
	return fmt.Sprintf("%d rows of files, %d scans of which %d beeped, %d deliveries", w.rows.Load(), w.attempts.Load(),
		w.beeps.Load(), w.receipts.Load())
}

var lots = []string{"L1", "L2", "L3"}

// begin receives the first stock, so that every lot is known, then lets all
// go on by themselves.
func (w *workload) begin(ctx context.Context) {
	for _, a := range w.r.Agents {
		w.listen(a.Receive)
		w.listen(a.Counter)
		var lines []rig.OrderLine
		for _, p := range w.lotted() {
			lines = append(lines, rig.OrderLine{Product: p, Quantity: 900_000})
		}
		order, err := w.r.Chain.Order(ctx, a.Branch, lines...)
		if err != nil {
			w.t.Fatal(err)
		}
		w.order[a] = order
		w.scan(ctx, a.Receive, order)
		for _, p := range w.lotted() {
			for _, lot := range lots {
				w.scan(ctx, a.Receive, pack(p, lot))
			}
		}
		if w.scan(ctx, a.Receive, "BL-CONFIRM") != '+' {
			w.t.Fatal("the first delivery is not confirmed")
		}
	}
	if err := rig.Until(ctx, "the first deliveries are in Odoo", func() (bool, error) {
		for _, a := range w.r.Agents {
			stock, err := w.r.Chain.Stock(ctx, a.Branch)
			if err != nil || len(stock) < len(w.lotted())*len(lots) {
				return false, err
			}
		}
		return true, nil
	}); err != nil {
		w.t.Fatal(err)
	}
	ctx, w.stop = context.WithCancel(ctx)
	for _, a := range w.r.Agents {
		w.done.Go(func() { w.receive(ctx, a) })
		w.done.Go(func() { w.dispense(ctx, a) })
		w.done.Go(func() { w.export(ctx, a) })
	}
}

// end stops all of it.
func (w *workload) end() {
	w.stop()
	w.done.Wait()
}

func (w *workload) lotted() (list []*rig.Product) {
	for _, p := range w.r.Chain.Products {
		if p.Tracking == "lot" {
			list = append(list, p)
		}
	}
	return list
}

func pack(p *rig.Product, lot string) string { return "01" + p.GTIN + "17290531" + "10" + lot }

// listen collects a scanner's beeps for ever.
func (w *workload) listen(s *rig.Scanner) {
	c := make(chan byte, 1024)
	w.beepsOf[s] = c
	go func() {
		b := make([]byte, 64)
		for {
			n, err := s.Heard(b)
			for _, beep := range b[:n] {
				select {
				case c <- beep:
				default:
				}
			}
			if err != nil {
				return
			}
		}
	}()
}

// scan waits for the beep; 0 when none comes, since the agent is dead.
func (w *workload) scan(ctx context.Context, s *rig.Scanner, code string) byte {
	c := w.beepsOf[s]
	for len(c) > 0 {
		<-c // of a scan that was given up
	}
	if err := s.Scan(code); err != nil {
		w.t.Errorf("scanning: %v", err)
		return 0
	}
	select {
	case b := <-c:
		return b
	case <-time.After(2 * time.Second):
	case <-ctx.Done():
	}
	return 0
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

func (w *workload) dispense(ctx context.Context, a *rig.Agent) {
	for i := 0; ctx.Err() == nil; i++ {
		p := w.lotted()[i%len(w.lotted())]
		w.attempts.Add(1)
		if w.scan(ctx, a.Counter, pack(p, lots[i%3])) == '+' {
			w.beeps.Add(1)
		}
		pause(ctx, 30*time.Millisecond)
	}
}

// receive takes small deliveries of the one large order.
func (w *workload) receive(ctx context.Context, a *rig.Agent) {
	for i := 0; ctx.Err() == nil; i++ {
		w.scan(ctx, a.Receive, w.order[a])
		w.scan(ctx, a.Receive, pack(w.lotted()[i%len(w.lotted())], lots[i%3]))
		w.scan(ctx, a.Receive, fmt.Sprintf("BL-QTY-%d", 1+i%7))
		if w.scan(ctx, a.Receive, "BL-CONFIRM") == '+' {
			w.receipts.Add(1)
		}
		pause(ctx, 2*time.Second)
	}
}

// export drops files, now and then the one before once more.
func (w *workload) export(ctx context.Context, a *rig.Agent) {
	last := ""
	for i := 0; ctx.Err() == nil; i++ {
		text := last
		if i%5 != 4 {
			text = w.file(a, i)
		}
		if err := a.DropExport(fmt.Sprintf("till-%05d.csv", i), text); err != nil {
			w.t.Error(err)
		}
		last = text
		pause(ctx, 400*time.Millisecond)
	}
}

func (w *workload) file(a *rig.Agent, n int) string {
	var b strings.Builder
	b.WriteString("receipt;line;time;patient;gtin;lot;qty;initials\n")
	for line := range 20 {
		p := w.lotted()[(n+line)%len(w.lotted())]
		fmt.Fprintf(&b, "R%d;%d;2026-03-01 09:00:%02d;Erika Mustermann;%s;%s;1;CD\n", n, line+1, line, p.GTIN, lots[line%3])
		w.rows.Add(1)
	}
	return b.String()
}

// recorded is what an agent's outbox says that it has recorded.
type recorded struct {
	stock map[rig.Item]movement.Quantity
	// keys counts rows of files by natural key, scans the movements of the
	// counter's scanner, problems those for a person.
	keys            map[string]int
	scans, problems int
}

func (w *workload) recorded(ctx context.Context, bin string, a *rig.Agent) (*recorded, error) {
	out, err := exec.CommandContext(ctx, filepath.Join(bin, "branchline-agent"), "outbox", "export", "--config",
		filepath.Join(w.r.Dir, a.Branch.Code+".yaml")).Output()
	if err != nil {
		return nil, fmt.Errorf("outbox export: %w", err)
	}
	rec := &recorded{stock: map[rig.Item]movement.Quantity{}, keys: map[string]int{}}
	for line := range bytes.Lines(out) {
		var x struct{ Record json.RawMessage }
		if err := json.Unmarshal(line, &x); err != nil {
			return nil, err
		}
		m, err := movement.Decode(x.Record)
		if err != nil {
			return nil, err
		}
		if m.Source.Adapter == "counter" {
			rec.scans++
		}
		if m.Source.File != "" {
			rec.keys[m.NaturalKey]++
		}
		if m.Problem != nil {
			rec.problems++
			continue
		}
		item := rig.Item{GTIN: m.Product.Code, Lot: m.Lot}
		if m.Kind == movement.Receipt {
			rec.stock[item] += m.Quantity
		} else {
			rec.stock[item] -= m.Quantity
		}
	}
	return rec, nil
}

// verify waits until all is in Odoo and compares it with what was recorded.
func (w *workload) verify(ctx context.Context, bin string) {
	ctx, cancel := context.WithTimeout(ctx, 90*time.Second)
	defer cancel()
	var wrong []string
	var rows, scans, problems int
	if err := rig.Until(ctx, "Odoo has what the branches recorded", func() (bool, error) {
		wrong, rows, scans, problems = nil, 0, 0, 0
		pause(ctx, 300*time.Millisecond) // looking costs what the programs need
		for _, a := range w.r.Agents {
			rec, err := w.recorded(ctx, bin, a)
			if err != nil {
				return false, err
			}
			rows += len(rec.keys)
			scans += rec.scans
			for key, n := range rec.keys {
				if n != 1 {
					wrong = append(wrong, fmt.Sprintf("%s: the row %s is recorded %d times", a.Name, key, n))
				}
			}
			problems += rec.problems
			stock, err := w.r.Chain.Stock(ctx, a.Branch)
			if err != nil {
				return false, err
			}
			book := rig.NewBook()
			for item, q := range rec.stock {
				book.Move(a.Branch, item, q)
			}
			wrong = append(wrong, book.Differences(a.Branch, stock)...)
		}
		if int64(rows) != w.rows.Load() {
			wrong = append(wrong, fmt.Sprintf("%d rows of files are recorded, %d were dropped", rows, w.rows.Load()))
		}
		return len(wrong) == 0, nil
	}); err != nil {
		w.t.Errorf("%v:\n%s", err, strings.Join(wrong, "\n"))
		out, _ := exec.Command(filepath.Join(bin, "branchline-hub"), "exceptions", "--config", filepath.Join(w.r.Dir, "hub.yaml")).Output()
		w.t.Logf("exceptions:\n%s", out[:min(len(out), 4000)])
	}
	w.t.Logf("%d scans outside of a delivery are with a person", problems)
	if int64(scans) < w.beeps.Load() || int64(scans) > w.attempts.Load() {
		w.t.Errorf("%d scans are recorded, %d beeped, %d were made", scans, w.beeps.Load(), w.attempts.Load())
	}
	ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	for _, args := range [][]string{
		{"branchline-hub", "verify", "--config", filepath.Join(w.r.Dir, "hub.yaml")},
		{"branchline-agent", "outbox", "verify", "--config", filepath.Join(w.r.Dir, w.r.Agents[0].Branch.Code+".yaml")},
		{"branchline-agent", "outbox", "verify", "--config", filepath.Join(w.r.Dir, w.r.Agents[1].Branch.Code+".yaml")},
	} {
		if out, err := exec.CommandContext(ctx, filepath.Join(bin, args[0]), args[1:]...).CombinedOutput(); err != nil {
			w.t.Errorf("%v: %v\n%s", args, err, out)
		}
	}
}
