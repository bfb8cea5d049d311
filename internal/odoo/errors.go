package odoo

import (
	"errors"
	"fmt"
	"strings"

	"branchline/internal/fault"
)

// Reason codes of the faults of this package.
const (
	// CodeRefused is Odoo's business refusal of what was asked (Data).
	CodeRefused = "odoo_refused"
	// CodeAway is an Odoo that cannot be reached, answers with something that is
	// not Odoo's, or took too long (Transient).
	CodeAway = "odoo_away"
	// CodeBusy is a serialization failure or a lock that outlived Odoo's own
	// retries (Transient).
	CodeBusy = "odoo_busy"
	// CodeDenied is a wrong user, key or password (Setup).
	CodeDenied = "odoo_access_denied"
	// CodeRight is a right that the user lacks (Setup).
	CodeRight = "odoo_right_missing"
	// CodeAddress is an address at which no Odoo answers (Setup).
	CodeAddress = "odoo_address"
	// CodeDefect is a programming error, ours or Odoo's (Defect).
	CodeDefect = "odoo_defect"
	// CodeUnsendable is a text or number that cannot be carried (Data).
	CodeUnsendable = "odoo_unsendable"
	// CodeTooLarge is an answer beyond the size limit (Defect).
	CodeTooLarge = "odoo_answer_too_large"
)

// Outcome says what is known about a call that ended in an error.
type Outcome uint8

const (
	// NotDone: nothing of the call took effect. It was never sent, or Odoo
	// answered with a fault and rolled its transaction back.
	NotDone Outcome = iota
	// Perhaps: the call was sent and no answer of Odoo came back. It may have
	// been done, or be at work still.
	Perhaps
)

// Error is what is known about a failed call: the cause inside every fault that
// this package returns.
type Error struct {
	Model, Method string
	// Fault is the XML-RPC fault code (1–4), 0 if there was none.
	Fault int
	// Status is the HTTP status, 0 if there was none.
	Status int
	// Name is the exception's class, as far as the transport tells.
	Name string
	// Text is Odoo's own text, in the user's language, cut at 4 KB.
	Text    string
	Outcome Outcome
	// Err is the cause below; may be nil.
	Err error
}

func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s.%s", e.Model, e.Method)
	if e.Fault != 0 {
		fmt.Fprintf(&b, ": fault %d", e.Fault)
	}
	if e.Status != 0 && e.Status != 200 {
		fmt.Fprintf(&b, ": HTTP %d", e.Status)
	}
	if e.Text != "" {
		fmt.Fprintf(&b, ": %s", e.Text)
	}
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	return b.String()
}

func (e *Error) Unwrap() error { return e.Err }

// Unknown tells whether the call behind err may have been done in spite of the
// error: a time limit that passed after sending, a connection that broke, a
// proxy that gave up. Look at the records before repeating it.
func Unknown(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Outcome == Perhaps
}

// Words gives Odoo's own words behind err, or "".
func Words(err error) string {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Text
	}
	return ""
}

const maxText = 4 << 10

// clip bounds a text from outside, on a rune boundary.
func clip(s string, limit int) string {
	s = strings.TrimSpace(strings.ToValidUTF8(s, "\uFFFD"))
	if len(s) <= limit {
		return s
	}
	s = s[:limit]
	return strings.ToValidUTF8(s, "") + "…"
}

// lastLine is the line of a traceback that says what happened.
func lastLine(s string) string {
	s = strings.TrimSpace(s)
	if !strings.Contains(s, "Traceback (most recent call last)") {
		return clip(s, 500)
	}
	if i := strings.LastIndex(s, "\n"); i >= 0 {
		s = s[i+1:]
	}
	return clip(s, 500)
}

// withoutWay takes the words out of a refusal that shows a way to mend it in Odoo's own
// pages (RedirectWarning): XML-RPC writes the whole exception, JSON-2 its parts by line.
func withoutWay(text string) string {
	if rest, ok := strings.CutPrefix(text, "(UserError("); ok && len(rest) > 1 {
		if words, _, ok := strings.Cut(rest[1:], rest[:1]+"), {"); ok {
			return strings.NewReplacer(`\\n`, "\n", `\\'`, "'", `\\"`, `"`).Replace(words)
		}
	}
	if words, way, ok := strings.Cut(text, "\n{'"); ok && strings.Contains(way, "ir.actions.") {
		return words
	}
	return text
}

// refusal turns a failure that Odoo itself reported into a fault. Odoo has
// rolled back whatever the call did.
func refusal(e *Error) error {
	e.Outcome = NotDone
	e.Text = withoutWay(e.Text)
	text := e.Text
	e.Text = clip(text, maxText)
	what := e.Model + "." + e.Method
	switch {
	case e.Fault == faultRefused:
		hint := ""
		if strings.Contains(text, "sender's email address") { // measured on 17: a user without one makes no lots
			hint = "give the hub's Odoo user an e-mail address, then retry"
		}
		return &fault.Error{Class: fault.Data, Code: CodeRefused, Message: "Odoo refused: " + oneLine(text), Hint: hint, Err: e}
	case e.Fault == faultDenied:
		return &fault.Error{Class: fault.Setup, Code: CodeDenied, Message: "Odoo does not accept the user or the key", Err: e,
			Hint: "check url, db, user and key of Odoo in the hub's configuration"}
	case e.Fault == faultRight:
		return &fault.Error{Class: fault.Setup, Code: CodeRight, Message: "Odoo does not allow its user " + what + ": " + oneLine(text), Err: e,
			Hint: "give the hub's Odoo user the group Inventory / User"}
	case containsAny(text, busySigns):
		return &fault.Error{Class: fault.Transient, Code: CodeBusy, Message: "Odoo was busy with the same records: " + lastLine(text), Err: e}
	case containsAny(text, missingDatabase) && strings.Contains(text, "does not exist"):
		return &fault.Error{Class: fault.Transient, Code: CodeAway, Message: "Odoo's database is not there: " + lastLine(text), Err: e,
			Hint: "check db in the hub's configuration, unless the database is being restored"}
	case containsAny(text, outageSigns):
		return &fault.Error{Class: fault.Transient, Code: CodeAway, Message: "Odoo is out of order: " + lastLine(text), Err: e}
	}
	return &fault.Error{Class: fault.Defect, Code: CodeDefect, Message: "Odoo could not carry out " + what + ": " + lastLine(text), Err: e}
}

// Fault codes of Odoo's XML-RPC.
const (
	faultOther   = 1
	faultRefused = 2
	faultDenied  = 3
	faultRight   = 4
)

var (
	// PostgreSQL's and Odoo's words for "somebody else has these records"; they
	// reach us only after Odoo's own five tries.
	busySigns = []string{"SerializationFailure", "could not serialize access", "DeadlockDetected", "deadlock detected",
		"LockNotAvailable", "could not obtain lock", "ConcurrencyError", "lock timeout", "QueryCanceled", "TransactionRollback"}
	missingDatabase = []string{"OperationalError", "FATAL", "KeyError: 'database"}
	outageSigns     = []string{"OperationalError", "InterfaceError", "PoolError", "AdminShutdown", "CannotConnectNow", "TooManyConnections",
		"the database system is", "connection to server", "could not connect to server", "server closed the connection",
		"remaining connection slots", "DiskFull", "MemoryError", "OSError: [Errno", "ReadOnlySqlTransaction", "registry failed to load",
		"Failed to load registry", "CPU time limit exceeded", "virtual real time limit"}
)

func containsAny(s string, signs []string) bool {
	for _, sign := range signs {
		if strings.Contains(s, sign) {
			return true
		}
	}
	return false
}

func oneLine(s string) string { return clip(strings.Join(strings.Fields(s), " "), 500) }
