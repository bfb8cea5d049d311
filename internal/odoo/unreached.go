package odoo

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/url"
	"strings"
	"syscall"
)

// unreached says in a few words why no connection came about, for a person who
// is to mend it.
func unreached(err error) string {
	var name *net.DNSError
	var noTLS tls.RecordHeaderError
	var alert tls.AlertError
	switch {
	case errors.As(err, &name) && name.IsNotFound:
		return "no such host: " + clip(name.Name, 100)
	case errors.As(err, &name):
		return "the name " + clip(name.Name, 100) + " cannot be looked up"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "the connection is refused, nothing listens there"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "there is no way to that address in the network"
	case errors.As(err, &noTLS), strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return "the server does not speak TLS there; is the address http instead of https, or another port?"
	case errors.As(err, &alert):
		return "TLS cannot be agreed on: " + clip(alert.Error(), 200)
	case errors.Is(err, context.DeadlineExceeded), isTimeout(err):
		return "no connection within the time limit"
	case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "the server closed the connection"
	}
	// The operating system's own words, without the address, which is named
	// already.
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Err != nil {
		err = op.Err
	}
	return clip(oneLine(err.Error()), 200)
}

func isTimeout(err error) bool {
	t, ok := errors.AsType[net.Error](err)
	return ok && t.Timeout()
}
