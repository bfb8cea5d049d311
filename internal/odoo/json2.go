package odoo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"strings"

	"branchline/internal/fault"
)

// json2Caller is the transport for Odoo 19 and later.
type json2Caller struct{ x *exchanger }

var _ Caller = (*json2Caller)(nil)

func (c *json2Caller) Call(ctx context.Context, model, method string, args Args) (any, error) {
	e := &Error{Model: model, Method: method}
	named := make(map[string]any, len(args.Named)+2)
	for name, value := range args.Named {
		named[name] = value
	}
	if args.IDs != nil {
		named["ids"] = args.IDs
	}
	if len(args.Context) > 0 {
		named["context"] = args.Context
	}
	p, err := plain(named)
	if err != nil {
		return nil, fmt.Errorf("%s.%s: %w", model, method, err)
	}
	body, err := json.Marshal(p)
	if err != nil {
		return nil, unsendable("%s.%s: %w", model, method, err)
	}
	cfg := c.x.cfg
	a, err := c.x.post(ctx, e, "/json/2/"+url.PathEscape(model)+"/"+url.PathEscape(method), "application/json", body, http.Header{
		"Authorization":   {"bearer " + string(cfg.Key)},
		"X-Odoo-Database": {cfg.DB},
		"Accept":          {"application/json"},
	})
	if err != nil {
		return nil, err
	}
	if a.status != http.StatusOK && strings.Contains(a.contentType, "json") {
		return nil, c.refused(e, a)
	}
	if err := c.x.strange(e, a, "json"); err != nil {
		return nil, err
	}
	v, err := decodeJSON(a.body)
	if err != nil {
		e.Outcome, e.Err = Perhaps, err
		return nil, &fault.Error{Class: fault.Transient, Code: CodeAway, Err: e,
			Message: fmt.Sprintf("Odoo's answer to %s.%s is not whole", model, method)}
	}
	return v, nil
}

// refused turns a JSON failure of Odoo into the fault that XML-RPC would have
// brought, so that callers see one set of classes.
func (c *json2Caller) refused(e *Error, a *answer) error {
	var said struct {
		Name    string `json:"name"`
		Message string `json:"message"`
		Debug   string `json:"debug"`
	}
	if err := json.Unmarshal(a.body, &said); err != nil || said.Name == "" {
		return c.x.strange(e, a, "json")
	}
	e.Name = clip(said.Name, 120)
	e.Text = c.x.cfg.Key.scrub(said.Message)
	switch class := said.Name[strings.LastIndexByte(said.Name, '.')+1:]; {
	case class == "AccessDenied", class == "Unauthorized", class == "SessionExpiredException":
		e.Fault = faultDenied
	case class == "AccessError", class == "Forbidden":
		e.Fault = faultRight
	case class == "UserError", class == "ValidationError", class == "MissingError", class == "RedirectWarning":
		e.Fault = faultRefused
	case class == "LockError":
		e.Fault, e.Text = faultOther, "ConcurrencyError: "+e.Text
	case a.status == http.StatusUnprocessableEntity && !strings.HasPrefix(said.Name, "werkzeug."):
		e.Fault = faultRefused // a user error of some module's own kind
	case a.status == http.StatusNotFound:
		// An unknown model, which XML-RPC reports as a user error.
		e.Fault = faultRefused
	default:
		e.Fault = faultOther
		// The class often says more than the message ("SerializationFailure").
		e.Text = said.Name + ": " + e.Text
	}
	return refusal(e)
}

// decodeJSON reads one JSON value and nothing after it. Whole numbers become
// int64, others float64.
func decodeJSON(b []byte) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, fmt.Errorf("something follows the answer")
	}
	return numbers(v)
}

func numbers(v any) (any, error) {
	switch v := v.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n, nil
		}
		f, err := v.Float64()
		if err != nil || math.IsInf(f, 0) {
			return nil, fmt.Errorf("number %s is out of range", clip(v.String(), 40))
		}
		return f, nil
	case []any:
		for i := range v {
			n, err := numbers(v[i])
			if err != nil {
				return nil, err
			}
			v[i] = n
		}
	case map[string]any:
		for k := range v {
			n, err := numbers(v[k])
			if err != nil {
				return nil, err
			}
			v[k] = n
		}
	}
	return v, nil
}
