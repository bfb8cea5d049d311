package trust

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"strings"
	"time"
	"unicode/utf8"

	"branchline/internal/fault"
	"branchline/internal/movement"
)

// MaxMessage bounds a message of either side, in bytes.
const MaxMessage = 32 << 10

// Version is of the form of the messages.
const Version = 1

// Where the hub is asked, below its address.
const (
	PathEnrol  = "/1/enrol"
	PathRenew  = "/1/renew"
	PathStatus = "/1/status"
)

// Ask is how a PC asks for a certificate. Of an enrolment it has all fields, of a
// renewal no Secret: there the certificate proves who asks.
type Ask struct {
	V      int    `json:"v"`
	Branch string `json:"branch"`
	Secret string `json:"secret,omitempty"`
	// Request is the request for a certificate, DER of PKCS #10.
	Request []byte `json:"request"`
	// Host and System are what the PC calls itself, for people.
	Host    string `json:"host,omitempty"`
	System  string `json:"system,omitempty"`
	Program string `json:"program,omitempty"`
	// At is what the PC takes for the time.
	At time.Time `json:"at,omitzero"`
}

// Grant is the hub's answer to both.
type Grant struct {
	V           int    `json:"v"`
	Branch      string `json:"branch"`
	Enrolment   string `json:"enrolment"`
	Certificate []byte `json:"certificate"`
	// Authority and Signer are the certificates of the authority and of what
	// signs configuration.
	Authority []byte `json:"authority"`
	Signer    []byte `json:"signer"`
	// Broker is where the branch is to send: mqtts://host:port.
	Broker string `json:"broker"`
	// Time is the hub's.
	Time time.Time `json:"time"`
}

// Standing is what the hub says to a branch that asks how it stands.
type Standing struct {
	V    int       `json:"v"`
	Time time.Time `json:"time"`
	// Broker is where the branch is to send; empty for no change.
	Broker string `json:"broker,omitempty"`
	// Refusal is nil for a branch that may connect.
	Refusal *Refusal `json:"refusal,omitempty"`
}

// Refusal is why not, in words for people. Code is stable.
type Refusal struct {
	Code string    `json:"code"`
	Text string    `json:"text"`
	Hint string    `json:"hint,omitempty"`
	Time time.Time `json:"time"`
}

// Codes of refusals. Those of [Refusal.Final] end only by a person's act.
const (
	CodeUnknownCode   = "unknown_code"
	CodeCodeEnded     = "code_ended"
	CodeCodeUsed      = "code_used"
	CodeOtherBranch   = "code_of_another_branch"
	CodeTooMany       = "too_many_tries"
	CodeReplaced      = "replaced"
	CodeRevoked       = "revoked"
	CodeCopied        = "copied_disk"
	CodeCertEnded     = "certificate_ended"
	CodeNotConfigured = "branch_not_configured"
	CodeForeign       = "foreign_certificate"
)

// Final tells that asking again changes nothing until a person has done something.
func (r *Refusal) Final() bool {
	switch r.Code {
	case CodeReplaced, CodeRevoked, CodeCopied:
		return true
	}
	return false
}

// Fault is the refusal as an error.
func (r *Refusal) Fault() error {
	class := fault.Setup
	if r.Code == CodeTooMany {
		class = fault.Transient
	}
	return fault.New(class, r.Code, "%s", r.Text).WithHint(r.Hint)
}

func malformed(format string, args ...any) error {
	return fault.New(fault.Data, "malformed_request", format, args...)
}

// NewRequest makes the request for a certificate; only the holder of key can.
func NewRequest(branch string, key *ecdsa.PrivateKey) ([]byte, error) {
	return x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: branch}}, key)
}

// CheckRequest reads a request for a certificate and proves that who made it holds
// the key. Of what it asks for only the name is heeded. Errors are faults of
// class Data, "malformed_request".
func CheckRequest(der []byte, branch string) (*ecdsa.PublicKey, error) {
	if len(der) > maxCertificate {
		return nil, malformed("the request for a certificate is too large")
	}
	r, err := x509.ParseCertificateRequest(der)
	if err != nil {
		return nil, malformed("the request for a certificate cannot be read")
	}
	key, ok := r.PublicKey.(*ecdsa.PublicKey)
	if !ok || key.Curve != elliptic.P256() {
		return nil, malformed("the key is not one of ECDSA over P-256")
	}
	if r.Subject.CommonName != branch {
		return nil, malformed("the request for a certificate names another branch")
	}
	if err := r.CheckSignature(); err != nil {
		return nil, malformed("the request for a certificate is not signed with its key")
	}
	return key, nil
}

// ParseAsk reads what a PC asks, and the key it asks for.
func ParseAsk(body []byte) (Ask, *ecdsa.PublicKey, error) {
	var a Ask
	if err := unmarshal(body, &a); err != nil {
		return Ask{}, nil, err
	}
	if a.V != Version {
		return Ask{}, nil, malformed("the request has version %d, this hub speaks %d", a.V, Version)
	}
	if !movement.ValidBranch(a.Branch) {
		return Ask{}, nil, malformed("the request names no branch")
	}
	key, err := CheckRequest(a.Request, a.Branch)
	if err != nil {
		return Ask{}, nil, err
	}
	a.Host, a.System, a.Program = name(a.Host), name(a.System), name(a.Program)
	return a, key, nil
}

// name is what a stranger calls itself, short and in one line.
func name(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || r < ' ' || r >= 0x7f && r < 0xa0 || r >= 0x2028 && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return -1
		}
		return r
	}, s)
	for len(s) > 80 {
		_, n := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-n]
	}
	return s
}

// Granted is a [Grant] that was checked.
type Granted struct {
	Holder
	Certificate, Authority, Signer *x509.Certificate
	Broker                         string
	Time                           time.Time
}

// ParseGrant reads the hub's answer for a branch that has the key and trusts the
// authority; everything in it must belong together. Errors are faults of class
// Setup, "bad_grant".
func ParseGrant(body []byte, branch string, key *ecdsa.PublicKey, authority *x509.Certificate) (Granted, error) {
	bad := func(why string) (Granted, error) {
		return Granted{}, fault.New(fault.Setup, "bad_grant", "the hub's answer cannot be used: %s", why)
	}
	var m Grant
	if err := unmarshal(body, &m); err != nil {
		return bad(err.Error())
	}
	if m.V != Version {
		return bad("it has another version; update the agent")
	}
	g := Granted{Broker: m.Broker, Time: m.Time}
	for _, c := range []struct {
		to  **x509.Certificate
		der []byte
	}{{&g.Certificate, m.Certificate}, {&g.Authority, m.Authority}, {&g.Signer, m.Signer}} {
		if len(c.der) > maxCertificate {
			return bad("a certificate is too large")
		}
		var err error
		if *c.to, err = x509.ParseCertificate(c.der); err != nil {
			return bad("a certificate cannot be read")
		}
	}
	if !bytes.Equal(g.Authority.RawSubjectPublicKeyInfo, authority.RawSubjectPublicKeyInfo) {
		return bad("it names another authority")
	}
	var err error
	if g.Holder, err = CheckBranch(g.Certificate, authority); err != nil {
		return bad(err.Error())
	}
	if got, ok := g.Certificate.PublicKey.(*ecdsa.PublicKey); !ok || !got.Equal(key) || g.Branch != branch {
		return bad("the certificate is not for this branch and its key")
	}
	if err := CheckSigner(g.Signer, authority); err != nil {
		return bad(err.Error())
	}
	if !validBroker(g.Broker) {
		return bad("it names no broker")
	}
	if g.Time.IsZero() {
		return bad("it tells no time")
	}
	return g, nil
}

// ParseStanding reads the hub's word on how a branch stands.
func ParseStanding(body []byte) (Standing, error) {
	var s Standing
	if err := unmarshal(body, &s); err != nil {
		return s, err
	}
	if s.V != Version || s.Time.IsZero() || s.Broker != "" && !validBroker(s.Broker) {
		return Standing{}, malformed("the hub's answer has a form that this agent does not know")
	}
	if s.Refusal != nil {
		s.Refusal.tidy()
	}
	return s, nil
}

// ParseRefusal reads why the hub refused; what cannot be read is a refusal, too.
func ParseRefusal(body []byte) Refusal {
	var r Refusal
	if unmarshal(body, &r) != nil {
		r = Refusal{}
	}
	r.tidy()
	return r
}

func (r *Refusal) tidy() {
	if r.Code == "" || len(r.Code) > 40 || strings.Trim(r.Code, "abcdefghijklmnopqrstuvwxyz_") != "" {
		r.Code = "refused"
	}
	if r.Text == "" {
		r.Text = "the hub refuses without a reason"
	}
	r.Text, r.Hint = clip(r.Text), clip(r.Hint)
}

func clip(s string) string {
	const most = 400
	s = strings.ToValidUTF8(s, "")
	for len(s) > most {
		_, n := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-n]
	}
	return s
}

func unmarshal(body []byte, to any) error {
	if len(body) > MaxMessage {
		return malformed("the message has more than %d bytes", MaxMessage)
	}
	if err := json.Unmarshal(body, to); err != nil {
		return malformed("the message is not as it should be: %w", err)
	}
	return nil
}
