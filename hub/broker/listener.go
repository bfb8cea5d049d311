package broker

import (
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Bounds of a connection that has not yet proved who it is.
const (
	helloTime  = 10 * time.Second
	helloBytes = 4 << 10
)

// gate is a listener that bounds how many connections there are, and what one
// may do before it is admitted: the broker's own code reads the first packet
// without any limit of time.
type gate struct {
	net.Listener
	limit int

	mu     sync.Mutex
	guests map[*guest]struct{}
}

func newGate(l net.Listener, limit int) *gate {
	return &gate{Listener: l, limit: limit, guests: map[*guest]struct{}{}}
}

// Accept closes at once what comes beyond the limit, and outlasts errors of
// single connections.
func (g *gate) Accept() (net.Conn, error) {
	pause := time.Millisecond
	for {
		c, err := g.Listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil, err
		}
		if err != nil { // out of file descriptors, or a connection gone already
			timer := time.NewTimer(pause)
			<-timer.C
			pause = min(2*pause, time.Second)
			continue
		}
		pause = time.Millisecond
		if guest := g.let(c); guest != nil {
			return guest, nil
		}
		_ = c.Close()
	}
}

func (g *gate) let(c net.Conn) *guest {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.guests) >= g.limit {
		return nil
	}
	_ = c.SetDeadline(time.Now().Add(helloTime))
	guest := &guest{Conn: c, gate: g}
	g.guests[guest] = struct{}{}
	return guest
}

// closeStrangers closes the connections that are not admitted, for which the
// broker would otherwise wait when it stops.
func (g *gate) closeStrangers() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for guest := range g.guests {
		if !guest.admitted.Load() {
			_ = guest.Conn.Close()
		}
	}
}

// guest is a connection that may say little before it is admitted.
type guest struct {
	net.Conn
	gate     *gate
	admitted atomic.Bool
	said     int
}

var errTooMuch = errors.New("too many bytes before the connection was admitted")

func (g *guest) Read(p []byte) (int, error) {
	if !g.admitted.Load() {
		if g.said >= helloBytes {
			return 0, errTooMuch
		}
		p = p[:min(len(p), helloBytes-g.said)]
	}
	n, err := g.Conn.Read(p)
	g.said += n
	return n, err
}

func (g *guest) Close() error {
	g.gate.mu.Lock()
	delete(g.gate.guests, g)
	g.gate.mu.Unlock()
	return g.Conn.Close()
}
