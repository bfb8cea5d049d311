// Package fault is the one error type of Branchline.
//
// A fault says to a person what happened, to what, and what to do next, and to
// the program whether trying again can help. The one who detects a failure
// decides its class; everyone above only passes it on. An error without a
// fault in its chain is a defect of ours: it is logged whole and shown as
// "internal".
package fault

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Class says what may be done about a failure. It never changes on the way up.
type Class uint8

const (
	// Defect is a failure nobody foresaw. It is logged, and never blamed on
	// the user's data.
	Defect Class = iota
	// Transient is the network, a timeout, a server that is away: retried by
	// itself with growing, jittered pauses, and shown as lag.
	Transient
	// Data is a refusal of this one thing: never retried by itself, it goes
	// to a person with its reason code.
	Data
	// Setup is a wrong key, a missing right, a bad setting: the work that
	// needs it stops with an alarm until a person has mended it.
	Setup
)

func (c Class) String() string {
	switch c {
	case Transient:
		return "transient"
	case Data:
		return "data"
	case Setup:
		return "setup"
	}
	return "defect"
}

// Error is a failure that a person can act on.
type Error struct {
	Class Class
	// Code is the reason code, lower case with underscores
	// ("unknown_product"): stable, counted in metrics, grouped in lists.
	Code string
	// Message says what happened and to what, in one sentence without the
	// final full stop.
	Message string
	// Hint says what to do next; empty where nothing can be done.
	Hint string
	// Err is the cause, for the log; may be nil.
	Err error
}

// New makes a fault from a formatted message; a %w among the verbs keeps its
// cause in the chain.
func New(class Class, code, format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	return &Error{Class: class, Code: code, Message: err.Error(), Err: errors.Unwrap(err)}
}

// WithHint returns the same fault with its next step named.
func (e *Error) WithHint(hint string) *Error {
	c := *e
	c.Hint = hint
	return &c
}

// Error gives message and hint in one line; after a question the hint is a
// sentence of its own.
func (e *Error) Error() string {
	if e.Hint == "" {
		return e.Message
	}
	if strings.HasSuffix(e.Message, "?") {
		first, n := utf8.DecodeRuneInString(e.Hint)
		return e.Message + " " + string(unicode.ToUpper(first)) + e.Hint[n:]
	}
	return e.Message + ": " + e.Hint
}

func (e *Error) Unwrap() error { return e.Err }

// ClassOf tells the class of the outermost fault in err's chain. A context
// that ended, or any error that calls itself a timeout, is Transient; anything
// else without a fault is a Defect.
func ClassOf(err error) Class {
	if f, ok := errors.AsType[*Error](err); ok {
		return f.Class
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return Transient
	}
	var t interface{ Timeout() bool }
	if errors.As(err, &t) && t.Timeout() {
		return Transient
	}
	return Defect
}

// CodeOf gives the reason code of the outermost fault in err's chain, or
// "internal".
func CodeOf(err error) string {
	if f, ok := errors.AsType[*Error](err); ok {
		return f.Code
	}
	return "internal"
}

// HintOf gives the next step of the outermost fault in err's chain, or "".
func HintOf(err error) string {
	if f, ok := errors.AsType[*Error](err); ok {
		return f.Hint
	}
	return ""
}
