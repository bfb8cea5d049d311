package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"branchline/agent/config"
	"branchline/internal/fault"
)

// place puts a configuration and its secret into a folder, as an installation
// has them.
func place(t *testing.T, text string) string {
	dir := t.TempDir()
	for name, content := range map[string]string{"agent.yaml": text, "agent.secret": "s3cr3t\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "agent.yaml")
}

func sample(t *testing.T) string {
	b, err := os.ReadFile("../../configs/agent.yaml")
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
	if c.Hub.Server != "" || !c.Hub.Secret.IsZero() || c.Hub.Branch != "BR01" || c.Outbox.Branch != "BR01" ||
		c.Outbox.Path != "/var/lib/branchline-agent/outbox.db" || len(c.Capture.Scanners) != 2 || len(c.Exports.Exports) != 1 {
		t.Errorf("not as the sample says: %+v", c)
	}
}

// Each mistake ends in one line that names the file, the setting and the value.
func TestMistakesAreNamed(t *testing.T) {
	cases := map[string]struct{ from, to, want string }{
		"a branch with a space":    {"branch: BR01", "branch: BR 01", `branch: "BR 01"`},
		"no branch":                {"branch: BR01", "", `branch: ""`},
		"a relative folder":        {"data_dir: /var/lib/branchline-agent", "data_dir: here", `data_dir: "here"`},
		"no scheme of the server":  {"ack_timeout: 30s", "server: hub.example.com:1883", `hub.server "hub.example.com:1883"`},
		"an unknown setting":       {"outbox:", "outbx:", `there is no setting "outbx"`},
		"a small outbox":           {"2147483648", "10", "outbox.max_bytes 10"},
		"a missing secret":         {"ack_timeout: 30s", "secret_file: none.secret", `hub.secret_file: "none.secret"`},
		"a wrong speed":            {"speed: 9600", "speed: 9601", `scanners[0].speed: "9601"`},
		"two scanners of one name": {"name: counter", "name: goods-in", `scanners[1].name: "goods-in"`},
		"a purpose nobody knows":   {"for: receive", "for: recieve", `scanners[0].for: "recieve"`},
		"a mapping without key":    {"key: [Bon, Position]", "key: []", "exports[0].mapping.key"},
		"a wrong time zone":        {"time_zone: Europe/Berlin", "time_zone: Europe/Berln", `exports[0].mapping.time_zone: "Europe/Berln"`},
		"a document like a GTIN":   {"P[0-9]{5,9}", "[0-9]+", "receiving.documents[0].match"},
		"a wrong log level":        {"level: info ", "level: loud ", `log.level: "loud"`},
		"no port to listen on":     {"127.0.0.1:8780", "localhost", `web.listen: "localhost"`},
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
