package main

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"branchline/hub/ledger"
	"branchline/hub/ledger/ledgertest"
	"branchline/hub/projection"
	"branchline/internal/movement"
)

// A code that a thousand rows have is one line, with the command that settles all.
func TestManyExceptionsAreSummedUp(t *testing.T) {
	for n, want := range map[int][]string{
		oldestShown: nil,
		30: {"30  unknown_product, at 1 branch", "Map the code to a product", `20 by: branchline-hub alias set sku "A" REFERENCE`,
			`10 by: branchline-hub alias set sku "B" REFERENCE`},
	} {
		l := ledgertest.Open(t)
		s := ledgertest.NewSender("BR01", "aaaaaaaaaaaa", movement.Bulk)
		aliases, err := l.AliasGeneration(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for i := range n {
			s.Commit(t, l, ledgertest.Record(movement.Dispense, 1, func(m *movement.Movement) {
				m.Product = movement.Product{Scheme: movement.SKU, Code: string("AAB"[i%3])}
			}))
		}
		if err := projection.New(l, slog.New(slog.DiscardHandler), nil).CatchUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		var refusals []ledger.Refusal
		for i := range n {
			refusals = append(refusals, ledger.Refusal{Movement: s.Find(t, l, uint64(i+1)), Stage: "plan", Reason: ledger.ReasonUnknownProduct, Text: "unknown", Aliases: aliases})
		}
		if err := l.Refuse(t.Context(), refusals, ledgertest.Noon); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		total, err := (&exceptionsCommand{}).summary(t.Context(), l, &out)
		if err != nil || total != int64(n) || want == nil && out.Len() > 0 {
			t.Errorf("%d, %v, %s", total, err, &out)
		}
		for _, w := range want {
			if !strings.Contains(out.String(), w) {
				t.Errorf("no %q in\n%s", w, &out)
			}
		}
	}
}
