package alert

import (
	"fmt"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Size is a number of bytes, written as 500MB or 2GB.
type Size int64

var units = []struct {
	name string
	n    int64
}{{"TB", 1 << 40}, {"GB", 1 << 30}, {"MB", 1 << 20}, {"KB", 1 << 10}}

// UnmarshalYAML reads a number of bytes, with or without a unit.
func (s *Size) UnmarshalYAML(n *yaml.Node) error {
	text := strings.ToUpper(strings.ReplaceAll(n.Value, " ", ""))
	factor := int64(1)
	for _, u := range units {
		if rest, ok := strings.CutSuffix(text, u.name); ok {
			text, factor = rest, u.n
			break
		}
	}
	v, err := strconv.ParseInt(text, 10, 64)
	if err != nil || v < 0 || v > (1<<62)/factor {
		return fmt.Errorf("line %d: %q is not a size such as 500MB or 2GB", n.Line, n.Value)
	}
	*s = Size(v * factor)
	return nil
}

// String is for people, to a tenth.
func (s Size) String() string {
	for _, u := range units {
		if int64(s) >= u.n {
			return strings.Replace(fmt.Sprintf("%.1f %s", float64(s)/float64(u.n), u.name), ".0 ", " ", 1)
		}
	}
	return fmt.Sprintf("%d bytes", int64(s))
}
