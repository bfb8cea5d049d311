package broker

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"slices"
	"sync"
	"syscall"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
	"golang.org/x/time/rate"

	"branchline/internal/movement"
	"branchline/internal/wire"
)

// hook is where the embedded broker asks: who may connect, say and hear what,
// and to whom a message goes.
type hook struct {
	mqtt.HookBase
	broker  *Embedded
	cfg     EmbeddedConfig
	secrets Secrets
	sink    Sink

	recheck chan struct{}

	ctx  context.Context // ends when the broker stops
	stop context.CancelFunc

	mu      sync.Mutex
	closing bool
	calls   sync.WaitGroup                     // running calls of the sink
	lines   map[string]*mqtt.Client            // the newest connection of each branch
	proofs  map[*mqtt.Client]*x509.Certificate // what connections were proved with
	rates   map[string]*rate.Limiter           // kept for a branch, so that reconnecting gives no new allowance
}

func newHook(cfg EmbeddedConfig, secrets Secrets, sink Sink, e *Embedded) *hook {
	h := &hook{broker: e, cfg: cfg, secrets: secrets, sink: sink,
		recheck: make(chan struct{}, 1), proofs: map[*mqtt.Client]*x509.Certificate{},
		lines: map[string]*mqtt.Client{}, rates: map[string]*rate.Limiter{}}
	h.ctx, h.stop = context.WithCancel(context.Background())
	return h
}

// ID implements mqtt.Hook.
func (h *hook) ID() string { return "branchline" }

// Provides implements mqtt.Hook.
func (h *hook) Provides(b byte) bool {
	return slices.Contains([]byte{mqtt.OnConnect, mqtt.OnConnectAuthenticate, mqtt.OnACLCheck, mqtt.OnSessionEstablish,
		mqtt.OnSessionEstablished, mqtt.OnDisconnect, mqtt.OnPacketRead, mqtt.OnPublish}, b)
}

func (h *hook) wait() {
	h.mu.Lock()
	h.closing = true
	h.mu.Unlock()
	h.calls.Wait()
}

// ClientID is the MQTT client identifier of a branch's agent. The embedded
// broker admits no other, so that a branch cannot push another one out.
func ClientID(branch string) string { return "branchline-" + branch }

// OnConnect bounds the keep-alive, so that a dead connection is noticed.
func (h *hook) OnConnect(cl *mqtt.Client, _ packets.Packet) error {
	if cl.State.Keepalive == 0 || cl.State.Keepalive > 120 {
		cl.State.Keepalive = 120
	}
	return nil
}

// OnConnectAuthenticate admits a branch that proves itself, by its certificate or
// its secret, with its own client identifier, MQTT 3.1.1, a clean session, and no
// will but its own presence.
func (h *hook) OnConnectAuthenticate(cl *mqtt.Client, pk packets.Packet) bool {
	branch := string(pk.Connect.Username)
	known, why := h.proved(cl, branch, pk.Connect.Password)
	switch {
	case why != "":
	case pk.ProtocolVersion != 4:
		why = "the protocol is not MQTT 3.1.1"
	case !pk.Connect.Clean:
		why = "the session is not clean"
	case cl.ID != ClientID(branch):
		why = "the client identifier is not the branch's"
	case pk.Connect.WillFlag && (pk.Connect.WillTopic != wire.Topic(branch, wire.Presence) ||
		string(pk.Connect.WillPayload) != wire.Offline):
		why = "the will is not the branch's presence"
	}
	if why != "" {
		h.forget(cl)
		h.broker.register.logins.Inc()
		h.broker.register.log.Warn("a connection is refused", "branch", known, "remote", cl.Net.Remote, "err", why)
		return false
	}
	if g, ok := cl.Net.Conn.(*guest); ok {
		g.admitted.Store(true)
	}
	return true
}

// proved tells why a connection is not the branch's that it says; known is the
// branch, where it is one, for the log.
func (h *hook) proved(cl *mqtt.Client, branch string, password []byte) (known, why string) {
	if h.cfg.Identities != nil {
		return h.certified(cl, branch)
	}
	known = "unknown"
	want, ok := [sha256.Size]byte{}, false
	if movement.ValidBranch(branch) {
		want, ok = h.secrets(branch)
	}
	if ok {
		known = branch
	}
	got := sha256.Sum256(password)
	if subtle.ConstantTimeCompare(got[:], want[:]) != 1 || !ok {
		why = "unknown branch or wrong secret"
	}
	return known, why
}

func branchOf(cl *mqtt.Client) string { return string(cl.Properties.Username) }

// OnSessionEstablish sees a connection just before it takes the place of
// another one of its branch.
func (h *hook) OnSessionEstablish(cl *mqtt.Client, _ packets.Packet) {
	branch := branchOf(cl)
	h.mu.Lock()
	before := h.lines[branch]
	h.lines[branch] = cl
	h.mu.Unlock()
	if before != nil {
		h.broker.register.tookOver(branch, before.Net.Remote, cl.Net.Remote)
		if h.cfg.Identities != nil {
			h.cfg.Identities.TookOver(branch)
		}
	}
}

// OnSessionEstablished notes that the branch is there.
func (h *hook) OnSessionEstablished(cl *mqtt.Client, _ packets.Packet) {
	h.broker.register.came(branchOf(cl), cl.Net.Remote)
}

// OnDisconnect notes that the branch is gone, unless it has a newer connection.
func (h *hook) OnDisconnect(cl *mqtt.Client, err error, _ bool) {
	branch := branchOf(cl)
	h.forget(cl)
	if errors.Is(err, packets.ErrPacketTooLarge) {
		h.broker.register.refuse(branch, "oversized_message", "a message was too large; the connection is closed")
	}
	h.mu.Lock()
	newest := h.lines[branch] == cl
	if newest {
		delete(h.lines, branch)
	}
	h.mu.Unlock()
	if !newest {
		return
	}
	h.broker.register.went(branch, whyEnded(err))
}

// whyEnded says to people why a connection ended.
func whyEnded(err error) string {
	var late net.Error
	switch {
	case err == nil:
		return "the branch closed its connection"
	case errors.Is(err, io.EOF), errors.Is(err, net.ErrClosed), errors.Is(err, syscall.ECONNRESET):
		return "the connection was cut"
	case errors.As(err, &late) && late.Timeout():
		return "nothing was heard of it any more"
	}
	return clip(err.Error())
}

// OnACLCheck lets a branch say what leads up and hear what leads down, in its
// own topics and nowhere else; no wildcard passes, since a filter must be one of
// its topics letter by letter.
func (h *hook) OnACLCheck(cl *mqtt.Client, topic string, write bool) bool {
	branch, c, ok := wire.ParseTopic(topic)
	if ok && branch == branchOf(cl) && c.Up() == write {
		return true
	}
	h.broker.register.refuse(branchOf(cl), "foreign_topic", "the branch may not use the topic "+clip(topic))
	return false
}

func clip(s string) string {
	if len(s) > 120 {
		return s[:120] + "…"
	}
	return s
}

// OnPacketRead slows down a branch that says too much at a time.
func (h *hook) OnPacketRead(cl *mqtt.Client, pk packets.Packet) (packets.Packet, error) {
	if pk.FixedHeader.Type == packets.Connect {
		return pk, nil
	}
	branch := branchOf(cl)
	h.mu.Lock()
	limit := h.rates[branch]
	if limit == nil {
		limit = rate.NewLimiter(rate.Limit(h.cfg.MaxMessages), 2*h.cfg.MaxMessages)
		h.rates[branch] = limit
	}
	h.mu.Unlock()
	return pk, limit.Wait(h.ctx)
}

// OnPublish hands a message to the sink before the broker acknowledges it.
// Whatever a branch says ends here: nobody else hears it but through the hub.
func (h *hook) OnPublish(cl *mqtt.Client, pk packets.Packet) (packets.Packet, error) {
	if cl.Net.Inline {
		return pk, nil
	}
	branch, c, _ := wire.ParseTopic(pk.TopicName)
	if !h.enter() {
		return pk, packets.ErrRejectPacket
	}
	defer h.calls.Done()
	h.broker.register.heard(branch)
	if c == wire.Presence {
		if !bytes.Equal(pk.Payload, []byte(wire.Online)) && !bytes.Equal(pk.Payload, []byte(wire.Offline)) {
			h.broker.register.refuse(branch, "malformed_presence", "the presence is neither online nor offline")
		}
		return pk, packets.CodeSuccessIgnore
	}
	err := h.sink.Receive(h.ctx, branch, c, pk.Payload, func(a wire.Answer) { h.answer(branch, a) })
	if err != nil {
		h.broker.register.log.Warn("a message of the branch could not be dealt with", "branch", branch, "err", err)
		return pk, packets.ErrRejectPacket
	}
	return pk, packets.CodeSuccessIgnore
}

func (h *hook) enter() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closing {
		return false
	}
	h.calls.Add(1)
	return true
}

func (h *hook) answer(branch string, a wire.Answer) {
	payload, err := a.Marshal()
	if err == nil {
		err = h.broker.Publish(branch, wire.Ack, payload, false)
	}
	if err != nil {
		h.broker.register.log.Warn("an answer to the branch could not be sent", "branch", branch, "err", err)
	}
}
