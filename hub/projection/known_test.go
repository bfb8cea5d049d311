package projection_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"branchline/hub/ledger"
	"branchline/internal/fault"
)

// A question about what there never was is refused, and says what there is.
func TestQuestionsAboutWhatThereIsNot(t *testing.T) {
	f := newFixture(t, append(dispensings(1, problem("expired")), dispensings(1, problem("not_gs1"))...)...)
	f.decide(ledger.Discard, 2)
	if got, err := f.Branches(t.Context()); err != nil || !cmp.Equal(got, []string{"BR01"}) {
		t.Errorf("branches %v, %v", got, err)
	}
	if got, err := f.Reasons(t.Context()); err != nil || !cmp.Equal(got, []string{"expired", "not_gs1"}) {
		t.Errorf("reasons %v, %v", got, err)
	}
	for name, c := range map[string]struct {
		err      error
		code, is string
	}{
		"all branches":                {f.CheckBranch(t.Context(), ""), "", ""},
		"a branch":                    {f.CheckBranch(t.Context(), "BR01"), "", ""},
		"no branch":                   {f.CheckBranch(t.Context(), "BR1"), "unknown_branch", "BR01"},
		"all reasons":                 {f.CheckReason(t.Context(), ""), "", ""},
		"a reason":                    {f.CheckReason(t.Context(), "expired"), "", ""},
		"a reason that is dealt with": {f.CheckReason(t.Context(), "not_gs1"), "", ""},
		"no reason":                   {f.CheckReason(t.Context(), "expire"), "unknown_reason", "expired"},
		"all states":                  {ledger.CheckPostingState(""), "", ""},
		"a state":                     {ledger.CheckPostingState("posted"), "", ""},
		"no state":                    {ledger.CheckPostingState("done"), "unknown_state", "withdrawn"},
	} {
		if (c.err != nil) != (c.code != "") || c.err != nil && fault.CodeOf(c.err) != c.code || !strings.Contains(fault.HintOf(c.err), c.is) {
			t.Errorf("%s: %v", name, c.err)
		}
	}
}
