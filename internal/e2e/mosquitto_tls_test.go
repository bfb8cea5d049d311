package e2e

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"branchline/hub/broker"
	"branchline/internal/mqttline"
	"branchline/internal/trust"
	"branchline/internal/wire"
)

// foreignBroker is a Mosquitto with the files that the hub writes for one, and the hub as
// its client.
type foreignBroker struct {
	*mosquitto
	t      *testing.T
	c      *centre
	folder string
	public any
}

// write is what branchline-hub broker mosquitto does, without its asking.
func (f *foreignBroker) write() {
	f.t.Helper()
	made, err := f.c.ForBroker(f.t.Context(), []string{"127.0.0.1"}, f.public)
	if err != nil {
		f.t.Fatal(err)
	}
	files := broker.MosquittoFiles(f.folder, f.port)
	files["authority.crt"], files["broker.crt"], files["revoked.crl"] = made.Authority, made.Certificate, made.Revoked
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(f.folder, name), text, 0o600); err != nil {
			f.t.Fatal(err)
		}
	}
	conf := append(files["mosquitto.conf"], []byte("user root\n")...) // who the test is
	if err := os.WriteFile(f.conf, conf, 0o600); err != nil {
		f.t.Fatal(err)
	}
}

func newForeignBroker(t *testing.T) (*foreignBroker, *heard) {
	bin := mosquittoBinary(t)
	f := &foreignBroker{t: t, folder: t.TempDir()}
	f.mosquitto = &mosquitto{t: t, bin: bin, port: freePort(t), conf: filepath.Join(f.folder, "mosquitto.conf")}
	f.c = newCentre(t, fmt.Sprintf("mqtts://127.0.0.1:%d", f.port))
	key, err := trust.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err == nil {
		err = os.WriteFile(filepath.Join(f.folder, "broker.key"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	f.public = key.Public()
	f.write()
	f.start()
	t.Cleanup(f.kill)
	cfg := broker.DefaultExternalConfig()
	cfg.Server, cfg.TLS = f.c.Broker, f.c.Authority.HubTLS()
	cfg.MinBackoff, cfg.MaxBackoff, cfg.Timeout = 20*time.Millisecond, 200*time.Millisecond, 5*time.Second
	sink := &heard{}
	b, err := broker.NewExternal(cfg, func(branch string) bool { return !f.c.Revoked(branch) }, sink, quiet(), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	run(t, b.Run)
	until(t, "the hub is at the broker", func() bool { return b.Trouble() == nil })
	return f, sink
}

// dial connects with a certificate, as an agent does.
func (f *foreignBroker) dial(clientID, says string, change func(*tls.Config), with ...tls.Certificate) (*mqttline.Line, error) {
	roots := x509.NewCertPool()
	roots.AddCert(f.c.Authority.Certificate)
	cfg := &tls.Config{RootCAs: roots, Certificates: with}
	if change != nil {
		change(cfg)
	}
	l, err := mqttline.Dial(f.t.Context(), mqttline.Options{Server: f.c.Broker, ClientID: clientID, Username: says, TLS: cfg, Timeout: 5 * time.Second, KeepAlive: 30 * time.Second})
	if err == nil {
		f.t.Cleanup(func() { l.Close("", nil) })
	}
	return l, err
}

// A client with one branch's certificate tries all that it must not at a Mosquitto with
// the hub's files: whoever else's name it says, it is its own branch, says and hears
// nothing in another's topics, and comes in no more once it is revoked.
func TestAMosquittoLetsInWhomTheHubWould(t *testing.T) {
	f, sink := newForeignBroker(t)
	one, two := enrolled(t, f.c, "BR01"), enrolled(t, f.c, "BR02")
	foreign := enrolled(t, newCentre(t, "mqtts://h:1"), "BR01")
	for name, x := range map[string]struct {
		tls  func(*tls.Config)
		with []tls.Certificate
	}{
		"no certificate":      {nil, nil},
		"another authority's": {nil, []tls.Certificate{foreign}},
		"TLS 1.2":             {func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 }, []tls.Certificate{one}},
	} {
		if l, err := f.dial("x", "BR01", x.tls, x.with...); err == nil {
			err = l.Say(t.Context(), wire.Topic("BR01", wire.Report), false, []byte("{}"))
			t.Errorf("%s: it came in (%v)", name, err)
		}
	}
	got := make(chan string, 100)
	victim, err := f.dial("branchline-BR01", "BR01", nil, one)
	if err == nil {
		err = victim.Subscribe(t.Context(), func(topic string, _ []byte) { got <- topic }, wire.Topic("BR01", wire.Ack))
	}
	if err != nil {
		t.Fatal(err)
	}
	spy, err := f.dial("spy", "BR01", nil, two) // it says that it is another
	if err != nil {
		t.Fatal(err)
	}
	heardBySpy := make(chan string, 100)
	for _, filter := range []string{"#", "branchline/#", "branchline/1/+/ack", wire.Topic("BR01", wire.Ack), wire.Topic("BR01", wire.Movements), "$SYS/#"} {
		_ = spy.Subscribe(t.Context(), func(topic string, _ []byte) { heardBySpy <- topic }, filter) // refused or silent, as the broker likes
	}
	for _, topic := range []string{wire.Topic("BR01", wire.Movements), wire.Topic("BR01", wire.Report), wire.Topic("BR01", wire.Presence), wire.Topic("BR01", wire.Ack),
		wire.Topic("BR02", wire.Ack), "branchline/1/BR02/else", "branchline/2/BR02/movements", "else"} {
		_ = spy.Say(t.Context(), topic, false, []byte("from the spy"))
	}
	if err := victim.Say(t.Context(), wire.Topic("BR01", wire.Report), false, []byte("mine")); err != nil {
		t.Fatal(err)
	}
	if err := spy.Say(t.Context(), wire.Topic("BR02", wire.Report), false, []byte("its own")); err != nil {
		t.Fatal(err)
	}
	until(t, "what each may say", func() bool { return sink.count() >= 2 })
	for _, s := range sink.all {
		if strings.Contains(s, "from the spy") {
			t.Errorf("the hub heard %s", s)
		}
	}
	select {
	case topic := <-heardBySpy:
		t.Errorf("the spy heard %s", topic)
	case topic := <-got:
		t.Errorf("the victim heard %s", topic)
	default:
	}

	// Revoked: nothing of it counts at once, and the broker lets it in no more when it
	// has the new list.
	if err := f.c.Fleet.Revoke(t.Context(), "ann", "BR02", "stolen"); err != nil {
		t.Fatal(err)
	}
	before := sink.count()
	_ = spy.Say(t.Context(), wire.Topic("BR02", wire.Report), false, []byte("still here"))
	if err := victim.Say(t.Context(), wire.Topic("BR01", wire.Report), false, []byte("mine again")); err != nil {
		t.Fatal(err)
	}
	until(t, "the other branch goes on", func() bool { return sink.count() > before })
	for _, s := range sink.all {
		if strings.Contains(s, "still here") {
			t.Errorf("the hub heard %s", s)
		}
	}
	f.write()
	if err := f.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	until(t, "the broker refuses the revoked", func() bool {
		l, err := f.dial("again", "BR02", nil, two)
		if err == nil {
			l.Close("", nil)
		}
		return err != nil
	})
	if _, err := f.dial("new", "BR01", nil, one); err != nil {
		t.Errorf("the other branch: %v", err)
	}
}
