package edition

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"branchline/internal/edition"
	"branchline/internal/edition/schema"
	"branchline/internal/ui"
)

// Branch is one of the hub's.
type Branch struct {
	Code   string
	Groups []string
}

// Effective is what counts at a branch.
type Effective struct {
	Branch string `json:"branch"`
	// Layers are the files that it is made of, in their order.
	Layers []string `json:"layers"`
	// Configuration is what stands in the place of agent.yaml, all but branch and
	// data_dir: YAML, with the settings in the order of their names.
	Configuration string  `json:"configuration"`
	Values        []Value `json:"values"`
	// Secrets are the names of those that it uses, sorted.
	Secrets  []string  `json:"secrets"`
	Problems []Problem `json:"problems,omitempty"`
}

// Value is a setting with where its value comes from.
type Value struct {
	// Setting leads to it: scanners[front].port, by the entry's name where it has one.
	Setting string `json:"setting"`
	// Value is as it is written; a secret is told by its name only.
	Value string `json:"value"`
	Source
}

// Effective puts together what counts at a branch.
func (f *Folder) Effective(b Branch) Effective {
	e := Effective{Branch: b.Code, Layers: []string{}, Values: []Value{}, Secrets: []string{}}
	root := &node{kind: group}
	layers := []*layer{f.defaults}
	for _, g := range b.Groups {
		layers = append(layers, f.groups[g])
	}
	for _, l := range append(layers, f.branches[b.Code]) {
		if l != nil && l.root != nil {
			root = merge(root, l.root)
			e.Layers = append(e.Layers, l.file)
		}
	}
	text, err := yaml.Marshal(root.yaml())
	if err == nil && len(root.fields) > 0 {
		e.Configuration = string(text)
	}
	takeDown(root, "", &e)
	slices.Sort(e.Secrets)
	e.Secrets = slices.Compact(e.Secrets)
	e.check(root)
	if err != nil {
		e.problem(root, "cannot be written: %v", err)
	}
	return e
}

// takeDown takes down the values of a node, by their settings.
func takeDown(n *node, at string, e *Effective) {
	switch {
	case n.kind == group:
		for _, f := range n.fields {
			takeDown(f.node, strings.TrimPrefix(at+"."+f.name, "."), e)
		}
	case n.kind == aList && len(n.items) > 0 && slices.ContainsFunc(n.items, func(i *node) bool { return i.kind != scalar }):
		for i, item := range n.items {
			takeDown(item, at+"["+cmp.Or(item.named(), strconv.Itoa(i))+"]", e)
		}
	default:
		v := Value{Setting: at, Source: n.at}
		if n.kind == scalar {
			if name, ok := edition.SecretOf(n.value); ok {
				e.Secrets = append(e.Secrets, name)
			}
		}
		if text, err := yaml.Marshal(n.yaml()); err == nil {
			v.Value = strings.Join(strings.Fields(string(text)), " ")
		}
		e.Values = append(e.Values, v)
	}
}

func (e *Effective) problem(n *node, format string, args ...any) {
	e.Problems = append(e.Problems, Problem{File: n.at.File, Line: n.at.Line, Branches: []string{e.Branch}, Text: fmt.Sprintf(format, args...)})
}

// check holds it against the schema of the agent's configuration.
func (e *Effective) check(root *node) {
	for _, name := range edition.NotOfEditions() {
		if own := root.field(name); own != nil {
			e.problem(own, "%s: belongs to the branch's PC, in its agent.yaml", name)
		}
	}
	if len(e.Configuration) > edition.MaxConfiguration {
		e.problem(root, "it has %d bytes, more than %d", len(e.Configuration), edition.MaxConfiguration)
	}
	if len(e.Secrets) > edition.MaxSecrets {
		e.problem(root, "it has %d secrets, more than %d", len(e.Secrets), edition.MaxSecrets)
	}
	whole, _ := root.plain().(map[string]any)
	for _, name := range edition.NotOfEditions() { // the PC gives them
		delete(whole, name)
	}
	for _, p := range schema.Check(whole) {
		if len(p.Path) == 1 && slices.Contains(edition.NotOfEditions(), p.Path[0]) {
			continue
		}
		e.problem(root.find(p.Path), "%s: %s", setting(root, p.Path), p.Text)
	}
}

// setting is a path as people read it.
func setting(root *node, path []string) string {
	text := ""
	for i, step := range path {
		in := root.find(path[:i])
		if in.kind == aList {
			name := step
			if item := root.find(path[:i+1]); item != in {
				name = cmp.Or(item.named(), step)
			}
			text += "[" + name + "]"
			continue
		}
		text += "." + step
	}
	return strings.TrimPrefix(text, ".")
}

// Check tells all that is wrong for the branches, by file and line; what is wrong for
// several of them once.
func (f *Folder) Check(branches []Branch) []Problem {
	all := slices.Clone(f.problems)
	used := map[string]bool{}
	codes := map[string]bool{}
	for _, b := range branches {
		codes[b.Code] = true
		for _, g := range b.Groups {
			used[g] = true
		}
		for _, p := range f.Effective(b).Problems {
			i := slices.IndexFunc(all, func(o Problem) bool { return o.File == p.File && o.Line == p.Line && o.Text == p.Text })
			if i < 0 {
				all = append(all, p)
			} else {
				all[i].Branches = append(all[i].Branches, b.Code)
			}
		}
	}
	groups, own := f.Names()
	for _, g := range groups {
		if !used[g] {
			all = append(all, Problem{File: f.groups[g].file, Text: fmt.Sprintf("no branch is of the group %q: hub.yaml says of which groups a branch is", g)})
		}
	}
	for _, code := range own {
		if !codes[code] {
			all = append(all, Problem{File: f.branches[code].file, Text: fmt.Sprintf("there is no branch %q in hub.yaml", code)})
		}
	}
	slices.SortStableFunc(all, func(a, b Problem) int { return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line)) })
	return all
}

// String is the problem for people: where, what, and whom it concerns.
func (p Problem) String() string {
	text := p.File
	if p.Line > 0 {
		text += ":" + strconv.Itoa(p.Line)
	}
	if text != "" {
		text += ": "
	}
	text += p.Text
	switch n := len(p.Branches); {
	case n == 1:
		text += " (" + p.Branches[0] + ")"
	case n > 1:
		text += " (" + ui.Many(n, "branch", "branches") + ", " + p.Branches[0] + " the first)"
	}
	return text
}
