package odoo

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"branchline/internal/fault"
	"branchline/internal/movement"
)

func TestConfig(t *testing.T) {
	good := Config{URL: "https://odoo.example.com/", DB: "pharma", User: "hub", Key: "0123456789abcdef"}
	full, err := good.filled()
	if err != nil || full.URL != "https://odoo.example.com" || full.Transport != Auto || full.Timeout != DefaultTimeout || full.MaxResponse != DefaultMaxResponse {
		t.Errorf("%+v, %v", full, err)
	}
	cases := map[string]struct {
		change func(*Config)
		names  string
	}{
		"no address":                {func(c *Config) { c.URL = "" }, "url"},
		"no scheme":                 {func(c *Config) { c.URL = "odoo.example.com" }, "url"},
		"another scheme":            {func(c *Config) { c.URL = "ftp://odoo.example.com" }, "url"},
		"a password in the address": {func(c *Config) { c.URL = "https://hub:0123456789abcdef@odoo.example.com" }, "url"},
		"a question":                {func(c *Config) { c.URL = "https://odoo.example.com/?db=x" }, "url"},
		"no database":               {func(c *Config) { c.DB = "" }, "db"},
		"a header smuggled in":      {func(c *Config) { c.DB = "a\r\nX: y" }, "db"},
		"no key":                    {func(c *Config) { c.Key = "" }, "key"},
		"a key with its line end":   {func(c *Config) { c.Key = "0123456789abcdef\n" }, "key"},
		"no user":                   {func(c *Config) { c.User = "" }, "user"},
		"an unknown transport":      {func(c *Config) { c.Transport = "soap" }, "transport"},
		"a negative timeout":        {func(c *Config) { c.Timeout = -time.Second }, "timeout"},
		"a tiny answer":             {func(c *Config) { c.MaxResponse = 10 }, "max_response"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			cfg := good
			c.change(&cfg)
			err := cfg.Validate()
			if err == nil || !strings.HasPrefix(err.Error(), c.names+":") || strings.Contains(err.Error(), "0123456789abcdef") {
				t.Errorf("%v", err)
			}
			if _, err := New(cfg); fault.ClassOf(err) != fault.Setup {
				t.Errorf("%v", err)
			}
		})
	}
	jsonOnly := good
	jsonOnly.User, jsonOnly.Transport = "", JSON2
	if err := jsonOnly.Validate(); err != nil {
		t.Errorf("JSON-2 needs no user: %v", err)
	}
}

func TestKeyNeverShows(t *testing.T) {
	const secret = "0123456789abcdef"
	cfg := Config{URL: "https://odoo.example.com", DB: "d", User: "u", Key: secret}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "cfg", cfg, "key", cfg.Key)
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "cfg", cfg, "key", cfg.Key)
	j, _ := json.Marshal(cfg.Key)
	for _, s := range []string{fmt.Sprint(cfg), fmt.Sprintf("%v %+v %#v %s %q %x %d", cfg.Key, cfg, cfg, cfg.Key, cfg.Key, cfg.Key, cfg.Key), log.String(), string(j)} {
		if strings.Contains(s, secret) || strings.Contains(s, "30313233") {
			t.Errorf("the key shows in %s", s)
		}
	}
	if got := cfg.Key.scrub("Access denied for " + secret); strings.Contains(got, secret) {
		t.Error(got)
	}
}

func TestRefusalClasses(t *testing.T) {
	trace := "Traceback (most recent call last):\n  File \"x.py\", line 1\n"
	cases := map[string]struct {
		fault int
		text  string
		class fault.Class
		code  string
	}{
		"Odoo's words":          {2, "You need to supply a Lot/Serial Number", fault.Data, CodeRefused},
		"a wrong key":           {3, "Access Denied", fault.Setup, CodeDenied},
		"a missing right":       {4, "You are not allowed", fault.Setup, CodeRight},
		"serialization":         {1, trace + "psycopg2.errors.SerializationFailure: could not serialize access due to concurrent update", fault.Transient, CodeBusy},
		"a deadlock":            {1, trace + "psycopg2.errors.DeadlockDetected: deadlock detected", fault.Transient, CodeBusy},
		"no database":           {1, trace + "psycopg2.OperationalError: connection failed: FATAL:  database \"x\" does not exist", fault.Transient, CodeAway},
		"a database that is up": {1, trace + "psycopg2.OperationalError: FATAL:  the database system is starting up", fault.Transient, CodeAway},
		"all connections used":  {1, trace + "psycopg2.pool.PoolError: The Connection Pool Is Full", fault.Transient, CodeAway},
		"a wrong field":         {1, trace + "ValueError: Invalid field 'x' on model 'y'", fault.Defect, CodeDefect},
		"a missing column":      {1, trace + "psycopg2.errors.UndefinedColumn: column x does not exist", fault.Defect, CodeDefect},
		"anything else":         {1, "", fault.Defect, CodeDefect},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			err := refusal(&Error{Model: "stock.picking", Method: "create", Fault: c.fault, Text: c.text})
			if fault.ClassOf(err) != c.class || fault.CodeOf(err) != c.code || Unknown(err) {
				t.Errorf("%v %s: %v", fault.ClassOf(err), fault.CodeOf(err), err)
			}
			if strings.Contains(err.Error(), "Traceback") {
				t.Errorf("a person is shown %q", err)
			}
		})
	}
	if Unknown(errors.New("x")) || Words(errors.New("x")) != "" || Unknown(nil) {
		t.Error("an error of somebody else")
	}
}

func TestExpiryKeepsItsDay(t *testing.T) {
	d, err := movement.ParseDate("2027-02-28")
	if err != nil {
		t.Fatal(err)
	}
	for _, zone := range []string{"UTC", "Europe/Berlin", "America/Los_Angeles", "Pacific/Auckland", "Asia/Kolkata"} {
		z, err := time.LoadLocation(zone)
		if err != nil {
			t.Skipf("no time zones here: %v", err)
		}
		at := Expiry(d, z)
		if got := ExpiryDate(Time(Moment(at)), z); got != d {
			t.Errorf("%s: %v became %v", zone, d, got)
		}
	}
	if !Expiry(movement.Date{}, nil).IsZero() || !ExpiryDate(time.Time{}, nil).IsZero() || Moment(time.Time{}) != false {
		t.Error("no expiry became one")
	}
}
