package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"branchline/internal/fault"
)

// The folder is the one of the command line, or else that of hub.yaml, beside which it
// may lie; what is printed of a branch is told with where it comes from.
func TestTheConfigurationOfABranchIsShown(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const branches = "data_dir: /var/lib/x\nodoo: {url: 'http://odoo', db: d, user: u, key_file: k}\nbranches: [{code: BR01, zone: UTC, groups: [city]}]\n"
	write("fleet/defaults.yaml", "log: {level: debug}\n")
	write("fleet/groups/city.yaml", "log:\n  level: warn\n")
	flag := folderFlag{configFlag: configFlag{write("hub.yaml", branches+"fleet: {names: [hub.example.com], configuration: {folder: fleet}}\n")}}
	folder, all, err := flag.read()
	if err != nil || len(all) != 1 {
		t.Fatal(all, err)
	}
	e := folder.Effective(all[0])
	for sources, want := range map[bool]string{false: "log:\n    level: warn\n", true: "log.level: warn  # groups/city.yaml:2\n"} {
		var out bytes.Buffer
		if printEffective(&out, &e, sources); out.String() != want {
			t.Errorf("%q, want %q", out.String(), want)
		}
	}
	if err := (&configurationCheckCommand{flag}).Run(); err != nil {
		t.Error(err)
	}
	write("fleet/groups/city.yaml", "log: {levle: warn}\n")
	if err := (&configurationCheckCommand{flag}).Run(); fault.CodeOf(err) != "bad_configuration" {
		t.Error(err)
	}
	flag.Folder = filepath.Join(dir, "none")
	if _, _, err := flag.read(); err == nil || !strings.Contains(err.Error(), "cannot be read") {
		t.Error(err)
	}
	flag = folderFlag{configFlag: configFlag{write("plain.yaml", branches+"fleet: {names: [hub.example.com]}\n")}}
	if _, _, err := flag.read(); fault.CodeOf(err) != "no_folder" {
		t.Error(err)
	}
}
