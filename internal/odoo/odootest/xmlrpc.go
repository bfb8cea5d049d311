package odootest

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sort"
	"strconv"
	"strings"
)

func (s *Server) serveXMLRPC(w http.ResponseWriter, r *http.Request, object bool) {
	if r.Method != http.MethodPost {
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		return
	}
	method, params, err := decodeCall(body)
	if err != nil {
		// Odoo's own XML parser fails outside of what it reports as a fault.
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	var result any
	var broken *Mischief
	if object {
		var c *call
		if c, err = s.executeKW(method, params); err == nil {
			result, broken, err = s.execute(r.Context(), c)
		}
	} else {
		result, err = s.common(method, params)
	}
	if broken != nil {
		breakOff(w, broken)
		return
	}
	var out bytes.Buffer
	out.WriteString("<?xml version='1.0'?>\n<methodResponse>\n")
	if err == nil && result == nil {
		err = typeError("cannot marshal None unless allow_none is enabled")
	}
	if err != nil {
		var e *exception
		if !errors.As(err, &e) {
			e = raise("builtins.Exception", 1, http.StatusInternalServerError, "%v", err)
		}
		out.WriteString("<fault>\n")
		writeValue(&out, map[string]any{"faultCode": int64(e.code), "faultString": e.faultString()})
		out.WriteString("</fault>\n")
	} else {
		out.WriteString("<params>\n<param>\n")
		writeValue(&out, result)
		out.WriteString("</param>\n</params>\n")
	}
	out.WriteString("</methodResponse>\n")
	w.Header().Set("Content-Type", "text/xml; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(out.Len()))
	_, _ = w.Write(out.Bytes())
}

func (s *Server) common(method string, params []any) (any, error) {
	switch method {
	case "version":
		v := int64(s.options.Version)
		return map[string]any{"server_version": fmt.Sprintf("%d.0", v), "server_version_info": []any{v, int64(0), int64(0), "final", int64(0), ""},
			"server_serie": fmt.Sprintf("%d.0", v), "protocol_version": int64(1)}, nil
	case "authenticate", "login":
		if len(params) < 3 {
			return nil, typeError("authenticate() missing required arguments")
		}
		if params[0] != s.options.DB {
			return nil, s.noDatabase(params[0])
		}
		switch {
		case params[1] == s.options.User && params[2] == s.options.Key:
			return int64(adminUID), nil
		case params[1] == s.options.StockUser && params[2] == s.options.StockKey:
			return int64(stockUID), nil
		}
		return false, nil
	}
	return nil, raise("builtins.Exception", 1, http.StatusInternalServerError, "Method not found: %s", method)
}

func (s *Server) noDatabase(name any) error {
	return raise("psycopg2.OperationalError", 1, http.StatusInternalServerError, "connection to server on socket \"/var/run/postgresql/.s.PGSQL.5432\" failed: FATAL:  database \"%v\" does not exist", name)
}

// executeKW reads execute_kw(db, uid, key, model, method, args, kwargs).
func (s *Server) executeKW(procedure string, params []any) (*call, error) {
	if procedure != "execute_kw" && procedure != "execute" {
		return nil, raise("builtins.NameError", 1, http.StatusInternalServerError, "Method not available %s", procedure)
	}
	if len(params) < 5 || procedure == "execute" {
		return nil, typeError("the simulated server takes execute_kw with its seven arguments")
	}
	if params[0] != s.options.DB {
		return nil, s.noDatabase(params[0])
	}
	uid, _ := params[1].(int64)
	key, _ := params[2].(string)
	as, ok := s.roleOf(uid, key)
	if !ok || uid == 0 {
		return nil, raise("odoo.exceptions.AccessDenied", 3, http.StatusForbidden, "Access Denied")
	}
	model, ok1 := params[3].(string)
	method, ok2 := params[4].(string)
	if !ok1 || !ok2 {
		return nil, typeError("model and method must be strings")
	}
	c := &call{model: model, method: method, as: as, args: map[string]any{}, context: map[string]any{}}
	args, kwargs := []any{}, map[string]any{}
	if len(params) > 5 {
		if args, ok = params[5].([]any); !ok {
			return nil, typeError("args must be a list")
		}
	}
	if len(params) > 6 {
		if kwargs, ok = params[6].(map[string]any); !ok {
			return nil, typeError("kwargs must be a mapping")
		}
	}
	known := positional[method]
	if !known.onModel {
		if len(args) == 0 {
			return nil, typeError("%s.%s() missing ids", model, method)
		}
		switch ids := args[0].(type) {
		case int64:
			c.ids = []int64{ids}
		case []any:
			c.ids = make([]int64, len(ids))
			for i, x := range ids {
				if c.ids[i], ok = x.(int64); !ok {
					return nil, typeError("ids must be numbers")
				}
			}
		default:
			return nil, typeError("ids must be numbers")
		}
		args = args[1:]
	}
	if len(args) > len(known.names) && known.names != nil {
		return nil, typeError("%s.%s() takes %d positional arguments but %d were given", model, method, len(known.names), len(args))
	}
	for i, v := range args {
		if i < len(known.names) {
			c.args[known.names[i]] = v
		}
	}
	for name, v := range kwargs {
		if name == "context" {
			if c.context, ok = v.(map[string]any); !ok {
				return nil, typeError("context must be a mapping")
			}
			continue
		}
		c.args[name] = v
	}
	return c, nil
}

const maxDepth = 64

// decodeCall reads a methodCall: its values as int64, float64, bool, string,
// nil, []any and map[string]any.
func decodeCall(b []byte) (string, []any, error) {
	d := xml.NewDecoder(bytes.NewReader(b))
	x := &xmlReader{d: d}
	if err := x.open("methodCall"); err != nil {
		return "", nil, err
	}
	if err := x.open("methodName"); err != nil {
		return "", nil, err
	}
	method, err := x.text()
	if err != nil {
		return "", nil, err
	}
	params := []any{}
	name, more, err := x.child()
	if err != nil || !more {
		return strings.TrimSpace(method), params, err
	}
	if name != "params" {
		return "", nil, errors.New("params expected")
	}
	for {
		name, more, err := x.child()
		if err != nil {
			return "", nil, err
		}
		if !more {
			break
		}
		if name != "param" {
			return "", nil, errors.New("param expected")
		}
		if err := x.open("value"); err != nil {
			return "", nil, err
		}
		v, err := x.value(0)
		if err != nil {
			return "", nil, err
		}
		params = append(params, v)
		if _, more, err := x.child(); err != nil || more {
			return "", nil, errors.New("one value expected")
		}
	}
	return strings.TrimSpace(method), params, nil
}

type xmlReader struct{ d *xml.Decoder }

func (x *xmlReader) open(want string) error {
	name, more, err := x.child()
	if err == nil && (!more || name != want) {
		err = fmt.Errorf("<%s> expected", want)
	}
	return err
}

// child goes to the next element inside the current one; more is false when the
// current one ended instead.
func (x *xmlReader) child() (name string, more bool, err error) {
	for {
		t, err := x.d.Token()
		if err != nil {
			return "", false, err
		}
		switch t := t.(type) {
		case xml.StartElement:
			return t.Name.Local, true, nil
		case xml.EndElement:
			return "", false, nil
		case xml.Directive:
			return "", false, errors.New("no directives here")
		}
	}
}

// text reads to the end of the current element, which has no children.
func (x *xmlReader) text() (string, error) {
	var b strings.Builder
	for {
		t, err := x.d.Token()
		if err != nil {
			return "", err
		}
		switch t := t.(type) {
		case xml.CharData:
			b.Write(t)
		case xml.EndElement:
			return b.String(), nil
		case xml.StartElement:
			return "", fmt.Errorf("<%s> inside a text", t.Name.Local)
		}
	}
}

// value reads the inside of a <value> to its end.
func (x *xmlReader) value(depth int) (any, error) {
	if depth > maxDepth {
		return nil, errors.New("nested too deep")
	}
	var bare strings.Builder
	for {
		t, err := x.d.Token()
		if err != nil {
			return nil, err
		}
		switch t := t.(type) {
		case xml.CharData:
			bare.Write(t)
		case xml.EndElement:
			return bare.String(), nil
		case xml.StartElement:
			v, err := x.typed(t.Name.Local, depth)
			if err != nil {
				return nil, err
			}
			if _, more, err := x.child(); err != nil || more {
				return nil, errors.New("a value holds one type")
			}
			return v, nil
		}
	}
}

func (x *xmlReader) typed(name string, depth int) (any, error) {
	switch name {
	case "array":
		if err := x.open("data"); err != nil {
			return nil, err
		}
		list := []any{}
		for {
			name, more, err := x.child()
			if err != nil {
				return nil, err
			}
			if !more {
				break
			}
			if name != "value" {
				return nil, errors.New("value expected")
			}
			v, err := x.value(depth + 1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, more, err := x.child()
		if err == nil && more {
			err = errors.New("one data expected")
		}
		return list, err
	case "struct":
		return x.members(depth)
	}
	s, err := x.text()
	if err != nil {
		return nil, err
	}
	switch name {
	case "string", "base64", "dateTime.iso8601":
		return s, nil
	case "int", "i4", "i8":
		return strconv.ParseInt(strings.TrimSpace(s), 10, 64)
	case "double":
		return strconv.ParseFloat(strings.TrimSpace(s), 64)
	case "boolean":
		return strings.TrimSpace(s) == "1", nil
	case "nil":
		return nil, nil
	}
	return nil, fmt.Errorf("unknown type <%s>", name)
}

func (x *xmlReader) members(depth int) (any, error) {
	out := map[string]any{}
	for {
		name, more, err := x.child()
		if err != nil {
			return nil, err
		}
		if !more {
			return out, nil
		}
		if name != "member" {
			return nil, errors.New("member expected")
		}
		if err := x.open("name"); err != nil {
			return nil, err
		}
		key, err := x.text()
		if err != nil {
			return nil, err
		}
		if err := x.open("value"); err != nil {
			return nil, err
		}
		if out[key], err = x.value(depth + 1); err != nil {
			return nil, err
		}
		if _, more, err := x.child(); err != nil || more {
			return nil, errors.New("a member holds one value")
		}
	}
}

// writeValue writes as Python's xmlrpc.client does.
func writeValue(b *bytes.Buffer, v any) {
	b.WriteString("<value>")
	switch v := v.(type) {
	case nil:
		b.WriteString("<nil/>")
	case bool:
		n := "0"
		if v {
			n = "1"
		}
		b.WriteString("<boolean>" + n + "</boolean>")
	case int64:
		b.WriteString("<int>")
		b.WriteString(strconv.FormatInt(v, 10))
		b.WriteString("</int>")
	case float64:
		s := strconv.FormatFloat(v, 'g', -1, 64)
		if !strings.ContainsAny(s, ".eE") {
			s += ".0"
		}
		b.WriteString("<double>" + s + "</double>")
	case string:
		b.WriteString("<string>")
		_, _ = escaper.WriteString(b, strings.ToValidUTF8(v, "\uFFFD"))
		b.WriteString("</string>")
	case []any:
		b.WriteString("<array><data>\n")
		for _, x := range v {
			writeValue(b, x)
		}
		b.WriteString("</data></array>")
	case map[string]any:
		b.WriteString("<struct>\n")
		keys := make([]string, 0, len(v))
		for k := range v {
			keys = append(keys, k)
		}
		sort.Strings(keys)
		for _, k := range keys {
			b.WriteString("<member>\n<name>")
			_, _ = escaper.WriteString(b, k)
			b.WriteString("</name>\n")
			writeValue(b, v[k])
			b.WriteString("</member>\n")
		}
		b.WriteString("</struct>")
	default:
		b.WriteString("<string>")
		_, _ = escaper.WriteString(b, fmt.Sprint(v))
		b.WriteString("</string>")
	}
	b.WriteString("</value>\n")
}

var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
