package ui

import (
	"fmt"
	"html/template"
)

// icons are drawn on a grid of 24 with one stroke width, set by base.css.
var icons = map[string]string{
	"home":     `<path d="M4 11l8-7 8 7v9h-5v-6H9v6H4z"/>`,
	"receive":  `<path d="M12 3v11m-4-4l4 4 4-4"/><path d="M4 15v5h16v-5"/>`,
	"dispense": `<path d="M12 14V3m-4 4l4-4 4 4"/><path d="M4 15v5h16v-5"/>`,
	"return":   `<path d="M9 14l-5-5 5-5"/><path d="M4 9h10a6 6 0 0 1 0 12h-3"/>`,
	"wastage":  `<path d="M5 7h14M10 3h4M7 7l1 13h8l1-13M10 11v5M14 11v5"/>`,
	"count":    `<path d="M8 4h8v3H8zM8 5H5v16h14V5h-3M8.5 13l2 2 4-4"/>`,
	"transfer": `<path d="M4 8h13M13 4l4 4-4 4M20 16H7M11 12l-4 4 4 4"/>`,
	"lookup":   `<circle cx="11" cy="11" r="6"/><path d="M16 16l5 5"/>`,
	"more":     `<path d="M4 7h16M4 12h16M4 17h16"/>`,
	"way":      `<path d="M3 12h13M12 7l5 5-5 5"/><path d="M21 4v16"/>`,
	"scanner":  `<path d="M4 4v16M8 4v16M11 4v10M14 4v16M17 4v10M20 4v16"/>`,
	"file":     `<path d="M6 3h8l4 4v14H6zM14 3v4h4M9 12h6M9 16h6"/>`,
	"print":    `<path d="M7 8V3h10v5M5 8h14v9h-3M8 17H5V8M8 14h8v7H8z"/>`,
	"clock":    `<circle cx="12" cy="12" r="8"/><path d="M12 8v4l3 2"/>`,
	"check":    `<path d="M5 13l4 4L19 7"/>`,
	"cross":    `<path d="M6 6l12 12M18 6L6 18"/>`,
	"warn":     `<path d="M12 4l9 16H3zM12 10v4M12 17v.1"/>`,
	"undo":     `<path d="M8 14l-4-4 4-4"/><path d="M4 10h9a6 6 0 0 1 6 6v2"/>`,
	"bell":     `<path d="M6 17V11a6 6 0 0 1 12 0v6l2 2H4zM10 21h4"/>`,
	"person":   `<circle cx="12" cy="8" r="4"/><path d="M4 21a8 8 0 0 1 16 0"/>`,
	"lock":     `<path d="M6 11h12v9H6zM8 11V8a4 4 0 0 1 8 0v3"/>`,
}

// Icon is an icon of the family as inline SVG; it is decoration, hidden from
// screen readers, so a word stands beside it. An unknown name is an error.
func Icon(name string) (template.HTML, error) {
	shape, ok := icons[name]
	if !ok {
		return "", fmt.Errorf("there is no icon %q", name)
	}
	return template.HTML(`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">` + shape + `</svg>`), nil
}
