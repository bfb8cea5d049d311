package post_test

import (
	"testing"

	"branchline/internal/movement"
	"branchline/internal/odoo"
)

// BenchmarkDispensings posts 400 dispensings over 170 lots to the simulated
// Odoo, whose time is what real servers were measured to take.
func BenchmarkDispensings(b *testing.B) {
	for name, movements := range map[string]int{"summed": 400, "one picking a movement": 1} {
		b.Run(name, func(b *testing.B) {
			w := simulated(b, 19)
			w.plans.Movements = movements
			products := w.products(odoo.ByLot, 17)
			for i, p := range products {
				for j := range 10 {
					w.lot(p, lotName(i, j))
				}
			}
			w.on(w.ledger)
			must(b, w.master.Refresh(b.Context()))
			w.sim.ResetSpent()
			n := 0
			for b.Loop() {
				var all []movement.Movement
				for i := range 400 {
					k := i % 170
					all = append(all, w.moved(movement.Dispense, products[k/10], 1, lot(lotName(k/10, k%10))))
				}
				n += len(all)
				w.send(all...)
				w.settle()
			}
			spent := w.sim.Spent()
			b.ReportMetric(float64(spent.Calls)/float64(n), "calls/movement")
			b.ReportMetric(float64(spent.Time.Microseconds())/1000/float64(n), "odoo-ms/movement")
		})
	}
}
