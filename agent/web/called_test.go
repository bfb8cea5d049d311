package web

import (
	"testing"
	"time"

	"branchline/internal/movement"
)

// Goods of a list without a document, which wait with a person, say when it was
// begun.
func TestAListWithoutADocumentIsCalledByItsTime(t *testing.T) {
	begun := time.Date(2026, 11, 23, 9, 41, 0, 0, time.UTC)
	for doc, want := range map[movement.Document]string{
		{Type: "order", Ref: "P00017"}:                          "P00017",
		{Type: "session", Ref: "receive@20261123T094100.000Z"}:  "without a document, of " + begun.Local().Format("2 Jan 15:04"),
		{Type: "delivery", Ref: "receive@20261123T094100.000Z"}: "receive@20261123T094100.000Z",
		{Type: "session", Ref: "receive@x"}:                     "receive@x",
	} {
		if got := calledDocument(doc); got != want {
			t.Errorf("%v is called %q, want %q", doc, got, want)
		}
	}
}
