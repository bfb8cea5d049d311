// Command branchline-hub collects the stock movements of all branches and posts
// them to Odoo, each exactly once; what it cannot post waits for a person.
//
// This file holds the command line and the exit codes; what runs is in
// package app.
package main

import (
	"fmt"
	"os"

	"github.com/alecthomas/kong"

	"branchline/internal/fault"
	"branchline/internal/usage"
)

// version is set when a release is built.
var version = "dev"

type commands struct {
	Run   runCommand   `cmd:"" help:"Run the hub, on the console or as the service that is installed."`
	Check checkCommand `cmd:"" help:"Read the configuration, say what is wrong with it, and end."`

	Exceptions    exceptionsCommand     `cmd:"" help:"List what waits for a person."`
	Retry         decideCommand         `cmd:"" help:"Try exceptions again, when what they wait for has been mended."`
	Release       decideCommand         `cmd:"" help:"Post exceptions as they are, when a person has looked and they are right."`
	Discard       decideCommand         `cmd:"" help:"Take exceptions out for good: they never reach Odoo."`
	Settle        settleCommand         `cmd:"" help:"Say that a document in Odoo which keeps its branch from being posted has been put right there."`
	Alias         aliasCommands         `cmd:"" help:"Say which product of Odoo a code means, list what was said, take it back."`
	Movements     movementsCommand      `cmd:"" help:"List movements with their way to Odoo."`
	Transfers     transfersCommand      `cmd:"" help:"List what was sent from branch to branch and was not taken in as it was sent."`
	Postings      postingsCommand       `cmd:"" help:"List the documents made or to be made in Odoo."`
	Branches      branchesCommand       `cmd:"" help:"List the branches, which are connected, what of them waits, and what stands still."`
	Verify        verifyCommand         `cmd:"" help:"Check the audit trail and every branch's chain."`
	Replenishment replenishmentCommands `cmd:"" help:"Tell what branches run low of, and have Odoo order it."`
	Reconcile     reconcileCommands     `cmd:"" help:"Compare the branches with Odoo, and say what is otherwise."`
	Audit         auditCommands         `cmd:"" help:"Read the audit trail, and prove that nothing in it was altered."`
	Rebuild       rebuildCommand        `cmd:"" help:"Make what follows from the batches anew, from the first batch on."`
	Backup        backupCommand         `cmd:"" help:"Copy the ledger of the running hub into a file."`
	Restored      restoredCommand       `cmd:"" help:"Say that what had to be done after the ledger was put back from a backup is done: its warning ends."`
	Configuration configurationCommands `cmd:"" name:"config" help:"Look at the configuration of the branches in its folder: check it, print what counts at a branch."`
	Broker        brokerCommands        `cmd:"" help:"Write what a broker needs that is not the hub's own."`
	Branch        branchCommands        `cmd:"" help:"Say which PC is which branch's: make enrolment codes, list, revoke."`
	User          userCommands          `cmd:"" help:"Look after those who may use the control room."`
	Secret        secretCommand         `cmd:"" help:"Make a branch's secret and the line for hub.yaml."`

	Install   controlCommand `cmd:"" help:"Install the service."`
	Uninstall controlCommand `cmd:"" help:"Uninstall the service; the ledger stays."`
	Start     controlCommand `cmd:"" help:"Start the installed service."`
	Stop      controlCommand `cmd:"" help:"Stop the service."`
	Status    controlCommand `cmd:"" help:"Say whether the service is installed and running."`
	Version   versionCommand `cmd:"" help:"Print the version."`
}

// configFlag is in every command that needs the configuration.
type configFlag struct {
	Config string `help:"Configuration file." default:"${config}" type:"path"`
}

// Exit codes, repeated in the help.
const (
	exitFailure = 1 // something failed while running
	exitUsage   = 2 // the command line or the configuration is wrong
	exitDamage  = 3 // verify found something
)

const description = `Collects all branches' stock movements and posts them to Odoo.

Exit codes: 0 done, 1 failed, 2 wrong command line or configuration, 3 the ledger is not intact.`

func main() {
	var c commands
	parser := kong.Must(&c, kong.Name("branchline-hub"), kong.Description(description),
		kong.Vars{"config": defaultConfig()}, kong.UsageOnError())
	ctx, err := parser.Parse(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "branchline-hub:", usage.Explain(parser, err))
		os.Exit(exitUsage)
	}
	if err := ctx.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "branchline-hub:", err)
		os.Exit(exitCode(err))
	}
}

func exitCode(err error) int {
	switch fault.CodeOf(err) {
	case "bad_configuration":
		return exitUsage
	case "ledger_damaged", "audit_altered":
		return exitDamage
	}
	return exitFailure
}

type versionCommand struct{}

func (versionCommand) Run() error {
	fmt.Println("branchline-hub", version)
	return nil
}
