package identity

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"runtime"
	"strings"
	"time"

	"branchline/internal/fault"
	"branchline/internal/killpoint"
	"branchline/internal/trust"
)

// patience bounds one question to the hub.
const patience = 20 * time.Second

// Enrol makes this PC the branch's: it meets the hub at door (https://host:port),
// proves it by the code, and gets a certificate for a key that is made here. What
// was there before stays in use until the new identity is whole on disk. Errors
// are faults.
func (i *Identity) Enrol(ctx context.Context, door string, code trust.Code) error {
	if !trust.ValidDoor(door) {
		return fault.New(fault.Setup, "bad_hub_address", "%.100q is not the hub's address", door).WithHint("write it as https://hub.example.com:8443")
	}
	name := host(door)
	var authority *x509.Certificate
	c := &tls.Config{MinVersion: tls.VersionTLS13, ServerName: name, InsecureSkipVerify: true, // the code's pin proves it
		VerifyConnection: func(s tls.ConnectionState) (err error) {
			if authority, err = trust.PinnedAuthority(s.PeerCertificates, code.Authority); err != nil {
				return err
			}
			return trust.CheckHub(s.PeerCertificates, authority, name, time.Time{})
		}}
	key, err := pendingKey(i.o.Dir, code.Secret.Sum())
	if err != nil {
		return err
	}
	request, err := trust.NewRequest(i.o.Branch, key)
	if err != nil {
		return err
	}
	ask := i.ask(request)
	ask.Secret = code.Secret.Reveal()
	body, err := post(ctx, door, trust.PathEnrol, c, ask)
	if err != nil {
		return err
	}
	g, err := trust.ParseGrant(body, i.o.Branch, &key.PublicKey, authority)
	if err != nil {
		return err
	}
	return i.keep(hold(g, door, key))
}

func (i *Identity) ask(request []byte) trust.Ask {
	name, _ := os.Hostname() // only for people
	return trust.Ask{V: trust.Version, Branch: i.o.Branch, Request: request, Host: name, System: runtime.GOOS + " " + runtime.GOARCH,
		Program: i.o.Program, At: i.o.Now().UTC()}
}

// keep writes an identity and puts it into use.
func (i *Identity) keep(h *held) error {
	killpoint.Here("identity.granted")
	if err := h.store(i.o.Dir); err != nil {
		return err
	}
	killpoint.Here("identity.kept")
	i.reload()
	i.told(h.Time)
	return nil
}

// renew gets the next certificate, for a new key.
func (i *Identity) renew(ctx context.Context, h *held) error {
	key, err := pendingKey(i.o.Dir, sha256.Sum256(h.Certificate.Raw))
	if err != nil {
		return err
	}
	request, err := trust.NewRequest(i.o.Branch, key)
	if err != nil {
		return err
	}
	body, err := post(ctx, h.door, trust.PathRenew, i.tlsFor(h, host(h.door)), i.ask(request))
	if err != nil {
		return err
	}
	g, err := trust.ParseGrant(body, i.o.Branch, &key.PublicKey, h.Authority)
	if err != nil {
		return err
	}
	if g.Enrolment != h.Enrolment {
		return fault.New(fault.Setup, "bad_grant", "the hub's answer is of another enrolment")
	}
	return i.keep(hold(g, h.door, key))
}

// standing asks the hub how this PC stands.
func (i *Identity) standing(ctx context.Context, h *held) (trust.Standing, error) {
	body, err := post(ctx, h.door, trust.PathStatus, i.tlsFor(h, host(h.door)), struct{}{})
	if err != nil {
		return trust.Standing{}, err
	}
	s, err := trust.ParseStanding(body)
	if err == nil {
		i.told(s.Time)
	}
	return s, err
}

// post asks once. What the hub refuses is the refusal's fault; what does not come
// through is Transient, unless the hub could not prove itself.
func post(ctx context.Context, door, path string, c *tls.Config, what any) ([]byte, error) {
	text, err := json.Marshal(what)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(door, "/")+path, bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: c, Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true,
		MaxResponseHeaderBytes: 16 << 10}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	if err != nil {
		var own *fault.Error
		if errors.As(err, &own) {
			return nil, own
		}
		return nil, fault.New(fault.Transient, "hub_away", "the hub does not answer at %s: %w", door, err).WithHint("check the address and the line, and try again")
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, trust.MaxMessage+1))
	if err != nil {
		return nil, fault.New(fault.Transient, "hub_away", "the hub's answer was cut short: %w", err)
	}
	if res.StatusCode == http.StatusOK {
		return body, nil
	}
	r := trust.ParseRefusal(body)
	if res.StatusCode >= 500 {
		return nil, fault.New(fault.Transient, r.Code, "the hub cannot answer now: %s", r.Text)
	}
	return nil, &refusedError{r}
}

// refusedError is the hub's refusal.
type refusedError struct{ trust.Refusal }

func (e *refusedError) Error() string { return e.Fault().Error() }
func (e *refusedError) Unwrap() error { return e.Fault() }
