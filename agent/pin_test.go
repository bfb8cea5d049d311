package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"branchline/agent/staff"
	"branchline/internal/conf"
)

// What the command prints is what the configuration takes.
func TestPINForTheConfiguration(t *testing.T) {
	path := filepath.Join(t.TempDir(), "typed")
	if err := os.WriteFile(path, []byte("4711\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	typed, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer typed.Close()
	was := os.Stdin
	os.Stdin = typed
	defer func() { os.Stdin = was }()
	var out strings.Builder
	if err := (&pinCommand{Initials: "AB"}).Run(&out); err != nil {
		t.Fatal(err)
	}
	var c staff.Config
	if err := conf.Parse("agent.yaml", []byte(out.String()), &c); err != nil {
		t.Fatal(err)
	}
	people, err := staff.New(c, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := people.Check("AB", "4711"); err != nil || strings.Contains(out.String(), "4711") {
		t.Errorf("%v\n%s", err, out.String())
	}
}
