//go:build !killpoints

package projection_test

// killpoints tells whether the steps at which a process can be told to die are
// built in.
const killpoints = false
