package odoo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/kolo/xmlrpc"

	"branchline/internal/fault"
)

const (
	xmlrpcCommon = "/xmlrpc/2/common"
	xmlrpcObject = "/xmlrpc/2/object"
)

// xmlrpcCaller is the transport for every Odoo up to 21. kolo/xmlrpc encodes
// and decodes; the exchange, the bounds and the checks around it are ours.
type xmlrpcCaller struct {
	x   *exchanger
	uid int64
}

var _ Caller = (*xmlrpcCaller)(nil)

func (c *xmlrpcCaller) Call(ctx context.Context, model, method string, args Args) (any, error) {
	e := &Error{Model: model, Method: method}
	kwargs := make(map[string]any, len(args.Named)+1)
	positional := []any{}
	if args.IDs != nil {
		positional = append(positional, args.IDs)
	}
	for name, value := range args.Named {
		if method == create && name == "vals_list" {
			positional = append(positional, value)
			continue
		}
		kwargs[name] = value
	}
	if len(args.Context) > 0 {
		kwargs["context"] = args.Context
	}
	cfg := c.x.cfg
	return c.x.xmlrpc(ctx, e, xmlrpcObject, "execute_kw", cfg.DB, c.uid, cfg.Key, model, method, positional, kwargs)
}

// authenticate signs in and gives the user's id.
func (x *exchanger) authenticate(ctx context.Context) (int64, error) {
	e := &Error{Model: "common", Method: "authenticate"}
	v, err := x.xmlrpc(ctx, e, xmlrpcCommon, "authenticate", x.cfg.DB, x.cfg.User, x.cfg.Key, map[string]any{})
	if err != nil {
		return 0, err
	}
	uid := Int(v)
	if uid <= 0 {
		e.Fault = faultDenied
		return 0, refusal(e)
	}
	return uid, nil
}

// xmlrpc makes one XML-RPC call. e must name the call.
func (x *exchanger) xmlrpc(ctx context.Context, e *Error, path, procedure string, params ...any) (any, error) {
	p, err := plain(params)
	if err == nil {
		err = within32(p)
	}
	if err != nil {
		return nil, fmt.Errorf("%s.%s: %w", e.Model, e.Method, err)
	}
	body, err := xmlrpc.EncodeMethodCall(procedure, p.([]any)...)
	if err != nil {
		return nil, unsendable("%s.%s: %w", e.Model, e.Method, err)
	}
	a, err := x.post(ctx, e, path, "text/xml; charset=utf-8", body, nil)
	if err != nil {
		return nil, err
	}
	if err := x.strange(e, a, "xml"); err != nil {
		return nil, err
	}
	v, err := decodeXMLRPC(a.body)
	if err == nil {
		return v, nil
	}
	if f, ok := errors.AsType[xmlrpc.FaultError](err); ok {
		e.Fault, e.Text = f.Code, x.cfg.Key.scrub(f.String)
		if f.Code == faultOther && strings.Contains(f.String, "cannot marshal None") {
			// The method returned nothing and Odoo had committed before it
			// found that it could not say so.
			return nil, nil
		}
		return nil, refusal(e)
	}
	e.Outcome, e.Err = Perhaps, err
	return nil, &fault.Error{Class: fault.Transient, Code: CodeAway, Err: e,
		Message: fmt.Sprintf("Odoo's answer to %s.%s is not whole", e.Model, e.Method)}
}

// decodeXMLRPC reads a methodResponse: its value, or an xmlrpc.FaultError. It
// never panics, whatever it is given.
func decodeXMLRPC(b []byte) (v any, err error) {
	defer func() {
		if r := recover(); r != nil {
			v, err = nil, fmt.Errorf("decoder failed: %v", r)
		}
	}()
	isFault, err := checkXMLRPC(b)
	if err != nil {
		return nil, err
	}
	if err := xmlrpc.Response(b).Unmarshal(&v); err != nil {
		return nil, err
	}
	if !isFault {
		return v, nil
	}
	f, ok := v.(map[string]any)
	if !ok {
		return nil, errors.New("a fault without a code")
	}
	return nil, xmlrpc.FaultError{Code: int(Int(f["faultCode"])), String: String(f["faultString"])}
}

const maxXMLDepth = 160

// checkXMLRPC walks over the tags of an answer before it is decoded, and
// refuses what kolo/xmlrpc would read wrongly or not survive: a document cut
// short, elements that are no XML-RPC, an empty <value>, which would swallow
// the rest of its array, a comment or CDATA section, and nesting without end.
func checkXMLRPC(b []byte) (isFault bool, err error) {
	var open []string
	seen := false
	for {
		i := bytes.IndexByte(b, '<')
		if i < 0 {
			break
		}
		if seen && len(open) == 0 {
			return false, errors.New("something follows the answer")
		}
		text := b[:i]
		b = b[i+1:]
		end := bytes.IndexByte(b, '>')
		if end < 0 {
			return false, errors.New("a tag is cut")
		}
		tag := b[:end]
		b = b[end+1:]
		if len(tag) > 0 && tag[0] == '?' && !seen {
			continue
		}
		closing := len(tag) > 0 && tag[0] == '/'
		selfClosing := !closing && len(tag) > 0 && tag[len(tag)-1] == '/'
		name := string(bytes.TrimRight(bytes.Trim(tag, "/"), " \t\r\n"))
		if !xmlrpcTags[name] {
			return false, fmt.Errorf("<%s> is no XML-RPC", clip(name, 40))
		}
		if closing {
			if len(open) == 0 || open[len(open)-1] != name {
				return false, fmt.Errorf("</%s> closes nothing", name)
			}
			open = open[:len(open)-1]
			continue
		}
		if !seen && name != "methodResponse" {
			return false, fmt.Errorf("begins with <%s>", name)
		}
		seen = true
		if err := checkPlace(open, name); err != nil {
			return false, err
		}
		isFault = isFault || name == "fault"
		if len(bytes.TrimSpace(text)) > 0 {
			return false, fmt.Errorf("text before <%s>", name)
		}
		if name == "value" && (selfClosing || !bytes.HasPrefix(bytes.TrimLeft(b, " \t\r\n"), []byte("<")) ||
			bytes.HasPrefix(bytes.TrimLeft(b, " \t\r\n"), []byte("</"))) {
			return false, errors.New("a value without a type")
		}
		if selfClosing {
			continue
		}
		if len(open) == maxXMLDepth {
			return false, fmt.Errorf("nested deeper than %d", maxXMLDepth)
		}
		open = append(open, name)
	}
	switch {
	case !seen:
		return false, errors.New("no XML-RPC answer")
	case len(open) > 0:
		return false, fmt.Errorf("cut inside <%s>", open[len(open)-1])
	case len(bytes.TrimSpace(b)) > 0:
		return false, errors.New("something follows the answer")
	}
	return isFault, nil
}

// checkPlace refuses an element that stands where XML-RPC has none.
func checkPlace(open []string, name string) error {
	parent := ""
	if len(open) > 0 {
		parent = open[len(open)-1]
	}
	if want := xmlrpcParents[name]; strings.Contains(want, "|"+parent+"|") {
		return nil
	}
	return fmt.Errorf("<%s> inside <%s>", name, parent)
}

var (
	xmlrpcTags    = map[string]bool{}
	xmlrpcParents = map[string]string{
		"methodResponse": "||", "params": "|methodResponse|", "fault": "|methodResponse|", "param": "|params|",
		"value": "|param|fault|data|member|", "array": "|value|", "data": "|array|", "struct": "|value|",
		"member": "|struct|", "name": "|member|",
	}
)

func init() {
	for _, scalar := range []string{"int", "i4", "i8", "boolean", "string", "double", "nil", "base64"} {
		xmlrpcParents[scalar] = "|value|"
	}
	for name := range xmlrpcParents {
		xmlrpcTags[name] = true
	}
}
