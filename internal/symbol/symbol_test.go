package symbol_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"branchline/internal/symbol"
	"branchline/internal/symbol/symboltest"
)

// What is drawn scans as what was meant.
func TestDrawnSymbolsScan(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[ -~]{1,40}`).Draw(t, "text")
		s, err := symbol.Code128(text, "a code", 40)
		if err != nil {
			t.Fatal(err)
		}
		if got := symboltest.Scan(t, s); got != text {
			t.Fatalf("Code 128 of %q scans as %q", text, got)
		}
	})
}

func TestWhatCannotBeDrawn(t *testing.T) {
	for _, text := range []string{"", strings.Repeat("x", 81), "ü€"} {
		if s, err := symbol.Code128(text, "", 40); err == nil {
			t.Errorf("%q was drawn: %v", text, s)
		}
	}
	s, err := symbol.Code128("A", `<script>&"`, 40)
	if err != nil || strings.Contains(s.Text, "<script>") {
		t.Errorf("%v, %s", err, s.Text)
	}
}
