package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"branchline/hub/broker"
	"branchline/internal/mqttline"
	"branchline/internal/wire"
)

// restricted is a Mosquitto with an access list, and the hub as its client.
func restricted(t *testing.T, acl string, s *teller) (addr string, hub broker.Broker) {
	m := newMosquitto(t, mosquittoBinary(t))
	m.kill()
	list := filepath.Join(t.TempDir(), "acl")
	conf, err := os.ReadFile(m.conf)
	if err == nil {
		// As root, Mosquitto would become a user who cannot read the list.
		err = os.WriteFile(m.conf, append(conf, []byte("user root\nacl_file "+list+"\n")...), 0o600)
	}
	if err == nil {
		err = os.WriteFile(list, []byte(acl), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	m.start()
	cfg := broker.DefaultExternalConfig()
	cfg.Server = fmt.Sprintf("mqtt://127.0.0.1:%d", m.port)
	cfg.MinBackoff, cfg.MaxBackoff, cfg.Timeout = 20*time.Millisecond, 200*time.Millisecond, 5*time.Second
	b, err := broker.NewExternal(cfg, func(branch string) bool { _, ok := secrets(branch); return ok }, s, quiet(), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	run(t, b.Run)
	return strings.TrimPrefix(cfg.Server, "mqtt://"), b
}

func sampleACL(t *testing.T) string {
	acl, err := os.ReadFile("../../configs/mosquitto.acl")
	if err != nil {
		t.Fatal(err)
	}
	return string(acl)
}

// The sample list lets a branch do all it must, and hear nothing of another.
func TestTheSampleAccessList(t *testing.T) {
	ledger := newMemLedger()
	s := newTeller(ledger)
	addr, hub := restricted(t, sampleACL(t), s)
	g := &goods{}
	sizes := map[int]int{1: 1000}
	g.edition(1, sizes[1])
	spy, err := mqttline.Dial(t.Context(), mqttline.Options{Server: "mqtt://" + addr, ClientID: "spy", Username: "BR02", Timeout: 5 * time.Second, KeepAlive: 30 * time.Second})
	if err != nil {
		until(t, "the broker is there", func() bool {
			spy, err = mqttline.Dial(t.Context(), mqttline.Options{Server: "mqtt://" + addr, ClientID: "spy", Username: "BR02", Timeout: 5 * time.Second, KeepAlive: 30 * time.Second})
			return err == nil
		})
	}
	defer spy.Close("", nil)
	heard := make(chan string, 100)
	own := make(chan string, 100)
	_ = spy.Subscribe(t.Context(), func(topic string, _ []byte) { // refused or silent, as the broker likes
		select {
		case heard <- topic:
		default:
		}
	}, "branchline/1/BR01/#", wire.AllBranches(wire.Catalogue))
	if err := spy.Subscribe(t.Context(), func(topic string, _ []byte) { own <- topic }, wire.Topic("BR02", wire.Stock)); err != nil {
		t.Fatal(err)
	}
	s.tell(t, feedConfig(), func() broker.Broker { return hub }, g, nil)
	outbox := newMemOutbox("BR01")
	fill(outbox, 0, 100)
	copied := listen(t, addr, filepath.Join(t.TempDir(), "reference.db"), outbox)
	until(t, "the catalogue", func() bool { return edition(t, copied, sizes) == 1 })
	drained(t, outbox)
	// What the spy may hear comes last, and comes.
	until(t, "the hub is at the broker", func() bool { return hub.Publish("BR02", wire.Stock, []byte("x"), false) == nil })
	<-own
	select {
	case topic := <-heard:
		t.Errorf("BR02 heard %s", topic)
	default:
	}
	exactlyOnce(t, ledger, 100)
}

// A broker that does not know of Odoo's topics does not keep movements back.
func TestAnOlderAccessListKeepsNoMovementBack(t *testing.T) {
	var older strings.Builder
	for line := range strings.Lines(sampleACL(t)) {
		if !strings.Contains(line, "want") && !strings.Contains(line, "catalogue") && !strings.Contains(line, "deliveries") && !strings.Contains(line, "stock") {
			older.WriteString(line)
		}
	}
	ledger := newMemLedger()
	s := newTeller(ledger)
	addr, hub := restricted(t, older.String(), s)
	g := &goods{}
	g.edition(1, 1000)
	s.tell(t, feedConfig(), func() broker.Broker { return hub }, g, nil)
	outbox := newMemOutbox("BR01")
	fill(outbox, 0, 1000)
	copied := listen(t, addr, filepath.Join(t.TempDir(), "reference.db"), outbox)
	drained(t, outbox)
	exactlyOnce(t, ledger, 1000)
	if edition(t, copied, map[int]int{1: 1000}) != 0 {
		t.Error("the list was not in force")
	}
}
