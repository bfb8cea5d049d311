// Package packaging holds what installs Branchline: the systemd units, which
// the commands "install" write and the packages ship.
package packaging

import (
	"embed"
	"fmt"
)

//go:embed systemd/*.service
var units embed.FS

// SystemdUnit is the text of a unit under systemd/, "branchline-agent" or
// "branchline-hub".
func SystemdUnit(name string) (string, error) {
	b, err := units.ReadFile("systemd/" + name + ".service")
	if err != nil {
		return "", fmt.Errorf("there is no systemd unit for %s: %w", name, err)
	}
	return string(b), nil
}
