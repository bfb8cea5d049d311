package config_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
	"pgregory.net/rapid"

	"branchline/agent/config"
	"branchline/internal/edition/schema"
)

var update = flag.Bool("update", false, "rewrite the schema of the configuration")

// The schema that is published, and the one by which the hub checks, are those of
// the types.
func TestTheSchemaIsThatOfTheTypes(t *testing.T) {
	want := schemaOfAgent(t)
	for _, path := range []string{"../../configs/schema/agent.schema.json", "../../internal/edition/schema/agent.schema.json"} {
		if *update {
			if err := os.WriteFile(path, want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not what the types say (%v): go test ./agent/config -update, then build again", path, err)
		}
	}
	if !*update && !bytes.Equal(schema.Text(), want) {
		t.Error("the hub checks by another schema")
	}
}

func everything(t *testing.T) string {
	b, err := os.ReadFile("testdata/everything.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// plain is a node of YAML for the schema.
func plain(n *yaml.Node) any {
	switch n.Kind {
	case yaml.DocumentNode:
		return plain(n.Content[0])
	case yaml.MappingNode:
		m := map[string]any{}
		for i := 0; i < len(n.Content); i += 2 {
			m[n.Content[i].Value] = plain(n.Content[i+1])
		}
		return m
	case yaml.SequenceNode:
		all := []any{}
		for _, c := range n.Content {
			all = append(all, plain(c))
		}
		return all
	}
	return schema.Value(n)
}

// What is published can be used with any program for JSON Schema, and says of the
// sample that it is good.
func TestTheSamplesFitTheSchema(t *testing.T) {
	c := jsonschema.NewCompiler()
	published, err := c.Compile("../../configs/schema/agent.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"configs/agent.yaml": sample(t), "everything.yaml": everything(t)} {
		var doc yaml.Node
		if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
			t.Fatal(err)
		}
		if err := published.Validate(plain(&doc)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if p := schema.Check(plain(&doc)); p != nil {
			t.Errorf("%s: %+v", name, p)
		}
		if _, err := config.Load(place(t, text)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// spot is one setting of everything.yaml.
type spot struct {
	path  string // as a mistake is told: scanners[0].speed
	where string // as the rules say it: scanners[].speed
	node  *yaml.Node
	// leave takes it out of its group, back puts it in again; nil in a list.
	leave, back func()
}

func spots(n *yaml.Node, path, where string) (all []spot) {
	switch n.Kind {
	case yaml.DocumentNode:
		return spots(n.Content[0], "", "")
	case yaml.SequenceNode:
		for i, c := range n.Content {
			at := fmt.Sprintf("%s[%d]", path, i)
			all = append(append(all, spot{path: at, where: where + "[]", node: c}), spots(c, at, where+"[]")...)
		}
	case yaml.MappingNode:
		content := n.Content
		for i := 0; i < len(content); i += 2 {
			name := content[i].Value
			s := spot{path: join(path, name), where: join(where, name), node: content[i+1]}
			if where == "receiving.reasons" || where == "exports[].mapping.kinds" {
				s.where = where + "{}"
			}
			s.leave = func() { n.Content = slices.Delete(slices.Clone(content), i, i+2) }
			s.back = func() { n.Content = content }
			all = append(append(all, s), spots(s.node, s.path, s.where)...)
		}
	}
	return all
}

// bench tries a change of everything.yaml with the schema and with the code.
type bench struct {
	t   *testing.T
	doc yaml.Node
	all []spot
}

func newBench(t *testing.T) *bench {
	b := &bench{t: t}
	if err := yaml.Unmarshal([]byte(everything(t)), &b.doc); err != nil {
		t.Fatal(err)
	}
	b.all = spots(&b.doc, "", "")
	return b
}

// verdicts are what schema and code say of the document as it is now.
func (b *bench) verdicts() (bySchema []schema.Problem, byCode error) {
	b.t.Helper()
	text, err := yaml.Marshal(&b.doc)
	if err != nil {
		b.t.Fatal(err)
	}
	_, byCode = config.Load(place(b.t, string(text)))
	return schema.Check(plain(&b.doc)), byCode
}

// with gives a setting another value for a moment.
func (b *bench) with(s spot, v any) (bySchema []schema.Problem, byCode error) {
	b.t.Helper()
	was := *s.node
	defer func() { *s.node = was }()
	var n yaml.Node
	if err := n.Encode(v); err != nil {
		b.t.Fatal(err)
	}
	*s.node = n
	return b.verdicts()
}

// Every setting is in everything.yaml, or what follows would prove nothing of it.
func TestEverySettingIsLookedAt(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range newBench(t).all {
		seen[s.where] = true
	}
	g := &generator{t: t, rules: rules, used: map[string]bool{}}
	var walk func(s object, path string)
	walk = func(s object, path string) {
		if path != "" && !seen[path] && !strings.HasPrefix(path, "keyboard.name") && !strings.HasPrefix(path, "keyboard.starts_with") &&
			!strings.HasPrefix(path, "keyboard.gs1.") {
			t.Errorf("%s is not in testdata/everything.yaml", path)
		}
		if p, ok := s["properties"].(object); ok {
			for name, of := range p {
				walk(of.(object), join(path, name))
			}
		}
		if items, ok := s["items"].(object); ok {
			walk(items, path+"[]")
		}
		if values, ok := s["additionalProperties"].(object); ok {
			walk(values, path+"{}")
		}
	}
	walk(g.of(configType, ""), "")
}

// What is no value of its type is refused by both, everywhere.
func TestTypesAreHeldByBoth(t *testing.T) {
	b := newBench(t)
	for _, s := range b.all {
		wrong := any(map[string]int{"x": 1})
		if s.node.Kind == yaml.MappingNode {
			wrong = []int{1}
		}
		p, err := b.with(s, wrong)
		if len(p) == 0 || err == nil {
			t.Errorf("%s: %v: the schema says %.300v, the code %v", s.path, wrong, p, err)
		}
		if s.node.Kind == yaml.MappingNode && s.where != "receiving.reasons" && s.where != "exports[].mapping.kinds" {
			content := s.node.Content
			s.node.Content = append(slices.Clone(content), &yaml.Node{Kind: yaml.ScalarNode, Value: "nonsense"}, &yaml.Node{Kind: yaml.ScalarNode, Value: "1"})
			if p, err := b.verdicts(); len(p) != 1 || err == nil || !strings.Contains(p[0].Text, "no such setting") {
				t.Errorf("a setting nobody knows in %s: the schema says %.300v, the code %v", s.path, p, err)
			}
			s.node.Content = content
		}
		switch r := rules[s.where]; {
		case r.from != nil || s.node.Tag == "!!int" || s.node.Tag == "!!bool":
			if p, err := b.with(s, "maybe"); s.where != "exports[].mapping.occurred_time" && s.where != "exports[].mapping.key[]" && (len(p) == 0 || err == nil) {
				t.Errorf("%s: maybe: the schema says %.300v, the code %v", s.path, p, err)
			}
		}
	}
}

// Each rule of the schema is one of the code: what it lets through the code takes,
// and what it refuses the code refuses, with the setting's name.
func TestRulesAreThoseOfTheCode(t *testing.T) {
	b := newBench(t)
	proved := map[string]bool{}
	for _, s := range b.all {
		r := rules[s.where]
		good, bad := r.values()
		if s.node.Kind == yaml.SequenceNode && r.most > 0 {
			bad = append(bad, slices.Repeat([]*yaml.Node{s.node.Content[0]}, r.most+1))
		}
		for _, v := range good {
			p, err := b.with(s, v)
			if len(p) > 0 || err != nil && blames(err, s.path) && !together(err) {
				t.Errorf("%s: %v is within the rule: the schema says %.300v, the code %v", s.path, v, p, err)
			}
		}
		for _, v := range bad {
			p, err := b.with(s, v)
			if len(p) == 0 || err == nil {
				t.Errorf("%s: %v is beyond the rule: the schema says %.300v, the code %v", s.path, v, p, err)
			}
			proved[s.where] = true
		}
		if s.leave == nil || strings.HasSuffix(s.where, "{}") {
			continue
		}
		s.leave()
		p, err := b.verdicts()
		s.back()
		missing := len(p) > 0
		switch {
		case r.must && (!missing || err == nil):
			t.Errorf("%s is left out: the schema says %.300v, the code %v", s.path, p, err)
		case !r.must && missing && s.where != "scanners[].port" && s.where != "scanners[].network":
			t.Errorf("%s is left out: the schema says %+v", s.path, p)
		case !r.must && !missing && err != nil && !slices.Contains(besideOthers, s.where):
			t.Errorf("%s is left out: the code says %v, and the schema nothing: is it must?", s.path, err)
		}
		proved[s.where] = true
	}
	for path, r := range rules {
		if !proved[path] && r.keys == "" && r.any == nil {
			t.Errorf("the rule for %s is not proved", path)
		}
	}
}

// besideOthers must be given beside some other settings only, or belong to the PC.
var besideOthers = []string{"branch", "data_dir", "scanners[].counterpart", "scanners[].network.connect", "scanners[].network.listen", "scanners[].network.from",
	"exports[].mapping.kind_column", "exports[].mapping.kinds", "exports[].mapping.unit", "exports[].mapping.reason", "exports[].mapping.expiry_formats",
	"exports[].finished", "exports[].fixed", "exports[].xml", "exports[].hl7", "exports[].asap"}

// blames tells whether a mistake is told of a setting.
func blames(err error, path string) bool {
	return strings.Contains(err.Error(), ": "+path+": ") || strings.Contains(err.Error(), ": "+path+" ")
}

// together tells that a value is refused for what stands beside it.
func together(err error) bool {
	return strings.Contains(err.Error(), "must be the column's last place")
}

// values are what a rule lets through and what it refuses.
func (r rule) values() (good, bad []any) {
	if r.one != nil {
		good = append(good, r.one...)
		bad = append(bad, "nonsense", 77)
	}
	if r.min != nil {
		good, bad = append(good, *r.min), append(bad, *r.min-1)
	}
	if r.max != nil {
		good, bad = append(good, *r.max), append(bad, *r.max+1)
	}
	if r.from != nil {
		good, bad = append(good, r.from.String()), append(bad, (*r.from-time.Nanosecond).String(), "soon", 3)
	}
	if r.to != nil {
		good, bad = append(good, r.to.String()), append(bad, (*r.to+time.Nanosecond).String())
	}
	if r.other != "" {
		bad = append(bad, r.other)
	}
	return good, bad
}

// A name of a map that cannot be, and a scanner without a line, are refused by both.
func TestWhatNoSingleSettingSays(t *testing.T) {
	for name, c := range map[string]struct{ from, to, want string }{
		"a reason in small letters":   {"WET: became wet", "wet: became wet", "1 to 16 capital letters and digits"},
		"a scanner without a line":    {"    port: /dev/ttyACM0\n", "", "or network must be given"},
		"two mistakes in one scanner": {"speed: 9600\n    data_bits: 8", "speed: 9601\n    data_bits: 9", "9601 is not one of 300"},
	} {
		text := strings.Replace(everything(t), c.from, c.to, 1)
		if text == everything(t) {
			t.Fatalf("%q is not there", c.from)
		}
		var doc yaml.Node
		if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
			t.Fatal(err)
		}
		p := schema.Check(plain(&doc))
		if _, err := config.Load(place(t, text)); err == nil || !strings.Contains(fmt.Sprint(p), c.want) {
			t.Errorf("%s: the schema says %.300v, the code %v", name, p, err)
		}
	}
}

// A text that the schema takes for a time is one for the decoder, too.
func TestTimesAreThoseOfTheDecoder(t *testing.T) {
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(everything(t)), &doc); err != nil {
		t.Fatal(err)
	}
	whole := plain(&doc).(map[string]any)
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.StringMatching(`[+-]?(0|([0-9]{0,4}(\.[0-9]{0,3})?(ns|us|µs|ms|s|m|h)){1,3})`), rapid.StringMatching(`[0-9hms. +-]{0,6}`)).Draw(t, "text")
		whole["outbox"] = map[string]any{"retention": text, "key_memory": "9600h"}
		problems := schema.Check(whole)
		d, err := time.ParseDuration(text)
		if (len(problems) == 0) != (err == nil && d >= 0) {
			t.Fatalf("%q: the schema says %+v, the decoder %v, %v", text, problems, d, err)
		}
	})
}
