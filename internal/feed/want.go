package feed

import (
	"encoding/json"

	"branchline/internal/fault"
)

// Want is what a branch asks for: parts of a version, or its manifest when no
// part is named.
type Want struct {
	V       int  `json:"v"`
	Kind    Kind `json:"k"`
	Version ID   `json:"d"`
	Parts   []ID `json:"p,omitempty"`
}

const (
	// MaxWanted is the most parts that are asked for at a time.
	MaxWanted = 64
	maxWant   = 4 << 10
)

// Marshal makes the payload.
func (w Want) Marshal() ([]byte, error) {
	w.V = MessageVersion
	return json.Marshal(w)
}

// ParseWant reads a payload of the want channel. Errors are faults of class
// Data and code "malformed_want".
func ParseWant(payload []byte) (Want, error) {
	var w Want
	if len(payload) > maxWant {
		return w, fault.New(fault.Data, "malformed_want", "what is asked for has %d bytes, more than %d", len(payload), maxWant)
	}
	if err := json.Unmarshal(payload, &w); err != nil {
		return w, fault.New(fault.Data, "malformed_want", "what is asked for is not JSON: %w", err)
	}
	if w.V != MessageVersion || !w.Kind.Valid() || w.Version.IsZero() || len(w.Parts) > MaxWanted {
		return w, fault.New(fault.Data, "malformed_want", "what is asked for has a form that this hub does not know")
	}
	return w, nil
}
