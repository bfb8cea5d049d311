package fleet

import (
	"net"
	"strings"
	"time"

	"branchline/internal/conf"
)

// Config is where branches enrol. It belongs to hub.yaml under fleet.
type Config struct {
	// Listen is the address of the door; port 0 takes any free one.
	Listen string `yaml:"listen"`
	// Names are the names and addresses by which branches reach the hub, the best
	// one first. They stand in its certificate.
	Names []string `yaml:"names"`
	// Broker is host:port of the broker as branches reach it; the first of the
	// names, with the broker's port, when left out.
	Broker string `yaml:"broker"`
	// CodeLife is for how long an enrolment code can be used.
	CodeLife time.Duration `yaml:"code_life"`
	// Configuration is where that of the branches is.
	Configuration Configuration `yaml:"configuration"`
}

// Configuration is where the configuration of the branches is kept; see package
// hub/edition.
type Configuration struct {
	// Folder is relative to hub.yaml; empty for none.
	Folder string `yaml:"folder"`
}

// DefaultConfig lacks the names.
func DefaultConfig() Config { return Config{Listen: ":8443", CodeLife: 72 * time.Hour} }

// On tells whether branches are enrolled at all.
func (c *Config) On() bool { return len(c.Names) > 0 }

// Door is the address at which branches enrol, by the best of the names.
func (c *Config) Door() string {
	_, port, err := net.SplitHostPort(c.Listen)
	if err != nil || len(c.Names) == 0 {
		return ""
	}
	return "https://" + net.JoinHostPort(c.Names[0], port)
}

const maxNames = 20

// Validate names the setting and its value.
func (c *Config) Validate() error {
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		return conf.Bad("listen", c.Listen, "is not host:port")
	}
	if len(c.Names) > maxNames {
		return conf.Bad("names", len(c.Names), "are too many, want at most 20")
	}
	for _, n := range c.Names {
		if net.ParseIP(n) == nil && !hostName(n) {
			return conf.Bad("names", n, "must be a name such as hub.example.com, or an address, without port")
		}
	}
	if c.Broker != "" {
		if host, port, err := net.SplitHostPort(c.Broker); err != nil || host == "" || port == "" || port == "0" {
			return conf.Bad("broker", c.Broker, "must be host:port as branches reach it")
		}
	}
	if c.CodeLife < time.Minute || c.CodeLife > 31*24*time.Hour {
		return conf.Bad("code_life", c.CodeLife, "must be 1m to 744h")
	}
	return nil
}

func hostName(s string) bool {
	if s == "" || len(s) > 253 {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || strings.Trim(strings.ToLower(label), "abcdefghijklmnopqrstuvwxyz0123456789-") != "" || label[0] == '-' {
			return false
		}
	}
	return true
}
