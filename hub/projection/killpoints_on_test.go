//go:build killpoints

package projection_test

const killpoints = true
