package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"branchline/agent/staff"
	"branchline/internal/fault"
)

type pinCommand struct {
	Initials string `arg:"" help:"Whose PIN it is."`
}

// Run asks for the PIN, twice where a person types it, and prints what belongs
// into the configuration. The PIN itself is shown and kept nowhere.
func (c *pinCommand) Run(w io.Writer) error {
	pin, err := readPIN()
	if err != nil {
		return err
	}
	hash, err := staff.Hash(pin)
	if err != nil {
		return err
	}
	if err := (&staff.Config{Users: []staff.User{{Initials: c.Initials, PIN: hash}}}).Validate(); err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "users:\n  - initials: %s\n    pin: %s\n", c.Initials, hash)
	return err
}

func readPIN() (string, error) {
	in := int(os.Stdin.Fd())
	if !term.IsTerminal(in) {
		line, err := bufio.NewReader(io.LimitReader(os.Stdin, 1024)).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", err
		}
		return strings.TrimRight(line, "\r\n"), nil
	}
	var typed [2]string
	for i, ask := range []string{"PIN: ", "Again: "} {
		fmt.Fprint(os.Stderr, ask)
		b, err := term.ReadPassword(in)
		fmt.Fprintln(os.Stderr)
		if err != nil {
			return "", err
		}
		typed[i] = string(b)
	}
	if typed[0] != typed[1] {
		return "", fault.New(fault.Data, "bad_pin", "the two are not the same").WithHint("type it again")
	}
	return typed[0], nil
}
