package odootest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

func isControl(path string) bool { return path == "/_control" || strings.HasPrefix(path, "/_control/") }

// serveControl lets another process steer the server:
//
//	POST   /_control/mischief   a [Mischief] as JSON
//	DELETE /_control/mischief   ends all mischief
//	POST   /_control/down?for=2s  refuses connections for a while
//	GET    /_control/spent      [Spent]
//	GET    /_control/hits       how many calls were hit, by kind
//	GET    /_control/stock      all [Stock]
func (s *Server) serveControl(w http.ResponseWriter, r *http.Request) {
	reply := func(v any) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(v)
	}
	switch r.Method + " " + r.URL.Path {
	case "POST /_control/mischief":
		var m Mischief
		d := json.NewDecoder(r.Body)
		d.DisallowUnknownFields()
		if err := d.Decode(&m); err != nil || !slices.Contains(Kinds, m.Kind) {
			http.Error(w, fmt.Sprintf("no mischief: kind %q, %v", m.Kind, err), http.StatusBadRequest)
			return
		}
		s.Cause(m)
		reply(true)
	case "DELETE /_control/mischief":
		s.Behave()
		reply(true)
	case "POST /_control/down":
		d, err := time.ParseDuration(r.URL.Query().Get("for"))
		if err != nil || d <= 0 || d > time.Hour {
			http.Error(w, "for wants a duration of at most 1h", http.StatusBadRequest)
			return
		}
		reply(true)
		// The answer leaves before the connections break.
		time.AfterFunc(50*time.Millisecond, func() {
			s.Down()
			time.AfterFunc(d, func() { _ = s.Up() })
		})
	case "GET /_control/spent":
		reply(s.Spent())
	case "GET /_control/hits":
		reply(s.Hits())
	case "GET /_control/stock":
		reply(s.Stock())
	default:
		notFound(w)
	}
}
