package wire

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"

	"branchline/internal/fault"
	"branchline/internal/movement"
)

// Verdict is what the hub says to a batch.
type Verdict string

const (
	// Taken: the batch and everything before it, through Through, its last
	// seq, is committed in the hub as the agent has it.
	Taken Verdict = "taken"
	// Resend: go on from Through+1. It may lie before what was taken: the hub
	// was restored from a backup, or looks for the place of a fork.
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
	V int `json:"v"`
	// Of names the payload that this answers ([NameOf]). An agent heeds only
	// answers to what it has itself in flight: two copies of one outbox that
	// take turns on the line must not take each other's answers. Empty for a
	// Resend that the hub asks for after a report.
	Of string `json:"of,omitempty"`
	// Epoch and Lane are empty in a refusal of what could not be read.
	Epoch   string        `json:"epoch,omitempty"`
	Lane    movement.Lane `json:"lane,omitzero"`
	Verdict Verdict       `json:"verdict"`
	// Through is the seq that the verdict is about, see there; 0 for none.
	Through uint64 `json:"through"`
	Code    string `json:"code,omitempty"`
	Text    string `json:"text,omitempty"`
}

const (
	maxAnswer = 4 << 10
	maxText   = 500
)

// NameOf names a payload of the movements channel: the first half of its
// SHA-256 in hexadecimal.
func NameOf(payload []byte) string {
	sum := sha256.Sum256(payload)
	return hex.EncodeToString(sum[:16])
}

// Marshal makes the payload. Text is cut to 500 bytes.
func (a Answer) Marshal() ([]byte, error) {
	a.V = AnswerVersion
	a.Text = clip(a.Text)
	return json.Marshal(a)
}

// AnswerVersion is the version of the form of an answer.
const AnswerVersion = 1

func clip(s string) string {
	if len(s) > maxText {
		s = strings.ToValidUTF8(s[:maxText], "")
	}
	return s
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
	if a.V != AnswerVersion || !known || a.Through > 1<<62 || len(a.Of) > 64 ||
		a.Verdict != Refused && (!movement.ValidEpoch(a.Epoch) || !a.Lane.Valid()) {
		return a, fault.New(fault.Data, "malformed_answer", "the answer has a form that this agent does not know").
			WithHint("update the agent")
	}
	return a, nil
}
