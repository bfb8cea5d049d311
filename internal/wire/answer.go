package wire

import (
	"encoding/json"

	"branchline/internal/fault"
	"branchline/internal/movement"
)

// Verdict is what the hub says to a batch.
type Verdict string

const (
	// Taken: everything through Through is committed in the hub.
	Taken Verdict = "taken"
	// Resend: there is a gap; go on from Through+1.
	Resend Verdict = "resend"
	// Fork: the stream is equal to the hub's only through Through. This outbox
	// is a copy, or was restored from one: what follows belongs into a new
	// epoch.
	Fork Verdict = "fork"
	// Refused: the batch cannot be read, for the reason in Code and Text.
	// Sending it again unchanged is of no use before somebody has looked.
	Refused Verdict = "refused"
)

// Answer is the hub's word about one stream. It is the only thing that moves a
// movement out of the agent's care.
type Answer struct {
	V       int           `json:"v"`
	Epoch   string        `json:"epoch"`
	Lane    movement.Lane `json:"lane"`
	Verdict Verdict       `json:"verdict"`
	// Through is the last seq that the hub has committed of this stream, 0
	// for none.
	Through uint64 `json:"through"`
	Code    string `json:"code,omitempty"`
	Text    string `json:"text,omitempty"`
}

const maxAnswer = 4 << 10

// Marshal makes the payload.
func (a Answer) Marshal() ([]byte, error) {
	a.V = BatchVersion
	if len(a.Text) > 1000 {
		a.Text = a.Text[:1000]
	}
	return json.Marshal(a)
}

// ParseAnswer reads a payload of the ack channel. Errors are faults of class
// Data and code "malformed_answer".
func ParseAnswer(payload []byte) (Answer, error) {
	var a Answer
	if len(payload) > maxAnswer {
		return a, fault.New(fault.Data, "malformed_answer", "the answer has %d bytes, more than %d", len(payload), maxAnswer)
	}
	if err := json.Unmarshal(payload, &a); err != nil {
		return a, fault.New(fault.Data, "malformed_answer", "the answer is not JSON: %w", err)
	}
	known := a.Verdict == Taken || a.Verdict == Resend || a.Verdict == Fork || a.Verdict == Refused
	if a.V != BatchVersion || !known || a.Through > 1<<62 ||
		a.Verdict != Refused && (!movement.ValidEpoch(a.Epoch) || !a.Lane.Valid()) {
		return a, fault.New(fault.Data, "malformed_answer", "the answer has a form that this agent does not know").
			WithHint("update the agent")
	}
	return a, nil
}
