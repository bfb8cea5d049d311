package gs1_test

import (
	"testing"
	"time"

	"branchline/internal/gs1"
)

func BenchmarkParse(b *testing.B) {
	now := time.Date(2026, 6, 15, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name, raw string
		profile   gs1.Profile
	}{
		{"serialised pack", "]d2010401234567890117280131" + "10LOT4790A\x1d21SN00012345678", gs1.Profile{}},
		{"substituted separator", "010401234567890117280131" + "10LOT4790A|21SN00012345678", gs1.Profile{Substitute: "|"}},
		{"no separator proved", "010401234567890117280131" + "10LOT4790A", gs1.Profile{}},
		{"plain EAN-13", "4012345678901", gs1.Profile{}},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := gs1.Parse(c.raw, c.profile, now); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
