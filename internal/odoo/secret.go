package odoo

import (
	"fmt"
	"log/slog"
	"strings"
)

const hidden = "***"

// Key is an API key or a password. However it is printed, logged or encoded, it
// shows as three asterisks.
type Key string

func (k Key) String() string { return k.hide() }

// GoString hides the key from %#v.
func (k Key) GoString() string { return k.hide() }

// Format hides the key from every verb.
func (k Key) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(k.hide())) }

// MarshalText hides the key from encoders.
func (k Key) MarshalText() ([]byte, error) { return []byte(k.hide()), nil }

// LogValue hides the key from slog.
func (k Key) LogValue() slog.Value { return slog.StringValue(k.hide()) }

func (k Key) hide() string {
	if k == "" {
		return ""
	}
	return hidden
}

// scrub removes the key from a text that came from outside. A very short key is
// left alone: it would tear words apart and is no secret.
func (k Key) scrub(s string) string {
	if len(k) < 6 {
		return s
	}
	return strings.ReplaceAll(s, string(k), hidden)
}
