//go:build linux

package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"

	"branchline/hub/ledger"
	"branchline/hub/ledger/ledgertest"
	"branchline/hub/projection"
	"branchline/internal/gs1"
	"branchline/internal/movement"
)

// A chain of some size and the year behind it: so many branches and products, of each
// product lots that follow each other, and movements that come in batches as agents
// send them after a night.
const (
	largeBranches = 2000
	largeProducts = 30_000
	largeLots     = 12
	// largeOften is how many products are sold so often that every lot of them is
	// somewhere, even in the smallest ledger.
	largeOften = 300
	largeBatch = 200
	// largePosting is how many of a branch's batches become a document.
	largePosting = 2
	largeEpoch   = "aaaaaaaaaaaa"
)

func largeCode(n int) string { return fmt.Sprintf("L%04d", n+1) }

// largeGTIN is a product's barcode.
func largeGTIN(product int) string {
	body := fmt.Sprintf("0401234%06d", product)
	check, _ := gs1.CheckDigit(body) // digits
	return body + string(check)
}

// largeLot is the lot of a product that was sold at a time of the year, 0 to 1, with
// the one before it for a while.
func largeLot(product int, year float64, r *rand.Rand) string {
	n := int(year*largeLots + r.Float64()*0.5)
	return fmt.Sprintf("%c%05d%02d", 'A'+product%26, product, n)
}

// largeYear makes what branches record. Products are sold the more often the lower
// their number.
type largeYear struct {
	end   time.Time
	each  int // movements of a branch
	sent  []*ledgertest.Sender
	given []int
	r     *rand.Rand
	skew  *rand.Zipf
}

func newLargeYear(each int) *largeYear {
	r := rand.New(rand.NewPCG(7, 11))
	y := &largeYear{end: time.Now().Truncate(time.Second), each: each, given: make([]int, largeBranches), r: r, skew: rand.NewZipf(r, 1.1, 20, largeProducts-1)}
	for n := range largeBranches {
		y.sent = append(y.sent, ledgertest.NewSender(largeCode(n), largeEpoch, movement.Bulk))
	}
	return y
}

// kind is what the n-th movement of a branch is: so many in a row are the same that
// they become one document, and of every twelve documents two are deliveries and one
// is what came back.
func (y *largeYear) kind(branch, n int) movement.Kind {
	switch (n/(largeBatch*largePosting) + branch) % 12 {
	case 4, 10:
		return movement.Receipt
	case 7:
		return movement.Return
	}
	return movement.Dispense
}

// document is the reference of the n-th movement of a branch.
func (y *largeYear) document(branch, n int) movement.Document {
	switch y.kind(branch, n) {
	case movement.Receipt:
		return movement.Document{Type: "order", Ref: fmt.Sprintf("P%05d-%d", n/20, branch)}
	case movement.Return:
		return movement.Document{Type: "dispensing", Ref: fmt.Sprintf("RT%d-%07d", branch, n)}
	}
	return movement.Document{Type: "dispensing", Ref: fmt.Sprintf("RX%d-%07d", branch, n/3)}
}

// waits tells whether the n-th movement of a branch is for a person: one in 2,000.
func (y *largeYear) waits(branch, n int) bool { return (n+37*branch)%2000 == 777 }

// batch is what a branch sends next.
func (y *largeYear) batch(t testing.TB, branch int) ledger.Arrival {
	s, first := y.sent[branch], y.given[branch]
	var records [][]byte
	at := y.end.Add(-time.Duration((1 - min(1, float64(first)/float64(y.each))) * 365 * 24 * float64(time.Hour)))
	for i := range largeBatch {
		n := first + i
		year := min(1, float64(n)/float64(y.each))
		product := int(y.skew.Uint64())
		m := &movement.Movement{Kind: y.kind(branch, n), Product: movement.Product{Scheme: movement.GTIN, Code: largeGTIN(product)},
			Lot: largeLot(product, year, y.r), Expiry: movement.DateOf(at.AddDate(1, product%12, 0)), Quantity: movement.Units(int64(1 + n%3)),
			OccurredAt: at.Add(time.Duration(i) * 41 * time.Second), Document: y.document(branch, n),
			NaturalKey: fmt.Sprintf("till:%d:%d", n/3, n%3), Source: movement.Source{Adapter: "till", File: at.Format(time.DateOnly) + ".csv", Line: int64(i + 2)}, By: "AB"}
		m.RecordedAt = m.OccurredAt.Add(time.Minute)
		if n%20 == 0 {
			m.Serial = largeSerial(branch, n)
		}
		if y.waits(branch, n) {
			m.Problem = &movement.Problem{Code: "lot_two_expiries", Text: "the lot has another expiry"}
		}
		if m.Kind == movement.Receipt {
			m.Quantity = movement.Units(20)
		}
		records = append(records, m.AppendJSON(nil))
	}
	y.given[branch] += largeBatch
	a := s.Batch(t, records...)
	a.ReceivedAt = at.Add(time.Hour)
	return a
}

func largeSerial(branch, n int) string { return fmt.Sprintf("S%04dX%08d", branch, n) }

// send has branches send a batch each, one after the other and then again, until
// there are n movements, and commits them from several goroutines, as they arrive
// from several lines.
func (y *largeYear) send(t testing.TB, l *ledger.Ledger, from, n int) {
	t.Helper()
	arrivals := make(chan ledger.Arrival, 64)
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for a := range arrivals {
				if err := l.Commit(context.Background(), a); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for i := 0; i < n/largeBatch && !t.Failed(); i++ {
		arrivals <- y.batch(t, (from+i)%largeBranches)
	}
	close(arrivals)
	wg.Wait()
}

// fill makes the year: every round of two batches of each branch is sent, projected,
// and put into documents that are done.
func (y *largeYear) fill(b *testing.B, l *ledger.Ledger) {
	b.Helper()
	p := projection.New(l, quiet(), nil)
	const round = largeBranches * largeBatch * largePosting
	for done := 0; done < y.each*largeBranches; done += round {
		began := time.Now()
		y.send(b, l, 0, round)
		if err := p.CatchUp(b.Context()); err != nil {
			b.Fatal(err)
		}
		y.post(b, l, done/largeBranches)
		if b.Failed() {
			b.FailNow()
		}
		b.Logf("%9d movements; the last %d in %s", done+round, round, time.Since(began).Round(time.Millisecond))
		runtime.GC()
	}
}

// post makes a document of what each branch has sent from a place on, and has it done.
func (y *largeYear) post(b *testing.B, l *ledger.Ledger, from int) {
	b.Helper()
	ctx := b.Context()
	aliases, err := l.AliasGeneration(ctx)
	if err != nil {
		b.Fatal(err)
	}
	work := make(chan int)
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for branch := range work {
				if err := y.posting(ctx, l, branch, from, aliases); err != nil {
					b.Error(err)
				}
			}
		})
	}
	for branch := range largeBranches {
		work <- branch
	}
	close(work)
	wg.Wait()
}

func (y *largeYear) posting(ctx context.Context, l *ledger.Ledger, branch, from int, aliases int64) error {
	s := y.sent[branch]
	first, err := l.Find(ctx, s.ID(uint64(from+1)))
	if err != nil {
		return err
	}
	var all []ledger.MovementID
	var names []movement.ID
	for i := range largeBatch * largePosting {
		if y.waits(branch, from+i) {
			continue
		}
		all, names = append(all, first+ledger.MovementID(i)), append(names, s.ID(uint64(from+i+1)))
	}
	kind, at := y.kind(branch, from), time.Now()
	id, err := l.CreatePosting(ctx, ledger.NewPosting{Aliases: aliases, Branch: s.Branch, Kind: kind, Movements: all,
		Name: ledger.PostingName(kind, ledger.RunsOf(names))}, at)
	if err != nil {
		return err
	}
	_, err = l.ChangePosting(ctx, id, ledger.PostingChange{State: ledger.PostingDone, At: at, Attempt: ledger.Attempt{Step: "validate", At: at, Took: 80 * time.Millisecond},
		Odoo: ledger.OdooRef{Model: "stock.picking", ID: int64(id), Name: fmt.Sprintf("WH/OUT/%05d", id)}})
	return err
}
