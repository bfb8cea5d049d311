//go:build !windows

package conf

import (
	"fmt"
	"os"
)

// NotLookedAt ends a list of what a check leaves out, where it leaves out who
// may read a secret.
const NotLookedAt = ""

// exposure says in words when every user of the machine may read the file.
// Its group may: a service's user is put there by who installs it.
func exposure(path string) string {
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm()&0o007 == 0 {
		return ""
	}
	return fmt.Sprintf("every user of this machine may open %s (mode %04o): chmod o= %[1]s, and change the secret if somebody may have read it",
		path, info.Mode().Perm())
}
