// Package conftest holds sample configurations against the code.
package conftest

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.yaml.in/yaml/v3"
)

// setting is one setting of a YAML text, or a list of them.
type setting struct {
	path string
	// line is where its name stands, from 1.
	line int
	// leave takes it out, with all below it; back puts it in again.
	leave, back func()
}

// settings lists all but the groups, whose own settings are listed.
func settings(n *yaml.Node, path string) (list []setting) {
	switch n.Kind {
	case yaml.DocumentNode:
		return settings(n.Content[0], path)
	case yaml.SequenceNode:
		for i, c := range n.Content {
			list = append(list, settings(c, fmt.Sprintf("%s[%d]", path, i))...)
		}
	case yaml.MappingNode:
		all := n.Content
		for i := 0; i < len(all); i += 2 {
			at := strings.TrimPrefix(path+"."+all[i].Value, ".")
			if all[i+1].Kind != yaml.MappingNode {
				list = append(list, setting{at, all[i].Line, func() { n.Content = slices.Delete(slices.Clone(all), i, i+2) }, func() { n.Content = all }})
			}
			list = append(list, settings(all[i+1], at)...)
		}
	}
	return list
}

// comments are the words beside a line and directly above it.
func comments(lines []string, line int) string {
	_, words, _ := strings.Cut(lines[line-1], "#")
	for i := line - 2; i >= 0 && strings.HasPrefix(strings.TrimSpace(lines[i]), "#"); i-- {
		words = strings.TrimSpace(strings.TrimLeft(lines[i], " #")) + " " + words
	}
	return strings.ToLower(words)
}

var index = regexp.MustCompile(`\[\d+\]`)

// Sample checks what a sample promises: that what is left out has the value
// shown, or what its comment says it has. So each setting is left out once: then
// either nothing changes, or its comment says that it does ("left out: ..."), or
// the file is refused and the comment says that it must be given. A list's
// further entries go by the comments of the first. load reads a configuration
// from its text; at least so many settings are expected.
func Sample[C any](t *testing.T, text string, least int, load func(text string) (C, error)) {
	t.Helper()
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	read := func() (C, error) {
		text, err := yaml.Marshal(&doc)
		if err != nil {
			t.Fatal(err)
		}
		return load(string(text))
	}
	shown, err := read()
	if err != nil {
		t.Fatal(err)
	}
	all := settings(&doc, "")
	if len(all) < least {
		t.Fatalf("only %d settings were found", len(all))
	}
	lines := strings.Split(text, "\n")
	said := map[string]string{}
	for _, s := range all {
		first := index.ReplaceAllString(s.path, "[]")
		if _, ok := said[first]; !ok {
			said[first] = comments(lines, s.line)
		}
		words := said[first] + comments(lines, s.line)
		must, differs := strings.Contains(words, "must be given"), strings.Contains(words, "left out: ")
		s.leave()
		left, err := read()
		s.back()
		if err != nil {
			if !must || differs {
				t.Errorf("%s must be given (%v), and line %d of the sample does not say so alone: %q", s.path, err, s.line, words)
			}
			continue
		}
		diff := cmp.Diff(shown, left, cmpopts.EquateEmpty(), cmp.Exporter(func(reflect.Type) bool { return true }))
		if must || differs != (diff != "") {
			t.Errorf("%s left out changes this, and line %d of the sample says %q (- shown, + left out):\n%s", s.path, s.line, words, diff)
		}
	}
}
