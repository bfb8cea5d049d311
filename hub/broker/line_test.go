package broker_test

import (
	"context"
	"log/slog"
	"testing"

	"github.com/eclipse/paho.mqtt.golang/packets"
	"github.com/prometheus/client_golang/prometheus"

	"branchline/hub/broker"
)

// It is told when a line comes and goes, and why; but not when the broker itself
// ends it, which says nothing of the branch.
func TestLinesThatComeAndGoAreTold(t *testing.T) {
	cfg := broker.DefaultEmbeddedConfig()
	cfg.Listen = "127.0.0.1:0"
	b, err := broker.NewEmbedded(cfg, secrets, &sink{}, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	told := make(chan broker.LineChange, 10)
	b.Tell(func(c broker.LineChange) { told <- c })
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx) }()

	next := func(online bool, why string) {
		t.Helper()
		if c := <-told; c.Branch != "BR01" || c.Online != online || c.Why != why || c.At.IsZero() {
			t.Errorf("told %+v, want online %v, %q", c, online, why)
		}
	}
	r := dialRaw(t, b)
	r.connect(connectPacket("BR01"))
	next(true, "")
	r.send(packets.NewControlPacket(packets.Disconnect))
	next(false, "the branch closed its connection")
	r = dialRaw(t, b)
	r.connect(connectPacket("BR01"))
	next(true, "")
	r.Close()
	next(false, "the connection was cut")
	r = dialRaw(t, b)
	r.connect(connectPacket("BR01"))
	next(true, "")
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if len(told) > 0 {
		t.Errorf("told of the broker's own end: %+v", <-told)
	}
}
