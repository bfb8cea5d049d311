package wire

import (
	"encoding/json"
	"time"

	"branchline/internal/fault"
	"branchline/internal/movement"
)

// State is what an agent says about itself on the report channel: after each
// connecting, and every minute or so.
type State struct {
	V       int       `json:"v"`
	Version string    `json:"version"`
	At      time.Time `json:"at"`
	// Started is when the agent's process began.
	Started time.Time `json:"started"`
	// Unsent is how many records the hub has not acknowledged, OldestUnsent
	// when the first of them was recorded (zero for none), Bytes the size of
	// the outbox.
	Unsent       uint64    `json:"unsent"`
	OldestUnsent time.Time `json:"oldest_unsent,omitzero"`
	Bytes        int64     `json:"bytes"`
	// Streams lets a hub that was restored from a backup see what it lacks, or
	// has from elsewhere.
	Streams []StreamState `json:"streams"`
	// Documents is what the branch knows of Odoo.
	Documents []DocumentState `json:"documents,omitempty"`
	// Alarms is what a person should look at.
	Alarms []Alarm `json:"alarms,omitempty"`
	// Scanners are how each is.
	Scanners []ScannerState `json:"scanners,omitempty"`
	// Adapters are how each reader of exported files is.
	Adapters []AdapterState `json:"adapters,omitempty"`
	// Config is a fingerprint of the agent's configuration file.
	Config string `json:"config,omitempty"`
	// DiskFree is how many bytes the outbox's disk has left; nil where it was not
	// told.
	DiskFree *int64 `json:"disk_free,omitempty"`
	// Open is what was scanned and nobody has confirmed, so that it is no
	// record yet and not among the unsent.
	Open OpenWork `json:"open,omitzero"`
}

// OpenWork counts deliveries and counts in progress at a branch, and others:
// what is handed out, returned or wasted together. Lines are the scans in all
// of them; Oldest is when the first was opened, zero for none.
type OpenWork struct {
	Deliveries uint      `json:"deliveries"`
	Counts     uint      `json:"counts"`
	Others     uint      `json:"others,omitempty"`
	Lines      uint      `json:"lines"`
	Oldest     time.Time `json:"oldest,omitzero"`
}

// StreamState is a [Stream] as it is sent.
type StreamState struct {
	Epoch  string        `json:"epoch"`
	Lane   movement.Lane `json:"lane"`
	Oldest uint64        `json:"oldest"`
	Last   uint64        `json:"last"`
	Acked  uint64        `json:"acked"`
	// Hash is the chain's hash after Acked; zero when Acked is 0 or no longer
	// kept.
	Hash movement.Hash `json:"hash,omitzero"`
}

// DocumentState says which version of a document an agent has.
type DocumentState struct {
	// Kind is the channel that carries it down.
	Kind Channel `json:"kind"`
	// Version is empty, and AsOf zero, while there is none.
	Version string    `json:"version,omitempty"`
	AsOf    time.Time `json:"as_of,omitzero"`
	// Missing is how many parts of the version under way have yet to come.
	Missing int `json:"missing,omitempty"`
}

// ScannerState is how a scanner is, by its name in the configuration, and since
// when; Reason is a sentence, empty when all is well.
type ScannerState struct {
	Name   string    `json:"name"`
	Up     bool      `json:"up"`
	Since  time.Time `json:"since,omitzero"`
	Reason string    `json:"reason,omitempty"`
}

// Words says of a scanner that is down since when it is, in a zone's time.
func (s ScannerState) Words(zone *time.Location) string {
	text := "Scanner " + s.Name + " is down"
	if !s.Since.IsZero() {
		text += " since " + s.Since.In(zone).Format("2 January 15:04")
	}
	if s.Reason != "" {
		text += ": " + s.Reason
	}
	return text
}

// AdapterState is how a reader of exported files is, by its name in the
// configuration, and since when.
type AdapterState struct {
	Name string `json:"name"`
	// State is what it does: AdapterWatching and so on. A hub shows one that it
	// does not know as it is.
	State string    `json:"state"`
	Since time.Time `json:"since,omitzero"`
	// Reason is a sentence, empty when all is well.
	Reason string `json:"reason,omitempty"`
	// Good and Bad count rows since the agent's start: recorded, and kept for a
	// person. Open are all that wait for a person at the branch.
	Good int64 `json:"good"`
	Bad  int64 `json:"bad"`
	Open int64 `json:"open"`
}

// What an adapter does: all files are read; one is being read; something is in the
// way that passes by itself; a file does not fit and waits for a person.
const (
	AdapterWatching = "watching"
	AdapterReading  = "reading"
	AdapterWaiting  = "waiting"
	AdapterHeld     = "held"
)

// Down tells that it does not read what it should.
func (a AdapterState) Down() bool { return a.State == AdapterWaiting || a.State == AdapterHeld }

// Alarm is a reason code and its sentence.
type Alarm struct {
	Code string `json:"code"`
	Text string `json:"text"`
}

// StateVersion is the version of the form of a [State]. A field may be added
// without a new version: an older hub does not heed it, and where an older
// agent does not send it, its zero value says that nothing was told.
const StateVersion = 1

const (
	maxState        = 256 << 10
	maxStateStreams = 200
	maxStateAlarms  = 50
	maxStateDocs    = 10
	maxScanners     = 64
	maxAdapters     = 64
	maxConfig       = 64
)

// Marshal makes the payload. Streams, alarms, scanners and adapters beyond the
// first 200, 50, 64 and 64 are left out.
func (s State) Marshal() ([]byte, error) {
	s.V = StateVersion
	s.Streams = s.Streams[:min(len(s.Streams), maxStateStreams)]
	alarms := make([]Alarm, 0, maxStateAlarms)
	for _, a := range s.Alarms[:min(len(s.Alarms), maxStateAlarms)] {
		alarms = append(alarms, Alarm{Code: a.Code, Text: clip(a.Text)})
	}
	s.Alarms = alarms
	scanners := make([]ScannerState, 0, maxScanners)
	for _, x := range s.Scanners[:min(len(s.Scanners), maxScanners)] {
		x.Name, x.Reason = clip(x.Name), clip(x.Reason)
		scanners = append(scanners, x)
	}
	s.Scanners = scanners
	adapters := make([]AdapterState, 0, min(len(s.Adapters), maxAdapters))
	for _, x := range s.Adapters[:min(len(s.Adapters), maxAdapters)] {
		x.Name, x.State, x.Reason = clip(x.Name), clip(x.State), clip(x.Reason)
		adapters = append(adapters, x)
	}
	s.Adapters = adapters
	return json.Marshal(s)
}

// ParseState reads a payload of the report channel. Errors are faults of class
// Data and code "malformed_report".
func ParseState(payload []byte) (State, error) {
	var s State
	if len(payload) > maxState {
		return s, fault.New(fault.Data, "malformed_report", "the report has %d bytes, more than %d", len(payload), maxState)
	}
	if err := json.Unmarshal(payload, &s); err != nil {
		return s, fault.New(fault.Data, "malformed_report", "the report is not JSON: %w", err)
	}
	if s.V != StateVersion || len(s.Streams) > maxStateStreams || len(s.Alarms) > maxStateAlarms ||
		len(s.Documents) > maxStateDocs || len(s.Scanners) > maxScanners ||
		len(s.Adapters) > maxAdapters || len(s.Config) > maxConfig {
		return s, fault.New(fault.Data, "malformed_report", "the report has a form that this hub does not know")
	}
	for _, a := range s.Adapters {
		if a.Good < 0 || a.Bad < 0 || a.Open < 0 {
			return s, fault.New(fault.Data, "malformed_report", "the report counts rows that cannot be")
		}
	}
	for _, d := range s.Documents {
		if len(d.Version) > 64 || d.Missing < 0 {
			return s, fault.New(fault.Data, "malformed_report", "the report names a document that cannot be")
		}
	}
	for _, st := range s.Streams {
		if !movement.ValidEpoch(st.Epoch) || !st.Lane.Valid() || st.Acked > st.Last || st.Last > 1<<62 {
			return s, fault.New(fault.Data, "malformed_report", "the report names a stream that cannot be")
		}
	}
	return s, nil
}
