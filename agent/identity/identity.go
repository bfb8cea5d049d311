package identity

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"branchline/internal/fault"
	"branchline/internal/trust"
	"branchline/internal/wire"
)

// Options are what an identity is made of.
type Options struct {
	// Dir is its folder in the agent's data folder, which must exist.
	Dir, Branch string
	// Program is the agent's version.
	Program string
	Log     *slog.Logger
	Metrics prometheus.Registerer
	// Now is this PC's clock, which nothing depends on; nil for time.Now.
	Now func() time.Time
	// Every is how often the hub is asked how this PC stands; 3 h if zero. First
	// and Most bound the pause after a refusal or a failure; 1 min and 1 h.
	Every, First, Most time.Duration
}

// Identity is safe for concurrent use.
type Identity struct {
	o Options

	mu      sync.Mutex
	held    *held // nil while not enrolled
	damaged error
	file    os.FileInfo // as it was read
	changed chan struct{}
	doubted chan struct{}
	refusal *trust.Refusal
	floor   time.Time
	// off is by how much this PC's clock was ahead of the hub's when it last
	// told; known tells whether it has.
	off   time.Duration
	known bool
	ends  prometheus.Gauge
}

// Open reads what there is. A PC that is not enrolled, or whose files are damaged,
// has no line to the hub, and records as always.
func Open(o Options) *Identity {
	if o.Now == nil {
		o.Now = time.Now
	}
	for p, v := range map[*time.Duration]time.Duration{&o.Every: 3 * time.Hour, &o.First: time.Minute, &o.Most: time.Hour} {
		if *p == 0 {
			*p = v
		}
	}
	i := &Identity{o: o, changed: make(chan struct{}), doubted: make(chan struct{}, 1),
		ends: prometheus.NewGauge(prometheus.GaugeOpts{Namespace: "branchline", Subsystem: "agent", Name: "certificate_ends_timestamp_seconds",
			Help: "When this PC's certificate ends, by the hub's clock; 0 while it is not enrolled."})}
	if o.Metrics != nil {
		o.Metrics.MustRegister(i.ends)
	}
	if text, err := read(filepath.Join(o.Dir, fileTold)); err == nil {
		_ = json.Unmarshal(text, &i.floor) // without it less is checked
	}
	i.reload()
	return i
}

// reload takes in the file, where it is another than before; another program, the
// command that enrols, may have written it.
func (i *Identity) reload() {
	info, err := os.Stat(filepath.Join(i.o.Dir, fileIdentity))
	i.mu.Lock()
	same := err != nil && i.file == nil || err == nil && i.file != nil && os.SameFile(info, i.file) && info.ModTime().Equal(i.file.ModTime())
	i.mu.Unlock()
	if same {
		return
	}
	if err != nil {
		info = nil
	}
	h, err := load(i.o.Dir, i.o.Branch)
	if err != nil {
		i.o.Log.Error("the identity of this PC cannot be used", "err", err)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.file = info
	i.take(h, err)
}

// take puts another identity into use. It is called with mu held.
func (i *Identity) take(h *held, damaged error) {
	i.held, i.damaged, i.refusal = h, damaged, nil
	i.ends.Set(0)
	if h != nil {
		i.ends.Set(float64(h.Certificate.NotAfter.Unix()))
	}
	close(i.changed)
	i.changed = make(chan struct{})
}

// Enrolled tells whether there is an identity.
func (i *Identity) Enrolled() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.held != nil
}

// Line is where to connect. The server is empty while this PC is not
// enrolled. An error is why there is no use in connecting now: the hub refuses this
// PC until a person has done something.
func (i *Identity) Line() (server string, err error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	switch {
	case i.damaged != nil:
		return "", i.damaged
	case i.held == nil:
		return "", nil
	case i.refusal != nil && i.refusal.Final():
		return "", i.refusal.Fault()
	}
	return i.held.Broker, nil
}

// TLS is what to connect with to a host of that name or address; nil while this PC
// is not enrolled.
func (i *Identity) TLS(name string) *tls.Config {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.held == nil {
		return nil
	}
	return i.tlsFor(i.held, name)
}

func host(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// tlsFor proves both ends. The certificate is the newest at the moment of the
// handshake; the hub's is checked against the authority and not by this PC's clock.
func (i *Identity) tlsFor(h *held, name string) *tls.Config {
	authority := h.Authority
	return &tls.Config{MinVersion: tls.VersionTLS13, ServerName: name, InsecureSkipVerify: true, // VerifyConnection does it, without a clock
		VerifyConnection: func(s tls.ConnectionState) error {
			return trust.CheckHub(s.PeerCertificates, authority, name, i.floorNow())
		},
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			i.mu.Lock()
			defer i.mu.Unlock()
			if i.held == nil {
				return nil, fault.New(fault.Setup, "not_enrolled", "this PC is not enrolled any more")
			}
			c := i.held.tls
			return &c, nil
		}}
}

func (i *Identity) floorNow() time.Time {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.floor
}

// Changed is closed when there is another identity than now.
func (i *Identity) Changed() <-chan struct{} {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.changed
}

// Doubt has the hub asked soon how this PC stands: a connection has failed.
func (i *Identity) Doubt() {
	select {
	case i.doubted <- struct{}{}:
	default:
	}
}

// told keeps the time that the hub has told.
func (i *Identity) told(t time.Time) {
	own := i.o.Now()
	i.mu.Lock()
	defer i.mu.Unlock()
	i.off, i.known = own.Sub(t), true
	agreed := t
	if own.Before(t) {
		agreed = own
	}
	if agreed.Sub(i.floor) < time.Hour {
		return
	}
	i.floor = agreed.UTC()
	if text, err := json.Marshal(i.floor); err == nil {
		if err := write(i.o.Dir, fileTold, text); err != nil {
			i.o.Log.Warn("the hub's time is not kept", "err", err)
		}
	}
}

// clockWrong is from when on a clock is told to be wrong.
const clockWrong = 5 * time.Minute

// Alarms is what a person at the branch should know.
func (i *Identity) Alarms() []wire.Alarm {
	i.mu.Lock()
	defer i.mu.Unlock()
	var all []wire.Alarm
	if i.damaged != nil {
		all = append(all, wire.Alarm{Code: fault.CodeOf(i.damaged), Text: i.damaged.Error()})
	}
	if i.refusal != nil {
		all = append(all, wire.Alarm{Code: i.refusal.Code, Text: "The hub refuses this PC: " + i.refusal.Fault().Error() + ". What is scanned is kept here."})
	}
	if off := i.off.Abs(); i.known && off >= clockWrong {
		way := "ahead"
		if i.off < 0 {
			way = "behind"
		}
		all = append(all, wire.Alarm{Code: "clock_wrong", Text: "This PC's clock is " + words(off) + " " + way + " of the hub's: set it right."})
	}
	return all
}

func words(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d >= 2*365*day:
		return fmt.Sprintf("%d years", d/(365*day))
	case d >= 2*day:
		return fmt.Sprintf("%d days", d/day)
	}
	return d.Round(time.Minute).String()
}
