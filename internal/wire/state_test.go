package wire_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"branchline/internal/fault"
	"branchline/internal/wire"
)

// A report passes whole, and one that an older agent made tells nothing of what it
// does not know.
func TestReportsPassBetweenVersions(t *testing.T) {
	free := int64(0)
	now := time.Date(2026, 11, 23, 9, 12, 0, 0, time.UTC)
	s := wire.State{V: wire.StateVersion, At: now, Started: now, Version: "1.2", Config: "0a1b2c3d", DiskFree: &free, Streams: []wire.StreamState{},
		Adapters: []wire.AdapterState{{Name: "till", State: wire.AdapterHeld, Since: now, Reason: "the header has no column", Good: 7, Bad: 2, Open: 1}}}
	payload, err := s.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	got, err := wire.ParseState(payload)
	if err != nil || !reflect.DeepEqual(got, s) {
		t.Errorf("%+v, %v, want %+v", got, err, s)
	}
	older, err := wire.ParseState([]byte(`{"v":1,"version":"1.0","at":"2026-11-23T09:12:00Z","started":"2026-11-23T09:12:00Z","unsent":3,"bytes":10,"streams":[]}`))
	if err != nil || older.DiskFree != nil || older.Config != "" || older.Adapters != nil || older.Unsent != 3 {
		t.Errorf("%+v, %v", older, err)
	}
	if _, err := wire.ParseState([]byte(`{"v":1,"streams":[],"told_by_a_newer_agent":{"x":1}}`)); err != nil {
		t.Error(err)
	}
}

func TestReportsAreBounded(t *testing.T) {
	many := wire.State{Adapters: make([]wire.AdapterState, 100), Config: "c"}
	many.Adapters[0].Reason = strings.Repeat("ä", 100_000)
	payload, err := many.Marshal()
	if err != nil || len(payload) > 100_000 {
		t.Fatalf("%d bytes, %v", len(payload), err)
	}
	if got, err := wire.ParseState(payload); err != nil || len(got.Adapters) != 64 {
		t.Errorf("%d adapters, %v", len(got.Adapters), err)
	}
	for name, s := range map[string]wire.State{
		"adapters": {V: 1, Adapters: make([]wire.AdapterState, 65)}, "config": {V: 1, Config: strings.Repeat("x", 65)},
		"rows": {V: 1, Adapters: []wire.AdapterState{{Bad: -1}}},
	} {
		payload, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := wire.ParseState(payload); fault.CodeOf(err) != "malformed_report" {
			t.Errorf("%s: %v", name, err)
		}
	}
}
