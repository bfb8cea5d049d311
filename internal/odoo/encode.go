package odoo

import (
	"math"
	"reflect"
	"sort"
	"unicode/utf8"

	"branchline/internal/fault"
)

const maxEncodeDepth = 24

// plain turns an argument into nothing but bool, int64, float64, string, []any
// and map[string]any. nil becomes false, as XML-RPC has no nil to send and
// Odoo reads false as "empty". What would not arrive as it is (a control
// character, a number without a value, an unknown type) is an error.
func plain(v any) (any, error) { return plainAt(v, 0) }

func plainAt(v any, depth int) (any, error) {
	if depth > maxEncodeDepth {
		return nil, unsendable("a value is nested deeper than %d", maxEncodeDepth)
	}
	switch v := v.(type) {
	case nil:
		return false, nil
	case bool, int64:
		return v, nil
	case int:
		return int64(v), nil
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, unsendable("%v is no number", v)
		}
		return v, nil
	case string:
		return v, sendable(v)
	case Key:
		return string(v), sendable(string(v))
	case []int64:
		out := make([]any, len(v))
		for i, n := range v {
			out[i] = n
		}
		return out, nil
	}
	rv := reflect.ValueOf(v)
	switch rv.Kind() {
	case reflect.Bool:
		return rv.Bool(), nil
	case reflect.String:
		return rv.String(), sendable(rv.String())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return rv.Int(), nil
	case reflect.Uint8, reflect.Uint16, reflect.Uint32:
		return int64(rv.Uint()), nil
	case reflect.Float32:
		return plainAt(rv.Float(), depth)
	case reflect.Slice:
		out := make([]any, rv.Len())
		for i := range out {
			p, err := plainAt(rv.Index(i).Interface(), depth+1)
			if err != nil {
				return nil, err
			}
			out[i] = p
		}
		return out, nil
	case reflect.Map:
		if rv.Type().Key().Kind() != reflect.String {
			break
		}
		out := make(map[string]any, rv.Len())
		for it := rv.MapRange(); it.Next(); {
			key := it.Key().String()
			if !plainKey(key) {
				return nil, unsendable("%q cannot be the name of a field", clip(key, 80))
			}
			p, err := plainAt(it.Value().Interface(), depth+1)
			if err != nil {
				return nil, err
			}
			out[key] = p
		}
		return out, nil
	}
	return nil, unsendable("a %T cannot be sent", v)
}

// within32 checks that all integers fit XML-RPC's four bytes.
func within32(v any) error {
	switch v := v.(type) {
	case int64:
		if v > math.MaxInt32 || v < math.MinInt32 {
			return unsendable("%d is beyond 32 bits", v)
		}
	case []any:
		for _, x := range v {
			if err := within32(x); err != nil {
				return err
			}
		}
	case map[string]any:
		keys := make([]string, 0, len(v))
		for k := range v {
			keys = append(keys, k)
		}
		sort.Strings(keys)
		for _, k := range keys {
			if err := within32(v[k]); err != nil {
				return err
			}
		}
	}
	return nil
}

func plainKey(s string) bool {
	if s == "" {
		return false
	}
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '_', c == '.':
		default:
			return false
		}
	}
	return true
}

// sendable refuses what XML 1.0 cannot carry. An encoder would replace it, and
// a lot with a lost control character is another lot.
func sendable(s string) error {
	if !utf8.ValidString(s) {
		return unsendable("%q is not valid text", clip(s, 80))
	}
	for _, r := range s {
		if r < 0x20 && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF {
			return unsendable("%q holds the control character U+%04X", clip(s, 80), r)
		}
	}
	return nil
}

func unsendable(format string, args ...any) error {
	f := fault.New(fault.Data, CodeUnsendable, format, args...)
	f.Err = &Error{Outcome: NotDone, Text: f.Message}
	return f
}

// SameNumber tells whether two quantities are equal as far as Odoo's floating
// point can tell: within a billionth of their size, at least a millionth.
func SameNumber(a, b float64) bool {
	return math.Abs(a-b) <= math.Max(1e-6, 1e-9*math.Max(math.Abs(a), math.Abs(b)))
}
