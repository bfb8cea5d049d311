package reference

import (
	"fmt"
	"path/filepath"
	"testing"

	"branchline/internal/feed"
	"branchline/internal/movement"
)

const many = 50_000

// BenchmarkCatalogue takes in 50,000 products, for their size on the wire; then
// one more version with one name changed.
func BenchmarkCatalogue(b *testing.B) {
	h := newHub()
	list := catalogue(many)
	for b.Loop() {
		h.products(b, list...)
		s := opened(b, filepath.Join(b.TempDir(), "reference.db"))
		n, size := h.send(b, s, 0)
		b.ReportMetric(float64(n), "messages")
		b.ReportMetric(float64(size)/1e6, "wire_MB")
		list[many/2].Name += "!"
		h.products(b, list...)
		_, size = h.send(b, s, 0)
		b.ReportMetric(float64(size)/1e3, "one_change_kB")
	}
}

func BenchmarkQuestions(b *testing.B) {
	h := newHub()
	h.products(b, catalogue(many)...)
	keys, rows := make([]string, 8000), make([]any, 8000)
	for i := range rows {
		keys[i] = fmt.Sprint(i + 40)
		rows[i] = feed.Stock{Product: keys[i], Lots: []LotStock{{Lot: fmt.Sprintf("L%d", i*7919), Quantity: movement.Units(3)},
			{Lot: fmt.Sprintf("M%d", i*7907), Expiry: movement.Date{Year: 2027, Month: 3, Day: 31}, Quantity: movement.Units(9)}}}
	}
	h.make(b, feed.OnHand, keys, rows)
	s := opened(b, filepath.Join(b.TempDir(), "reference.db"))
	h.send(b, s, 0)
	b.Run("Find", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			code := fmt.Sprintf("04%012d", i%many*2654435761%1_000_000_000_000)
			if len(s.Matches(gtin(code))) == 0 {
				b.Fatal(code)
			}
		}
	})
	b.Run("FindNothing", func(b *testing.B) {
		for b.Loop() {
			s.Matches(gtin("00000000000000"))
		}
	})
	b.Run("Stock", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			if len(s.Stock(fmt.Sprint(i%8000+40))) != 2 {
				b.Fatal(i)
			}
		}
	})
	b.Run("Search", func(b *testing.B) {
		for b.Loop() {
			if len(s.Search("ibuprofen 200 hex", 20)) == 0 {
				b.Fatal("nothing")
			}
		}
	})
	b.Run("SearchOneLetter", func(b *testing.B) {
		for b.Loop() {
			s.Search("p", 20)
		}
	})
}
