package outbox

import (
	"time"

	"branchline/internal/fault"
	"branchline/internal/movement"
)

// Config says where the outbox lies and how much it keeps.
type Config struct {
	// Path is the file. Its folder must exist and be on a local disk; files
	// set aside and the lock file lie beside it.
	Path string `yaml:"path"`
	// Branch is the branch's code. A file belongs to one branch for ever.
	Branch string `yaml:"-"`
	// MaxBytes bounds what the file holds; at the bound capture stops with
	// "outbox_full". The file on disk can be up to 32 MiB larger. On Windows
	// the file doubles as it grows, and at the last doubling that fits under
	// the bound it is full.
	MaxBytes int64 `yaml:"max_bytes"`
	// Retention is how long a record stays after the hub has acknowledged it,
	// so that a hub restored from a backup can ask for it again.
	Retention time.Duration `yaml:"retention"`
	// KeyMemory is how long a natural key is remembered after it was recorded.
	KeyMemory time.Duration `yaml:"key_memory"`
}

// DefaultConfig keeps 2 GiB, records for 30 days after their acknowledgement,
// natural keys for 400 days. Path and Branch are left to the caller.
func DefaultConfig() Config {
	return Config{
		MaxBytes:  2 << 30,
		Retention: 30 * 24 * time.Hour,
		KeyMemory: 400 * 24 * time.Hour,
	}
}

// Validate names the first setting that cannot be used, as a fault of class
// Setup and code "invalid_setting".
func (c *Config) Validate() error {
	bad := func(format string, args ...any) error {
		return fault.New(fault.Setup, "invalid_setting", format, args...)
	}
	switch {
	case c.Path == "":
		return bad("outbox.path is missing")
	case !movement.ValidBranch(c.Branch):
		return bad("branch %q is not a branch code: 1 to 32 letters, digits, - and _", c.Branch)
	case c.MaxBytes < 1<<20:
		return bad("outbox.max_bytes %d is less than 1 MiB (1048576)", c.MaxBytes)
	case c.Retention < 0:
		return bad("outbox.retention %s is negative", c.Retention)
	case c.KeyMemory < c.Retention:
		return bad("outbox.key_memory %s is shorter than outbox.retention %s", c.KeyMemory, c.Retention)
	}
	return nil
}
