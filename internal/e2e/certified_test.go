package e2e

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"
	"github.com/prometheus/client_golang/prometheus"

	"branchline/hub/broker"
	"branchline/internal/trust"
	"branchline/internal/wire"
)

// heard notes what comes through.
type heard struct {
	mu  sync.Mutex
	all []string
}

func (h *heard) Receive(_ context.Context, branch string, c wire.Channel, payload []byte, _ func(wire.Answer)) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.all = append(h.all, branch+" "+string(c)+" "+string(payload))
	return nil
}

func (h *heard) count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.all)
}

// certified is a centre with its broker over TLS.
func certified(t *testing.T) (*centre, *broker.Embedded, *heard) {
	t.Helper()
	c := newCentre(t, fmt.Sprintf("mqtts://127.0.0.1:%d", freePort(t)))
	sink := &heard{}
	b := brokerOf(t, c, sink)
	return c, b, sink
}

func brokerOf(t testing.TB, c *centre, sink broker.Sink) *broker.Embedded {
	t.Helper()
	cfg := broker.DefaultEmbeddedConfig()
	cfg.Listen, cfg.TLS, cfg.Identities = strings.TrimPrefix(c.Broker, "mqtts://"), c.Authority.BrokerTLS(), c.Fleet
	b, err := broker.NewEmbedded(cfg, nil, sink, quiet(), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	c.OnChange(b.Recheck)
	run(t, b.Run)
	return b
}

func enrolled(t *testing.T, c *centre, branch string) tls.Certificate {
	t.Helper()
	p := newPC(t, branch, t.TempDir()+"/identity")
	if err := p.Enrol(t.Context(), c.door, c.code(branch)); err != nil {
		t.Fatal(err)
	}
	return p.certificate(t)
}

// client speaks MQTT over TLS and says exactly what it is told to.
type client struct {
	t *testing.T
	*tls.Conn
}

func dialTLS(t *testing.T, b *broker.Embedded, change func(*tls.Config), certificates ...tls.Certificate) (*client, error) {
	t.Helper()
	cfg := &tls.Config{InsecureSkipVerify: true, Certificates: certificates}
	if change != nil {
		change(cfg)
	}
	raw, err := (&net.Dialer{Timeout: 10 * time.Second}).Dial("tcp", b.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_ = raw.SetDeadline(time.Now().Add(20 * time.Second))
	c := tls.Client(raw, cfg)
	t.Cleanup(func() { _ = raw.Close() })
	return &client{t, c}, c.HandshakeContext(t.Context())
}

// connect tells whether the broker admits the client.
func (c *client) connect(branch string) bool {
	p := packets.NewControlPacket(packets.Connect).(*packets.ConnectPacket)
	p.ProtocolName, p.ProtocolVersion, p.CleanSession, p.Keepalive = "MQTT", 4, true, 30
	p.ClientIdentifier, p.UsernameFlag, p.Username = broker.ClientID(branch), true, branch
	if p.Write(c) != nil {
		return false
	}
	got, err := packets.ReadPacket(c)
	ack, ok := got.(*packets.ConnackPacket)
	return err == nil && ok && ack.ReturnCode == packets.Accepted
}

func (c *client) alive() bool {
	if packets.NewControlPacket(packets.Pingreq).Write(c) != nil {
		return false
	}
	got, err := packets.ReadPacket(c)
	_, ok := got.(*packets.PingrespPacket)
	return err == nil && ok
}

func admitted(t *testing.T, b *broker.Embedded, branch string, certificate tls.Certificate) bool {
	t.Helper()
	c, err := dialTLS(t, b, nil, certificate)
	return err == nil && c.connect(branch)
}

func TestABranchIsWhomItsCertificateProves(t *testing.T) {
	c, b, sink := certified(t)
	one, two := enrolled(t, c, "BR01"), enrolled(t, c, "BR02")
	foreign := enrolled(t, newCentre(t, "mqtts://h:1"), "BR01")
	stolen := tls.Certificate{Certificate: one.Certificate, PrivateKey: two.PrivateKey}
	key, err := trust.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	self, err := (&trust.Signer{Key: key}).Branch(trust.Holder{Branch: "BR01", Enrolment: trust.NewEnrolment()}, key.Public(), time.Now(), trust.Life)
	if err != nil {
		t.Fatal(err)
	}
	for name, x := range map[string]struct {
		says string
		with []tls.Certificate
		tls  func(*tls.Config)
		ok   bool
	}{
		"as it should be":               {"BR01", []tls.Certificate{one}, nil, true},
		"another branch's name":         {"BR02", []tls.Certificate{one}, nil, false},
		"no certificate":                {"BR01", nil, nil, false},
		"another authority's":           {"BR01", []tls.Certificate{foreign}, nil, false},
		"signed by itself":              {"BR01", []tls.Certificate{{Certificate: [][]byte{self.Raw}, PrivateKey: key}}, nil, false},
		"a certificate without its key": {"BR01", []tls.Certificate{stolen}, nil, false},
		"TLS 1.2":                       {"BR01", []tls.Certificate{one}, func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 }, false},
	} {
		t.Run(name, func(t *testing.T) {
			cl, err := dialTLS(t, b, x.tls, x.with...)
			if got := err == nil && cl.connect(x.says); got != x.ok {
				t.Errorf("admitted: %v (%v)", got, err)
			}
		})
	}
	plain, err := net.Dial("tcp", b.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	_ = plain.SetDeadline(time.Now().Add(20 * time.Second))
	p := packets.NewControlPacket(packets.Connect).(*packets.ConnectPacket)
	p.ProtocolName, p.ProtocolVersion, p.ClientIdentifier = "MQTT", 4, "x"
	_ = p.Write(plain)
	if got, err := packets.ReadPacket(plain); err == nil {
		t.Errorf("without TLS it is answered: %v", got)
	}
	if sink.count() != 0 {
		t.Error("something came through")
	}
}

// The hub that the branch meets shows a chain that the branch can prove.
func TestTheBrokerProvesItself(t *testing.T) {
	c, b, _ := certified(t)
	cl, err := dialTLS(t, b, nil, enrolled(t, c, "BR01"))
	if err != nil {
		t.Fatal(err)
	}
	chain := cl.ConnectionState().PeerCertificates
	if err := trust.CheckHub(chain, c.Authority.Certificate, "127.0.0.1", time.Now()); err != nil {
		t.Error(err)
	}
}

// Whatever ends a certificate's right ends the open connection, and no other's.
func TestTheOpenConnectionIsCut(t *testing.T) {
	for name, end := range map[string]func(t *testing.T, c *centre){
		"revoked": func(t *testing.T, c *centre) {
			if err := c.Revoke(t.Context(), "ann", "BR01", "stolen"); err != nil {
				t.Fatal(err)
			}
		},
		"replaced":          func(t *testing.T, c *centre) { enrolled(t, c, "BR01") },
		"ended by its date": func(t *testing.T, c *centre) { c.turn(91 * 24 * time.Hour) },
	} {
		t.Run(name, func(t *testing.T) {
			c, b, _ := certified(t)
			certificate, neighbour := enrolled(t, c, "BR01"), enrolled(t, c, "BR02")
			cl, err := dialTLS(t, b, nil, certificate)
			if err != nil || !cl.connect("BR01") || !cl.alive() {
				t.Fatalf("not admitted: %v", err)
			}
			other, err := dialTLS(t, b, nil, neighbour)
			if err != nil || !other.connect("BR02") {
				t.Fatalf("not admitted: %v", err)
			}
			end(t, c)
			b.Recheck()
			for { // until it is cut, or the deadline of the connection
				got, err := packets.ReadPacket(cl)
				var late net.Error
				if errors.As(err, &late) && late.Timeout() {
					t.Fatal("the connection stays open")
				}
				if err != nil {
					break
				}
				if _, bye := got.(*packets.DisconnectPacket); !bye {
					t.Fatalf("it hears %v", got)
				}
			}
			if admitted(t, b, "BR01", certificate) {
				t.Error("it is let in again")
			}
			if name != "ended by its date" && !other.alive() {
				t.Error("another branch is cut off, too")
			}
			for _, l := range b.Connections() {
				if l.Branch == "BR01" && l.Online {
					t.Error("it shows as connected")
				}
			}
		})
	}
}

func TestACopiedDiskIsRefusedAtTheBroker(t *testing.T) {
	c, b, _ := certified(t)
	p := newPC(t, "BR01", t.TempDir()+"/identity")
	if err := p.Enrol(t.Context(), c.door, c.code("BR01")); err != nil {
		t.Fatal(err)
	}
	old := p.certificate(t)
	if !admitted(t, b, "BR01", old) {
		t.Fatal("not admitted")
	}
	c.turn(61 * 24 * time.Hour)
	p.works(t)
	until(t, "a renewal", func() bool { return !p.certificate(t).Leaf.Equal(old.Leaf) })
	if !admitted(t, b, "BR01", p.certificate(t)) {
		t.Error("the new certificate is not admitted")
	}
	if admitted(t, b, "BR01", old) {
		t.Error("a copy is let in")
	}
	members, err := c.Members(t.Context())
	if err != nil || len(members[0].Said) == 0 {
		t.Errorf("it is not shown: %+v, %v", members, err)
	}
}
