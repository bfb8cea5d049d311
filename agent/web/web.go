// Package web is the branch page: what people at the counter scan, count and
// confirm, whether all of it is safe, and whether it is on its way.
//
// The server makes the pages; a page asks for itself again when the event
// stream says that something changed, and posts what a scanner types into it.
// Without its scripts every step still works by plain forms.
package web

import "time"

// State is what the page shows, as one moment saw it.
type State struct {
	Branch  string
	Version string
	Hub     Hub
	// Unsent counts movements that the hub has not yet confirmed; OldestUnsent
	// is when the first of them was recorded, zero for none.
	Unsent       uint64
	OldestUnsent time.Time
	// Kept is how many bytes the outbox has on disk.
	Kept int64
	// Open are deliveries and counts that nobody has confirmed yet; what was
	// scanned for them is safe, and not among the unsent.
	Open     []Open
	Scanners []Device
	Exports  []Export
	// Alarms are sentences for the people at the branch.
	Alarms []string
}

// Hub is the connection to the hub.
type Hub struct {
	Connected bool
	// Since is when it became so, zero where it never was.
	Since time.Time
	// LastConfirmed is when the hub last confirmed movements.
	LastConfirmed time.Time
	// Trouble is the reason in words while it is not connected.
	Trouble string
}

// Open is one delivery or count in progress.
type Open struct {
	// Kind is what it is called: "delivery", "count"…
	Kind     string
	Document string
	Since    time.Time
	// Lines counts scans, Packs what they stand for.
	Lines int
	Packs string
	// Stations are the scanners that work on it.
	Stations []string
	// Next is what a person must do, as a sentence.
	Next string
}

// Device is one scanner.
type Device struct {
	Name, For string
	Up        bool
	Since     time.Time
	// Detail is its port, or why it is down.
	Detail string
	Scans  uint64
	// Last is the answer to its latest scan; nil for none. The page fills it in.
	Last *Answer
	// Testing tells that its scans are explained and not recorded; Test is what
	// the latest of them showed, nil for none.
	Testing bool
	Test    *TestReport
}

// WithheldFile is a file by the name in its folder, and by the one that it is told
// as.
type WithheldFile struct{ Name, Told string }

// UnfitRows counts rows with a text that its column does not have.
type UnfitRows struct {
	Field string
	Rows  int64
	// LeftOut says that the rows went on without it; else they were set aside.
	LeftOut bool
}

// Export is one watched folder.
type Export struct {
	Name, Folder string
	Up           bool
	Detail       string
	Files        uint64
	Good, Bad    uint64
	// Open counts rows that wait for a person at the branch.
	Open     int
	LastFile string
	// Withheld are files whose names stay at the branch, as they could be about
	// patients, with what they are called elsewhere.
	Withheld     []WithheldFile
	LastFinished time.Time
	// Unfit counts rows with a text that its column does not have, by the mapping's
	// field, since the agent started.
	Unfit []UnfitRows
	// Known counts rows that had been recorded before and were not recorded again.
	Known uint64
}
