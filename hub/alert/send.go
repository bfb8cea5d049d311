package alert

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/mail"
	"net/url"
	"time"

	gomail "github.com/wneessen/go-mail"

	"branchline/hub/ledger"
	"branchline/internal/conf"
)

// Webhook is an address that takes alerts as JSON by POST.
type Webhook struct {
	URL string `yaml:"url"`
	// SecretFile holds what is sent as "Authorization: Bearer …"; none when left
	// out.
	SecretFile conf.Secret `yaml:"secret_file"`
}

// Validate names the setting and its value.
func (h *Webhook) Validate() error {
	if h.URL == "" {
		return nil
	}
	u, err := url.Parse(h.URL)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil {
		return conf.Bad("url", redacted(u), "must be an address such as https://example.org/hook, without a password in it")
	}
	return nil
}

func redacted(u *url.URL) string {
	if u == nil {
		return ""
	}
	return u.Redacted()
}

type hook struct {
	cfg    Webhook
	client *http.Client
}

func newHook(cfg Webhook) *hook {
	return &hook{cfg, &http.Client{Timeout: 15 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

func (h *hook) Name() string { return "webhook" }

// hookAlert is an alert as the hook gets it.
type hookAlert struct {
	Rule   string    `json:"rule"`
	Branch string    `json:"branch,omitempty"`
	Text   string    `json:"text"`
	Since  time.Time `json:"since"`
	Ended  time.Time `json:"ended,omitzero"`
}

func (h *hook) Send(ctx context.Context, m Message) error {
	list := func(all []ledger.Alert) []hookAlert {
		out := []hookAlert{}
		for _, a := range all {
			out = append(out, hookAlert{a.Rule, a.Branch, a.Text, a.Since, a.EndedAt})
		}
		return out
	}
	body, err := json.Marshal(map[string]any{"subject": m.Subject(), "text": m.Text(), "new": list(m.New), "still": list(m.Still), "over": list(m.Over)})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.cfg.URL, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	if !h.cfg.SecretFile.IsZero() {
		req.Header.Set("Authorization", "Bearer "+h.cfg.SecretFile.Reveal())
	}
	res, err := h.client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10)) // so that the line can be used again
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return fmt.Errorf("it answers %s", res.Status)
	}
	return nil
}

// Mail is a server that takes mail, and whom it is for.
type Mail struct {
	Server string `yaml:"server"`
	// Port is 587 when left out; with 465 the line is encrypted from the start,
	// with others by STARTTLS.
	Port         int         `yaml:"port"`
	User         string      `yaml:"user"`
	PasswordFile conf.Secret `yaml:"password_file"`
	From         string      `yaml:"from"`
	To           []string    `yaml:"to"`
	// Plain allows a server that cannot encrypt, as one on this machine.
	Plain bool `yaml:"plain"`
}

// Validate names the setting and its value.
func (c *Mail) Validate() error {
	if c.Server == "" {
		return nil
	}
	if c.Port < 1 || c.Port > 65535 {
		return conf.Bad("port", c.Port, "must be 1 to 65535")
	}
	if _, err := mail.ParseAddress(c.From); err != nil {
		return conf.Bad("from", c.From, "must be a mail address")
	}
	if len(c.To) == 0 {
		return conf.Bad("to", "", "must name whom to tell")
	}
	for i, to := range c.To {
		if _, err := mail.ParseAddress(to); err != nil {
			return conf.Bad(fmt.Sprintf("to[%d]", i), to, "must be a mail address")
		}
	}
	if c.User != "" && c.PasswordFile.IsZero() {
		return conf.Bad("password_file", "", "must name the file that holds the password")
	}
	return nil
}

type mailer struct{ cfg Mail }

func newMailer(cfg Mail) *mailer { return &mailer{cfg} }

func (m *mailer) Name() string { return "mail" }

func (m *mailer) Send(ctx context.Context, what Message) error {
	msg := gomail.NewMsg()
	if err := msg.From(m.cfg.From); err != nil {
		return err
	}
	if err := msg.To(m.cfg.To...); err != nil {
		return err
	}
	msg.Subject(what.Subject())
	msg.SetBodyString(gomail.TypeTextPlain, what.Text())
	options := []gomail.Option{gomail.WithPort(m.cfg.Port), gomail.WithTimeout(15 * time.Second)}
	switch {
	case m.cfg.Port == 465:
		options = append(options, gomail.WithSSL())
	case m.cfg.Plain:
		options = append(options, gomail.WithTLSPolicy(gomail.TLSOpportunistic))
	default:
		options = append(options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	}
	if m.cfg.User != "" {
		options = append(options, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover), gomail.WithUsername(m.cfg.User), gomail.WithPassword(m.cfg.PasswordFile.Reveal()))
	}
	client, err := gomail.NewClient(m.cfg.Server, options...)
	if err != nil {
		return err
	}
	return client.DialAndSendWithContext(ctx, msg)
}
