package web_test

import (
	"fmt"
	"slices"
	"testing"

	"branchline/agent/counter"
	"branchline/internal/ui/uitest"
)

// BenchmarkPageOf500Lines opens a delivery of 500 expected lines, half of them
// scanned, in a browser, until a scanner and the keys work on it. Aim: usable_ms
// under 1000.
func BenchmarkPageOf500Lines(b *testing.B) {
	d := newDesk()
	d.view.Lines = nil
	for i := range 500 {
		l := counter.Line{Name: fmt.Sprintf("Product %d, 20 tablets", i), Unit: "pack", Ordered: units(10), State: counter.Waiting}
		l.Product.Scheme, l.Product.Code = "gtin", fmt.Sprintf("0401234%07d", i)
		if i%2 == 0 {
			l.State, l.Scanned = counter.Partial, units(4)
			for n := range 4 {
				l.Entries = append(l.Entries, counter.Entry{Number: 4*i + n + 1, Lot: "A77B12", Expiry: date("2028-05-31"), Quantity: units(1)})
			}
			l.Lots = []counter.Lot{{Lot: "A77B12", Expiry: date("2028-05-31"), Quantity: units(4)}}
		}
		d.view.Lines = append(d.view.Lines, l)
	}
	_, url := serve(b, d)
	page := uitest.Open(b, url)
	var usable []float64
	for b.Loop() {
		page.Go(url + "/session/BR12%2FIN%2F00042@20261123T094100.000Z")
		page.Wait("document.documentElement.dataset.scanner === 'ready' && document.querySelectorAll('#lines tbody tr').length === 500")
		page.Wait("performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd > 0")
		usable = append(usable, uitest.Eval[float64](page, "performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"))
	}
	slices.Sort(usable)
	b.ReportMetric(usable[len(usable)/2], "usable_ms")
	b.ReportMetric(usable[len(usable)-1], "worst_ms")
	b.ReportMetric(0, "ns/op")
}
