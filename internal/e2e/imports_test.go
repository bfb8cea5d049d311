package e2e

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// The direction of imports: internal packages know neither agent nor hub, the
// two never know each other, and a stage knows its side's store and words but
// no other stage. The control room (room, and access to it) stands beside the
// stages and knows none; what people and programs see of it (web, api, alert)
// knows it. Only app, config and main join them.
func TestImportsGoOneWay(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}}{{range .Imports}} {{.}}{{end}}`, "branchline/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	// What every stage of a side may know.
	shared := []string{"agent/outbox", "agent/scan", "agent/counter", "hub/ledger"}
	desks, room := []string{"hub/web", "hub/api", "hub/alert"}, []string{"hub/room", "hub/access"}
	joins := []string{"agent", "agent/app", "agent/config", "hub", "hub/app", "hub/config", "hub/room/roomtest"}
	// Command line tools and the rig stand above everything.
	above := []string{"internal/demo"}
	packages := 0
	for line := range strings.Lines(string(out)) {
		f := strings.Fields(strings.ReplaceAll(line, "branchline/", ""))
		from := f[0]
		packages++
		for _, to := range f[1:] {
			a, b := side(from), side(to)
			switch {
			case b == "" || slices.Contains(above, from) || slices.Contains(desks, from) && slices.Contains(room, to):
			case a == "internal" && b != "internal":
				t.Errorf("%s imports %s: internal packages know neither agent nor hub", from, to)
			case a != "internal" && b != "internal" && a != b:
				t.Errorf("%s imports %s: agent and hub do not know each other", from, to)
			case a == b && a != "internal" && !slices.Contains(joins, from) && !slices.Contains(shared, to) && !strings.HasPrefix(to, from+"/"):
				t.Errorf("%s imports %s: stages do not know each other", from, to)
			case slices.Contains(shared, from) && b == a && b != "internal" && !slices.Contains(shared, to):
				t.Errorf("%s imports %s: the store knows no stage", from, to)
			}
		}
	}
	if packages < 20 {
		t.Errorf("only %d packages were seen", packages)
	}
}

// side is agent, hub or internal; "" for what is not ours.
func side(pkg string) string {
	s, _, _ := strings.Cut(pkg, "/")
	if s == "agent" || s == "hub" || s == "internal" {
		return s
	}
	return ""
}
