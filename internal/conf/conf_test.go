package conf_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"branchline/internal/conf"
	"branchline/internal/fault"
)

type config struct {
	Branch string        `yaml:"branch"`
	Speed  int           `yaml:"speed"`
	Pause  time.Duration `yaml:"pause"`
	Key    conf.Secret   `yaml:"key_file"`
}

func (c *config) Validate() error {
	if c.Branch == "" {
		return conf.Bad("branch", c.Branch, "is missing")
	}
	return conf.In("scanner", errIf(c.Speed == 9601, conf.Bad("speed", c.Speed, "is not a speed")))
}

func errIf(b bool, err error) error {
	if b {
		return err
	}
	return nil
}

func TestParse(t *testing.T) {
	cases := map[string]struct{ text, want string }{
		"good":              {"branch: BR01\nspeed: 19200\npause: 5m", ""},
		"defaults stay":     {"branch: BR01", ""},
		"empty":             {"", `agent.yaml: branch: "" is missing`},
		"unknown setting":   {"branch: BR01\nbrnch: x", `agent.yaml: line 2: there is no setting "brnch", did you mean "branch"?`},
		"wrong type":        {"branch: BR01\nspeed: fast", "agent.yaml: line 2: `fast` is not a whole number"},
		"a list for a word": {"branch: [a, b]", "agent.yaml: line 1: a list is not text"},
		"a bare number":     {"branch: BR01\npause: 3", "agent.yaml: line 2: `3` is not a time with its unit, such as 30s"},
		"a tab":             {"branch: BR01\n\tspeed: 9600", "agent.yaml: line 2 begins with a tab"},
		"wrong duration":    {"branch: BR01\npause: soon", "line 2: `soon` is not a time with its unit"},
		"two documents":     {"branch: BR01\n---\nbranch: BR02", "more than one YAML document"},
		"not YAML":          {"branch: [", "agent.yaml: line 1: did not find"},
		"a key twice":       {"branch: a\nbranch: b", "already defined"},
		"a wrong value":     {"branch: BR01\nspeed: 9601", `agent.yaml: scanner.speed: "9601" is not a speed`},
		"too large":         {strings.Repeat("#", 1<<20+1), "is larger than"},
		"an alias bomb":     {"a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nbranch: *b", "line"},
		"control character": {"branch: \x00", "control characters are not allowed"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			cfg := config{Speed: 9600}
			err := conf.Parse("agent.yaml", []byte(c.text), &cfg)
			if c.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want %q in it", err, c.want)
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("more than one line: %q", err)
			}
			if fault.ClassOf(err) != fault.Setup || fault.CodeOf(err) != "bad_configuration" {
				t.Errorf("got %v %v", fault.ClassOf(err), fault.CodeOf(err))
			}
		})
	}
}

func TestLoadNamesAMissingFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "none.yaml")
	err := conf.Load(path, &config{})
	if !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), path) {
		t.Errorf("got %v", err)
	}
}
