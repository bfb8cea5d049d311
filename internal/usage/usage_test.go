package usage_test

import (
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"branchline/internal/usage"
)

func TestExplain(t *testing.T) {
	var c struct {
		Status struct{} `cmd:""`
		Alias  struct {
			List struct{} `cmd:""`
			Set  struct {
				Code string `arg:""`
			} `cmd:""`
		} `cmd:""`
	}
	parser := kong.Must(&c, kong.Name("hub"))
	for line, want := range map[string]string{
		"bogus":       "unexpected argument bogus\nThe commands are status, alias; hub --help says what they do.",
		"":            "expected one of \"status\", \"alias\"\nThe commands are status, alias; hub --help says what they do.",
		"--bogus":     "unknown flag --bogus\nThe commands are status, alias; hub --help says what they do.",
		"alias bogus": "unexpected argument bogus\nThe commands are list, set; hub alias --help says what they do.",
		"alias set":   "expected \"<code>\"; hub alias set --help says how it is used",
	} {
		t.Run(line, func(t *testing.T) {
			_, err := parser.Parse(strings.Fields(line))
			if err == nil {
				t.Fatal("it was understood")
			}
			if got := usage.Explain(parser, err); got != want {
				t.Errorf("%q\nwant %q", got, want)
			}
		})
	}
}
