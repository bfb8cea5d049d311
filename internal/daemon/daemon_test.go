package daemon

import (
	"strings"
	"testing"

	"branchline/packaging"
)

// The unit that "install" writes is the one that the packages ship, but for
// the program's path and arguments.
func TestInstalledUnitIsThePackagedOne(t *testing.T) {
	for _, name := range []string{"branchline-agent", "branchline-hub"} {
		unit, err := packaging.SystemdUnit(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"Type=notify", "WatchdogSec=", "NoNewPrivileges=yes", "Restart=always", "DynamicUser=yes"} {
			if !strings.Contains(unit, want) {
				t.Errorf("%s lacks %s", name, want)
			}
		}
		installed := forConfig(unit, "/srv/pharmacy/x.yaml")
		if n := strings.Count(installed, "ExecStart={{Path | cmdEscape}}"); n != 1 {
			t.Errorf("%s has %d ExecStart lines for this installation, want 1", name, n)
		}
		if !strings.Contains(installed, ":/srv/pharmacy/") || strings.Contains(installed, "/etc/branchline/") {
			t.Errorf("%s has secrets of another place", name)
		}
		if strings.Contains(installed, "/usr/bin/"+name) {
			t.Errorf("%s still names the packaged program", name)
		}
	}
	if agent, _ := packaging.SystemdUnit("branchline-agent"); !strings.Contains(forConfig(agent, "/x.yaml"), "\nSetCredential=agent.secret:") {
		t.Error("the agent does not start without a secret, which an enrolled branch does not have")
	}
	if _, err := packaging.SystemdUnit("nothing"); err == nil {
		t.Error("a unit for nothing")
	}
}
