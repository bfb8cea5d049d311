package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"branchline/hub/config"
	"branchline/internal/fault"
)

// place puts a configuration and its secret into a folder, as an installation
// has them.
func place(t *testing.T, text string) string {
	dir := t.TempDir()
	for name, content := range map[string]string{"hub.yaml": text, "odoo.key": "s3cr3t\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "hub.yaml")
}

func sample(t *testing.T) string {
	b, err := os.ReadFile("../../configs/hub.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestTheSampleIsGood(t *testing.T) {
	c, err := config.Load(place(t, sample(t)))
	if err != nil {
		t.Fatal(err)
	}
	if c.Odoo.Client().Key != "s3cr3t" || len(c.Branches) != 1 || c.Ledger.Path != "/var/lib/branchline-hub/ledger.db" ||
		c.Plan().Branches["BR01"].Timezone != "Europe/Berlin" || c.Post().Branches[0] != "BR01" {
		t.Errorf("not as the sample says: %+v", c)
	}
	if at := c.BrokerAddress(); at != "mqtts://hub.example.com:8883" {
		t.Errorf("branches are sent to %s", at)
	}
}

// Whoever makes the sample plain has no branch with a secret that everybody can
// read.
func TestAPlainBrokerAsksForSecrets(t *testing.T) {
	text := strings.NewReplacer("names: [hub.example.com]", "", "max_branches: 500", "max_branches: 500\n  plain: true").Replace(sample(t))
	if _, err := config.Load(place(t, text)); err == nil || !strings.Contains(err.Error(), "branchline-hub secret") {
		t.Errorf("without one: %v", err)
	}
	c, err := config.Load(place(t, strings.Replace(text, "zone: Europe", "secret_sha256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\n    zone: Europe", 1)))
	if err != nil {
		t.Fatal(err)
	}
	if sum, ok := c.Secrets()("BR01"); !ok || sum[0] != 0x9f {
		t.Errorf("the branch's secret is %x, %v", sum, ok)
	}
	if _, ok := c.Secrets()("BR02"); ok {
		t.Error("a branch that is not configured may connect")
	}
}

// A list of exceptions needs no key of Odoo, and whoever may see it need not be
// able to read the key.
func TestReadingNeedsNoSecret(t *testing.T) {
	path := place(t, sample(t))
	if err := os.Remove(filepath.Join(filepath.Dir(path), "odoo.key")); err != nil {
		t.Fatal(err)
	}
	if c, err := config.Read(path); err != nil || len(c.Branches) != 1 {
		t.Errorf("%+v, %v", c.Branches, err)
	}
	if _, err := config.Load(path); fault.CodeOf(err) != "bad_configuration" {
		t.Errorf("loaded without the key: %v", err)
	}
}

// Each mistake ends in one line that names the file, the setting and the value.
func TestMistakesAreNamed(t *testing.T) {
	cases := map[string]struct{ from, to, want string }{
		"a branch with a space":   {"code: BR01", "code: BR 01", `branches[0].code: "BR 01"`},
		"a group twice":           {"[North, City]", "[North, North]", `branches[0].groups: "North" is there twice`},
		"a group without a name":  {"[North, City]", `["", City]`, "branches[0].groups"},
		"a short sum":             {"zone: Europe", "secret_sha256: 86\n    zone: Europe", "branches[0].secret_sha256"},
		"plain and enrolled":      {"max_branches: 500", "max_branches: 500\n  plain: true", "broker.plain"},
		"no name for branches":    {"names: [hub.example.com]", "", `fleet.names: ""`},
		"a name with a port":      {"[hub.example.com]", `["hub:8443"]`, `fleet.names: "hub:8443"`},
		"a wrong zone":            {"Europe/Berlin", "Berlin", `branches[0].zone: "Berlin"`},
		"a relative folder":       {"data_dir: /var/lib/branchline-hub", "data_dir: here", `data_dir: "here"`},
		"an unknown setting":      {"max_branches", "max_brnches", `there is no setting "max_brnches"`},
		"no port":                 {`listen: ":8883"`, "listen: localhost", `broker.listen "localhost"`},
		"no address of Odoo":      {"https://odoo.example.com", "odoo", `odoo.url: "odoo"`},
		"a transport nobody has":  {"transport: auto", "transport: soap", `odoo.transport`},
		"a missing key":           {"odoo.key", "none.key", `odoo.key_file: "none.key"`},
		"a feed that never rests": {"bytes_per_second: 2097152", "bytes_per_second: 5", "feed.bytes_per_second: 5"},
		"documents without lines": {"lines: 200", "lines: 0", "planning.lines: 0"},
		"no rate":                 {"calls_per_second: 50", "calls_per_second: 0", "posting.calls_per_second: 0"},
		"a wrong log level":       {"level: info", "level: loud", `log.level: "loud"`},
		"a setting of no stage":   {"log:", "logging:", `there is no setting "logging"`},
	}
	text := sample(t)
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			spoilt := strings.Replace(text, c.from, c.to, 1)
			if spoilt == text {
				t.Fatalf("%q is not in the sample", c.from)
			}
			path := place(t, spoilt)
			_, err := config.Load(path)
			if err == nil {
				t.Fatal("no error")
			}
			if fault.CodeOf(err) != "bad_configuration" || fault.ClassOf(err) != fault.Setup {
				t.Errorf("%v %s", fault.ClassOf(err), fault.CodeOf(err))
			}
			for _, want := range []string{path, c.want} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got %q, want %q in it", err, want)
				}
			}
			if strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "s3cr3t") {
				t.Errorf("got %q", err)
			}
		})
	}
}
