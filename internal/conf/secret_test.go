package conf_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"branchline/internal/conf"
)

func TestSecretsComeFromFilesAndNeverPrint(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("key", "s3cr3t\n")
	write("empty", "\n")
	write("whole output", "for the agent: s3cr3t\nfor hub.yaml: argon2id$x\n")
	cfg := config{}
	if err := conf.Parse("agent.yaml", []byte("branch: BR01\nkey_file: key"), &cfg); err != nil {
		t.Fatal(err)
	}
	if err := cfg.Key.Resolve("key_file", dir); err != nil || cfg.Key.Reveal() != "s3cr3t" {
		t.Fatalf("got %q, %v", cfg.Key.Reveal(), err)
	}
	js, _ := json.Marshal(cfg)
	for _, s := range []string{fmt.Sprint(cfg), fmt.Sprintf("%+v %#v %s", cfg, cfg, cfg.Key), string(js)} {
		if strings.Contains(s, "s3cr3t") {
			t.Errorf("the secret is printed: %s", s)
		}
	}
	for _, file := range []string{"empty", "none", "whole output"} {
		s := conf.Secret{File: file}
		if err := s.Resolve("key_file", dir); err == nil || !strings.Contains(err.Error(), "key_file: \""+file) {
			t.Errorf("%s: got %v", file, err)
		}
	}
}

func TestSystemdCredentialsComeFirst(t *testing.T) {
	given, dir := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(given, "agent.secret"), []byte("from systemd"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "other.secret"), []byte("from the file"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("CREDENTIALS_DIRECTORY", given)
	for file, want := range map[string]string{"agent.secret": "from systemd", "other.secret": "from the file"} {
		s := conf.Secret{File: file}
		if err := s.Resolve("secret_file", dir); err != nil || s.Reveal() != want {
			t.Errorf("%s: %q, %v", file, s.Reveal(), err)
		}
	}
}

// A secret that every user of the machine can read is told, also when the
// service itself is given a copy that nobody else can.
func TestAnExposedSecretIsTold(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("on Windows it is not looked at")
	}
	for mode, want := range map[os.FileMode]bool{0o600: false, 0o400: false, 0o640: false, 0o644: true, 0o604: true, 0o666: true} {
		for _, credential := range []bool{false, true} {
			dir, given := t.TempDir(), t.TempDir()
			path := filepath.Join(dir, "agent.secret")
			if err := os.WriteFile(path, []byte("s3cr3t"), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(path, mode); err != nil { // whatever the umask is
				t.Fatal(err)
			}
			t.Setenv("CREDENTIALS_DIRECTORY", "")
			if credential {
				if err := os.WriteFile(filepath.Join(given, "agent.secret"), []byte("s3cr3t"), 0o400); err != nil {
					t.Fatal(err)
				}
				t.Setenv("CREDENTIALS_DIRECTORY", given)
			}
			s := conf.Secret{File: "agent.secret"}
			if err := s.Resolve("secret_file", dir); err != nil {
				t.Fatal(err)
			}
			if got := s.Exposed(); want != strings.Contains(got, path) || strings.Contains(got, "s3cr3t") {
				t.Errorf("mode %04o, with a credential %t: %q", mode, credential, got)
			}
		}
	}
}
