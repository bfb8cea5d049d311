// Package schema is the JSON Schema of the agent's configuration. It is made from
// the agent's Go types, by which a test holds it; the hub, which must not know
// them, checks with it what it is about to send, and tells people what is wrong in
// words about their files.
package schema

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"go.yaml.in/yaml/v3"

	"branchline/internal/conf"
)

//go:embed agent.schema.json
var text []byte

// Text is the schema, as it is published in configs/schema.
func Text() []byte { return slices.Clone(text) }

// compiled is the schema for checking, and as it is written, for its words.
var compiled = sync.OnceValues(func() (*jsonschema.Schema, any) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		panic(err) // it is part of the program; a test calls this
	}
	c := jsonschema.NewCompiler()
	c.AssertVocabs()
	c.RegisterVocabulary(durations())
	if err := c.AddResource("agent.schema.json", doc); err != nil {
		panic(err)
	}
	return c.MustCompile("agent.schema.json"), doc
})

// Problem is one thing that is wrong.
type Problem struct {
	// Path leads to the setting: names of settings, and places in lists from 0.
	Path []string
	// Missing tells that the setting is not there: all but the last of the path is.
	Missing bool
	// Text says what is wrong, to be read behind the setting's name.
	Text string
}

// Check holds a configuration against the schema: groups of settings are
// map[string]any, lists []any, and what stands in them string, bool, int, float64 or
// nil. Problems come in the order of their paths; nil is for none.
func Check(configuration any) []Problem {
	s, doc := compiled()
	err := s.Validate(configuration)
	var invalid *jsonschema.ValidationError
	if !errors.As(err, &invalid) {
		return nil
	}
	var all []Problem
	collect(invalid, doc, configuration, &all)
	slices.SortStableFunc(all, func(a, b Problem) int { return slices.Compare(a.Path, b.Path) })
	return slices.CompactFunc(all, func(a, b Problem) bool { return slices.Equal(a.Path, b.Path) && a.Text == b.Text })
}

func collect(e *jsonschema.ValidationError, doc, configuration any, to *[]Problem) {
	at := e.InstanceLocation
	add := func(missing bool, text string, more ...string) {
		*to = append(*to, Problem{Path: slices.Concat(at, more), Missing: missing, Text: text})
	}
	schema := lookUp(doc, e.SchemaURL)
	switch k := e.ErrorKind.(type) {
	case *kind.AdditionalProperties:
		for _, name := range k.Properties {
			add(false, unknown(name, schema), name)
		}
	case *kind.Required:
		for _, name := range k.Missing {
			add(true, "must be given", name)
		}
	case *kind.AnyOf:
		var names []string
		for _, c := range e.Causes {
			if r, ok := c.ErrorKind.(*kind.Required); ok {
				names = append(names, r.Missing...)
			}
		}
		if len(names) > 0 {
			add(true, "or "+strings.Join(names[1:], " or ")+" must be given", names[0])
		}
	case *kind.Type:
		add(false, quoted(valueAt(configuration, at))+" is not "+wanted(k, schema))
	case *kind.Enum:
		var names []string
		for _, v := range k.Want {
			names = append(names, fmt.Sprint(v))
		}
		add(false, quoted(k.Got)+" is not one of "+strings.Join(names, ", "))
	case *kind.Pattern:
		add(false, quoted(k.Got)+" is not "+describe(schema))
	case *kind.Minimum:
		add(false, quoted(valueAt(configuration, at))+" is less than "+k.Want.RatString())
	case *kind.Maximum:
		add(false, quoted(valueAt(configuration, at))+" is more than "+k.Want.RatString())
	case *kind.MaxItems:
		add(false, fmt.Sprintf("has %d entries, more than %d", k.Got, k.Want))
	case *outOfTime:
		add(false, k.words())
	default:
		if len(e.Causes) == 0 {
			add(false, "cannot be so") // no rule of ours comes here
		}
		for _, c := range e.Causes {
			collect(c, doc, configuration, to)
		}
	}
}

// unknown says that there is no such setting in a group, and which may be meant.
func unknown(name string, schema any) string {
	text := "there is no such setting"
	group, _ := schema.(map[string]any)
	properties, named := group["properties"].(map[string]any)
	if !named {
		return "cannot be named so, want " + describe(schema)
	}
	if meant := conf.Near(name, slices.Sorted(maps.Keys(properties))); meant != "" {
		text += fmt.Sprintf(", did you mean %q?", meant)
	}
	return text
}

func describe(schema any) string {
	s, _ := schema.(map[string]any)
	if d, ok := s["description"].(string); ok {
		return d
	}
	return fmt.Sprint("of the form ", s["pattern"])
}

var typeWords = map[string]string{"string": "text", "integer": "a whole number", "boolean": "true or false",
	"array": "a list, each entry behind a dash", "object": "a group of settings, indented below it"}

func wanted(k *kind.Type, schema any) string {
	if s, ok := schema.(map[string]any); ok && s["description"] != nil && s["pattern"] != nil {
		return describe(schema)
	}
	var all []string
	for _, t := range k.Want {
		all = append(all, typeWords[t])
	}
	words := strings.Join(all, " or ")
	if words == "text" && (k.Got == "number" || k.Got == "integer" || k.Got == "boolean") {
		words += ": write it in quotes"
	}
	return words
}

const longest = 60

// quoted is a value for people.
func quoted(v any) string {
	switch v := v.(type) {
	case nil:
		return "nothing"
	case string:
		if r := []rune(v); len(r) > longest {
			v = string(r[:longest]) + "…"
		}
		return strconv.Quote(v)
	case map[string]any:
		return "a group of settings"
	case []any:
		return "a list"
	}
	return fmt.Sprint(v)
}

func valueAt(v any, path []string) any {
	for _, step := range path {
		switch at := v.(type) {
		case map[string]any:
			v = at[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(at) {
				return nil
			}
			v = at[i]
		}
	}
	return v
}

// lookUp follows the fragment of an address, a JSON pointer, into a document.
func lookUp(doc any, address string) any {
	_, pointer, _ := strings.Cut(address, "#")
	var path []string
	for step := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		if step != "" {
			path = append(path, strings.NewReplacer("~1", "/", "~0", "~", "%24", "$").Replace(step))
		}
	}
	return valueAt(doc, path)
}

// Value is what a scalar of YAML is for [Check].
func Value(n *yaml.Node) any {
	switch n.ShortTag() {
	case "!!null":
		return nil
	case "!!bool":
		var v bool
		if n.Decode(&v) == nil {
			return v
		}
	case "!!int":
		var v int
		if n.Decode(&v) == nil {
			return v
		}
	case "!!float":
		var v float64
		if n.Decode(&v) == nil && !math.IsNaN(v) && !math.IsInf(v, 0) {
			return v
		}
	}
	return n.Value
}
