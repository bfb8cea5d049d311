package main

import (
	"strings"
	"testing"
	"time"

	"branchline/hub/ledger"
)

func TestAnEntryIsOneLineOrOneObject(t *testing.T) {
	e := ledger.Entry{ID: 7, At: time.Date(2026, 11, 23, 9, 0, 0, 0, time.Local), Who: "ann", Action: "discard", Subject: "BR01/1", Detail: "scanned twice"}
	for name, c := range map[string]struct {
		json bool
		want string
	}{
		"for people":   {false, "7  2026-11-23 09:00:00  ann  discard  BR01/1\n    scanned twice\n"},
		"for programs": {true, `"detail":"scanned twice"`},
	} {
		var b strings.Builder
		if err := (&auditListCommand{JSON: c.json}).line(&b, &e); err != nil || !strings.Contains(b.String(), c.want) {
			t.Errorf("%s: %q, %v", name, b.String(), err)
		}
	}
	if _, err := dayOf("yesterday", 0); err == nil {
		t.Error("any word is a date")
	}
}
