package conf

import (
	"reflect"
	"slices"
	"strings"
)

// near gives the setting of a configuration that a mistyped one is likeliest meant
// to be, empty where none is alike.
func near(name string, cfg any) (setting string) {
	return Near(name, slices.Sorted(slices.Values(settingsOf(reflect.TypeOf(cfg), map[reflect.Type]bool{}))))
}

// Near gives the one of several names that a mistyped one is likeliest meant to be,
// empty where none is alike.
func Near(name string, of []string) (meant string) {
	best := 3 // from here on nothing is alike
	if len(name) < 5 {
		best = 2
	}
	for _, s := range of {
		if d := distance(strings.ToLower(name), s); d < best {
			best, meant = d, s
		}
	}
	return meant
}

// settingsOf lists the names of all settings of a type.
func settingsOf(t reflect.Type, seen map[reflect.Type]bool) (all []string) {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || seen[t] {
		return nil
	}
	seen[t] = true
	for f := range t.Fields() {
		name, rest, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if name != "" && name != "-" {
			all = append(all, name)
		}
		if name != "" || strings.Contains(rest, "inline") {
			all = append(all, settingsOf(f.Type, seen)...)
		}
	}
	return all
}

// distance is how many signs are put in, left out, changed or exchanged with their
// neighbour between two names.
func distance(a, b string) int {
	rows := [3][]int{make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)}
	for j := range rows[1] {
		rows[1][j] = j
	}
	for i := range a {
		before, last, row := rows[i%3], rows[(i+1)%3], rows[(i+2)%3]
		row[0] = i + 1
		for j := range b {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(last[j+1]+1, row[j]+1, last[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
	}
	return rows[(len(a)+1)%3][len(b)]
}
