package capture

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"branchline/agent/scan"
)

func onNetwork(name string, n Network) Scanner {
	return Scanner{Name: name, Network: n, For: scan.Dispense, IdleGap: 100 * time.Millisecond, Sounds: Sounds{OK: `\a`}}
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func accept(t *testing.T, l net.Listener) net.Conn {
	t.Helper()
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// free is an address at which nobody listens.
func free(t *testing.T) string {
	l := listen(t)
	defer l.Close()
	return l.Addr().String()
}

// dial connects like a scanner that tries until it is let in.
func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for limit := time.After(20 * time.Second); ; {
		if c, err := net.Dial("tcp", address); err == nil {
			t.Cleanup(func() { c.Close() })
			return c
		}
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("nobody listens at %s", address)
		}
	}
}

// A scanner that is connected to: it scans, hears its sound, loses the line in
// the middle of a code, and goes on.
func TestNetworkScannerIsConnectedTo(t *testing.T) {
	l := listen(t)
	c := run(t, onNetwork("hall", Network{Connect: l.Addr().String()}))
	line := accept(t, l)
	c.until(t, "hall", isUp)
	fmt.Fprint(line, "04012345678901\r")
	if a := c.hear(t, "hall"); a.Sound != scan.OK {
		t.Fatalf("answer %+v", a)
	}
	b := make([]byte, 1)
	if _, err := line.Read(b); err != nil || b[0] != '\a' {
		t.Errorf("the scanner was sent %q, %v", b, err)
	}
	fmt.Fprint(line, "0401234")
	line.Close()
	if a := c.hear(t, "hall"); a.Code != "half_code" {
		t.Errorf("half a code: %+v", a)
	}
	line = accept(t, l)
	fmt.Fprint(line, "04012345678918\r")
	if a := c.hear(t, "hall"); a.Sound != scan.OK {
		t.Errorf("after the line was lost: %+v", a)
	}
	if n := len(records(t, c.store)); n != 3 {
		t.Errorf("%d records", n)
	}
	l.Close()
	line.Close()
	if s := c.until(t, "hall", func(s Status) bool { return s.Code == "scanner_absent" }); !strings.Contains(s.Reason, "network.connect") {
		t.Errorf("status %+v", s)
	}
}

// A scanner that connects to the agent.
func TestNetworkScannerConnects(t *testing.T) {
	address := free(t)
	c := run(t, onNetwork("hall", Network{Listen: address, From: []string{"127.0.0.0/8"}}))
	if s := c.until(t, "hall", isDown); s.Code != "scanner_absent" || !strings.Contains(s.Reason, address) {
		t.Errorf("status %+v", s)
	}
	line := dial(t, address)
	s := c.until(t, "hall", isUp)
	if s.Port != line.LocalAddr().String() {
		t.Errorf("up at %q", s.Port)
	}
	fmt.Fprint(line, "04012345678901\r")
	if a := c.hear(t, "hall"); a.Sound != scan.OK {
		t.Fatalf("answer %+v", a)
	}
	// It loses its power and comes back, though the old line never ended.
	dial(t, address)
	c.until(t, "hall", isDown)
	again := dial(t, address)
	c.until(t, "hall", isUp)
	fmt.Fprint(again, "04012345678918\r")
	if a := c.hear(t, "hall"); a.Sound != scan.OK {
		t.Errorf("answer %+v", a)
	}
}

func TestStrangersDoNotConnect(t *testing.T) {
	address := free(t)
	c := run(t, onNetwork("hall", Network{Listen: address, From: []string{"10.9.8.7"}}))
	line := dial(t, address)
	fmt.Fprint(line, "04012345678901\r")
	if s := c.until(t, "hall", func(s Status) bool { return s.Code == "scanner_not_allowed" }); s.Up || !strings.Contains(s.Reason, "127.0.0.1") {
		t.Errorf("status %+v", s)
	}
	if n := len(records(t, c.store)); n != 0 {
		t.Errorf("%d records from a stranger", n)
	}
}

func TestListeningPortTaken(t *testing.T) {
	l := listen(t)
	c := run(t, onNetwork("hall", Network{Listen: l.Addr().String(), From: []string{"127.0.0.1"}}))
	if s := c.until(t, "hall", isDown); s.Code != "scanner_port_taken" {
		t.Errorf("status %+v", s)
	}
	l.Close()
	c.until(t, "hall", func(s Status) bool { return s.Code == "scanner_absent" })
}

func TestNetworkSettings(t *testing.T) {
	cases := map[string]struct {
		n    Network
		port string
		want string
	}{
		"a client":               {Network{Connect: "10.0.0.40:2001"}, "", ""},
		"a listener":             {Network{Listen: ":7001", From: []string{"10.0.0.0/24", "fd00::1"}}, "", ""},
		"both":                   {Network{Connect: "10.0.0.40:2001", Listen: ":7001"}, "", `network.listen: ":7001"`},
		"with a serial port":     {Network{Connect: "10.0.0.40:2001"}, "COM3", `port: "COM3"`},
		"without a port":         {Network{Connect: "10.0.0.40"}, "", `network.connect: "10.0.0.40"`},
		"without an address":     {Network{Connect: ":2001"}, "", `network.connect: ":2001"`},
		"port 0":                 {Network{Listen: ":0", From: []string{"10.0.0.1"}}, "", `network.listen: ":0"`},
		"from everywhere":        {Network{Listen: ":7001"}, "", `network.from: ""`},
		"from a name":            {Network{Listen: ":7001", From: []string{"scanner"}}, "", `network.from: "scanner"`},
		"from without listen":    {Network{From: []string{"10.0.0.1"}}, "", `network.connect: ""`},
		"from for what connects": {Network{Connect: "h:1", From: []string{"10.0.0.1"}}, "", `network.from`},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			err := (&Config{Scanners: []Scanner{{Name: "hall", Port: c.port, Network: c.n, For: scan.Receive}}}).Validate()
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
	two := Config{Scanners: []Scanner{onNetwork("a", Network{Connect: "h:1"}), onNetwork("b", Network{Connect: "h:2"})}}
	if err := two.Validate(); err != nil {
		t.Errorf("two on the network: %v", err)
	}
}
