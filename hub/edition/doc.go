// Package edition is the configuration of the branches as central IT keeps it: a folder
// of YAML files in layers, of which each branch has what is for all, what is for its
// groups, and what is its own.
//
//	defaults.yaml          for all branches
//	groups/<group>.yaml    for the branches of a group, in the order of the branch's groups
//	branches/<code>.yaml   for one branch
//
// A later layer goes before an earlier one: groups of settings are joined, setting by
// setting; lists of which every entry has a name (scanners, exports) are joined by the
// name, where an entry with "absent: true" takes one away; any other value, and any other
// list, is replaced; null takes a setting away.
package edition
