package config_test

import (
	"testing"

	"branchline/hub/config"
)

// A hub that is not told its branches yet serves none: in an Odoo that another hub
// uses, too, it touches nothing.
func TestAHubWithoutBranchesServesNone(t *testing.T) {
	c := config.Default()
	if p, q := c.Plan().Branches, c.Post().Branches; p == nil || q == nil || len(p)+len(q) != 0 {
		t.Errorf("it plans %v and posts %v", p, q)
	}
}
