package ui

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"net/http"
	"path"
	"strings"
	"time"
)

//go:embed assets
var assets embed.FS

// sheets make up base.css, in this order.
var sheets = []string{"css/tokens.css", "css/base.css", "css/components.css", "css/forms.css"}

var types = map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}

// Assets serves the shared files below prefix: base.css, icon.svg and the
// scripts, as [Files] does.
func Assets(prefix string) http.Handler {
	files := map[string][]byte{"base.css": nil}
	for _, name := range sheets {
		files["base.css"] = append(files["base.css"], read(name)...)
	}
	for _, name := range []string{"icon.svg", "js/live.js", "js/rows.js", "js/answer.js", "js/wedge.js"} {
		files[path.Base(name)] = read(name)
	}
	return Files(prefix, files)
}

// Files serves files by their names below prefix; css, js and svg are known. A
// browser asks each time whether its copy is still the right one, so that no
// page meets the scripts of an older version.
func Files(prefix string, files map[string][]byte) http.Handler {
	tags := map[string]string{}
	for name, body := range files {
		sum := sha256.Sum256(body)
		tags[name] = `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(r.URL.Path, prefix)
		body, ok := files[name]
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", types[path.Ext(name)])
		w.Header().Set("Cache-Control", "no-cache")
		w.Header().Set("ETag", tags[name])
		http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(body))
	})
}

func read(name string) []byte {
	b, err := assets.ReadFile("assets/" + name)
	if err != nil {
		panic(err) // the folder is embedded
	}
	return b
}
