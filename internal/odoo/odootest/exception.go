package odootest

import (
	"fmt"
	"net/http"
	"strings"
)

// exception is a failure as Odoo raises it: it rolls the call back.
type exception struct {
	class  string // with its module, as JSON-2 names it
	code   int    // XML-RPC fault code
	status int    // HTTP status over JSON-2
	text   string
}

func (e *exception) Error() string { return e.class + ": " + e.text }

// faultString is what XML-RPC tells: a traceback where Odoo has no better idea.
func (e *exception) faultString() string {
	if e.code != 1 {
		return e.text
	}
	name := strings.TrimPrefix(e.class, "builtins.")
	return "Traceback (most recent call last):\n  File \"/odoo/service/model.py\", line 133, in retrying\n    result = func()\n" + name + ": " + e.text + "\n"
}

func raise(class string, code, status int, format string, args ...any) *exception {
	return &exception{class: class, code: code, status: status, text: fmt.Sprintf(format, args...)}
}

func userError(format string, args ...any) *exception {
	return raise("odoo.exceptions.UserError", 2, http.StatusUnprocessableEntity, format, args...)
}

func validationError(format string, args ...any) *exception {
	return raise("odoo.exceptions.ValidationError", 2, http.StatusUnprocessableEntity, format, args...)
}

func missingError(model string, ids []int64) *exception {
	return raise("odoo.exceptions.MissingError", 2, http.StatusNotFound, "Record does not exist or has been deleted.\n(Record: %s(%s), User: 2)", model, joinIDs(ids))
}

func accessError(format string, args ...any) *exception {
	return raise("odoo.exceptions.AccessError", 4, http.StatusForbidden, format, args...)
}

func valueError(format string, args ...any) *exception {
	return raise("builtins.ValueError", 1, http.StatusInternalServerError, format, args...)
}

func typeError(format string, args ...any) *exception {
	return raise("builtins.TypeError", 1, http.StatusUnprocessableEntity, format, args...)
}

func invalidField(model, name string) *exception {
	return valueError("Invalid field %q on model %q", name, model)
}

func serializationFailure() *exception {
	return raise("psycopg2.errors.SerializationFailure", 1, http.StatusInternalServerError, "could not serialize access due to concurrent update\n")
}

func joinIDs(ids []int64) string {
	parts := make([]string, len(ids))
	for i, id := range ids {
		parts[i] = fmt.Sprint(id)
	}
	return strings.Join(parts, ", ")
}
