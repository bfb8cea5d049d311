package edition_test

import (
	"encoding/json"
	"strings"
	"testing"

	"branchline/internal/edition"
	"branchline/internal/fault"
)

func TestReportsThatCanBe(t *testing.T) {
	ref, before := edition.Ref{Number: 7, Hash: edition.Hash{7}}, edition.Ref{Number: 6, Hash: edition.Hash{6}}
	failure := &edition.Attempt{Ref: ref, At: now, Reason: "scanner counter: COM9 is not there"}
	for name, c := range map[string]struct {
		r  edition.Report
		ok bool
	}{
		"received":                 {edition.Report{Ref: ref, Phase: edition.Received, Runs: before}, true},
		"the first one is tried":   {edition.Report{Ref: ref, Phase: edition.Trying, Runs: ref}, true},
		"good":                     {edition.Report{Ref: ref, Phase: edition.Good, Runs: ref}, true},
		"good, another failed":     {edition.Report{Ref: before, Phase: edition.Good, Runs: before, Failure: failure}, true},
		"failed":                   {edition.Report{Ref: ref, Phase: edition.Failed, Reason: failure.Reason, Runs: before, Failure: failure}, true},
		"failed, by agent.yaml":    {edition.Report{Ref: ref, Phase: edition.Failed, Reason: failure.Reason}, true},
		"refused, unreadable":      {edition.Report{Phase: edition.Refused, Reason: "bad signature", Runs: before}, true},
		"no phase":                 {edition.Report{Ref: ref}, false},
		"a phase to come":          {edition.Report{Ref: ref, Phase: "dreaming"}, false},
		"good, and runs another":   {edition.Report{Ref: ref, Phase: edition.Good, Runs: before}, false},
		"failed without a number":  {edition.Report{Phase: edition.Failed}, false},
		"a number beyond all":      {edition.Report{Ref: edition.Ref{Number: 1 << 60}, Phase: edition.Received}, false},
		"runs a number beyond all": {edition.Report{Ref: ref, Phase: edition.Failed, Runs: edition.Ref{Number: 1 << 60}}, false},
		"a long reason":            {edition.Report{Ref: ref, Phase: edition.Failed, Reason: strings.Repeat("x", 501)}, false},
		"a long reason of before":  {edition.Report{Ref: ref, Phase: edition.Received, Failure: &edition.Attempt{Ref: before, Reason: strings.Repeat("x", 501)}}, false},
	} {
		err := c.r.Check()
		if (err == nil) != c.ok || err != nil && fault.CodeOf(err) != "malformed_report" {
			t.Errorf("%s: %v", name, err)
		}
		tidy := c.r.Tidy()
		var back edition.Report
		if err := json.Unmarshal(must[[]byte](t)(json.Marshal(tidy)), &back); err != nil || back.Phase != tidy.Phase || back.Ref != tidy.Ref || back.Runs != tidy.Runs {
			t.Errorf("%s comes back as %+v, %v", name, back, err)
		}
	}
}

// What an agent says in words is one line, however long and strange the reason was.
func TestReasonsAreOneBoundedLine(t *testing.T) {
	words := "first\nsecond\x1b[31m\tthird " + strings.Repeat("ü", 400) + "\xff"
	r := edition.Report{Reason: words, Failure: &edition.Attempt{Reason: words}}
	got := r.Tidy()
	for _, s := range []string{got.Reason, got.Failure.Reason} {
		if !strings.HasPrefix(s, "first second[31m third ü") || len(s) > 500 || strings.ContainsAny(s, "\n\x1b\xff") {
			t.Errorf("%q", s)
		}
	}
	if r.Failure.Reason != words {
		t.Error("what was handed in is changed")
	}
}
