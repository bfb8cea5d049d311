package main

import (
	"context"
	"fmt"
	"io"
	"os/user"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"branchline/hub/access"
	"branchline/hub/app"
	"branchline/hub/ledger"
	"branchline/internal/ui"
)

// userCommands look after people on the hub's own machine, where nobody signs in:
// the way back in when nobody else can.
type userCommands struct {
	Add      userAddCommand   `cmd:"" help:"Add a person and print a one-time password."`
	List     userListCommand  `cmd:"" help:"List who may use the control room."`
	Roles    userRolesCommand `cmd:"" help:"Give a person other roles."`
	Password userLoginCommand `cmd:"" help:"Print a new one-time password for a person, locked out or disabled or not."`
	Disable  userLoginCommand `cmd:"" help:"Keep a person from signing in; their sessions and tokens end at once."`
}

// tellUser has the running hub do something about a person.
func (f *configFlag) tellUser(u app.User) error {
	u.Who = onConsole()
	var pass string
	if err := f.ask("POST", "/user", u, &pass); err != nil {
		return err
	}
	if pass == "" {
		fmt.Println("done")
		return nil
	}
	fmt.Printf("%s signs in with this one-time password, within a week, and then chooses another:\n%s\n", access.Login(u.Login), pass)
	return nil
}

// onConsole is who acts on the hub's machine, in the audit trail.
func onConsole() string {
	if u, err := user.Current(); err == nil {
		return u.Username + " (console)"
	}
	return "console"
}

type userAddCommand struct {
	configFlag
	Login string        `arg:"" help:"What the person signs in as."`
	Role  []access.Role `help:"operator, approver, it, auditor; may be given several times." required:""`
	Name  string        `help:"The person's name."`
}

// Run adds the person.
func (c *userAddCommand) Run() error {
	return c.tellUser(app.User{Do: "add", Login: c.Login, Name: c.Name, Roles: c.Role})
}

type userRolesCommand struct {
	configFlag
	Login string        `arg:"" help:"What the person signs in as."`
	Role  []access.Role `help:"operator, approver, it, auditor; all that the person is to have." required:""`
}

// Run sets the roles.
func (c *userRolesCommand) Run() error {
	return c.tellUser(app.User{Do: "roles", Login: c.Login, Roles: c.Role})
}

type userLoginCommand struct {
	configFlag
	Login string `arg:"" help:"What the person signs in as."`
}

// Run does what the command is called.
func (c *userLoginCommand) Run(ctx *kong.Context) error {
	return c.tellUser(app.User{Do: ctx.Selected().Name, Login: c.Login})
}

type userListCommand struct{ configFlag }

// Run lists them.
func (c *userListCommand) Run() error {
	return c.withLedger(func(ctx context.Context, l *ledger.Ledger, out io.Writer) error {
		all, err := l.Users(ctx)
		for _, u := range all {
			fmt.Fprintf(out, "%s  %s; %s\n", u.Login, strings.Join(u.Roles, ", "), userWords(&u))
		}
		return err
	})
}

func userWords(u *ledger.User) string {
	words := "never signed in"
	if !u.SignedInAt.IsZero() {
		words = "signed in " + ui.Ago(time.Since(u.SignedInAt)) + " ago"
	}
	switch {
	case u.Disabled:
		words += "; disabled"
	case time.Now().Before(u.LockedUntil):
		words += "; locked out for " + ui.Ago(time.Until(u.LockedUntil))
	case u.OneTime:
		words += "; has a one-time password"
	}
	return words
}
