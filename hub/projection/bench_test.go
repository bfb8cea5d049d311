package projection_test

import (
	"fmt"
	"log/slog"
	"testing"

	"branchline/hub/ledger/ledgertest"
	"branchline/hub/projection"
	"branchline/internal/movement"
)

// BenchmarkProjection projects what 50 branches sent, 200 movements a batch.
func BenchmarkProjection(b *testing.B) {
	for _, size := range []int{1, 200} {
		b.Run(fmt.Sprintf("batches of %d", size), func(b *testing.B) {
			l := ledgertest.OpenAt(b, ledgertest.Address(b))
			var senders []*ledgertest.Sender
			for i := range 50 {
				senders = append(senders, ledgertest.NewSender(fmt.Sprintf("BR%02d", i), "aaaaaaaaaaaa", movement.Bulk))
			}
			n := 0
			for batch := 0; n < b.N; batch++ {
				s := senders[batch%len(senders)]
				var records [][]byte
				for range size {
					n++
					records = append(records, ledgertest.Record(movement.Dispense, 1, func(m *movement.Movement) {
						product := n * n % 1009 // some are sold more than others
						m.Product.Code = fmt.Sprintf("0401234567%04d", product)
						m.Lot = fmt.Sprintf("LOT%d", product*2+n%2)
						m.NaturalKey = fmt.Sprintf("till1:2026-%07d:%d", n/3, n%3)
						m.Document = movement.Document{Type: "dispensing", Ref: fmt.Sprint(n / 3)}
						m.Source = movement.Source{Adapter: "till", File: "2026-03-01.csv", Line: int64(n)}
						m.By = "AB"
					}))
				}
				s.Commit(b, l, records...)
			}
			p := projection.New(l, slog.New(slog.DiscardHandler), nil)
			b.ResetTimer()
			if err := p.CatchUp(b.Context()); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "movements/s")
		})
	}
}
