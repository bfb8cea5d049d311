package roomtest

import (
	"context"
	"fmt"
	"sync"
	"time"

	"branchline/hub/ledger"
	"branchline/hub/ledger/ledgertest"
	"branchline/hub/projection"
	"branchline/hub/room"
	"branchline/internal/movement"
	"branchline/internal/wire"
)

// senders is how many branches of a chain send at the same time, so that the ledger
// groups what they send.
const senders = 32

// Chain makes branches BR0001 and so on, in four groups, each of which has sent so
// many movements over the last day, and has them projected. One in 50 is silent, one
// in 20 has a movement that waits for a person, one in 25 a scanner or an adapter
// that is down.
func (d *Desk) Chain(branches, each int) {
	d.T.Helper()
	now := time.Now().Truncate(time.Second)
	d.Room.Branches, d.Lines = nil, nil
	work := make(chan int)
	var wg sync.WaitGroup
	for range senders {
		wg.Go(func() {
			for n := range work {
				if err := d.sends(Code(n), n, each, now); err != nil {
					d.T.Error(err)
				}
			}
		})
	}
	for n := range branches {
		d.Room.Branches = append(d.Room.Branches, room.Branch{Code: Code(n), Name: names[n%len(names)], Groups: []string{groups[n%len(groups)]}, Zone: time.UTC})
		line := room.Connection{Branch: Code(n), Online: n%50 != 17, Since: now.Add(-time.Duration(n%97+1) * time.Minute)}
		d.Lines = append(d.Lines, line)
		work <- n
	}
	close(work)
	wg.Wait()
	for n := range branches {
		d.Heard(Code(n), says(n, now))
	}
	d.Must(projection.New(d.Ledger, d.Log, nil).CatchUp(context.Background()))
}

var (
	groups = []string{"North", "South", "East", "West"}
	names  = []string{"Riverside", "High Street", "Mill Lane", "Market Square", "Station Road", "Hill View", "Old Town", "Harbour"}
)

// Code is the code of a chain's branch, from 0.
func Code(n int) string { return fmt.Sprintf("BR%04d", n+1) }

// batch is how many movements a branch sends at once.
const batch = 200

func (d *Desk) sends(code string, n, each int, now time.Time) error {
	s := ledgertest.NewSender(code, Epoch, movement.Bulk)
	for from := 0; from < each; from += batch {
		var records [][]byte
		for i := from; i < min(from+batch, each); i++ {
			records = append(records, ledgertest.Record([]movement.Kind{movement.Dispense, movement.Dispense, movement.Receipt}[i%3], int64(i%5+1), func(m *movement.Movement) {
				m.Product.Code = fmt.Sprintf("%014d", 4012345000000+i%997)
				m.Lot = fmt.Sprintf("L%03d", i%313)
				m.OccurredAt = now.Add(-time.Duration((i*7919+n*104729)%86400) * time.Second)
				m.RecordedAt = now.Add(-time.Minute)
				if i == 0 && n%20 == 3 {
					m.Problem = &movement.Problem{Code: "lot_two_expiries", Text: "the lot has another expiry"}
				}
			}))
		}
		a := s.Batch(fatal{d.T}, records...)
		a.ReceivedAt = now.Add(-time.Duration(n%97+2) * time.Minute)
		if err := d.Ledger.Commit(context.Background(), a); err != nil {
			return err
		}
	}
	return nil
}

// fatal ends a goroutine that is not the test's own.
type fatal struct{ ledgertest.T }

func (f fatal) Fatal(args ...any) { panic(fmt.Sprint(args...)) }

func says(n int, now time.Time) wire.State {
	free := int64(40 << 30)
	s := wire.State{Version: "1.4.0", Config: "5ec2df34", At: now, Started: now.Add(-48 * time.Hour), DiskFree: &free,
		Scanners: []wire.ScannerState{{Name: "counter 1", Up: true, Since: now}, {Name: "counter 2", Up: true, Since: now}},
		Adapters: []wire.AdapterState{{Name: "till", State: wire.AdapterWatching, Since: now, Good: 812}}}
	switch {
	case n%50 == 17:
		s.Unsent, s.OldestUnsent = uint64(n%40+1), now.Add(-time.Duration(n%200+10)*time.Minute)
	case n%25 == 9:
		s.Scanners[1] = wire.ScannerState{Name: "counter 2", Since: now.Add(-time.Hour), Reason: "the port is gone"}
	case n%100 == 51:
		s.Adapters[0] = wire.AdapterState{Name: "till", State: wire.AdapterHeld, Since: now.Add(-time.Hour), Reason: "b.csv: the header has no column \"pzn\"", Bad: 3, Open: 3}
		s.Alarms = []wire.Alarm{{Code: "bad_header", Text: "Export till: b.csv: the header has no column \"pzn\""}}
	}
	return s
}

// Posted plans and posts the first movement of each of so many branches of a chain.
func (d *Desk) Posted(branches int) {
	d.T.Helper()
	ctx := context.Background()
	aliases, err := d.Ledger.AliasGeneration(ctx)
	d.Must(err)
	for n := range branches {
		id := movement.ID{Branch: Code(n), Epoch: Epoch, Lane: movement.Bulk, Seq: 2}
		found, err := d.Ledger.Find(ctx, id)
		d.Must(err)
		p, err := d.Ledger.CreatePosting(ctx, ledger.NewPosting{Aliases: aliases, Branch: Code(n), Kind: movement.Dispense, Movements: []ledger.MovementID{found},
			Name: ledger.PostingName(movement.Dispense, ledger.RunsOf([]movement.ID{id}))}, time.Now())
		d.Must(err)
		if n%2 == 0 {
			_, err = d.Ledger.ChangePosting(ctx, p, ledger.PostingChange{State: ledger.PostingDone, At: time.Now(), Odoo: ledger.OdooRef{Model: "stock.picking", ID: int64(n + 1), Name: fmt.Sprintf("WH/OUT/%05d", n+1)}})
			d.Must(err)
		}
	}
}
