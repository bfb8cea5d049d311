// Command branchline-agent carries a branch's stock movements to the hub: it
// reads scanners and dispensing exports, keeps every movement on the disk of
// the branch's PC, and sends what the hub has not yet confirmed.
//
// This file holds the command line and the exit codes; what runs is in
// package app.
package main

import (
	"fmt"
	"io"
	"os"

	"github.com/alecthomas/kong"

	"branchline/internal/fault"
	"branchline/internal/usage"
)

// version is set when a release is built.
var version = "dev"

type commands struct {
	Run       runCommand       `cmd:"" help:"Run the agent, on the console or as the service that is installed."`
	Check     checkCommand     `cmd:"" help:"Read the configuration, say what is wrong with it, and end."`
	Enroll    enrollCommand    `cmd:"" help:"Make this PC its branch's, with a one-time code of the hub."`
	TryExport tryExportCommand `cmd:"" help:"Show what a configured export makes of a file, without recording anything."`
	PIN       pinCommand       `cmd:"" name:"pin" help:"Make of a PIN the lines for the configuration by which somebody signs at the page."`
	Outbox    outboxCommands   `cmd:"" help:"Look into the outbox, of the running agent or of a stopped one."`
	Install   controlCommand   `cmd:"" help:"Install the service."`
	Uninstall controlCommand   `cmd:"" help:"Uninstall the service; what it has recorded stays."`
	Start     controlCommand   `cmd:"" help:"Start the installed service."`
	Stop      controlCommand   `cmd:"" help:"Stop the service."`
	Status    controlCommand   `cmd:"" help:"Say whether the service is installed and running."`
	Version   versionCommand   `cmd:"" help:"Print the version."`
}

// configFlag is in every command that needs the configuration.
type configFlag struct {
	Config string `help:"Configuration file." default:"${config}" type:"path"`
}

// Exit codes, repeated in the help.
const (
	exitFailure = 1 // something failed while running
	exitUsage   = 2 // the command line or the configuration is wrong
	exitDamage  = 3 // outbox verify found something
)

const description = `Carries this branch's stock movements to the hub.

Exit codes: 0 done, 1 failed, 2 wrong command line or configuration, 3 the outbox is not intact.`

func main() {
	var c commands
	parser := kong.Must(&c, kong.Name("branchline-agent"), kong.Description(description),
		kong.Vars{"config": defaultConfig()}, kong.UsageOnError(), kong.BindTo(os.Stdout, (*io.Writer)(nil)))
	ctx, err := parser.Parse(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "branchline-agent:", usage.Explain(parser, err))
		os.Exit(exitUsage)
	}
	if err := ctx.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "branchline-agent:", err)
		os.Exit(exitCode(err))
	}
}

func exitCode(err error) int {
	switch fault.CodeOf(err) {
	case "bad_configuration":
		return exitUsage
	case "outbox_damaged":
		return exitDamage
	}
	return exitFailure
}

type versionCommand struct{}

func (versionCommand) Run() error {
	fmt.Println("branchline-agent", version)
	return nil
}
