package odoo_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"branchline/internal/fault"
	"branchline/internal/odoo"
)

// failing is a transport that cannot connect.
type failing struct{ err error }

func (f failing) RoundTrip(*http.Request) (*http.Response, error) { return nil, f.err }

func dial(err error) error { return &net.OpError{Op: "dial", Net: "tcp", Err: err} }

// Why Odoo cannot be reached is said so that a person can mend it.
func TestWhyOdooCannotBeReachedIsSaid(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"refused":         {dial(os.NewSyscallError("connect", syscall.ECONNREFUSED)), "refused"},
		"no host":         {dial(&net.DNSError{Err: "no such host", Name: "odoo.example.com", IsNotFound: true}), "no such host: odoo.example.com"},
		"no name server":  {dial(&net.DNSError{Err: "server misbehaving", Name: "odoo.example.com"}), "cannot be looked up"},
		"no way":          {dial(os.NewSyscallError("connect", syscall.ENETUNREACH)), "no way to that address"},
		"no answer":       {dial(os.ErrDeadlineExceeded), "within the time limit"},
		"our time limit":  {context.DeadlineExceeded, "within the time limit"},
		"no TLS":          {tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"}, "does not speak TLS"},
		"no common TLS":   {fmt.Errorf("remote error: %w", tls.AlertError(70)), "TLS cannot be agreed on"},
		"closed":          {io.EOF, "closed the connection"},
		"something else":  {dial(errors.New("the network is\nasleep")), "the network is asleep"},
		"something large": {errors.New(strings.Repeat("x", 5000)), "xxx"},
	} {
		t.Run(name, func(t *testing.T) {
			c1 := client(t, odoo.Config{URL: "https://odoo.example.com", DB: "d", User: "u", Key: "k", Transport: odoo.XMLRPC, HTTP: failing{c.err}})
			_, err := c1.Warehouses(t.Context())
			if fault.ClassOf(err) != fault.Transient || fault.CodeOf(err) != odoo.CodeAway || odoo.Unknown(err) {
				t.Errorf("%v %s", fault.ClassOf(err), fault.CodeOf(err))
			}
			if said := err.Error(); !strings.Contains(said, "cannot be reached at https://odoo.example.com: ") || !strings.Contains(said, c.want) ||
				strings.Contains(said, "\n") || len(said) > 400 {
				t.Errorf("it says %q", said)
			}
		})
	}
}

// The same with real servers.
func TestWhyAServerCannotBeReachedIsSaid(t *testing.T) {
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	for url, want := range map[string]string{
		strings.Replace(plain.URL, "http:", "https:", 1): "does not speak TLS",
		closed.URL: "refused",
	} {
		c := client(t, odoo.Config{URL: url, DB: "d", User: "u", Key: "k", Transport: odoo.XMLRPC, Timeout: 20 * time.Second})
		if _, err := c.Warehouses(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q in it", url, err, want)
		}
	}
}
