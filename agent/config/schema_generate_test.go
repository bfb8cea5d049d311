package config_test

import (
	"encoding"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"branchline/agent/config"
	"branchline/agent/dispense"
	"branchline/internal/conf"
	"branchline/internal/gs1"
)

// object is one object of JSON; its keys are written in order.
type object = map[string]any

// generator makes the JSON Schema of a configuration from its Go types, and from
// the rules that the types do not say.
type generator struct {
	t     *testing.T
	rules map[string]rule
	used  map[string]bool
}

var configType = reflect.TypeFor[config.Config]()

// schemaOfAgent is the text of agent.schema.json.
func schemaOfAgent(t *testing.T) []byte {
	g := &generator{t: t, rules: rules, used: map[string]bool{}}
	s := g.of(configType, "")
	s["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	s["$id"] = "https://branchline.example/schema/agent-1.json"
	s["title"] = "Configuration of a Branchline agent"
	s["description"] = "agent.yaml on a branch's PC, and what a branch is given from the centre in its place: that is all but branch and data_dir, which belong to the PC. " +
		"minimumDuration and maximumDuration bound times such as 30s."
	s["$defs"] = object{"duration": object{"type": "string", "pattern": `^[+-]?(0|(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+)$`,
		"description": "a time with its unit, such as 30s, 5m or 24h"}}
	for path := range g.rules {
		if !g.used[path] {
			t.Errorf("there is a rule for %s, and no such setting", path)
		}
	}
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(text, '\n')
}

// of gives the schema of a type at a path; lists add [], and settings their names.
func (g *generator) of(t reflect.Type, path string) object {
	g.t.Helper()
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	s := g.plain(t, path)
	r, ok := g.rules[path]
	if ok {
		g.used[path] = true
		r.into(s)
	}
	return s
}

func (g *generator) plain(t reflect.Type, path string) object {
	switch t {
	case reflect.TypeFor[time.Duration]():
		return object{"$ref": "#/$defs/duration"}
	case reflect.TypeFor[dispense.Column]():
		return object{"type": []string{"string", "integer"}, "minimum": 0, "maximum": 512, "description": "a column's name, or its number from 1"}
	case reflect.TypeFor[conf.Secret]():
		return object{"type": "string", "description": "the path of a file that holds the secret alone"}
	case reflect.TypeFor[gs1.Separators]():
		return object{"type": "string"}
	}
	if p := reflect.PointerTo(t); p.Implements(reflect.TypeFor[yaml.Unmarshaler]()) || p.Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
		g.t.Fatalf("%s is of %v, which reads itself: say in this file what it reads", path, t)
	}
	switch t.Kind() {
	case reflect.String:
		return object{"type": "string"}
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Int, reflect.Int64:
		return object{"type": "integer"}
	case reflect.Slice:
		return object{"type": "array", "items": g.of(t.Elem(), path+"[]")}
	case reflect.Map:
		return object{"type": "object", "additionalProperties": g.of(t.Elem(), path+"{}")}
	case reflect.Struct:
		properties := object{}
		g.fields(t, path, properties)
		s := object{"type": "object", "additionalProperties": false, "properties": properties}
		var must []string
		for _, name := range slices.Sorted(maps.Keys(properties)) {
			if g.rules[join(path, name)].must {
				must = append(must, name)
			}
		}
		if must != nil {
			s["required"] = must
		}
		return s
	}
	g.t.Fatalf("%s is of %v: say in this file what that is in JSON Schema", path, t)
	return nil
}

func (g *generator) fields(t reflect.Type, path string, properties object) {
	for f := range t.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		switch {
		case name == "-" || !f.IsExported():
		case strings.Contains(options, "inline"):
			g.fields(f.Type, path, properties)
		case name == "" || properties[name] != nil || name == "secret":
			g.t.Fatalf("%s of %v has no name in YAML of its own, or %q, which stands for a secret", f.Name, t, name)
		default:
			properties[name] = g.of(f.Type, join(path, name))
		}
	}
}

func join(path, name string) string { return strings.TrimPrefix(path+"."+name, ".") }

// rule is what a type does not say of a setting. The tests hold each rule against
// the code: what is within is taken, and what is beyond is refused by both.
type rule struct {
	must     bool // in its group of settings
	one      []any
	min, max *int64
	from, to *time.Duration
	most     int // of a list
	// form is a pattern, and words say what it is; other is a text that it refuses.
	form, words, other string
	// keys is the pattern of a map's keys.
	keys string
	// any are settings of which one at least must be there.
	any []string
}

func (r rule) into(s object) {
	if r.one != nil {
		s["enum"] = r.one
	}
	if r.min != nil {
		s["minimum"] = *r.min
	}
	if r.max != nil {
		s["maximum"] = *r.max
	}
	if r.from != nil {
		s["minimumDuration"] = short(*r.from)
	}
	if r.to != nil {
		s["maximumDuration"] = short(*r.to)
	}
	if r.most != 0 {
		s["maxItems"] = r.most
	}
	if r.form != "" {
		s["pattern"], s["description"] = r.form, r.words
	}
	if r.keys != "" {
		s["patternProperties"] = object{r.keys: s["additionalProperties"]}
		s["additionalProperties"], s["description"] = false, "names of "+r.words
	}
	if r.any != nil {
		var all []any
		for _, name := range r.any {
			all = append(all, object{"required": []string{name}})
		}
		s["anyOf"] = all
	}
}

// short writes a duration as people do: 720h, not 720h0m0s.
func short(d time.Duration) string {
	if d == 0 {
		return "0s"
	}
	for _, u := range []struct {
		of   time.Duration
		name string
	}{{time.Hour, "h"}, {time.Minute, "m"}, {time.Second, "s"}, {time.Millisecond, "ms"}} {
		if d%u.of == 0 {
			return fmt.Sprint(int64(d/u.of)) + u.name
		}
	}
	return d.String()
}
