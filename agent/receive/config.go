package receive

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"branchline/internal/conf"
	"branchline/internal/movement"
)

// Config says how a document is recognised that opens a session, and when a
// person is reminded of one that nobody confirms.
type Config struct {
	Documents []Pattern `yaml:"documents"`
	// RemindAfter is how long a session may be open before it is an alarm; 0
	// is for ever.
	RemindAfter time.Duration `yaml:"remind_after"`
	// ShortDated is how many days goods must be good for, or it is told; 0
	// tells nothing.
	ShortDated int `yaml:"short_dated_days"`
	// AskOver is how many times what was ordered may come before a person is
	// asked whether it is right; 0 never asks.
	AskOver int `yaml:"ask_over_times"`
	// FormDays is for how many days what was written on a printed form can be typed
	// in; 0 is 35.
	FormDays int `yaml:"form_days"`
	// Reasons are those of the command barcodes BL-REASON-<name> and
	// BL-DAMAGED-<name>, by name: up to 16 capital letters and digits.
	Reasons map[string]string `yaml:"reasons"`
}

// Pattern recognises the barcode on one kind of document.
type Pattern struct {
	// Match is a regular expression for the whole code. Its first group, or
	// all of it, is the document's number.
	Match string `yaml:"match"`
	// Type is order or delivery.
	Type string `yaml:"type"`
}

const defaultFormDays = 35

// DefaultConfig recognises Odoo's purchase orders ("P00017") and receipts
// ("BR01/IN/00042").
func DefaultConfig() Config {
	return Config{RemindAfter: 12 * time.Hour, ShortDated: 90, AskOver: 3, FormDays: defaultFormDays, Documents: []Pattern{
		{Match: `P[0-9]{5,9}`, Type: "order"},
		{Match: `[A-Z0-9]{1,8}/IN/[0-9]{3,9}`, Type: "delivery"},
	}, Reasons: map[string]string{"BROKEN": "broken", "OPENED": "opened", "EXPIRED": "expired", "COLD": "cold chain broken",
		"RECALL": "recalled", "MISSING": "missing"}}
}

// Validate names setting and value of the first pattern that cannot be.
func (c *Config) Validate() error {
	if c.RemindAfter < 0 || c.RemindAfter > 90*24*time.Hour {
		return conf.Bad("remind_after", c.RemindAfter, "must be 0 to 2160h")
	}
	if c.ShortDated < 0 || c.ShortDated > 3650 {
		return conf.Bad("short_dated_days", c.ShortDated, "must be 0 to 3650")
	}
	if c.AskOver < 0 || c.AskOver > 1000 {
		return conf.Bad("ask_over_times", c.AskOver, "must be 0 to 1000")
	}
	if c.FormDays < 0 || c.FormDays > 366 {
		return conf.Bad("form_days", c.FormDays, "must be 0 to 366")
	}
	for name, words := range c.Reasons {
		if !reasonForm.MatchString(name) {
			return conf.Bad("reasons", name, "is not 1 to 16 capital letters and digits")
		}
		if words == "" || typed("reason", words, maxReason) != nil {
			return conf.Bad("reasons."+name, words, "must be plain text of 1 to 200 bytes")
		}
	}
	for i := range c.Documents {
		if _, err := c.Documents[i].compile(); err != nil {
			return conf.In(fmt.Sprintf("documents[%d]", i), err)
		}
	}
	return nil
}

var reasonForm = regexp.MustCompile(`^[A-Z0-9]{1,16}$`)

// products are codes that no document may look like.
var products = []string{"04012345678901", "4012345678901", "12345670", "012345678905", "010401234567890110ABC", "BL-CONFIRM"}

func (p *Pattern) compile() (*regexp.Regexp, error) {
	if len(p.Match) > 200 {
		return nil, conf.Bad("match", p.Match, "is longer than 200 bytes")
	}
	r, err := regexp.Compile(`^(?:` + p.Match + `)$`)
	if err != nil || p.Match == "" {
		return nil, conf.Bad("match", p.Match, "is not a regular expression")
	}
	if slices.ContainsFunc(products, r.MatchString) {
		return nil, conf.Bad("match", p.Match, "also matches codes of products or commands: begin it with what only documents have")
	}
	if p.Type != "order" && p.Type != "delivery" {
		return nil, conf.Bad("type", p.Type, "must be order or delivery")
	}
	return r, nil
}

type documents []struct {
	form *regexp.Regexp
	kind string
}

func (c *Config) compile() (documents, error) {
	var d documents
	for i := range c.Documents {
		r, err := c.Documents[i].compile()
		if err != nil {
			return nil, conf.In(fmt.Sprintf("documents[%d]", i), err)
		}
		d = append(d, struct {
			form *regexp.Regexp
			kind string
		}{r, c.Documents[i].Type})
	}
	return d, nil
}

// find tells which document a scanned text names. A number is printable ASCII
// of at most 64 characters.
func (d documents) find(text string) (doc movement.Document, ok bool) {
	for _, p := range d {
		if m := p.form.FindStringSubmatch(text); m != nil {
			ref := text
			if len(m) > 1 {
				ref = m[1]
			}
			if printable(ref) {
				return movement.Document{Type: p.kind, Ref: ref}, true
			}
		}
	}
	return doc, false
}

// printable tells whether ref can be the number of a document: 1 to 64
// characters of printable ASCII.
func printable(ref string) bool {
	return ref != "" && len(ref) <= 64 && !strings.ContainsFunc(ref, func(c rune) bool { return c < ' ' || c > '~' })
}
