package app_test

import (
	"net/url"
	"strings"
	"testing"

	"branchline/agent/app"
	"branchline/agent/dispense"
	"branchline/internal/control"
)

// The running agent says what a file is told as, which its outbox alone knows.
func TestTheRunningAgentSaysWhatAFileIsToldAs(t *testing.T) {
	c, _ := configured(t)
	e := dispense.DefaultExport()
	e.Name, e.Folder = "till", t.TempDir()
	e.Mapping.Product, e.Mapping.Quantity, e.Mapping.OccurredAt = dispense.Column{Number: 1}, dispense.Column{Number: 2}, dispense.Column{Number: 3}
	e.Mapping.TimeFormats, e.Mapping.Key = []string{"YYYY-MM-DD"}, []dispense.Column{{Number: 4}}
	c.Exports.Exports = []dispense.Export{e}
	stop := start(t, c)
	defer stop()
	ask := func(export, file string) (told app.Told, err error) {
		err = control.Call(t.Context(), c.DataDir, "GET", "/exports/told?"+url.Values{"export": {export}, "file": {file}}.Encode(), nil, &told)
		return told, err
	}
	first, err := ask("till", "Musterfrau & Sohn.csv")
	if err != nil || !strings.HasPrefix(first.As, "withheld-") {
		t.Errorf("%+v, %v", first, err)
	}
	if again, _ := ask("till", "Musterfrau & Sohn.csv"); again != first {
		t.Errorf("%+v, then %+v", first, again)
	}
	if told, err := ask("till", "export 20261123.csv"); err != nil || told.As != "export 20261123.csv" {
		t.Errorf("%+v, %v", told, err)
	}
	if _, err := ask("tull", "a.csv"); err == nil || !strings.Contains(err.Error(), "another configuration") {
		t.Errorf("another export: %v", err)
	}
}
