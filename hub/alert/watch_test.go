package alert

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"branchline/hub/ledger"
	"branchline/hub/ledger/ledgertest"
	"branchline/hub/room"
	"branchline/internal/conf"
)

// night is a watchman with a clock of the test's own, and what people were told.
type night struct {
	t      *testing.T
	now    time.Time
	wrong  map[string]string // by branch, what it says
	ledger *ledger.Ledger
	watch  *Watchman
	told   []string
	broken bool
}

func (n *night) Name() string { return "test" }

func (n *night) Send(_ context.Context, m Message) error {
	if n.broken {
		return errors.New("no line")
	}
	n.told = append(n.told, strings.ReplaceAll(strings.TrimSpace(m.Text()), "\n", " "))
	return nil
}

func newNight(t *testing.T) *night {
	n := &night{t: t, now: noon, wrong: map[string]string{}, ledger: ledgertest.Open(t)}
	n.start()
	return n
}

// start begins anew, as after a restart of the hub.
func (n *night) start() {
	cfg := DefaultConfig()
	cfg.Rules = Rules{Said: time.Second}
	n.watch = New(cfg, n.ledger, n.look, func() int64 { return -1 }, slog.New(slog.DiscardHandler), func() time.Time { return n.now })
	n.watch.senders = []Sender{n}
}

func (n *night) look(context.Context) (w room.Watch, err error) {
	for _, code := range []string{"BR01", "BR02"} {
		b := room.Watched{Code: code, Zone: time.UTC, Connected: true}
		if s := n.wrong[code]; s != "" {
			b.Said = []string{s}
		}
		w.Branches = append(w.Branches, b)
	}
	return w, nil
}

// pass lets time pass, with a look every half minute, and gives what was told.
func (n *night) pass(d time.Duration) string {
	n.t.Helper()
	n.told = nil
	for end := n.now.Add(d); n.now.Before(end); {
		n.now = n.now.Add(lookEvery)
		if err := n.watch.Look(n.t.Context()); err != nil {
			n.t.Fatal(err)
		}
	}
	return strings.Join(n.told, " | ")
}

func (n *night) wants(d time.Duration, want string) {
	n.t.Helper()
	if got := n.pass(d); got != want {
		n.t.Errorf("after %v told %q, want %q", d, got, want)
	}
}

func TestPeopleAreToldOnceAgainAndWhenItIsOver(t *testing.T) {
	n := newNight(t)
	n.wants(time.Hour, "")
	n.wrong["BR01"] = "paper"
	n.wants(time.Minute, "")
	n.wrong["BR02"] = "ink"
	n.wants(2*time.Minute, "New: - BR01: says: paper - BR02: says: ink")
	n.start() // nothing is told twice after a restart
	n.wants(3*time.Hour, "")
	n.wants(time.Hour, "Going on: - BR01: says: paper - BR02: says: ink")
	delete(n.wrong, "BR01")
	n.wants(time.Minute, "Over: - BR01: says: paper")
	n.wrong["BR02"] = "ink, and paper"
	n.wants(time.Minute, "") // the same alert, said otherwise
	delete(n.wrong, "BR02")
	n.wants(time.Hour, "Over: - BR02: says: ink, and paper")
	n.wrong["BR02"] = "ink"
	n.wants(3*time.Minute, "New: - BR02: says: ink")
}

// What was over before anybody was told is told to nobody.
func TestWhatWasShortIsNotTold(t *testing.T) {
	n := newNight(t)
	n.wrong["BR01"] = "paper"
	n.pass(30 * time.Second)
	delete(n.wrong, "BR01")
	n.wants(time.Hour, "")
}

func TestAMessageThatIsNotTakenIsSentAgain(t *testing.T) {
	n := newNight(t)
	n.wrong["BR01"] = "paper"
	n.broken = true
	n.wants(10*time.Minute, "")
	n.broken = false
	n.wants(time.Minute, "New: - BR01: says: paper")
}

func TestHookAndMailAreSent(t *testing.T) {
	var heard map[string]any
	var secret string
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		secret = r.Header.Get("Authorization")
		_ = json.NewDecoder(r.Body).Decode(&heard)
	}))
	defer hook.Close()
	m := Message{New: []ledger.Alert{{Rule: Silent, Branch: "BR01", Text: "BR01: silent\r\nBcc: evil@example.org", Since: noon}}}
	h := newHook(Webhook{URL: hook.URL, SecretFile: conf.NewSecret("geheim")})
	if err := h.Send(t.Context(), m); err != nil || secret != "Bearer geheim" || heard["subject"] == "" || len(heard["new"].([]any)) != 1 {
		t.Errorf("%v, %q, %v", err, secret, heard)
	}
	bad := httptest.NewServer(http.NotFoundHandler())
	defer bad.Close()
	if err := newHook(Webhook{URL: bad.URL}).Send(t.Context(), m); err == nil {
		t.Error("an answer of 404 is taken for told")
	}

	box := new(mailbox)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := smtp.NewServer(box)
	server.Domain = "localhost"
	go func() { _ = server.Serve(l) }() // ends by Close
	defer server.Close()
	cfg := Mail{Server: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, From: "hub@example.org", To: []string{"it@example.org"}, Plain: true}
	if err := newMailer(cfg).Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	head, body, _ := strings.Cut(box.text(), "\r\n\r\n")
	if !strings.Contains(head, "Subject: Branchline: 1 new: BR01: silent") || !strings.Contains(body, "- BR01: silent Bcc") || strings.Contains(head, "\r\nBcc:") {
		t.Errorf("mail:\n%s", box.text())
	}
	cfg.Plain = false
	if err := newMailer(cfg).Send(t.Context(), m); err == nil {
		t.Error("a mail went out in the clear")
	}
}

// mailbox is a mail server that keeps what it gets.
type mailbox struct {
	mu   sync.Mutex
	mail string
}

func (b *mailbox) text() string { b.mu.Lock(); defer b.mu.Unlock(); return b.mail }

func (b *mailbox) NewSession(*smtp.Conn) (smtp.Session, error) { return b, nil }
func (b *mailbox) Reset()                                      {}
func (b *mailbox) Logout() error                               { return nil }
func (b *mailbox) Mail(string, *smtp.MailOptions) error        { return nil }
func (b *mailbox) Rcpt(string, *smtp.RcptOptions) error        { return nil }
func (b *mailbox) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.mail = string(text)
	return err
}
