//go:build !race

package projection_test

// raceDetector tells whether it is built in: it makes SQLite, which is compiled
// into Go, many times slower.
const raceDetector = false
