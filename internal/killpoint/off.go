//go:build !killpoints

// Package killpoint names the steps between which a process may die, so that
// kill tests can make it die exactly there. In a product build it is empty;
// test builds use the tag "killpoints".
package killpoint

// Here marks the step called name. In a build with the tag "killpoints" the
// process kills itself with SIGKILL when the environment variable
// BRANCHLINE_KILL_AT is "name:n" and the step is reached for the n-th time.
func Here(name string) {}
