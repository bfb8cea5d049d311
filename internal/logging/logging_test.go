package logging_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"branchline/internal/logging"
)

func TestLogFile(t *testing.T) {
	dir := t.TempDir()
	log, closer := logging.New(logging.Config{Level: "warn", Format: "json", File: "agent.log"}, dir)
	log.Info("not this")
	log.Warn("this", "branch", "BR01")
	if err := closer.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, "agent.log"))
	if err != nil || !strings.Contains(string(b), `"branch":"BR01"`) || strings.Contains(string(b), "not this") {
		t.Errorf("%v: %s", err, b)
	}
}

func TestValidate(t *testing.T) {
	good := logging.Default()
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	for want, c := range map[string]logging.Config{
		`level: "loud"`: {Level: "loud", Format: "text"},
		`format: "xml"`: {Level: "info", Format: "xml"},
	} {
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
