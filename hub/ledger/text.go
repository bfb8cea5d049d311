package ledger

import "strings"

// storable makes a text that both databases take: valid UTF-8 without NUL,
// which PostgreSQL refuses. Movements' own texts are never altered; they are
// judged by [Storable].
func storable(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

// Storable tells whether a text can stand in a table as it is.
func Storable(s string) bool { return storable(s) == s }
