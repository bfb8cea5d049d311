package broker

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"maps"
	"net"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"

	"branchline/internal/fault"
)

// askTime bounds how long is waited to hear whether a certificate counts.
const askTime = 10 * time.Second

// certified tells why a connection is not the branch's that it says, by its
// certificate. The connection is among those that are looked at again before it is
// looked at first, so that none slips in that is revoked at this moment.
func (h *hook) certified(cl *mqtt.Client, said string) (branch, why string) {
	leaf := leafOf(cl)
	if leaf == nil {
		return "unknown", "the connection is proved by no certificate"
	}
	h.mu.Lock()
	h.proofs[cl] = leaf
	h.mu.Unlock()
	ctx, cancel := context.WithTimeout(h.ctx, askTime)
	defer cancel()
	branch, err := h.cfg.Identities.Identify(ctx, leaf, addressOf(cl))
	switch {
	case err != nil:
		why = err.Error()
	case branch != said:
		why = "the name is not the one in the certificate"
	}
	if branch == "" {
		branch = "unknown"
	}
	return branch, why
}

// addressOf is where a connection comes from, without the port.
func addressOf(cl *mqtt.Client) string {
	host, _, err := net.SplitHostPort(cl.Net.Remote)
	if err != nil {
		return cl.Net.Remote
	}
	return host
}

func leafOf(cl *mqtt.Client) *x509.Certificate {
	g, ok := cl.Net.Conn.(*guest)
	if !ok {
		return nil
	}
	c, ok := g.Conn.(*tls.Conn)
	if !ok {
		return nil
	}
	if all := c.ConnectionState().PeerCertificates; len(all) > 0 {
		return all[0]
	}
	return nil
}

// forget drops the certificate of a connection that is over.
func (h *hook) forget(cl *mqtt.Client) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.proofs, cl)
}

// lookAgain cuts connections whose certificate no longer counts, whenever it is
// asked to, until ctx ends.
func (h *hook) lookAgain(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-h.recheck:
		}
		h.mu.Lock()
		all := maps.Clone(h.proofs)
		h.mu.Unlock()
		for cl, leaf := range all {
			if cl.Closed() {
				h.forget(cl) // it never came as far as OnDisconnect
				continue
			}
			asked, cancel := context.WithTimeout(ctx, askTime)
			err := h.cfg.Identities.Counts(asked, leaf)
			cancel()
			if fault.ClassOf(err) == fault.Data {
				h.broker.register.log.Warn("a connection is cut", "branch", branchOf(cl), "remote", cl.Net.Remote, "err", err)
				cl.Stop(err)
			}
		}
	}
}
