package uplink

import (
	"crypto/tls"
	"net/url"
	"strings"

	"branchline/internal/fault"
)

// target is where to connect, and with what.
type target struct {
	server, username, password string
	tls                        *tls.Config
}

// errAnother ends a session since the branch proves itself otherwise now: with a
// renewed certificate, while the one before it still counts.
var errAnother = fault.New(fault.Transient, "identity_changed", "the line is opened again with the new certificate")

// target follows the identity, and the configuration where there is none. A secret
// is never sent to a hub that the branch is enrolled at.
func (u *Uplink) target() (target, error) {
	plain := target{server: u.cfg.Server, username: u.cfg.username(), password: u.cfg.Secret.Reveal(), tls: u.cfg.TLS}
	if u.cfg.Identity == nil {
		return plain, nil
	}
	server, err := u.cfg.Identity.Line()
	if err != nil {
		return target{}, err
	}
	if server == "" {
		if plain.server == "" {
			return target{}, fault.New(fault.Setup, "not_enrolled", "this PC is not enrolled, and keeps what it records").
				WithHint("run: branchline-agent enroll --hub https://HUB:8443 --code CODE")
		}
		return plain, nil
	}
	if strings.HasPrefix(u.cfg.Server, "mqtts://") {
		server = u.cfg.Server
	}
	at, err := url.Parse(server)
	if err != nil {
		return target{}, fault.New(fault.Setup, "bad_configuration", "the broker's address %q cannot be read", server)
	}
	return target{server: server, username: u.cfg.Branch, tls: u.cfg.Identity.TLS(at.Hostname())}, nil
}

// another is closed when the branch is to prove itself otherwise than now; nil
// where that never is.
func (u *Uplink) another() <-chan struct{} {
	if u.cfg.Identity == nil {
		return nil
	}
	return u.cfg.Identity.Changed()
}
