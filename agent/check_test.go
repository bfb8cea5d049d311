package main

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"branchline/internal/fault"
)

const small = `branch: BR01
data_dir: %DIR%
hub: {server: "mqtt://127.0.0.1:1", secret_file: agent.secret}
exports:
  - name: till
    folder: %DIR%
    mapping: {product: Code, quantity: Qty, occurred_at: When, time_formats: ["YYYY-MM-DD HH:mm:ss"], key: [No]}
`

// install puts a configuration, its secret and an export's file into a folder.
func install(t *testing.T, secretMode os.FileMode) (dir, config string) {
	dir = t.TempDir()
	for name, content := range map[string]string{"agent.yaml": strings.ReplaceAll(small, "%DIR%", dir), "agent.secret": "s3cr3t",
		"day.csv": "No,Code,Qty,When\n1,04012345678901,2,2026-03-02 09:30:00\n2,4012345678902,1,2026-03-02 09:31:00\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(filepath.Join(dir, "agent.secret"), secretMode); err != nil {
		t.Fatal(err)
	}
	return dir, filepath.Join(dir, "agent.yaml")
}

func TestCheckRefusesASecretThatEverybodyCanRead(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("on Windows it is not looked at, and check says so")
	}
	for mode, code := range map[os.FileMode]string{0o600: "", 0o644: "secret_exposed"} {
		_, path := install(t, mode)
		var out strings.Builder
		err := (&checkCommand{configFlag{path}}).Run(&out)
		if got := fault.CodeOf(err); (err != nil) != (code != "") || err != nil && got != code {
			t.Errorf("mode %04o: %v, want %q", mode, err, code)
		}
		if code != "" && !strings.Contains(out.String(), "hub.secret_file: WRONG: every user of this machine may open "+filepath.Dir(path)) {
			t.Errorf("mode %04o: it says\n%s", mode, out.String())
		}
		if strings.Contains(out.String(), "s3cr3t") {
			t.Error("it prints the secret")
		}
	}
}

// A folder that the agent could keep nothing in is found before it is started.
func TestCheckRefusesADataDirThatCannotBeWritten(t *testing.T) {
	dir, path := install(t, 0o600)
	for data, says := range map[string]string{dir: "can be written to", filepath.Join(dir, "new", "deep"): "not there yet", filepath.Join(dir, "day.csv"): "WRONG: "} {
		text := strings.Replace(strings.ReplaceAll(small, "%DIR%", dir), "data_dir: "+dir, "data_dir: "+data, 1)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		err := (&checkCommand{configFlag{path}}).Run(&out)
		if bad := strings.HasPrefix(says, "WRONG"); (fault.CodeOf(err) == "data_dir") != bad || !bad && err != nil || !strings.Contains(out.String(), "data_dir "+data+": "+says) {
			t.Errorf("%s: %v, it says\n%s", data, err, out.String())
		}
	}
}
