// Package conf reads configuration files: strict YAML into a struct that holds
// its defaults, then the struct's own Validate. Whatever is wrong is one line
// that names the file, the setting and the value, and says what to change.
package conf

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"

	"branchline/internal/fault"
)

// maxFile bounds a configuration file, in bytes.
const maxFile = 1 << 20

// Validator is a configuration that can check itself. The error names the
// setting by its path in the file and its value.
type Validator interface{ Validate() error }

// Load reads the YAML file at path over the defaults in cfg and validates it.
// Errors are faults of class Setup and code "bad_configuration".
func Load(path string, cfg Validator) error {
	f, err := os.Open(path)
	if err != nil {
		return fault.New(fault.Setup, "bad_configuration", "cannot read the configuration: %w", err).
			WithHint("name an existing file with --config")
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return fault.New(fault.Setup, "bad_configuration", "cannot read the configuration: %w", err)
	}
	return Parse(path, text, cfg)
}

// Parse is [Load] for a text that is already there; name stands in the errors.
func Parse(name string, text []byte, cfg Validator) error {
	bad := func(err error) error { return Wrap(name, err) }
	if len(text) > maxFile {
		return bad(fmt.Errorf("is larger than %d bytes", maxFile))
	}
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(cfg); err != nil && !errors.Is(err, io.EOF) {
		if line := tabbed(text); line > 0 && !errors.As(err, new(*yaml.TypeError)) {
			return bad(fmt.Errorf("line %d begins with a tab, where YAML takes spaces only", line))
		}
		return bad(plainWords(err, cfg))
	}
	if err := d.Decode(new(any)); !errors.Is(err, io.EOF) {
		return bad(errors.New("holds more than one YAML document, remove all but one"))
	}
	if err := cfg.Validate(); err != nil {
		return bad(err)
	}
	return nil
}

// tabbed is the first line that is indented by a tab, 0 for none.
func tabbed(text []byte) int {
	for i, line := range bytes.Split(text, []byte("\n")) {
		if rest := bytes.TrimLeft(line, " "); len(rest) > 0 && rest[0] == '\t' {
			return i + 1
		}
	}
	return 0
}

var (
	unknownField = regexp.MustCompile(`field (\S+) not found in type \S+`)
	wrongType    = regexp.MustCompile("cannot unmarshal !!(\\S+)(?: (`[^`]*`))? into (\\S+)")
)

// wanted is what a setting of a Go type is, in words.
func wanted(goType string) string {
	switch {
	case goType == "time.Duration":
		return "a time with its unit, such as 30s, 5m or 24h"
	case strings.HasPrefix(goType, "int"), strings.HasPrefix(goType, "uint"):
		return "a whole number"
	case strings.HasPrefix(goType, "float"):
		return "a number"
	case goType == "bool":
		return "true or false"
	case goType == "string":
		return "text"
	case strings.HasPrefix(goType, "[]"):
		return "a list, each entry behind a dash"
	}
	return "a group of settings, indented below it"
}

// plainWords turns the decoder's words about Go types into words about the
// file, all in one line.
func plainWords(err error, cfg any) error {
	var te *yaml.TypeError
	lines := []string{strings.TrimPrefix(err.Error(), "yaml: ")}
	if errors.As(err, &te) {
		lines = te.Errors
	}
	for i, l := range lines {
		if m := unknownField.FindStringSubmatch(l); m != nil {
			l = strings.Replace(l, m[0], fmt.Sprintf("there is no setting %q", m[1]), 1)
			if meant := near(m[1], cfg); meant != "" {
				l += fmt.Sprintf(", did you mean %q?", meant)
			}
		}
		if m := wrongType.FindStringSubmatch(l); m != nil {
			what := cmp.Or(m[2], map[string]string{"seq": "a list", "map": "a group of settings", "null": "nothing"}[m[1]], "it")
			l = strings.Replace(l, m[0], what+" is not "+wanted(m[3]), 1)
		}
		lines[i] = l
	}
	return errors.New(strings.Join(lines, "; "))
}

// Bad is the error of a Validate: the setting's path, its value, and what it
// should be.
func Bad(setting string, value any, want string) error {
	return fmt.Errorf("%s: %q %s", setting, fmt.Sprint(value), want)
}

// Wrap makes an error that was found after Load one about the same file.
func Wrap(name string, err error) error {
	return fault.New(fault.Setup, "bad_configuration", "%s: %w", name, err)
}

// In prefixes the path of a nested Validate: In("scanners[1]", err).
func In(path string, err error) error {
	if err == nil || path == "" {
		return err
	}
	return fmt.Errorf("%s.%w", path, err)
}
