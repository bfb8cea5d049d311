package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// programs builds hub and agent with their kill points, once for all tests, and
// gives their folder.
func programs(t testing.TB) string { return built(t, withKillPoints) }

// delivered builds hub, agent and demo as they are delivered, once for all tests.
func delivered(t testing.TB) string { return built(t, asDelivered) }

var (
	withKillPoints = sync.OnceValues(func() (string, error) { return build("-tags=killpoints") })
	asDelivered    = sync.OnceValues(func() (string, error) { return build("-tags=") })
	// builds are the folders that are removed in the end.
	builds []string
)

func built(t testing.TB, once func() (string, error)) string {
	t.Helper()
	dir, err := once()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func build(tags string) (dir string, err error) {
	if dir, err = os.MkdirTemp("", "branchline-programs-"); err != nil {
		return "", err
	}
	builds = append(builds, dir)
	for name, pkg := range map[string]string{"branchline-agent": "../../agent", "branchline-hub": "../../hub", "branchline-demo": "../demo"} {
		cmd := exec.Command("go", "build", tags, "-o", filepath.Join(dir, name), pkg)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			return "", fmt.Errorf("building %s: %w\n%s", name, err, out)
		}
	}
	return dir, nil
}
