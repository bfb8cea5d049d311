package e2e

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"branchline/agent/identity"
	"branchline/hub/fleet"
	"branchline/hub/ledger"
	"branchline/hub/ledger/ledgertest"
	"branchline/internal/fault"
	"branchline/internal/trust"
)

// turned is a clock that a test turns.
type turned struct {
	mu  sync.Mutex
	off time.Duration
}

func (c *turned) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.off)
}

func (c *turned) turn(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.off += d
}

const years = 365 * 24 * time.Hour

// books is a log that can be looked at.
type books struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *books) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *books) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// centre is a hub's fleet with its door open.
type centre struct {
	*fleet.Fleet
	turned
	t      *testing.T
	ledger *ledger.Ledger
	log    books
	door   string
}

func newCentre(t *testing.T, broker string) *centre {
	return centreWith(t, ledgertest.Open(t), filepath.Join(t.TempDir(), "authority"), broker)
}

func centreWith(t *testing.T, l *ledger.Ledger, folder, broker string) *centre {
	t.Helper()
	c := &centre{t: t, ledger: l}
	cfg := fleet.DefaultConfig()
	cfg.Listen, cfg.Names = "127.0.0.1:0", []string{"127.0.0.1"}
	var err error
	if c.Fleet, err = fleet.New(fleet.Parts{Config: cfg, Folder: folder, Ledger: l, Branches: []string{"BR01", "BR02"}, Broker: broker,
		Log: slog.New(slog.NewTextHandler(&c.log, nil)), Metrics: prometheus.NewRegistry(), Now: c.Now}); err != nil {
		t.Fatal(err)
	}
	run(t, c.Run)
	c.door = "https://" + c.Addr().String()
	return c
}

func (c *centre) code(branch string) trust.Code {
	c.t.Helper()
	issued, err := c.AddCodes(c.t.Context(), "ann", []string{branch})
	if err != nil {
		c.t.Fatal(err)
	}
	code, err := trust.ParseCode(issued[0].Text)
	if err != nil {
		c.t.Fatal(err)
	}
	return code
}

// pc is a branch's PC with a clock of its own.
type pc struct {
	*identity.Identity
	turned
	dir string
	log books
}

func newPC(t *testing.T, branch, dir string) *pc {
	p := &pc{dir: dir}
	p.Identity = identity.Open(identity.Options{Dir: dir, Branch: branch, Log: slog.New(slog.NewTextHandler(&p.log, nil)), Now: p.Now,
		Every: 40 * time.Millisecond, First: 20 * time.Millisecond, Most: 80 * time.Millisecond})
	return p
}

func (p *pc) alarms() string {
	var all []string
	for _, a := range p.Alarms() {
		all = append(all, a.Code)
	}
	return strings.Join(all, " ")
}

// certificate is what the PC proves itself with.
func (p *pc) certificate(t *testing.T) tls.Certificate {
	t.Helper()
	c, err := p.TLS("127.0.0.1").GetClientCertificate(nil)
	if err != nil {
		t.Fatal(err)
	}
	return *c
}

func (p *pc) works(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { p.Run(ctx); close(done) }()
	t.Cleanup(func() { cancel(); <-done })
}

func TestAPCEnrolsOverTLS(t *testing.T) {
	c := newCentre(t, "mqtts://127.0.0.1:8883")
	p := newPC(t, "BR01", filepath.Join(t.TempDir(), "identity"))
	if server, err := p.Line(); server != "" || err != nil || p.Enrolled() {
		t.Errorf("before it is enrolled: %q, %v", server, err)
	}
	code := c.code("BR01")
	other := newPC(t, "BR02", filepath.Join(t.TempDir(), "identity"))
	if err := other.Enrol(t.Context(), c.door, code); fault.CodeOf(err) != trust.CodeOtherBranch {
		t.Errorf("another branch: %v", err)
	}
	if err := p.Enrol(t.Context(), c.door, code); err != nil {
		t.Fatal(err)
	}
	server, err := p.Line()
	if server != "mqtts://127.0.0.1:8883" || err != nil {
		t.Errorf("%q, %v", server, err)
	}
	if branch, err := c.Identify(t.Context(), p.certificate(t).Leaf, "x"); branch != "BR01" || err != nil {
		t.Errorf("%s, %v", branch, err)
	}
	// It is there after a restart, with rights for nobody else, and no key or code
	// has been written to a log.
	if again := newPC(t, "BR01", p.dir); !again.Enrolled() {
		t.Error("forgotten at the next start")
	}
	if wrong := newPC(t, "BR02", p.dir); wrong.Enrolled() || wrong.alarms() != "identity_damaged" {
		t.Errorf("taken for another branch's: %s", wrong.alarms())
	}
	for _, name := range []string{"identity.json", "pending.json", "told.json"} {
		if info, err := os.Stat(filepath.Join(p.dir, name)); err != nil || info.Mode().Perm() != 0o600 && os.PathSeparator == '/' {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	for _, log := range []string{c.log.String(), p.log.String()} {
		if strings.Contains(log, code.Secret.Reveal()) {
			t.Error("the code is in a log")
		}
	}
	thief := newPC(t, "BR01", filepath.Join(t.TempDir(), "identity"))
	if err := thief.Enrol(t.Context(), c.door, code); fault.CodeOf(err) != trust.CodeCodeUsed {
		t.Errorf("the code again: %v", err)
	}
}

// The secret of a code is not told to a hub that is another than the one which made it.
func TestACodeIsNotToldToAnotherHub(t *testing.T) {
	ours, other := newCentre(t, "mqtts://h:1"), newCentre(t, "mqtts://h:1")
	p := newPC(t, "BR01", filepath.Join(t.TempDir(), "identity"))
	if err := p.Enrol(t.Context(), other.door, ours.code("BR01")); fault.CodeOf(err) != "hub_unproved" {
		t.Errorf("%v", err)
	}
	if strings.Contains(other.log.String(), "refused") {
		t.Error("the code came to the other hub")
	}
}

// The answer is lost on the way: the same code still makes this PC the branch's, and
// no other.
func TestTheAnswerToAnEnrolmentIsLost(t *testing.T) {
	c := newCentre(t, "mqtts://127.0.0.1:8883")
	code := c.code("BR01")
	p := newPC(t, "BR01", filepath.Join(t.TempDir(), "identity"))
	mute := cutAfter(t, c.Addr().String(), 3500)
	if err := p.Enrol(t.Context(), "https://"+mute, code); err == nil {
		t.Fatal("the answer came through")
	} else if strings.Contains(err.Error(), code.Secret.Reveal()) {
		t.Error("the error holds the code")
	}
	if all, err := c.ledger.Identities(t.Context(), c.Now()); err != nil || len(all) != 1 {
		t.Fatalf("the hub has not answered: %d, %v", len(all), err)
	}
	again := newPC(t, "BR01", p.dir) // also over a restart
	if err := again.Enrol(t.Context(), c.door, code); err != nil {
		t.Fatal(err)
	}
	if branch, err := c.Identify(t.Context(), again.certificate(t).Leaf, "x"); branch != "BR01" || err != nil {
		t.Errorf("%s, %v", branch, err)
	}
}

// cutAfter is a line to addr that breaks after so many bytes of the answer.
func cutAfter(t *testing.T, addr string, most int64) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", addr)
			if err != nil {
				in.Close()
				continue
			}
			go func() { _, _ = io.Copy(out, in) }()
			go func() { _, _ = io.CopyN(in, out, most); in.Close(); out.Close() }()
		}
	}()
	return l.Addr().String()
}

// However wrong the PC's clock is, it is enrolled, proved and renewed, tells what is
// wrong with its clock, and never enrols again.
func TestAClockThatIsYearsWrong(t *testing.T) {
	for name, off := range map[string]time.Duration{"behind": -12 * years, "ahead": 12 * years} {
		t.Run(name, func(t *testing.T) {
			c := newCentre(t, "mqtts://127.0.0.1:8883")
			p := newPC(t, "BR01", filepath.Join(t.TempDir(), "identity"))
			p.turn(off)
			if err := p.Enrol(t.Context(), c.door, c.code("BR01")); err != nil {
				t.Fatal(err)
			}
			first := p.certificate(t)
			if p.alarms() != "clock_wrong" || !strings.Contains(p.Alarms()[0].Text, "clock is 12 years "+name) && !strings.Contains(p.Alarms()[0].Text, "clock is 11 years "+name) {
				t.Errorf("it says %+v", p.Alarms())
			}
			p.works(t)
			c.turn(61 * 24 * time.Hour)
			until(t, "a renewal", func() bool { return !p.certificate(t).Leaf.Equal(first.Leaf) })
			p.turn(-off)
			until(t, "the alarm's end", func() bool { return !strings.Contains(p.alarms(), "clock_wrong") || p.off(c) })
			enrolments := 0
			trail, err := c.ledger.AuditTrail(t.Context(), 0, 1000)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range trail {
				if e.Action == "enrolled" {
					enrolments++
				}
			}
			if enrolments != 1 {
				t.Errorf("%d enrolments", enrolments)
			}
		})
	}
}

// off tells that the clock of the hub itself was turned in the test.
func (p *pc) off(c *centre) bool { return p.Now().Sub(c.Now()).Abs() > time.Hour }

// The clock of the hub ran ahead for a while: when it is right again, the branches
// still know it, and it them.
func TestTheHubsClockWasWrong(t *testing.T) {
	c := newCentre(t, "mqtts://127.0.0.1:8883")
	c.turn(5 * years)
	p := newPC(t, "BR01", filepath.Join(t.TempDir(), "identity"))
	if err := p.Enrol(t.Context(), c.door, c.code("BR01")); err != nil {
		t.Fatal(err)
	}
	wrong := p.certificate(t)
	c.turn(-5 * years)
	p.works(t)
	until(t, "a certificate of the present", func() bool { return p.certificate(t).Leaf.NotBefore.Before(time.Now()) })
	if wrong.Leaf.NotBefore.Before(time.Now()) {
		t.Error("nothing was wrong")
	}
}

func TestACertificateThatHasEndedIsRenewedWithItsKey(t *testing.T) {
	c := newCentre(t, "mqtts://127.0.0.1:8883")
	p := newPC(t, "BR01", filepath.Join(t.TempDir(), "identity"))
	if err := p.Enrol(t.Context(), c.door, c.code("BR01")); err != nil {
		t.Fatal(err)
	}
	old := p.certificate(t)
	c.turn(2 * years)
	if _, err := c.Identify(t.Context(), old.Leaf, "x"); fault.CodeOf(err) != trust.CodeCertEnded {
		t.Errorf("let in: %v", err)
	}
	p.works(t)
	until(t, "a renewal", func() bool {
		_, err := c.Identify(t.Context(), p.certificate(t).Leaf, "x")
		return err == nil
	})
}

// A PC that was replaced says by what, and does not come back by itself.
func TestAReplacedPCSaysSoAndStaysAway(t *testing.T) {
	c := newCentre(t, "mqtts://127.0.0.1:8883")
	old := newPC(t, "BR01", filepath.Join(t.TempDir(), "identity"))
	if err := old.Enrol(t.Context(), c.door, c.code("BR01")); err != nil {
		t.Fatal(err)
	}
	old.works(t)
	replacement := newPC(t, "BR01", filepath.Join(t.TempDir(), "identity"))
	if err := replacement.Enrol(t.Context(), c.door, c.code("BR01")); err != nil {
		t.Fatal(err)
	}
	until(t, "the old PC's alarm", func() bool { return old.alarms() == trust.CodeReplaced })
	if _, err := old.Line(); fault.CodeOf(err) != trust.CodeReplaced {
		t.Errorf("it goes on trying: %v", err)
	}
	// Enrolled again by hand, as another program does it, it is the branch's PC.
	hand := newPC(t, "BR01", old.dir)
	if err := hand.Enrol(t.Context(), c.door, c.code("BR01")); err != nil {
		t.Fatal(err)
	}
	until(t, "the end of the alarm", func() bool {
		_, err := old.Line()
		return err == nil && old.alarms() == ""
	})
	if branch, err := c.Identify(t.Context(), old.certificate(t).Leaf, "x"); branch != "BR01" || err != nil {
		t.Errorf("%s, %v", branch, err)
	}
}

// What strangers send to the door is bounded and answered in words.
func TestTheDoorAgainstStrangers(t *testing.T) {
	c := newCentre(t, "mqtts://h:1")
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}, Timeout: 20 * time.Second}
	post := func(path, body string) (int, trust.Refusal) {
		t.Helper()
		res, err := client.Post(c.door+path, "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, trust.ParseRefusal(text)
	}
	key, err := trust.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	request, err := trust.NewRequest("BR01", key)
	if err != nil {
		t.Fatal(err)
	}
	ask := func(secret string) string {
		b, err := json.Marshal(trust.Ask{V: 1, Branch: "BR01", Secret: secret, Request: request})
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	for _, x := range []struct {
		path, body, code string
		status           int
	}{
		{trust.PathEnrol, "", "malformed_request", 400},
		{trust.PathEnrol, strings.Repeat("[", 30_000), "malformed_request", 400},
		{trust.PathEnrol, strings.Repeat("x", 1<<20), "malformed_request", 400},
		{trust.PathEnrol, ask("<script>"), trust.CodeUnknownCode, 403},
		{trust.PathRenew, ask(""), trust.CodeForeign, 403},
		{trust.PathStatus, "{}", trust.CodeForeign, 403},
	} {
		if status, r := post(x.path, x.body); status != x.status || r.Code != x.code {
			t.Errorf("%s %.20s: %d %+v", x.path, x.body, status, r)
		}
	}
	for range 10 {
		post(trust.PathEnrol, ask(trust.NewCode(c.Authority.Pin()).Secret.Reveal()))
	}
	if status, r := post(trust.PathEnrol, ask(c.code("BR01").Secret.Reveal())); status != http.StatusTooManyRequests || r.Code != trust.CodeTooMany {
		t.Errorf("after many wrong ones: %d %+v", status, r)
	}
	c.turn(3 * time.Minute)
	if status, r := post(trust.PathEnrol, ask(c.code("BR01").Secret.Reveal())); status != http.StatusOK {
		t.Errorf("three minutes later: %d %+v", status, r)
	}
	old := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12}}}
	if _, err := old.Get(c.door); err == nil {
		t.Error("TLS 1.2 is spoken")
	}
}
