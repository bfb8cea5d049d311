//go:build linux

package e2e

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"branchline/internal/odoo"
	"branchline/internal/odoo/odootest"
	"branchline/internal/rig"
)

// office is a hub with one branch, and a person at the hub's command line.
type office struct {
	t   *testing.T
	ctx context.Context
	bin string
	*rig.Rig
	desk *rig.Desk
	// odoo is the office's own view of Odoo.
	odoo *odoo.Client
}

func newOffice(t *testing.T) *office { return officeOf(t, 1) }

// officeOf is an office with that many branches.
func officeOf(t *testing.T, branches int) *office {
	t.Helper()
	o := officeAs(t, branches, false)
	if err := o.Start(o.ctx); err != nil {
		t.Fatal(err)
	}
	return o
}

// officeAs is an office of which nothing runs yet; enrolled has its branches prove
// themselves by certificates.
func officeAs(t *testing.T, branches int, enrolled bool) *office {
	t.Helper()
	o := &office{t: t, bin: programs(t)}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	t.Cleanup(cancel)
	o.ctx = ctx
	sim := odootest.New(odootest.Options{Version: 18})
	url, err := sim.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sim.Down)
	cfg := odoo.Config{URL: url, DB: odootest.DefaultDB, User: odootest.DefaultUser, Key: odootest.DefaultKey}
	client, err := odoo.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	o.odoo = client
	chain, err := rig.NewChain(ctx, client, "77", branches)
	if err != nil {
		t.Fatal(err)
	}
	if o.Rig, err = rig.New(rig.Options{Dir: t.TempDir(), Bin: o.bin, Odoo: cfg, Chain: chain, DispensingEvery: 100 * time.Millisecond, DeliveriesEvery: time.Second, Enrolled: enrolled}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := o.Stop(); err != nil {
			t.Error(err)
		}
	})
	return o
}

// hub runs a command of the hub and gives what it says and its exit code.
func (o *office) hub(args ...string) (said string, code int) {
	o.t.Helper()
	cmd := exec.CommandContext(o.ctx, filepath.Join(o.bin, "branchline-hub"), append(args, "--config", filepath.Join(o.Dir, "hub.yaml"))...)
	out, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		o.t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// ok runs a command that must succeed and say all of want.
func (o *office) ok(args []string, want ...string) string {
	o.t.Helper()
	said, code := o.hub(args...)
	o.says(args, said, code, 0, want)
	return said
}

// no runs a command that must fail and say all of want.
func (o *office) no(args []string, want ...string) {
	o.t.Helper()
	said, code := o.hub(args...)
	o.says(args, said, code, 1, want)
}

func (o *office) says(args []string, said string, code, wantCode int, want []string) {
	o.t.Helper()
	if code != wantCode {
		o.t.Errorf("%s ends with %d:\n%s", strings.Join(args, " "), code, said)
	}
	for _, w := range want {
		if !strings.Contains(said, w) {
			o.t.Errorf("%s does not say %q:\n%s", strings.Join(args, " "), w, said)
		}
	}
}

// until waits until a command says it.
func (o *office) until(want string, args ...string) {
	o.t.Helper()
	if err := rig.Until(o.ctx, fmt.Sprintf("%v says %q", args, want), func() (bool, error) {
		said, _ := o.hub(args...)
		return strings.Contains(said, want), nil
	}); err != nil {
		said, _ := o.hub(args...)
		o.t.Fatalf("%v; it says:\n%s", err, said)
	}
}

// tells waits until a page, of the hub or of a branch, has the words, or no longer.
func (o *office) tells(page, words string, want bool) {
	o.t.Helper()
	if err := rig.Until(o.ctx, fmt.Sprintf("%s tells %q: %v", page, words, want), func() (bool, error) {
		status, body, err := o.look(page)
		return status == http.StatusOK && strings.Contains(body, words) == want, err
	}); err != nil {
		o.t.Error(err)
	}
}

// look opens a page, of the control room as its administrator.
func (o *office) look(page string) (status int, body string, err error) {
	if path, ok := strings.CutPrefix(page, o.HubPage); ok {
		if o.desk == nil {
			o.desk = o.Desk()
		}
		return o.desk.Get(o.ctx, "/"+path)
	}
	res, err := http.Get(page)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	return res.StatusCode, string(text), err
}

func (o *office) drop(name string, rows ...string) {
	o.t.Helper()
	text := "receipt;line;time;patient;born;gtin;lot;qty;initials\n"
	for i, r := range rows {
		text += strings.Replace(r, "TIME", time.Now().UTC().Add(time.Duration(i)*time.Second).Format(time.DateTime), 1) + "\n"
	}
	if err := o.Agents[0].DropExport(name, text); err != nil {
		o.t.Fatal(err)
	}
}

// id finds the movement of an exception by a part of its line.
func (o *office) id(part string) string {
	o.t.Helper()
	said, _ := o.hub("exceptions")
	for line := range strings.Lines(said) {
		if strings.Contains(line, part) {
			return strings.Fields(line)[0]
		}
	}
	o.t.Fatalf("no exception with %q:\n%s", part, said)
	return ""
}

// What waits for a person can be settled from the command line, each list says
// how, and a mistake at it is told and changes nothing.
func TestDecidingFromTheCommandLine(t *testing.T) {
	o := newOffice(t)
	paracetamol := o.Chain.Products[3]
	branch := o.Chain.Branches[0].Code
	o.until("connected since", "branches")
	o.ok([]string{"branches"}, branch+"  connected since", "nothing received yet")
	o.drop("a.csv",
		"R1;1;TIME;Erika;1958-03-14;04099999999996;;1;CD", // unknown product
		"R1;2;TIME;Erika;1958-03-14;"+paracetamol.GTIN+";;5000;CD",
		"R1;3;TIME;Erika;1958-03-14;"+paracetamol.GTIN+";;two;CD",
		"R1;4;TIME;Erika;1958-03-14;"+paracetamol.GTIN+";;1;CD")
	o.until("3 wait for a person", "exceptions")
	unknown, many, bad := o.id("unknown_product"), o.id("implausible_quantity"), o.id("bad_quantity")

	o.ok([]string{"check"}, "branch "+branch+": warehouse Branch "+branch, "logged in as")
	o.ok([]string{"exceptions"}, "alias set gtin \"04099999999996\" REFERENCE --why", "branchline-hub release "+many, "branchline-hub discard "+bad)
	o.ok([]string{"exceptions"}, "    file:  a.csv, line 2\n")
	o.ok([]string{"movements"}, "dispense that could not be read, from a.csv:4: exception", "dispense 5000 of gtin "+paracetamol.GTIN)
	o.no([]string{"exceptions", "--branch", "BR99"}, "no branch \"BR99\"", branch)
	o.no([]string{"exceptions", "--reason", "unknown"}, "no exception has or had", "unknown_product")
	o.no([]string{"postings", "--state", "done"}, "planned")
	o.no([]string{"movements", "--branch", "BR99"}, branch)

	why := []string{"--why", "looked at it"}
	with := func(args ...string) []string { return append(args, why...) }
	o.no(with("retry", bad), "release posts it as it is, branchline-hub discard takes it out")
	o.no(with("release", bad), "cannot be released: nothing can be read from it")
	o.no([]string{"discard", bad, "--why", "  "}, "a decision needs a word why")
	o.no(with("discard", strings.Replace(bad, branch, "BR99", 1)), "BR99")
	o.no(with("discard", "nonsense"), "name it as branchline-hub exceptions does")
	if said, code := o.hub("discard", bad); code != 2 || !strings.Contains(said, "--why") {
		t.Errorf("without a word why it ends with %d:\n%s", code, said)
	}
	o.no(with("alias", "set", "gtin", "04099999999990", "BL77-04"), "check digit")
	o.no(with("alias", "set", "pzn", "01234560", "BL77-04", "--ahead"), "check digit")
	o.no(with("alias", "set", "ndc", "hello", "BL77-04", "--ahead"), "not an NDC")
	o.no(with("alias", "set", "gtin", "04012345678901", "BL77-04"), "no movement ever came with")
	o.no(with("alias", "set", "barcode", "04099999999996", "BL77-04"), "gtin ndc pzn hibc sku")
	o.no(with("alias", "set", "gtin", "04099999999996", "NONE"), "0 products of Odoo")
	o.no(with("alias", "set", "gtin", paracetamol.GTIN, "BL77-01"), "Odoo itself knows", "it is Paracetamol", "(BL77-04)", "--overrule")
	o.ok([]string{"exceptions"}, "3 wait for a person")

	o.ok(with("alias", "set", "gtin", "04099999999996", "BL77-04"), "means Paracetamol", "1 exceptions go on")
	o.ok([]string{"alias", "list"}, "gtin 04099999999996  means Paracetamol", "looked at it")
	o.ok(with("release", many), "1 released", "still checked against Odoo")
	o.ok([]string{"exceptions", "--reason", "implausible_quantity"}, "0 wait for a person")
	o.ok(with("discard", bad), "1 discarded")
	o.no(with("discard", bad), "1 of the 1 named wait for nobody")
	o.no(with("settle", "BL/"+branch+"/x"), "keeps its branch from being posted", "there are none so far")
	o.no([]string{"settle", "x", "--why", " "}, "a decision needs a word why")
	o.until("0 wait for a person", "exceptions")
	if err := rig.Until(o.ctx, "all of it is in Odoo", func() (bool, error) {
		stock, err := o.Chain.Stock(o.ctx, o.Chain.Branches[0])
		return stock[rig.Item{GTIN: paracetamol.GTIN}] == -5002, err
	}); err != nil {
		said, _ := o.hub("movements")
		t.Fatalf("%v\n%s", err, said)
	}
	o.ok(with("alias", "remove", "gtin", "04099999999996"), "0 movements are looked at again")
	o.no(with("alias", "remove", "gtin", "04099999999996"), "no alias says")
	o.ok([]string{"alias", "list"}, "No alias was made.")
	o.ok([]string{"verify"}, "the chain is whole")
	o.until(unknown, "movements") // nothing of it is gone
}

// A hub is put back from last night's backup as the README says it: nothing is
// lost, and nothing posted twice.
func TestAHubIsPutBackFromABackup(t *testing.T) {
	o := newOffice(t)
	paracetamol := o.Chain.Products[3]
	posted := func(want float64) {
		t.Helper()
		if err := rig.Until(o.ctx, fmt.Sprintf("%g in Odoo", want), func() (bool, error) {
			stock, err := o.Chain.Stock(o.ctx, o.Chain.Branches[0])
			return stock[rig.Item{GTIN: paracetamol.GTIN}] == want, err
		}); err != nil {
			said, _ := o.hub("movements")
			t.Fatalf("%v\n%s", err, said)
		}
	}
	o.drop("monday.csv", "R1;1;TIME;Erika;1958-03-14;"+paracetamol.GTIN+";;1;CD")
	posted(-1)
	why := []string{"--why", "looked at it"}
	for _, code := range []string{"04099999999996", "04099999999989"} {
		o.ok(append([]string{"alias", "set", "gtin", code, "BL77-04", "--ahead"}, why...), "means Paracetamol")
	}
	backup := filepath.Join(o.Dir, "backup.db")
	o.ok([]string{"backup", backup}, "The ledger is copied to")
	o.drop("tuesday.csv", "R2;1;TIME;Erika;1958-03-14;"+paracetamol.GTIN+";;2;CD", "R2;2;TIME;Erika;1958-03-14;"+paracetamol.GTIN+";;4;CD")
	posted(-7)
	o.ok(append([]string{"alias", "remove", "gtin", "04099999999996"}, why...), "means nothing of its own any more")

	if err := o.Hub.Stop(); err != nil {
		t.Fatal(err)
	}
	ledger := filepath.Join(o.Dir, "hub", "ledger.db")
	for _, end := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(ledger + end); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	if err := os.Rename(backup, ledger); err != nil {
		t.Fatal(err)
	}
	if err := o.Hub.Start(o.ctx); err != nil {
		t.Fatal(err)
	}
	o.drop("wednesday.csv", "R3;1;TIME;Erika;1958-03-14;"+paracetamol.GTIN+";;8;CD")
	posted(-15)
	o.until("4 received", "branches")
	o.ok([]string{"branches"}, "The ledger was put back from a backup of "+time.Now().UTC().Format("2006-01-02"), "aliases")
	for _, page := range []string{o.HubPage, o.HubPage + "healthz"} {
		o.tells(page, "The ledger was put back from a backup of ", true)
	}
	// What the backup brings back of aliases is not posted by until a person has
	// looked: one had been taken back.
	o.drop("thursday.csv", "R4;1;TIME;Erika;1958-03-14;04099999999996;;100;CD", "R4;2;TIME;Erika;1958-03-14;04099999999989;;16;CD",
		"R4;3;TIME;Erika;1958-03-14;"+paracetamol.GTIN+";;32;CD")
	posted(-47)
	o.tells(o.HubPage, "goods wait whose code has an alias from before the ledger was put back", true)
	o.ok([]string{"alias", "list"}, "held since the ledger was put back")
	o.ok(append([]string{"alias", "remove", "gtin", "04099999999996"}, why...), "means nothing of its own any more")
	o.ok(append([]string{"alias", "confirm"}, why...), "1 alias holds again")
	posted(-63)
	o.until("unknown_product", "exceptions")
	o.ok([]string{"verify"}, "the chain is whole")
}
