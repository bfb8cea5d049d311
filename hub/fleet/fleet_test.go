package fleet_test

import (
	"crypto/ecdsa"
	"crypto/x509"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"branchline/hub/fleet"
	"branchline/hub/ledger"
	"branchline/hub/ledger/ledgertest"
	"branchline/internal/fault"
	"branchline/internal/trust"
)

// hub is a fleet with a clock that a test turns.
type hub struct {
	*fleet.Fleet
	t      testing.TB
	ledger *ledger.Ledger
	log    *strings.Builder
	mu     sync.Mutex
	now    time.Time
}

func (h *hub) clock() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *hub) wait(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

type lockedLog struct {
	mu sync.Mutex
	to *strings.Builder
}

func (l *lockedLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.to.Write(p)
}

func open(t testing.TB, l *ledger.Ledger, folder string) *hub {
	t.Helper()
	h := &hub{t: t, ledger: l, now: ledgertest.Noon, log: &strings.Builder{}}
	cfg := fleet.DefaultConfig()
	cfg.Listen, cfg.Names = "127.0.0.1:0", []string{"127.0.0.1", "localhost"}
	var err error
	h.Fleet, err = fleet.New(fleet.Parts{Config: cfg, Folder: folder, Ledger: l, Branches: []string{"BR01", "BR02"}, Broker: "mqtts://127.0.0.1:8883",
		Log: slog.New(slog.NewTextHandler(&lockedLog{to: h.log}, nil)), Metrics: prometheus.NewRegistry(), Now: h.clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	return h
}

func newHub(t testing.TB) *hub {
	return open(t, ledgertest.Open(t), filepath.Join(t.TempDir(), "authority"))
}

func (h *hub) code(branch string) trust.Code {
	h.t.Helper()
	issued, err := h.AddCodes(h.t.Context(), "ann", []string{branch})
	if err != nil {
		h.t.Fatal(err)
	}
	c, err := trust.ParseCode(issued[0].Text)
	if err != nil {
		h.t.Fatal(err)
	}
	return c
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	k, err := trust.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func (h *hub) enrol(branch string, c trust.Code, k *ecdsa.PrivateKey, host string) (*x509.Certificate, error) {
	h.t.Helper()
	g, err := h.Enrol(h.t.Context(), trust.Ask{V: 1, Branch: branch, Secret: c.Secret.Reveal(), Host: host}, &k.PublicKey, "192.0.2.1")
	if err != nil {
		return nil, err
	}
	return h.certificate(g), nil
}

func (h *hub) certificate(g trust.Grant) *x509.Certificate {
	h.t.Helper()
	c, err := x509.ParseCertificate(g.Certificate)
	if err != nil {
		h.t.Fatal(err)
	}
	return c
}

// pc enrols one.
func (h *hub) pc(branch, host string) *x509.Certificate {
	h.t.Helper()
	c, err := h.enrol(branch, h.code(branch), newKey(h.t), host)
	if err != nil {
		h.t.Fatal(err)
	}
	return c
}

func (h *hub) renew(c *x509.Certificate) *x509.Certificate {
	h.t.Helper()
	k := newKey(h.t)
	g, err := h.Renew(h.t.Context(), c, trust.Ask{V: 1, Branch: c.Subject.CommonName}, &k.PublicKey, "192.0.2.1")
	if err != nil {
		h.t.Fatal(err)
	}
	return h.certificate(g)
}

func (h *hub) letIn(c *x509.Certificate) string {
	h.t.Helper()
	branch, err := h.Identify(h.t.Context(), c, "192.0.2.1")
	if err != nil {
		return fault.CodeOf(err)
	}
	return branch
}

func refusal(h *hub, c *x509.Certificate) string {
	h.t.Helper()
	s, err := h.Standing(h.t.Context(), c, "192.0.2.1")
	if err != nil {
		h.t.Fatal(err)
	}
	if s.Refusal == nil {
		return ""
	}
	return s.Refusal.Text
}

func (h *hub) audited(action string) (n int) {
	h.t.Helper()
	all, err := h.ledger.AuditTrail(h.t.Context(), 0, 1000)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, e := range all {
		if e.Action == action {
			n++
		}
	}
	return n
}

func TestACodeEnrolsOnePCOnce(t *testing.T) {
	h := newHub(t)
	code, key := h.code("BR01"), newKey(t)
	if _, err := h.enrol("BR02", code, key, ""); err == nil || !strings.Contains(err.Error(), "another branch than BR02; it is not used up") {
		t.Errorf("for another branch: %v", err)
	}
	first, err := h.enrol("BR01", code, key, "till-1")
	if err != nil {
		t.Fatal(err)
	}
	again, err := h.enrol("BR01", code, key, "till-1")
	if err != nil || !again.Equal(first) {
		t.Errorf("after a lost answer: %v", err)
	}
	if _, err := h.enrol("BR01", code, newKey(t), "thief"); err == nil || !strings.Contains(err.Error(), "used already, on 2 March 2026 12:00 UTC") {
		t.Errorf("with another key: %v", err)
	}
	if got := h.letIn(first); got != "BR01" {
		t.Errorf("let in as %s", got)
	}
	if h.audited("enrolment code made") != 1 || h.audited("enrolled") != 1 {
		t.Error("the audit trail does not say so once")
	}
	if strings.Contains(h.log.String(), code.Secret.Reveal()) || strings.Contains(h.log.String(), code.Reveal()) {
		t.Error("the code is in the log")
	}
}

func TestACodeEnds(t *testing.T) {
	h := newHub(t)
	late, withdrawn, used := h.code("BR02"), h.code("BR01"), h.code("BR01")
	key := newKey(t)
	if _, err := h.enrol("BR01", used, key, ""); err != nil {
		t.Fatal(err)
	}
	h.wait(72*time.Hour - time.Second)
	if _, err := h.enrol("BR01", used, key, ""); err != nil {
		t.Errorf("the answer cannot be had again in time: %v", err)
	}
	h.wait(time.Second)
	for name, c := range map[string]struct {
		branch string
		code   trust.Code
		want   string
	}{"too late": {"BR02", late, "ended on 5 March 2026"}, "a later one was made": {"BR01", withdrawn, "ended on"},
		"never made": {"BR01", trust.NewCode(h.Authority.Pin()), "has not made"}, "used long ago": {"BR01", used, "ended on"}} {
		if _, err := h.enrol(c.branch, c.code, key, ""); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := h.AddCodes(t.Context(), "ann", []string{"BR01", "BR77"}); fault.CodeOf(err) != trust.CodeNotConfigured {
		t.Errorf("for a branch that is not there: %v", err)
	}
	if codes, err := h.ledger.OpenCodes(t.Context(), h.clock()); err != nil || len(codes) != 0 {
		t.Errorf("%d codes, %v", len(codes), err)
	}
}

// Of many that come with one code at one moment, one gets in.
func TestACodeIsUsedOnceInARace(t *testing.T) {
	h := newHub(t)
	code := h.code("BR01")
	var wg sync.WaitGroup
	var mu sync.Mutex
	var in []*x509.Certificate
	for range 24 {
		k := newKey(t)
		wg.Go(func() {
			g, err := h.Enrol(t.Context(), trust.Ask{V: 1, Branch: "BR01", Secret: code.Secret.Reveal()}, &k.PublicKey, "192.0.2.1")
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				c, _ := x509.ParseCertificate(g.Certificate)
				in = append(in, c)
			} else if !strings.Contains(err.Error(), "used already") {
				t.Errorf("%v", err)
			}
		})
	}
	wg.Wait()
	if len(in) != 1 || h.letIn(in[0]) != "BR01" || h.audited("enrolled") != 1 {
		t.Errorf("%d got in", len(in))
	}
}

func TestANewPCTakesThePlaceOfTheOldAtOnce(t *testing.T) {
	h := newHub(t)
	changes := 0
	h.OnChange(func() { changes++ })
	old := h.pc("BR01", "till-1")
	if h.letIn(old) != "BR01" {
		t.Fatal("not let in")
	}
	before := changes
	h.wait(time.Hour)
	replacement := h.pc("BR01", "till-2")
	if got := h.letIn(old); got != trust.CodeReplaced {
		t.Errorf("the old PC: %s", got)
	}
	if err := h.Counts(t.Context(), old); fault.CodeOf(err) != trust.CodeReplaced {
		t.Errorf("its open connection: %v", err)
	}
	if got := refusal(h, old); got != "this PC was replaced as branch BR01 on 2 March 2026 13:00 UTC by till-2 at 192.0.2.1" {
		t.Errorf("it is told %q", got)
	}
	if _, err := h.Renew(t.Context(), old, trust.Ask{Branch: "BR01"}, &newKey(t).PublicKey, ""); err == nil {
		t.Error("the old PC renews")
	}
	if h.letIn(replacement) != "BR01" || changes == before {
		t.Error("the new PC is not let in, or nobody was told to cut the old one off")
	}
}

func TestRevocationEndsCertificatesAndCodes(t *testing.T) {
	h := newHub(t)
	c := h.pc("BR01", "till-1")
	code := h.code("BR01")
	if err := h.Revoke(t.Context(), "ann", "BR01", " "); fault.CodeOf(err) != "incomplete_decision" {
		t.Errorf("without a reason: %v", err)
	}
	if err := h.Revoke(t.Context(), "ann", "BR01", "stolen"); err != nil {
		t.Fatal(err)
	}
	if got := refusal(h, c); !strings.HasSuffix(got, "by ann: stolen") {
		t.Errorf("it is told %q", got)
	}
	if _, err := h.enrol("BR01", code, newKey(t), ""); err == nil {
		t.Error("its code still counts")
	}
	if err := h.Revoke(t.Context(), "ann", "BR01", "again"); fault.CodeOf(err) != "not_enrolled" {
		t.Errorf("again: %v", err)
	}
	if serials, _, err := h.ledger.EndedCertificates(t.Context(), h.clock()); err != nil || len(serials) != 1 || serials[0] != c.SerialNumber.Text(16) {
		t.Errorf("for brokers elsewhere: %v, %v", serials, err)
	}
	if h.letIn(h.pc("BR01", "till-1")) != "BR01" {
		t.Error("it cannot be enrolled again")
	}
}

// While the answer to a renewal may be lost, both certificates count; once the new
// one was used, the old one is a copy.
func TestARenewedCertificateTakesOverWhenItIsUsed(t *testing.T) {
	h := newHub(t)
	first := h.pc("BR01", "till-1")
	h.wait(60 * 24 * time.Hour)
	k := newKey(t)
	ask := trust.Ask{V: 1, Branch: "BR01"}
	g, err := h.Renew(t.Context(), first, ask, &k.PublicKey, "")
	if err != nil {
		t.Fatal(err)
	}
	again, err := h.Renew(t.Context(), first, ask, &k.PublicKey, "")
	if err != nil || string(again.Certificate) != string(g.Certificate) {
		t.Errorf("after a lost answer: %v", err)
	}
	if h.letIn(first) != "BR01" {
		t.Error("the old one does not count before the new one was used")
	}
	if got := h.letIn(h.certificate(g)); got != "BR01" {
		t.Fatalf("the new one: %s", got)
	}
	for range 3 {
		if got := h.letIn(first); got != trust.CodeCopied {
			t.Errorf("the old one: %s", got)
		}
	}
	if h.audited("copied disk refused") != 1 {
		t.Error("a copied disk is not told of once an hour")
	}
	members, err := h.Members(t.Context())
	if err != nil || len(members[0].Said) != 1 || !strings.Contains(members[0].Said[0], "a copy of its disk tried to connect from 192.0.2.1") {
		t.Errorf("%+v, %v", members, err)
	}
	if _, err := h.Renew(t.Context(), first, ask, &newKey(t).PublicKey, ""); err == nil {
		t.Error("a copy renews")
	}
	if _, err := h.Renew(t.Context(), h.certificate(g), ask, &k.PublicKey, ""); err == nil {
		t.Error("renewed with the same key")
	}
}

func TestACertificateThatEndedCanOnlyBeRenewed(t *testing.T) {
	h := newHub(t)
	c := h.pc("BR01", "till-1")
	h.wait(80 * 24 * time.Hour)
	if m, err := h.Members(t.Context()); err != nil || len(m[0].Said) != 1 || !strings.Contains(m[0].Said[0], "should have been renewed") {
		t.Errorf("%+v, %v", m[0], err)
	}
	h.wait(800 * 24 * time.Hour)
	if got := h.letIn(c); got != trust.CodeCertEnded {
		t.Errorf("ended: %s", got)
	}
	if got := h.letIn(h.renew(c)); got != "BR01" {
		t.Errorf("renewed: %s", got)
	}
}

// The hub's clock is put back by years: nobody is locked out.
func TestTheHubsClockMayBePutBack(t *testing.T) {
	h := newHub(t)
	c := h.pc("BR01", "till-1")
	h.wait(-5 * 365 * 24 * time.Hour)
	if got := h.letIn(c); got != "BR01" {
		t.Errorf("%s", got)
	}
}

func TestWhoWasEnrolledAfterTheBackupIsTakenIn(t *testing.T) {
	l := ledgertest.Open(t)
	folder := filepath.Join(t.TempDir(), "authority")
	h := open(t, l, folder)
	before := h.pc("BR01", "till-1")
	h.wait(time.Hour)
	// The same authority with another ledger is what a hub is that was put back.
	restored := ledgertest.Open(t)
	put := open(t, restored, folder)
	put.wait(time.Hour)
	after := h.renew(before)
	for _, c := range []*x509.Certificate{before, after} {
		if got := put.letIn(c); got != "BR01" {
			t.Errorf("signed %v: %s", c.NotBefore, got)
		}
	}
	if got := put.letIn(before); got != trust.CodeCopied {
		t.Errorf("the older one after the newer: %s", got)
	}
	if put.audited("certificate taken in") != 2 {
		t.Error("it is not in the audit trail")
	}
}

// A PC that was revoked stays away when the ledger is put back from a backup of before,
// whether that knew it or not; one that was enrolled anew comes in.
func TestWhoWasRevokedAfterTheBackupStaysAway(t *testing.T) {
	for name, known := range map[string]bool{"enrolled before the backup": true, "after it": false} {
		t.Run(name, func(t *testing.T) {
			l := ledgertest.Open(t)
			folder := filepath.Join(t.TempDir(), "authority")
			h := open(t, l, folder)
			backup := filepath.Join(t.TempDir(), "backup.db")
			copied := func() {
				t.Helper()
				if err := l.Backup(t.Context(), backup); err != nil {
					t.Fatal(err)
				}
			}
			if !known {
				copied()
			}
			stolen := h.pc("BR01", "till-1")
			if known {
				copied()
			}
			if err := h.Revoke(t.Context(), "ann", "BR01", "stolen"); err != nil {
				t.Fatal(err)
			}
			h.wait(time.Hour)
			anew := h.pc("BR01", "till-2")
			put := open(t, ledgertest.OpenAt(t, backup), folder)
			put.wait(2 * time.Hour)
			for range 2 {
				if got := put.letIn(stolen); got != trust.CodeRevoked {
					t.Errorf("the stolen PC: %s", got)
				}
			}
			if err := put.Counts(t.Context(), stolen); fault.CodeOf(err) != trust.CodeRevoked {
				t.Errorf("on an open connection: %v", err)
			}
			if got := put.letIn(anew); got != "BR01" {
				t.Errorf("the one that was enrolled anew: %s", got)
			}
			if put.audited("revoked") != 1 {
				t.Error("it is not in the audit trail, once")
			}
		})
	}
}

func TestTheAuthorityOutlastsAKill(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "authority")
	clock := func() time.Time { return ledgertest.Noon }
	open := func(mayMake bool) (*fleet.Authority, error) {
		return fleet.OpenAuthority(dir, mayMake, []string{"hub"}, clock)
	}
	a, err := open(true)
	if err != nil {
		t.Fatal(err)
	}
	for _, lost := range [][]string{{}, {"authority.crt"}, {"configuration.key", "configuration.crt"}, {"configuration.crt"}, {"authority.crt", "configuration.crt"}} {
		for _, f := range lost {
			if err := os.Remove(filepath.Join(dir, f)); err != nil {
				t.Fatal(err)
			}
		}
		b, err := open(false)
		if err != nil || b.Pin() != a.Pin() {
			t.Errorf("without %v: %v", lost, err)
		}
	}
	for path, want := range map[string]os.FileMode{dir: 0o700, dir + "/authority.key": 0o600, dir + "/configuration.key": 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want && os.PathSeparator == '/' {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
	if err := os.WriteFile(dir+"/authority.key", []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := open(true); fault.CodeOf(err) != "authority_folder" {
		t.Errorf("a spoilt key: %v", err)
	}
	if err := os.Remove(dir + "/authority.key"); err != nil {
		t.Fatal(err)
	}
	if _, err := open(false); fault.CodeOf(err) != "authority_gone" {
		t.Errorf("a lost key: %v", err)
	}
}

func TestTwoPCsThatPushEachOtherOutShow(t *testing.T) {
	h := newHub(t)
	said := func() int {
		m, err := h.Members(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return len(m[0].Said)
	}
	for range 4 {
		h.TookOver("BR01")
		h.wait(6 * time.Minute)
	}
	if said() != 0 {
		t.Error("a line that breaks now and then is told of")
	}
	for range 3 {
		h.TookOver("BR01")
		h.wait(time.Minute)
	}
	if said() != 1 {
		t.Error("two PCs are not told of")
	}
	h.wait(time.Hour)
	if said() != 0 {
		t.Error("it is told of for ever")
	}
}

func TestConfigurationNamesTheSetting(t *testing.T) {
	for want, change := range map[string]func(*fleet.Config){
		`listen: "8443"`:       func(c *fleet.Config) { c.Listen = "8443" },
		`names: "https://hub"`: func(c *fleet.Config) { c.Names = []string{"https://hub"} },
		`names: "hub:8443"`:    func(c *fleet.Config) { c.Names = []string{"hub:8443"} },
		`broker: "hub"`:        func(c *fleet.Config) { c.Broker = "hub" },
		`code_life: "1s"`:      func(c *fleet.Config) { c.CodeLife = time.Second },
		"":                     func(c *fleet.Config) { c.Names = []string{"hub.example.com", "2001:db8::1", "192.0.2.1"} },
	} {
		c := fleet.DefaultConfig()
		change(&c)
		err := c.Validate()
		if (err == nil) != (want == "") || err != nil && !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

func TestTheDoorIsNamed(t *testing.T) {
	for want, c := range map[string]fleet.Config{"https://hub.example.com:8443": {Listen: ":8443", Names: []string{"hub.example.com", "10.0.0.1"}},
		"https://[2001:db8::1]:9": {Listen: "127.0.0.1:9", Names: []string{"2001:db8::1"}}, "": {Listen: ":8443"}} {
		if got := c.Door(); got != want {
			t.Errorf("%+v: %q, want %q", c, got, want)
		}
	}
}
