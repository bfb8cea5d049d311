//go:build linux

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"branchline/internal/rig"
)

// enroll runs the agent's command for a configuration and gives what it says.
func (o *office) enroll(config, code string, env ...string) (said string, err error) {
	cmd := exec.CommandContext(o.ctx, filepath.Join(o.bin, "branchline-agent"), "enroll", "--config", config, "--hub", o.Door)
	cmd.Stdin, cmd.Env = strings.NewReader(code+"\n"), append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// newCode has one made and gives it.
func (o *office) newCode(branch string) string {
	o.t.Helper()
	code, _, _ := strings.Cut(o.ok([]string{"branch", "add", branch}, "branchline-agent enroll"), "\n")
	return code
}

// another is an agent of the same branch in a folder of its own.
func (o *office) another(name string) (agent *rig.Process, config, dir string) {
	o.t.Helper()
	first := o.Agents[0]
	text, err := os.ReadFile(filepath.Join(o.Dir, first.Branch.Code+".yaml"))
	if err != nil {
		o.t.Fatal(err)
	}
	port, err := rig.FreePort()
	if err != nil {
		o.t.Fatal(err)
	}
	dir, config = filepath.Join(o.Dir, name), filepath.Join(o.Dir, name+".yaml")
	host := fmt.Sprintf("127.0.0.1:%d", port)
	own := strings.NewReplacer("data_dir: "+first.Dir, "data_dir: "+dir, strings.TrimSuffix(strings.TrimPrefix(first.Page, "http://"), "/"), host,
		"folder: "+first.Exports, "folder: "+filepath.Join(dir, "exports")).Replace(string(text))
	own = own[:strings.Index(own, "scanners:")] + own[strings.Index(own, "exports:"):] // it has none
	if err := os.MkdirAll(filepath.Join(dir, "exports"), 0o700); err != nil {
		o.t.Fatal(err)
	}
	if err := os.WriteFile(config, []byte(own), 0o600); err != nil {
		o.t.Fatal(err)
	}
	agent = &rig.Process{Name: name, Program: filepath.Join(o.bin, "branchline-agent"), Args: []string{"run", "--config", config},
		Health: "http://" + host + "/healthz", LogFile: filepath.Join(o.Dir, name+".log")}
	o.t.Cleanup(func() { _ = agent.Stop() })
	return agent, config, dir
}

// A branch's PC from the first code to the last: it records before it is enrolled, is
// enrolled while it runs, sends, is replaced, copied and revoked.
func TestTheLifeOfABranchsPC(t *testing.T) {
	o := officeAs(t, 1, true)
	if err := o.Start(o.ctx); err != nil {
		t.Fatal(err)
	}
	branch := o.Agents[0].Branch.Code
	config := filepath.Join(o.Dir, branch+".yaml")
	product := o.Chain.Products[3].GTIN
	o.drop("a.csv", "R1;1;TIME;Erika;1958-03-14;"+product+";;1;CD")
	o.ok([]string{"branch", "list"}, branch+"  not enrolled")
	o.no([]string{"branch", "add", "BR99"}, "there is no branch")

	code := o.newCode(branch)
	if said, err := o.enroll(config, code); err != nil || !strings.Contains(said, "This PC is branch "+branch) {
		t.Fatalf("%v: %s", err, said)
	}
	o.until(branch+"  connected since", "branches")
	o.until("1 received", "branches")
	if said, err := o.enroll(filepath.Join(o.Dir, branch+".yaml"), strings.Replace(code, "BL", "XX", 1)); err == nil || !strings.Contains(said, "begins with BL") {
		t.Errorf("a mistyped code: %v: %s", err, said)
	}

	// Another PC takes its place.
	second, secondConfig, secondDir := o.another("second")
	if said, err := o.enroll(secondConfig, code); err == nil || !strings.Contains(said, "used already") {
		t.Errorf("the code again: %v: %s", err, said)
	}
	if said, err := o.enroll(secondConfig, o.newCode(branch)); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	o.until("not connected since", "branches")
	if err := second.Start(o.ctx); err != nil {
		t.Fatal(err)
	}
	o.until(branch+"  connected since", "branches")
	o.ok([]string{"branch", "list"}, "before: ", ", replaced on ")
	o.drop("b.csv", "R2;1;TIME;Erika;1958-03-14;"+product+";;1;CD") // at the PC that was replaced
	o.until("1 received", "branches")

	// Its disk is copied, and both run.
	third, _, thirdDir := o.another("third")
	if err := os.CopyFS(filepath.Join(thirdDir, "identity"), os.DirFS(filepath.Join(secondDir, "identity"))); err != nil {
		t.Fatal(err)
	}
	if err := third.Start(o.ctx); err != nil {
		t.Fatal(err)
	}
	o.until("keep taking each other's place", "branch", "list")
	if err := third.Stop(); err != nil {
		t.Error(err)
	}

	o.ok([]string{"branch", "revoke", branch, "--why", "stolen"}, "kept out from now on")
	o.until("not connected since", "branches")
	o.ok([]string{"branch", "list"}, "not enrolled", ", revoked on ")
	o.ok([]string{"audit", "list"}, "enrolment code made", "enrolled", "revoked")
	for _, log := range []string{"hub.log", branch + ".log", "second.log"} {
		text, err := os.ReadFile(filepath.Join(o.Dir, log))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), code) || strings.Contains(string(text), strings.Join(strings.Split(code, "-")[6:10], "")) {
			t.Errorf("%s holds the code", log)
		}
	}
}

// Whoever dies at whatever step of an enrolment: the same code makes the same PC the
// branch's, once.
func TestKillsWhileAPCIsEnrolled(t *testing.T) {
	o := officeAs(t, 1, true)
	branch := o.Agents[0].Branch.Code
	config := filepath.Join(o.Dir, branch+".yaml")
	enrolled := 0
	for _, step := range []string{"fleet.before-commit", "fleet.committed"} {
		o.Hub.Env = []string{"BRANCHLINE_KILL_AT=" + step}
		if err := o.Hub.Start(o.ctx); err != nil {
			t.Fatal(err)
		}
		code := o.newCode(branch)
		if said, err := o.enroll(config, code); err == nil {
			t.Fatalf("%s: %s", step, said)
		}
		<-o.Hub.Done()
		if !o.Hub.Killed() {
			t.Fatalf("the hub did not die at %s", step)
		}
		o.Hub.Env = nil
		if err := o.Hub.Start(o.ctx); err != nil {
			t.Fatal(err)
		}
		if said, err := o.enroll(config, code); err != nil {
			t.Fatalf("%s: %v: %s", step, err, said)
		}
		enrolled++
		if err := o.Hub.Stop(); err != nil {
			t.Fatal(err)
		}
	}
	if err := o.Hub.Start(o.ctx); err != nil {
		t.Fatal(err)
	}
	for _, step := range []string{"identity.granted", "identity.kept"} {
		code := o.newCode(branch)
		if said, err := o.enroll(config, code, "BRANCHLINE_KILL_AT="+step); err == nil {
			t.Fatalf("%s: %s", step, said)
		}
		if said, err := o.enroll(config, code); err != nil {
			t.Fatalf("%s: %v: %s", step, err, said)
		}
		enrolled++
	}
	said := o.ok([]string{"audit", "list"})
	if n := strings.Count(said, " enrolled "); n != enrolled {
		t.Errorf("%d enrolments, want %d:\n%s", n, enrolled, said)
	}
	if err := o.Agents[0].Start(o.ctx); err != nil {
		t.Fatal(err)
	}
	o.until(branch+"  connected since", "branches")
}
