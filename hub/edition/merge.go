package edition

import "slices"

// absent is the setting by which an entry of a list takes away the one of its name.
const absent = "absent"

// merge gives what counts when over goes before base. Neither changes.
func merge(base, over *node) *node {
	switch {
	case base == nil || base.kind != over.kind || over.kind == scalar:
		return cleared(over)
	case over.kind == aList:
		if len(over.items) == 0 || !base.allNamed() || !over.allNamed() {
			return cleared(over)
		}
		return mergeList(base, over)
	}
	out := &node{kind: group, at: over.at, fields: slices.Clone(base.fields)}
	for _, f := range over.fields {
		i := slices.IndexFunc(out.fields, func(o field) bool { return o.name == f.name })
		switch {
		case f.takesAway() && i >= 0:
			out.fields = slices.Delete(out.fields, i, i+1)
		case f.takesAway():
		case i >= 0:
			out.fields[i].node = merge(out.fields[i].node, f.node)
		default:
			out.fields = append(out.fields, field{f.name, cleared(f.node)})
		}
	}
	return out
}

// mergeList joins entries by their names; new ones come at the end.
func mergeList(base, over *node) *node {
	out := &node{kind: aList, at: over.at, items: slices.Clone(base.items)}
	for _, item := range over.items {
		i := slices.IndexFunc(out.items, func(o *node) bool { return o.named() == item.named() })
		switch {
		case isAbsent(item) && i >= 0:
			out.items = slices.Delete(out.items, i, i+1)
		case isAbsent(item):
		case i >= 0:
			out.items[i] = merge(out.items[i], item)
		default:
			out.items = append(out.items, cleared(item))
		}
	}
	return out
}

func isAbsent(item *node) bool {
	f := item.field(absent)
	return f != nil && f.kind == scalar && f.value.Value == "true"
}

// cleared is a value that stands before nothing: what only takes away is left out.
func cleared(n *node) *node {
	out := &node{kind: n.kind, at: n.at, value: n.value}
	for _, f := range n.fields {
		if !f.takesAway() {
			out.fields = append(out.fields, field{f.name, cleared(f.node)})
		}
	}
	for _, i := range n.items {
		if i.kind != group || !isAbsent(i) || i.named() == "" {
			out.items = append(out.items, cleared(i))
		}
	}
	return out
}
