// Package config is the agent's configuration file, put together from what
// each stage needs.
package config

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"

	"branchline/agent/capture"
	"branchline/agent/dispense"
	"branchline/agent/outbox"
	"branchline/agent/receive"
	"branchline/agent/staff"
	"branchline/agent/uplink"
	"branchline/internal/conf"
	"branchline/internal/logging"
	"branchline/internal/movement"
	"branchline/internal/webserver"
)

// Config is agent.yaml.
type Config struct {
	// Branch is the branch's code, as the hub knows it.
	Branch string `yaml:"branch"`
	// DataDir is the folder that belongs to the agent alone: outbox, log,
	// control socket. It must be on a local disk.
	DataDir string `yaml:"data_dir"`

	Hub     uplink.Config    `yaml:"hub"`
	Outbox  outbox.Config    `yaml:"outbox"`
	Capture capture.Config   `yaml:",inline"`
	Receive receive.Config   `yaml:"receiving"`
	Exports dispense.Config  `yaml:",inline"`
	Staff   staff.Config     `yaml:",inline"`
	Web     webserver.Config `yaml:"web"`
	Log     logging.Config   `yaml:"log"`

	// Fingerprint is the same for the same file; [Load] sets it.
	Fingerprint string `yaml:"-"`
}

// Default is a configuration that lacks only what differs by branch.
func Default() Config {
	return Config{
		Hub:     uplink.DefaultConfig(),
		Outbox:  outbox.DefaultConfig(),
		Receive: receive.DefaultConfig(),
		Web:     webserver.Config{Listen: "127.0.0.1:8780"},
		Log:     logging.Default(),
	}
}

// Load reads agent.yaml and the secret it names. Errors are faults of class
// Setup and code "bad_configuration", in one line.
func Load(path string) (Config, error) {
	c := Default()
	if err := conf.Load(path, &c); err != nil {
		return c, err
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return c, conf.Wrap(path, err)
	}
	sum := sha256.Sum256(text)
	c.Fingerprint = hex.EncodeToString(sum[:4])
	if err := c.Hub.Secret.Resolve("hub.secret_file", filepath.Dir(path)); err != nil {
		return c, conf.Wrap(path, err)
	}
	return c, nil
}

// IdentityFolder is where the agent keeps what proves it to be its branch's.
func IdentityFolder(c *Config) string { return filepath.Join(c.DataDir, "identity") }

// Validate fills in what follows from other settings, and checks all.
func (c *Config) Validate() error {
	if !movement.ValidBranch(c.Branch) {
		return conf.Bad("branch", c.Branch, "must be the branch's code: 1 to 32 letters, digits, - and _")
	}
	if !filepath.IsAbs(c.DataDir) {
		return conf.Bad("data_dir", c.DataDir, "must be an absolute path")
	}
	c.Hub.Branch, c.Outbox.Branch = c.Branch, c.Branch
	if c.Outbox.Path == "" {
		c.Outbox.Path = filepath.Join(c.DataDir, "outbox.db")
	}
	for _, part := range []struct {
		at string
		v  conf.Validator
	}{{"hub", &c.Hub}, {"outbox", &c.Outbox}, {"", &c.Capture}, {"receiving", &c.Receive}, {"", &c.Exports}, {"", &c.Staff},
		{"web", &c.Web}, {"log", &c.Log}} {
		if err := conf.In(part.at, part.v.Validate()); err != nil {
			return err
		}
	}
	return nil
}
