package capture

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"strconv"
	"sync"
	"time"

	"branchline/internal/conf"
	"branchline/internal/fault"
)

// Network is the line of a scanner, or of its base station or device server,
// that speaks TCP. One of Connect and Listen is set.
type Network struct {
	// Connect is the scanner's address and port ("10.0.0.40:2001"): the agent
	// connects to it.
	Connect string `yaml:"connect"`
	// Listen is the agent's own address and port ("10.0.0.5:7001"): the
	// scanner connects to it. Without an address (":7001") it is every one.
	Listen string `yaml:"listen"`
	// From are the addresses, or networks in the form 10.0.0.0/24, that may
	// connect. With Listen it must be given: a stock record is made of whatever
	// comes in.
	From []string `yaml:"from"`
}

func (n *Network) used() bool { return n.Connect != "" || n.Listen != "" || len(n.From) > 0 }

func (n *Network) validate() error {
	switch {
	case n.Connect != "" && n.Listen != "":
		return conf.Bad("network.listen", n.Listen, "cannot be together with connect")
	case n.Connect == "" && n.Listen == "":
		return conf.Bad("network.connect", "", "must name the scanner's address and port, or listen the agent's own")
	case n.Connect != "" && len(n.From) > 0:
		return conf.Bad("network.from", n.From, "belongs to listen only")
	case n.Listen != "" && len(n.From) == 0:
		return conf.Bad("network.from", "", "must list the addresses that may connect")
	}
	name, address := "network.connect", n.Connect
	if n.Listen != "" {
		name, address = "network.listen", n.Listen
	}
	host, port, err := net.SplitHostPort(address)
	if p, perr := strconv.ParseUint(port, 10, 16); err != nil || perr != nil || p == 0 || host == "" && n.Connect != "" {
		return conf.Bad(name, address, "must be an address and a port, such as 10.0.0.40:2001")
	}
	for _, f := range n.From {
		if _, err := network(f); err != nil {
			return conf.Bad("network.from", f, "must be an address or a network, such as 10.0.0.40 or 10.0.0.0/24")
		}
	}
	return nil
}

// network reads an address as a network of one.
func network(s string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(s); err == nil {
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	return netip.ParsePrefix(s)
}

// allows tells whether a scanner at that address may connect.
func (n *Network) allows(remote net.Addr) bool {
	ap, err := netip.ParseAddrPort(remote.String())
	if err != nil {
		return false
	}
	for _, f := range n.From {
		if p, err := network(f); err == nil && p.Contains(ap.Addr().Unmap().WithZone("")) {
			return true
		}
	}
	return false
}

const (
	// dialTimeout bounds one attempt to connect.
	dialTimeout = 5 * time.Second
	// A peer that is gone without a word (its plug was pulled) is found after
	// keepIdle and keepCount questions, keepEvery apart: 45 s at most.
	keepIdle  = 15 * time.Second
	keepEvery = 10 * time.Second
	keepCount = 3
)

var keepAlive = net.KeepAliveConfig{Enable: true, Idle: keepIdle, Interval: keepEvery, Count: keepCount}

// openNetwork connects, or waits for the scanner to do so, until ctx ends. say
// is told what is waited for.
func openNetwork(ctx context.Context, n *Network, timeout time.Duration, say func(error)) (port, string, error) {
	if n.Connect != "" {
		d := net.Dialer{Timeout: dialTimeout, KeepAliveConfig: keepAlive}
		c, err := d.DialContext(ctx, "tcp", n.Connect)
		if err != nil {
			return nil, "", unreached(n.Connect, err)
		}
		return &networkPort{Conn: c, timeout: timeout}, n.Connect, nil
	}
	lc := net.ListenConfig{KeepAliveConfig: keepAlive}
	l, err := lc.Listen(ctx, "tcp", n.Listen)
	if err != nil {
		return nil, "", unlistened(n.Listen, err)
	}
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	say(fault.New(fault.Transient, "scanner_absent", "no scanner has connected to %s yet", n.Listen).
		WithHint("switch the scanner on, and compare its address with network.listen and network.from"))
	for {
		c, err := l.Accept()
		if err != nil {
			l.Close()
			return nil, "", unlistened(n.Listen, err)
		}
		if !n.allows(c.RemoteAddr()) {
			say(fault.New(fault.Setup, "scanner_not_allowed", "%s wanted to connect and is not in network.from", c.RemoteAddr()).
				WithHint("add it to network.from if it is the scanner"))
			c.Close()
			continue
		}
		p := &networkPort{Conn: c, timeout: timeout, listener: l, allowed: n.allows}
		p.wg.Go(p.replace)
		return p, c.RemoteAddr().String(), nil
	}
}

// networkPort is a line over TCP.
type networkPort struct {
	net.Conn
	timeout time.Duration

	// listener is nil on a line that the agent opened. While the line is open
	// one more connection is taken note of: a scanner that lost its power
	// connects again, and its old line must not keep the new one out.
	listener net.Listener
	allowed  func(net.Addr) bool
	wg       sync.WaitGroup
	mu       sync.Mutex
	replaced bool
}

// replace takes connections that come while this one is open: the newest one
// from an allowed address ends the line, and the scanner connects once more.
func (p *networkPort) replace() {
	for {
		c, err := p.listener.Accept()
		if err != nil {
			return
		}
		again := p.allowed(c.RemoteAddr()) && sameHost(c.RemoteAddr(), p.RemoteAddr())
		c.Close()
		if again {
			p.mu.Lock()
			p.replaced = true
			p.mu.Unlock()
		}
	}
}

func sameHost(a, b net.Addr) bool {
	x, errX := netip.ParseAddrPort(a.String())
	y, errY := netip.ParseAddrPort(b.String())
	return errX == nil && errY == nil && x.Addr() == y.Addr()
}

// errHungUp is the end of a line that the scanner closed. It is no io.EOF, which
// is a serial line's silence.
var errHungUp = errors.New("the scanner closed the connection")

func (p *networkPort) Read(b []byte) (int, error) {
	if err := p.SetReadDeadline(time.Now().Add(p.timeout)); err != nil {
		return 0, err
	}
	n, err := p.Conn.Read(b)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return n, nil
	case errors.Is(err, io.EOF):
		return n, errHungUp
	}
	return n, err
}

func (p *networkPort) Write(b []byte) (int, error) {
	if err := p.SetWriteDeadline(time.Now().Add(time.Second)); err != nil {
		return 0, err
	}
	return p.Conn.Write(b)
}

func (p *networkPort) gone() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.replaced
}

func (p *networkPort) Close() error {
	err := p.Conn.Close()
	if p.listener != nil {
		err = errors.Join(err, p.listener.Close())
	}
	p.wg.Wait()
	return err
}

func unreached(address string, err error) error {
	return fault.New(fault.Transient, "scanner_absent", "the scanner at %s cannot be reached: %w", address, err).
		WithHint("switch it on, and compare its address with network.connect")
}

func unlistened(address string, err error) error {
	if inUse(err) {
		return fault.New(fault.Transient, "scanner_port_taken", "%s is used by another program", address).
			WithHint("end the other program, or choose another port in network.listen and in the scanner")
	}
	return fault.New(fault.Transient, "scanner_unopened", "the agent cannot listen on %s: %w", address, err).
		WithHint("give the PC that address, or change network.listen")
}
