// Package ui is what the branch page and the control room share: colours,
// type, components, icons and small scripts, all served from the program
// itself, and the stream by which a page learns that something changed.
package ui

import (
	"html/template"
	"time"
)

// Funcs are the template functions of both pages:
//
//	ago      how long a moment is past, as people say it
//	exact    the moment itself, for a title or for print
//	clock    the moment's time of day, with the day where it is not today
//	icon     an icon of the family, by name
//	many     a count with its noun: many 1 "pack" "packs"
func Funcs() template.FuncMap {
	return template.FuncMap{
		"ago":   func(t time.Time) string { return Ago(time.Since(t)) },
		"exact": func(t time.Time) string { return t.Format("2006-01-02 15:04:05 -07:00") },
		"clock": func(t time.Time) string { return Clock(t, time.Now()) },
		"icon":  Icon,
		"many":  many,
	}
}
