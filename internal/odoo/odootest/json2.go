package odootest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
)

func isJSON2(path string) bool { return path == "/json/2" || strings.HasPrefix(path, "/json/2/") }

func (s *Server) serveJSON2(w http.ResponseWriter, r *http.Request) {
	if db := r.Header.Get("X-Odoo-Database"); db != "" && db != s.options.DB {
		notFound(w)
		return
	}
	parts := strings.Split(strings.TrimPrefix(r.URL.Path, "/json/2/"), "/")
	if r.Method != http.MethodPost || len(parts) != 2 {
		sendJSON(w, raise("werkzeug.exceptions.NotFound", 1, http.StatusNotFound, "Did you mean POST /json/2/<model>/<method>?"))
		return
	}
	key, bearer := strings.CutPrefix(strings.TrimSpace(r.Header.Get("Authorization")), "bearer ")
	if !bearer {
		key, _ = strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	}
	as, ok := s.roleOf(0, key)
	if !ok {
		w.Header().Set("WWW-Authenticate", "bearer")
		sendJSON(w, raise("werkzeug.exceptions.Unauthorized", 3, http.StatusUnauthorized, "Invalid apikey"))
		return
	}
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "application/json" && r.ContentLength != 0 {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(http.StatusUnsupportedMediaType)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		return
	}
	var args map[string]any
	dec := json.NewDecoder(strings.NewReader(string(body)))
	dec.UseNumber()
	if err := dec.Decode(&args); err != nil && len(body) > 0 {
		var kind *json.UnmarshalTypeError
		if !errors.As(err, &kind) {
			sendJSON(w, raise("werkzeug.exceptions.BadRequest", 1, http.StatusBadRequest, "could not parse the body as json: %s", err))
			return
		}
	}
	c, err := jsonCall(parts[0], parts[1], args)
	if err != nil {
		sendJSON(w, err)
		return
	}
	c.as = as
	result, broken, err := s.execute(r.Context(), c)
	switch {
	case broken != nil:
		breakOff(w, broken)
	case err != nil:
		sendJSON(w, err)
	default:
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		out, err := json.Marshal(result)
		if err != nil {
			out = []byte("null")
		}
		_, _ = w.Write(out)
	}
}

func jsonCall(model, method string, args map[string]any) (*call, error) {
	c := &call{model: model, method: method, args: map[string]any{}, context: map[string]any{}}
	for name, v := range args {
		v, ok := fromJSON(v)
		if !ok {
			return nil, raise("werkzeug.exceptions.BadRequest", 1, http.StatusBadRequest, "a number is out of range")
		}
		switch name {
		case "ids":
			list, ok := v.([]any)
			if !ok {
				return nil, typeError("ids must be a list of numbers")
			}
			c.ids = make([]int64, len(list))
			for i, x := range list {
				if c.ids[i], ok = x.(int64); !ok {
					return nil, typeError("ids must be a list of numbers")
				}
			}
		case "context":
			if c.context, ok = v.(map[string]any); !ok {
				return nil, typeError("context must be a mapping")
			}
		default:
			c.args[name] = v
		}
	}
	if known, ok := positional[method]; ok && known.onModel && len(c.ids) > 0 {
		return nil, raise("werkzeug.exceptions.UnprocessableEntity", 1, http.StatusUnprocessableEntity, "cannot call %s.%s with ids", model, method)
	}
	return c, nil
}

// fromJSON brings numbers into the two kinds that Python has.
func fromJSON(v any) (any, bool) {
	switch v := v.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n, true
		}
		f, err := v.Float64()
		return f, err == nil
	case []any:
		for i, x := range v {
			y, ok := fromJSON(x)
			if !ok {
				return nil, false
			}
			v[i] = y
		}
	case map[string]any:
		for k, x := range v {
			y, ok := fromJSON(x)
			if !ok {
				return nil, false
			}
			v[k] = y
		}
	}
	return v, true
}

func sendJSON(w http.ResponseWriter, err error) {
	var e *exception
	if !errors.As(err, &e) {
		e = raise("builtins.Exception", 1, http.StatusInternalServerError, "%v", err)
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(e.status)
	out, _ := json.Marshal(map[string]any{"name": e.class, "message": e.text, "arguments": []any{e.text}, "context": map[string]any{}, "debug": fmt.Sprintf("Traceback (most recent call last):\n%s: %s\n", e.class, e.text)})
	_, _ = w.Write(out)
}
