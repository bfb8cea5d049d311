// Package usage says what is wrong with a command line, and what can be asked
// instead.
package usage

import (
	"errors"
	"fmt"
	"strings"

	"github.com/alecthomas/kong"
)

// Explain is err in words for the one who typed the command: where no command
// was understood, with the commands that there are, else with where its help is.
func Explain(parser *kong.Kong, err error) string {
	at := parser.Model.Node
	if p, ok := errors.AsType[*kong.ParseError](err); ok && p.Context.Selected() != nil {
		at = p.Context.Selected()
	}
	text := err.Error()
	var names []string
	for _, c := range at.Children {
		if !c.Hidden {
			names = append(names, c.Name)
		}
	}
	name := parser.Model.Name
	if at != parser.Model.Node {
		name += " " + at.Path()
	}
	if len(names) == 0 {
		return fmt.Sprintf("%s; %s --help says how it is used", text, name)
	}
	return fmt.Sprintf("%s\nThe commands are %s; %s --help says what they do.", text, strings.Join(names, ", "), name)
}
