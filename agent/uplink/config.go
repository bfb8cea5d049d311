package uplink

import (
	"crypto/tls"
	"net"
	"net/url"
	"time"

	"branchline/internal/conf"
	"branchline/internal/fault"
	"branchline/internal/movement"
	"branchline/internal/mqttline"
	"branchline/internal/wire"
)

// Config configures the uplink.
type Config struct {
	// Branch is the branch's code.
	Branch string `yaml:"-"`
	// Server is the broker: mqtt://host:port, or mqtts://host:port with TLS. An
	// enrolled branch needs none: mqtts is used in place of what the hub says, and
	// mqtt only until it is enrolled.
	Server string `yaml:"server"`
	// Username is the branch's name at the broker; empty is the branch's code.
	Username string `yaml:"username"`
	// Secret is what the branch proves itself with, alone in its file.
	Secret conf.Secret `yaml:"secret_file"`
	// TLS is used with mqtts.
	TLS *tls.Config `yaml:"-"`

	// BatchRecords is the most records of a batch, WindowBytes the most
	// compressed bytes in flight of all streams of a lane together (one batch
	// is always let through), WindowBatches the most batches in flight of a
	// stream.
	BatchRecords  int `yaml:"batch_records"`
	WindowBytes   int `yaml:"window_bytes"`
	WindowBatches int `yaml:"window_batches"`
	// AckTimeout is how long the hub may take to answer before the uplink
	// sends again. Twice of that without any answer ends the connection.
	AckTimeout time.Duration `yaml:"ack_timeout"`
	// RefusedRetry is how long a stream waits whose batch was refused.
	RefusedRetry time.Duration `yaml:"refused_retry"`
	// ReportEvery is how often the agent reports its state.
	ReportEvery time.Duration `yaml:"report_every"`
	// MinBackoff and MaxBackoff bound the pause between two attempts to
	// connect; it grows from one to the other and is spread at random.
	MinBackoff time.Duration `yaml:"min_backoff"`
	MaxBackoff time.Duration `yaml:"max_backoff"`
	// IOTimeout bounds connecting, and the writing of one message.
	IOTimeout time.Duration `yaml:"io_timeout"`
	// KeepAlive is how often a silent line is probed.
	KeepAlive time.Duration `yaml:"keep_alive"`

	// Identity, if set, proves an enrolled branch.
	Identity Identity `yaml:"-"`

	// Dial opens the connection to the broker; nil for TCP, with TLS on top
	// for mqtts.
	Dial func(server *url.URL) (net.Conn, error) `yaml:"-"`
}

// Identity is what proves a branch. Its methods may be called at any time.
type Identity interface {
	// Line is where to connect; empty while the branch is not enrolled. An error is
	// why there is no use in connecting now.
	Line() (server string, err error)
	// TLS is what to connect with to a host.
	TLS(host string) *tls.Config
	// Changed is closed when either is another than now.
	Changed() <-chan struct{}
	// Doubt is told that a connection has failed.
	Doubt()
}

// DefaultConfig is a configuration that lacks branch, server and secret.
func DefaultConfig() Config {
	return Config{
		BatchRecords: 1000, WindowBytes: 256 << 10, WindowBatches: 8,
		AckTimeout: 30 * time.Second, RefusedRetry: 5 * time.Minute, ReportEvery: time.Minute,
		MinBackoff: time.Second, MaxBackoff: time.Minute, IOTimeout: 20 * time.Second, KeepAlive: 30 * time.Second,
	}
}

// Validate names the setting that is wrong.
func (c *Config) Validate() error {
	bad := func(format string, args ...any) error {
		return fault.New(fault.Setup, "bad_configuration", format, args...)
	}
	if !movement.ValidBranch(c.Branch) {
		return bad("branch %q is not 1 to 32 letters, digits, - and _", c.Branch)
	}
	if err := mqttline.CheckServer(c.Server); err != nil && c.Server != "" {
		return bad("server %q %w", c.Server, err)
	}
	for _, n := range []struct {
		name            string
		value, min, max int
	}{
		{"batch_records", c.BatchRecords, 1, wire.MaxBatchRecords},
		{"window_bytes", c.WindowBytes, 1 << 10, 64 << 20},
		{"window_batches", c.WindowBatches, 1, 100},
	} {
		if n.value < n.min || n.value > n.max {
			return bad("%s %d must be %d to %d", n.name, n.value, n.min, n.max)
		}
	}
	for _, d := range []struct {
		name            string
		value, min, max time.Duration
	}{
		{"ack_timeout", c.AckTimeout, 100 * time.Millisecond, time.Hour},
		{"refused_retry", c.RefusedRetry, 100 * time.Millisecond, 24 * time.Hour},
		{"report_every", c.ReportEvery, 100 * time.Millisecond, 24 * time.Hour},
		{"min_backoff", c.MinBackoff, 10 * time.Millisecond, time.Hour},
		{"max_backoff", c.MaxBackoff, c.MinBackoff, 24 * time.Hour},
		{"io_timeout", c.IOTimeout, 100 * time.Millisecond, 10 * time.Minute},
		{"keep_alive", c.KeepAlive, time.Second, 2 * time.Minute},
	} {
		if d.value < d.min || d.value > d.max {
			return bad("%s %v must be %v to %v", d.name, d.value, d.min, d.max)
		}
	}
	return nil
}

func (c *Config) username() string {
	if c.Username != "" {
		return c.Username
	}
	return c.Branch
}
