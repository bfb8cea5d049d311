package uplink

import (
	"testing"
	"time"
)

func TestConfigurationNamesTheSetting(t *testing.T) {
	sound := func() Config {
		c := DefaultConfig()
		c.Branch, c.Server = "BR01", "mqtts://hub.example:8883"
		return c
	}
	c := sound()
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*Config){
		`branch "B/1" is not 1 to 32 letters, digits, - and _`:           func(c *Config) { c.Branch = "B/1" },
		`server "hub:1883" is not mqtt://host:port or mqtts://host:port`: func(c *Config) { c.Server = "hub:1883" },
		"batch_records 0 must be 1 to 10000":                             func(c *Config) { c.BatchRecords = 0 },
		"window_bytes 5 must be 1024 to 67108864":                        func(c *Config) { c.WindowBytes = 5 },
		"window_batches 1000 must be 1 to 100":                           func(c *Config) { c.WindowBatches = 1000 },
		"ack_timeout 0s must be 100ms to 1h0m0s":                         func(c *Config) { c.AckTimeout = 0 },
		"max_backoff 1ms must be 1s to 24h0m0s":                          func(c *Config) { c.MaxBackoff = time.Millisecond },
		"keep_alive 1h0m0s must be 1s to 2m0s":                           func(c *Config) { c.KeepAlive = time.Hour },
	} {
		c := sound()
		change(&c)
		if err := c.Validate(); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

func TestAQuarrelIsCountedAtItsBatch(t *testing.T) {
	c := &course{}
	if c.quarrel(100) != 1 || c.quarrel(60) != 1 || c.quarrel(20) != 1 {
		t.Error("looking for the place of a fork counts as a quarrel")
	}
	if c.quarrel(100) != 2 {
		t.Error("coming back to the same batch does not count")
	}
	now := time.Now()
	c.sent(flight{of: "a", first: 90, through: 99, bytes: 5}, now)
	c.sent(flight{of: "b", first: 100, through: 110, bytes: 7}, now)
	c.taken(0, 10, now)
	if c.backs != 2 || c.bytes != 7 {
		t.Errorf("%+v", c)
	}
	c.taken(0, 10, now)
	if c.backs != 0 || c.bytes != 0 || c.next != 111 {
		t.Errorf("%+v", c)
	}
}
