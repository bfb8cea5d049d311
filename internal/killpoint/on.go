//go:build killpoints

// Package killpoint names the steps between which a process may die, so that
// kill tests can make it die exactly there. In a product build it is empty;
// test builds use the tag "killpoints".
package killpoint

import (
	"os"
	"strconv"
	"strings"
	"sync/atomic"
)

var (
	target, left = parse(os.Getenv("BRANCHLINE_KILL_AT"))
	self, _      = os.FindProcess(os.Getpid())
)

func parse(s string) (string, *atomic.Int64) {
	name, count, _ := strings.Cut(s, ":")
	n, err := strconv.ParseInt(count, 10, 64)
	if err != nil {
		n = 1
	}
	left := new(atomic.Int64)
	left.Store(n)
	return name, left
}

// Here marks the step called name: the process kills itself with SIGKILL when
// BRANCHLINE_KILL_AT is "name:n" and the step is reached for the n-th time.
func Here(name string) {
	if target != "" && name == target && left.Add(-1) == 0 {
		_ = self.Kill()
		select {} // nothing after this step happens
	}
}
