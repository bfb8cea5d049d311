package edition

import (
	"fmt"
	"slices"
	"strconv"

	"go.yaml.in/yaml/v3"

	"branchline/internal/edition"
)

// Source is where a value comes from.
type Source struct {
	// File is relative to the folder.
	File string `json:"file"`
	// Line counts from 1.
	Line int `json:"line"`
}

type kind int

const (
	scalar kind = iota
	group       // settings by name
	aList
)

// node is a value with where it comes from.
type node struct {
	kind kind
	at   Source
	// value is a scalar's, or a secret's, which stands for one.
	value  *yaml.Node
	fields []field // of a group, in the order in which they are written
	items  []*node // of a list
}

type field struct {
	name string
	*node
}

type lineError struct {
	line int
	text string
}

func (e *lineError) Error() string { return fmt.Sprintf("line %d: %s", e.line, e.text) }

func wrongAt(n *yaml.Node, format string, args ...any) error {
	return &lineError{n.Line, fmt.Sprintf(format, args...)}
}

// node takes over what was read, without what would make it longer than it looks or
// read in two ways.
func (l *layer) node(n *yaml.Node, depth int) (*node, error) {
	out := &node{at: Source{l.file, n.Line}}
	switch {
	case depth > maxDepth:
		return nil, wrongAt(n, "it is nested more than %d deep", maxDepth)
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		return nil, wrongAt(n, "anchors and aliases are not for configuration: use a layer for what several branches share")
	case n.Kind == yaml.ScalarNode:
		out.value = n
		return out, nil
	case n.Kind == yaml.SequenceNode:
		out.kind = aList
		for _, c := range n.Content {
			item, err := l.node(c, depth+1)
			if err != nil {
				return nil, err
			}
			out.items = append(out.items, item)
		}
		return out, nil
	}
	if name, ok := edition.SecretOf(n); ok {
		if !edition.ValidSecretName(name) {
			return nil, wrongAt(n, "%.70q cannot name a secret: want 1 to 64 letters, digits, dots, - and _", name)
		}
		out.value = n
		return out, nil
	}
	out.kind = group
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, value := n.Content[i], n.Content[i+1]
		if name.Kind != yaml.ScalarNode || name.Tag == "!!merge" || out.field(name.Value) != nil {
			return nil, wrongAt(name, "the setting %.70q is there twice, or is none", name.Value)
		}
		v, err := l.node(value, depth+1)
		if err != nil {
			return nil, err
		}
		if v.at.Line = name.Line; value.Line > name.Line && v.kind == scalar {
			v.at.Line = value.Line
		}
		out.fields = append(out.fields, field{name.Value, v})
	}
	return out, nil
}

func (n *node) field(name string) *node {
	i := slices.IndexFunc(n.fields, func(f field) bool { return f.name == name })
	if i < 0 {
		return nil
	}
	return n.fields[i].node
}

// takesAway tells whether a value only says that there is none.
func (n *node) takesAway() bool { return n.kind == scalar && n.value.Tag == "!!null" }

// named is the name of a list's entry; empty where it has none.
func (n *node) named() string {
	if n.kind != group {
		return ""
	}
	if f := n.field("name"); f != nil && f.kind == scalar && f.value.Kind == yaml.ScalarNode {
		return f.value.Value
	}
	return ""
}

// allNamed tells whether every entry of a list has a name that no other has.
func (n *node) allNamed() bool {
	seen := map[string]bool{}
	for _, i := range n.items {
		name := i.named()
		if name == "" || seen[name] {
			return false
		}
		seen[name] = true
	}
	return true
}

// plain is the value as the schema reads it; a secret is a text there.
func (n *node) plain() any {
	switch n.kind {
	case group:
		m := map[string]any{}
		for _, f := range n.fields {
			m[f.name] = f.plain()
		}
		return m
	case aList:
		all := make([]any, len(n.items))
		for i, item := range n.items {
			all[i] = item.plain()
		}
		return all
	}
	if n.value.Kind != yaml.ScalarNode {
		return "a secret"
	}
	var v any
	if err := n.value.Decode(&v); err != nil {
		return n.value.Value
	}
	switch v := v.(type) {
	case string, bool, int, float64, nil:
		return v
	case uint64:
		return float64(v)
	case int64:
		return float64(v)
	}
	return n.value.Value // a date, which YAML makes of a text
}

// yaml is the value as it is written, settings in the order of their names, an entry's
// own name first.
func (n *node) yaml() *yaml.Node {
	switch n.kind {
	case group:
		out := &yaml.Node{Kind: yaml.MappingNode}
		fields := slices.Clone(n.fields)
		slices.SortFunc(fields, func(a, b field) int {
			switch {
			case a.name == b.name:
				return 0
			case a.name == "name" || b.name != "name" && a.name < b.name:
				return -1
			}
			return 1
		})
		for _, f := range fields {
			out.Content = append(out.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: f.name}, f.yaml())
		}
		return out
	case aList:
		out := &yaml.Node{Kind: yaml.SequenceNode}
		for _, i := range n.items {
			out.Content = append(out.Content, i.yaml())
		}
		return out
	}
	if name, ok := edition.SecretOf(n.value); ok {
		return &yaml.Node{Kind: yaml.MappingNode, Style: yaml.FlowStyle, Content: []*yaml.Node{
			{Kind: yaml.ScalarNode, Tag: "!!str", Value: "secret"}, {Kind: yaml.ScalarNode, Tag: "!!str", Value: name}}}
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: n.value.Tag, Value: n.value.Value, Style: n.value.Style &^ (yaml.LiteralStyle | yaml.FoldedStyle | yaml.TaggedStyle)}
}

// find follows a path as far as it goes: names of settings, and places in lists from 0.
func (n *node) find(path []string) *node {
	for _, step := range path {
		var next *node
		switch n.kind {
		case group:
			next = n.field(step)
		case aList:
			if i, err := strconv.Atoi(step); err == nil && i >= 0 && i < len(n.items) {
				next = n.items[i]
			}
		}
		if next == nil {
			return n
		}
		n = next
	}
	return n
}
