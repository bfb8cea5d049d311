package dispense

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"branchline/agent/outbox"
	"branchline/internal/movement"
)

const benchRows = 100_000

// benchFile is a day-long export of a large chain's branch: 12 columns, 3,000
// products, a lot on every third line.
func benchFile() []byte {
	var b bytes.Buffer
	b.WriteString("Kasse;Beleg;Pos;Datum;Zeit;GTIN;Artikel;Menge;Charge;Patient;Versicherung;Kürzel\n")
	at := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	for i := range benchRows {
		gtin, lot := 4_000_000_000_000+(i*7919%3000)*10, ""
		if i%3 == 0 {
			lot = fmt.Sprintf("L%05d", i*31%4000)
		}
		fmt.Fprintf(&b, "%d;%07d;%d;%s;%s;%s;Artikel %d;%d;%s;Musterfrau, Maria;%010d;%c%c\n", i%4+1, i/3, i%3+1,
			at.Add(time.Duration(i/3)*time.Second).Format("02.01.2006"), at.Add(time.Duration(i/3)*time.Second).Format("15:04:05"),
			withCheckDigit(gtin), i*7919%3000, i%5+1, lot, i, 'a'+i%5, 'k'+i%3)
	}
	return b.Bytes()
}

func withCheckDigit(gtin13 int) string {
	s := fmt.Sprintf("%012d", gtin13/10)
	sum := 0
	for i, c := range s {
		sum += int(c-'0') * (1 + 2*(i%2))
	}
	return fmt.Sprintf("%s%d", s, (10-sum%10)%10)
}

func benchExport(folder string) Export {
	return Export{
		Name: "till", Folder: folder, CSV: CSV{Delimiter: ";"},
		Mapping: Mapping{
			Product: Column{Name: "GTIN"}, Quantity: Column{Name: "Menge"}, Lot: Column{Name: "Charge"},
			OccurredAt: Column{Name: "Datum"}, OccurredTime: Column{Name: "Zeit"}, TimeFormats: []string{"DD.MM.YYYY HH:mm:ss"},
			TimeZone: "Europe/Berlin", Document: Column{Name: "Beleg"}, By: Column{Name: "Kürzel"},
			Key: []Column{{Name: "Beleg"}, {Name: "Pos"}},
		},
	}
}

// plainRead is what the import is measured against: the file read with
// encoding/csv, and the same bytes written with one sync.
func plainRead(b *testing.B, path string) time.Duration {
	began := time.Now()
	f, err := os.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.Comma = ';'
	r.ReuseRecord = true
	for {
		if _, err := r.Read(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			b.Fatal(err)
		}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		b.Fatal(err)
	}
	out, err := os.Create(path + ".copy")
	if err != nil {
		b.Fatal(err)
	}
	defer out.Close()
	if _, err := out.Write(text); err != nil {
		b.Fatal(err)
	}
	if err := out.Sync(); err != nil {
		b.Fatal(err)
	}
	return time.Since(began)
}

// BenchmarkImport records 100,000 lines in a real outbox, against plainRead in
// the same run (aim: at most 4 times).
func BenchmarkImport(b *testing.B) {
	text := benchFile()
	// The fastest of each, as the two are not disturbed alike.
	plain, ours := time.Hour, time.Hour
	for b.Loop() {
		dir := b.TempDir()
		path := filepath.Join(dir, "day.csv")
		if err := os.WriteFile(path, text, 0o644); err != nil {
			b.Fatal(err)
		}
		plain = min(plain, plainRead(b, path))
		ours = min(ours, importOnce(b, dir))
	}
	b.ReportMetric(float64(ours)/benchRows, "ns/row")
	b.ReportMetric(float64(plain)/benchRows, "plain-ns/row")
	b.ReportMetric(float64(ours)/float64(plain), "ratio")
	b.ReportMetric(0, "ns/op")
}

func importOnce(b *testing.B, dir string) time.Duration {
	cfg := outbox.DefaultConfig()
	cfg.Path, cfg.Branch = filepath.Join(b.TempDir(), "outbox.db"), "BR01"
	log := slog.New(slog.DiscardHandler)
	store, err := outbox.Open(cfg, log, nil)
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	now := time.Now()
	d, err := New(Config{Exports: []Export{benchExport(dir)}}, Options{Store: store, Log: log, Now: func() time.Time { return now }})
	if err != nil {
		b.Fatal(err)
	}
	d.adapters[0].look(b.Context())
	now = now.Add(time.Minute)
	began := time.Now()
	d.adapters[0].look(b.Context())
	took := time.Since(began)
	if s := d.Status()[0]; s.Rows != (Counts{Good: benchRows}) {
		b.Fatalf("status %+v", s)
	}
	return took
}

// BenchmarkMap reads and maps rows without recording them.
func BenchmarkMap(b *testing.B) {
	text := benchFile()
	e := benchExport(b.TempDir())
	if err := e.Validate(); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	rows := 0
	for b.Loop() {
		r, err := newReader(&e, file{ReaderAt: bytes.NewReader(text), name: "day.csv", size: int64(len(text)), changed: time.Now()})
		if err != nil {
			b.Fatal(err)
		}
		var m movement.Movement
		for r.next(&m) == nil {
			if m.Problem != nil {
				b.Fatal(m.Problem)
			}
			rows++
		}
	}
	b.ReportMetric(float64(b.Elapsed())/float64(rows), "ns/row")
}
