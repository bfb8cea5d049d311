package odoo

import (
	"context"
	"time"
)

// Caller carries one method call to Odoo and brings its answer back. It is safe
// for concurrent use. Each call is one transaction in Odoo: it happens whole or
// not at all, but see [Unknown] for calls whose answer never came.
//
// The answer consists of nil, bool, int64, float64, string, []any and
// map[string]any only; read it through the getters of this package, since Odoo
// sends false for any empty field and an integer for a whole float.
type Caller interface {
	Call(ctx context.Context, model, method string, args Args) (any, error)
}

// Args are the arguments of a call in a form that both transports can carry.
type Args struct {
	// IDs are the records the method acts on; leave it nil for a method of the
	// model itself (search_read, create, fields_get).
	IDs []int64
	// Named are the method's own parameters under the names Odoo's source gives
	// them ("domain", "fields", "vals"). Values may be nil, strings, bools,
	// numbers, slices and string-keyed maps of these, and the types of this
	// package.
	Named map[string]any
	// Context is merged into Odoo's context of the call.
	Context map[string]any
}

// Observer is told of every call that was tried, after it ended. It must be
// quick and safe for concurrent use. Authentication appears as model "common".
type Observer func(model, method string, took time.Duration, err error)

// Domain is a search condition in Odoo's prefix notation.
type Domain []any

// Where is one condition of a [Domain].
func Where(field, operator string, value any) []any { return []any{field, operator, value} }

// Or and And join the two conditions that follow them; conditions that are
// only listed are joined by And.
const (
	Or  = "|"
	And = "&"
)

// create is the one method whose argument must be positional over XML-RPC:
// Odoo looks at args[0] to decide between one id and a list of them.
const create = "create"
