package ledger_test

import (
	"fmt"
	"sync"
	"testing"

	"branchline/hub/ledger"
	"branchline/hub/ledger/ledgertest"
	"branchline/internal/movement"
)

// BenchmarkCommit commits batches of ten records, durable each, from many
// branches at once.
func BenchmarkCommit(b *testing.B) {
	for _, branches := range []int{1, 64, 500} {
		b.Run(fmt.Sprintf("%d branches", branches), func(b *testing.B) {
			l := ledgertest.OpenAt(b, ledgertest.Address(b))
			queues := make([][]ledger.Arrival, branches)
			for i := range queues {
				s := ledgertest.NewSender(fmt.Sprintf("BR%03d", i), epoch, movement.Live)
				for n := i; n < b.N; n += branches {
					var records [][]byte
					for range 10 {
						records = append(records, ledgertest.Record(movement.Dispense, int64(n+1)))
					}
					queues[i] = append(queues[i], s.Batch(b, records...))
				}
			}
			b.ResetTimer()
			var wg sync.WaitGroup
			for _, q := range queues {
				wg.Go(func() {
					for _, a := range q {
						if err := l.Commit(b.Context(), a); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "batches/s")
		})
	}
}
