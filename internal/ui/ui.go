// Package ui is what the branch page and the control room share: colours,
// type, components and small scripts, all served from the program itself.
package ui

import (
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"time"
)

//go:embed assets
var assets embed.FS

// Assets serves the shared files below prefix, cacheable for an hour.
func Assets(prefix string) http.Handler {
	sub, err := fs.Sub(assets, "assets")
	if err != nil {
		panic(err) // the folder is embedded
	}
	files := http.StripPrefix(prefix, http.FileServerFS(sub))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "max-age=3600")
		files.ServeHTTP(w, r)
	})
}

// Funcs are the template functions of both pages.
func Funcs() template.FuncMap {
	return template.FuncMap{
		"ago":   func(t time.Time) string { return Ago(time.Since(t)) },
		"exact": func(t time.Time) string { return t.Format("2006-01-02 15:04:05 -07:00") },
	}
}

// Ago says a duration as people do: "8 s", "12 min", "2 h 10 min", "3 d 4 h".
// Below one second and in the future it is "0 s".
func Ago(d time.Duration) string {
	switch d = d.Truncate(time.Second); {
	case d < time.Second:
		return "0 s"
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 24*time.Hour:
		return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%d d %d h", int(d.Hours())/24, int(d.Hours())%24)
}
