//go:build linux

package e2e

import (
	"context"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestMakeRunChecks is "make run CHECK=1": a morning at two branches, every
// quantity in Odoo compared. With ODOO_URL and the like set it is a real one.
func TestMakeRunChecks(t *testing.T) {
	bin := delivered(t)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, filepath.Join(bin, "branchline-demo"), "-bin", bin, "-check").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{"→ BL/", "/IN/0", "→ a person: ", "Checked: 17 movements"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("%q is not in what it says:\n%s", want, out)
		}
	}
}
