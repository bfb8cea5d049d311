package broker_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"
	"github.com/prometheus/client_golang/prometheus"

	"branchline/hub/broker"
	"branchline/internal/wire"
)

func secrets(branch string) ([sha256.Size]byte, bool) {
	return sha256.Sum256([]byte("secret-" + branch)), branch == "BR01" || branch == "BR02"
}

// sink notes what comes, and answers.
type sink struct {
	mu   sync.Mutex
	got  []string
	fail error
}

func (s *sink) Receive(_ context.Context, branch string, c wire.Channel, payload []byte, reply func(wire.Answer)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got = append(s.got, fmt.Sprintf("%s %s %s", branch, c, payload))
	if s.fail == nil {
		reply(wire.Answer{Of: wire.NameOf(payload), Verdict: wire.Refused, Code: "test"})
	}
	return s.fail
}

func (s *sink) all() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.got...)
}

func startBroker(t *testing.T, s broker.Sink) *broker.Embedded {
	t.Helper()
	cfg := broker.DefaultEmbeddedConfig()
	cfg.Listen = "127.0.0.1:0"
	b, err := broker.NewEmbedded(cfg, secrets, s, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return b
}

// raw is a client that says exactly what it is told to.
type raw struct {
	t testing.TB
	net.Conn
}

func dialRaw(t testing.TB, b *broker.Embedded) *raw {
	t.Helper()
	c, err := net.Dial("tcp", b.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	t.Cleanup(func() { c.Close() })
	return &raw{t, c}
}

func connectPacket(branch string) *packets.ConnectPacket {
	p := packets.NewControlPacket(packets.Connect).(*packets.ConnectPacket)
	p.ProtocolName, p.ProtocolVersion, p.CleanSession, p.Keepalive = "MQTT", 4, true, 30
	p.ClientIdentifier = broker.ClientID(branch)
	p.UsernameFlag, p.PasswordFlag, p.Username, p.Password = true, true, branch, []byte("secret-"+branch)
	return p
}

// connect gives the broker's return code.
func (r *raw) connect(p *packets.ConnectPacket) byte {
	r.t.Helper()
	r.send(p)
	ack, ok := r.read().(*packets.ConnackPacket)
	if !ok {
		r.t.Fatal("no CONNACK")
	}
	return ack.ReturnCode
}

func (r *raw) send(p packets.ControlPacket) {
	r.t.Helper()
	if err := p.Write(r); err != nil {
		r.t.Fatal(err)
	}
}

func (r *raw) read() packets.ControlPacket {
	r.t.Helper()
	p, err := packets.ReadPacket(r)
	if err != nil {
		r.t.Fatal(err)
	}
	return p
}

func publish(topic string, id uint16, payload []byte) *packets.PublishPacket {
	p := packets.NewControlPacket(packets.Publish).(*packets.PublishPacket)
	p.TopicName, p.Payload, p.MessageID = topic, payload, id
	if id > 0 {
		p.Qos = 1
	}
	return p
}

func subscribe(filters ...string) *packets.SubscribePacket {
	p := packets.NewControlPacket(packets.Subscribe).(*packets.SubscribePacket)
	p.MessageID = 1
	for _, f := range filters {
		p.Topics, p.Qoss = append(p.Topics, f), append(p.Qoss, 1)
	}
	return p
}

// closed tells whether the broker closes the connection, without a word or with
// DISCONNECT, which it says to clients of any version.
func (r *raw) closed() bool {
	for {
		p, err := packets.ReadPacket(r)
		if err != nil {
			var t interface{ Timeout() bool }
			return !errors.As(err, &t) || !t.Timeout()
		}
		if _, bye := p.(*packets.DisconnectPacket); !bye {
			return false
		}
	}
}

// alive tells whether a ping is answered.
func (r *raw) alive() bool {
	r.send(packets.NewControlPacket(packets.Pingreq))
	_, ok := r.read().(*packets.PingrespPacket)
	return ok
}

func TestOnlyABranchWithItsSecretMayConnect(t *testing.T) {
	b := startBroker(t, &sink{})
	cases := map[string]struct {
		change func(*packets.ConnectPacket)
		want   byte
	}{
		"as it should be":      {func(*packets.ConnectPacket) {}, packets.Accepted},
		"wrong secret":         {func(p *packets.ConnectPacket) { p.Password = []byte("secret-BR02") }, packets.ErrRefusedNotAuthorised},
		"no secret":            {func(p *packets.ConnectPacket) { p.PasswordFlag, p.Password = false, nil }, packets.ErrRefusedNotAuthorised},
		"unknown branch":       {func(p *packets.ConnectPacket) { p.Username = "BR99" }, packets.ErrRefusedNotAuthorised},
		"no branch at all":     {func(p *packets.ConnectPacket) { p.Username = "a/+/#" }, packets.ErrRefusedNotAuthorised},
		"another's client id":  {func(p *packets.ConnectPacket) { p.ClientIdentifier = broker.ClientID("BR02") }, packets.ErrRefusedNotAuthorised},
		"the broker's own id":  {func(p *packets.ConnectPacket) { p.ClientIdentifier = "inline" }, packets.ErrRefusedNotAuthorised},
		"a session to be kept": {func(p *packets.ConnectPacket) { p.CleanSession = false }, packets.ErrRefusedNotAuthorised},
		"a will in another's name": {func(p *packets.ConnectPacket) {
			p.WillFlag, p.WillTopic, p.WillMessage = true, wire.Topic("BR02", wire.Presence), []byte(wire.Offline)
		}, packets.ErrRefusedNotAuthorised},
		"a will that is a batch": {func(p *packets.ConnectPacket) {
			p.WillFlag, p.WillTopic, p.WillMessage = true, wire.Topic("BR01", wire.Movements), []byte("x")
		}, packets.ErrRefusedNotAuthorised},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			p := connectPacket("BR01")
			c.change(p)
			if got := dialRaw(t, b).connect(p); got != c.want {
				t.Errorf("return code %d, want %d", got, c.want)
			}
		})
	}
}

func TestABranchSpeaksOnlyInItsOwnTopics(t *testing.T) {
	for _, topic := range []string{
		wire.Topic("BR02", wire.Movements), wire.Topic("BR02", wire.Presence), wire.Topic("BR02", wire.Ack),
		wire.Topic("BR01", wire.Ack), wire.Topic("BR01", wire.Catalogue), wire.Topic("BR01", wire.Settings),
		"branchline/2/BR01/movements", "branchline/1/BR01/movements/x", "branchline/1/BR01", "other", "$SYS/broker/version",
	} {
		t.Run(topic, func(t *testing.T) {
			s := &sink{}
			b := startBroker(t, s)
			hostile, other := dialRaw(t, b), dialRaw(t, b)
			hostile.connect(connectPacket("BR01"))
			other.connect(connectPacket("BR02"))
			other.send(subscribe(wire.Topic("BR02", wire.Ack)))
			other.read()
			hostile.send(publish(topic, 0, []byte("x")))
			if !hostile.alive() {
				t.Error("a message without acknowledgement ends the connection")
			}
			hostile.send(publish(topic, 7, []byte("x")))
			if topic != "$SYS/broker/version" && !hostile.closed() {
				t.Error("the connection stays open")
			}
			if !other.alive() { // and nothing else came before the ping's answer
				t.Error("another branch is affected")
			}
			if got := s.all(); len(got) != 0 {
				t.Errorf("%q came through", got)
			}
			if c := b.Connections(); c[0].Branch != "BR01" || topic != "$SYS/broker/version" && c[0].Refused == 0 || c[1].Refused != 0 {
				t.Errorf("not counted for the branch: %+v", c)
			}
		})
	}
}

func TestABranchHearsOnlyItsOwnTopics(t *testing.T) {
	b := startBroker(t, &sink{})
	r := dialRaw(t, b)
	r.connect(connectPacket("BR01"))
	own := []string{wire.Topic("BR01", wire.Ack), wire.Topic("BR01", wire.Catalogue), wire.Topic("BR01", wire.Deliveries),
		wire.Topic("BR01", wire.Stock), wire.Topic("BR01", wire.Settings)}
	foreign := []string{"#", "+/+/+/+", "branchline/1/+/ack", "branchline/1/#", "branchline/1/BR01/#", "branchline/1/BR01/+",
		wire.Topic("BR02", wire.Ack), wire.Topic("BR01", wire.Movements), "$SYS/#", "$share/g/branchline/1/BR01/ack", ""}
	r.send(subscribe(append(own, foreign...)...))
	ack := r.read().(*packets.SubackPacket)
	for i, code := range ack.ReturnCodes {
		if granted := code != 0x80; granted != (i < len(own)) {
			t.Errorf("%q granted: %v", append(own, foreign...)[i], granted)
		}
	}
}

func TestAnswersReachTheBranchAndNobodyElse(t *testing.T) {
	b := startBroker(t, &sink{})
	one, two := dialRaw(t, b), dialRaw(t, b)
	for i, r := range []*raw{one, two} {
		branch := fmt.Sprintf("BR0%d", i+1)
		r.connect(connectPacket(branch))
		r.send(subscribe(wire.Topic(branch, wire.Ack)))
		r.read()
	}
	one.send(publish(wire.Topic("BR01", wire.Movements), 1, []byte("batch")))
	heard := map[string]bool{}
	for range 2 {
		switch p := one.read().(type) {
		case *packets.PublishPacket:
			a, err := wire.ParseAnswer(p.Payload)
			heard["answer"] = err == nil && a.Of == wire.NameOf([]byte("batch"))
		case *packets.PubackPacket:
			heard["acknowledgement"] = p.MessageID == 1
		}
	}
	if !heard["answer"] || !heard["acknowledgement"] {
		t.Errorf("the branch heard %v", heard)
	}
	if !two.alive() {
		t.Error("another branch heard it, too")
	}
}

func TestWhatIsNotDealtWithIsNotAcknowledged(t *testing.T) {
	b := startBroker(t, &sink{fail: errors.New("the disk is full")})
	r := dialRaw(t, b)
	r.connect(connectPacket("BR01"))
	r.send(publish(wire.Topic("BR01", wire.Movements), 1, []byte("batch")))
	if !r.alive() { // a PUBACK would come before
		t.Error("acknowledged")
	}
}

func TestOversizedMessageEndsThatConnectionOnly(t *testing.T) {
	s := &sink{}
	b := startBroker(t, s)
	big, other := dialRaw(t, b), dialRaw(t, b)
	big.connect(connectPacket("BR01"))
	other.connect(connectPacket("BR02"))
	_ = publish(wire.Topic("BR01", wire.Movements), 1, make([]byte, 2<<20)).Write(big) // may fail half way
	if !big.closed() {
		t.Error("the connection stays open")
	}
	other.send(publish(wire.Topic("BR02", wire.Movements), 1, bytes.Repeat([]byte("x"), wire.MaxPayload)))
	if _, ok := other.read().(*packets.PubackPacket); !ok {
		t.Error("the largest message that is allowed is not taken from another branch")
	}
	if c := b.Connections(); c[0].Refused != 1 || len(s.all()) != 1 {
		t.Errorf("refusals %+v, messages %d", c, len(s.all()))
	}
}

func TestGarbageEndsThatConnectionOnly(t *testing.T) {
	b := startBroker(t, &sink{})
	other := dialRaw(t, b)
	other.connect(connectPacket("BR02"))
	for name, garbage := range map[string][]byte{
		"before connecting": []byte("GET / HTTP/1.1\r\n\r\n"),
		"an endless length": {0x10, 0xff, 0xff, 0xff, 0xff, 0xff},
		"a huge connect":    append([]byte{0x10, 0xff, 0xff, 0x3f}, make([]byte, 64<<10)...),
	} {
		r := dialRaw(t, b)
		_, _ = r.Write(garbage)
		if !r.closed() {
			t.Errorf("%s: the connection stays open", name)
		}
	}
	r := dialRaw(t, b)
	r.connect(connectPacket("BR01"))
	_, _ = r.Write([]byte{0x32, 0x03, 0x00, 0x09, 'x'})
	if !r.closed() {
		t.Error("a message cut short: the connection stays open")
	}
	if !other.alive() {
		t.Error("another branch is affected")
	}
}

func TestSecondConnectionTakesOverAndShows(t *testing.T) {
	b := startBroker(t, &sink{})
	first, second := dialRaw(t, b), dialRaw(t, b)
	first.connect(connectPacket("BR01"))
	second.connect(connectPacket("BR01"))
	if !first.closed() {
		t.Error("the first connection stays open")
	}
	if !second.alive() {
		t.Error("the second connection does not work")
	}
	if c := b.Connections(); len(c) != 1 || c[0].Takeovers != 1 || !c[0].Online || c[0].Remote != second.LocalAddr().String() {
		t.Errorf("connections %+v", c)
	}
}

func TestConfigurationNamesTheSetting(t *testing.T) {
	for want, change := range map[string]func(*broker.EmbeddedConfig){
		`listen "1883" is not an address: address 1883: missing port in address`: func(c *broker.EmbeddedConfig) { c.Listen = "1883" },
		"max_branches 0 must be 1 to 20000":                                      func(c *broker.EmbeddedConfig) { c.MaxBranches = 0 },
		"max_messages_per_second 0 must be at least 1":                           func(c *broker.EmbeddedConfig) { c.MaxMessages = 0 },
	} {
		c := broker.DefaultEmbeddedConfig()
		change(&c)
		if err := c.Validate(); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	for want, change := range map[string]func(*broker.ExternalConfig){
		`server "hub" is not mqtt://host:port or mqtts://host:port`: func(c *broker.ExternalConfig) { c.Server = "hub" },
		"client_id is missing": func(c *broker.ExternalConfig) { c.Server, c.ClientID = "mqtt://hub:1883", "" },
	} {
		c := broker.DefaultExternalConfig()
		change(&c)
		if err := c.Validate(); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
