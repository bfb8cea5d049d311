package odoo

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Transport names the protocol of a [Client].
type Transport string

const (
	// Auto asks the server for its version: JSON-2 from 19 on if it accepts the
	// key (it takes API keys, not passwords), XML-RPC otherwise.
	Auto   Transport = "auto"
	XMLRPC Transport = "xmlrpc"
	JSON2  Transport = "json2"
)

// Defaults and bounds of [Config].
const (
	DefaultTimeout     = 2 * time.Minute
	DefaultMaxResponse = 64 << 20
	minMaxResponse     = 64 << 10
)

// Config says how to reach one Odoo database.
type Config struct {
	// URL is the address of the server, "https://odoo.example.com", with a path
	// if Odoo is published under one.
	URL string
	// DB is the name of the database.
	DB string
	// User is the login, which XML-RPC needs; JSON-2 takes the key alone.
	User string
	// Key is the user's API key, or the password (XML-RPC only).
	Key Key
	// Transport is Auto if empty.
	Transport Transport
	// Timeout bounds one call from the connection to the last byte of the
	// answer; DefaultTimeout if zero. The caller's context may be shorter.
	Timeout time.Duration
	// MaxResponse is the size in bytes beyond which an answer is refused;
	// DefaultMaxResponse if zero.
	MaxResponse int64
	// Observe is told of every call; may be nil.
	Observe Observer
	// HTTP replaces the connection pool, for tests and private certificate
	// authorities; may be nil.
	HTTP http.RoundTripper
}

// Validate checks everything that can be checked without the server. The error
// names the field and its value, never the key.
func (c Config) Validate() error {
	_, err := c.filled()
	return err
}

// filled returns the configuration with defaults and a clean URL.
func (c Config) filled() (Config, error) {
	u, err := url.Parse(strings.TrimSpace(c.URL))
	switch {
	case c.URL == "":
		return c, errors.New("url: is empty; give Odoo's address, such as https://odoo.example.com")
	case err != nil:
		return c, fmt.Errorf("url: %q is no address", c.URL)
	case u.User != nil:
		return c, errors.New("url: must not hold a user or password; use user and key")
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return c, fmt.Errorf("url: %q must begin with http:// or https:// and name a server", c.URL)
	case u.RawQuery != "" || u.Fragment != "":
		return c, fmt.Errorf("url: %q must end after the path", c.URL)
	case c.DB == "":
		return c, errors.New("db: is empty; name the Odoo database")
	case strings.ContainsAny(c.DB, "\r\n"):
		return c, fmt.Errorf("db: %q holds a line break", c.DB)
	case c.Key == "":
		return c, errors.New("key: is empty; make an API key in the Odoo user's preferences, account security")
	case strings.ContainsAny(string(c.Key), "\r\n"):
		return c, errors.New("key: holds a line break")
	case c.Timeout < 0:
		return c, fmt.Errorf("timeout: %s is negative", c.Timeout)
	case c.MaxResponse < 0, c.MaxResponse > 0 && c.MaxResponse < minMaxResponse:
		return c, fmt.Errorf("max_response: %d is less than %d bytes", c.MaxResponse, minMaxResponse)
	}
	u.Path = strings.TrimRight(u.Path, "/")
	u.RawPath = ""
	c.URL = u.String()
	switch c.Transport {
	case "":
		c.Transport = Auto
	case Auto, XMLRPC, JSON2:
	default:
		return c, fmt.Errorf("transport: %q is none of auto, xmlrpc, json2", c.Transport)
	}
	if c.User == "" && c.Transport != JSON2 {
		return c, errors.New("user: is empty; XML-RPC needs the login that the key belongs to")
	}
	if c.Timeout == 0 {
		c.Timeout = DefaultTimeout
	}
	if c.MaxResponse == 0 {
		c.MaxResponse = DefaultMaxResponse
	}
	return c, nil
}
