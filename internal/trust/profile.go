package trust

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/url"
	"strings"
	"time"

	"branchline/internal/fault"
	"branchline/internal/movement"
)

// How long certificates hold. A branch's and the hub's are renewed when two
// thirds of it are over.
const (
	AuthorityLife = 20 * 365 * 24 * time.Hour
	Life          = 90 * 24 * time.Hour
	// before is how much earlier than it is signed a certificate begins, for
	// programs that heed their own clock.
	before = time.Hour
)

// maxCertificate bounds a certificate or a request for one, in bytes of DER.
const maxCertificate = 4 << 10

const (
	branchName    = "branchline:branch/"
	enrolmentName = "branchline:enrolment/"
	signerName    = "branchline:signer"
)

// NewKey makes a key: ECDSA over P-256, which the hardware of small PCs and
// every MQTT broker in use can do.
func NewKey() (*ecdsa.PrivateKey, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) }

// NewEnrolment names an enrolment: 128 random bits and more.
func NewEnrolment() string { return strings.ToLower(rand.Text()) }

// ValidEnrolment tells whether s can be a name of [NewEnrolment].
func ValidEnrolment(s string) bool {
	return len(s) == 26 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz234567") == ""
}

// Holder is whom a branch's certificate is of.
type Holder struct{ Branch, Enrolment string }

// HolderOf reads a branch's certificate. Whether it was signed by the authority
// is not looked at here. Errors are faults of class Data, "foreign_certificate".
func HolderOf(c *x509.Certificate) (Holder, error) {
	h := Holder{Branch: c.Subject.CommonName}
	named := ""
	for _, u := range c.URIs {
		s := u.String()
		if b, ok := strings.CutPrefix(s, branchName); ok {
			named = b
		}
		if e, ok := strings.CutPrefix(s, enrolmentName); ok {
			h.Enrolment = e
		}
	}
	if c.IsCA || !movement.ValidBranch(h.Branch) || named != h.Branch || !ValidEnrolment(h.Enrolment) {
		return Holder{}, fault.New(fault.Data, "foreign_certificate", "the certificate is not a branch's")
	}
	return h, nil
}

func template(name string, from time.Time, life time.Duration) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 126))
	if err != nil {
		return nil, err
	}
	from = from.UTC().Truncate(time.Second)
	return &x509.Certificate{SerialNumber: serial.Add(serial, big.NewInt(1)), Subject: pkix.Name{CommonName: name},
		NotBefore: from.Add(-before), NotAfter: from.Add(life), BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature}, nil
}

// Signer signs certificates as the authority. A nil Certificate stands for one
// that is about to sign its own.
type Signer struct {
	Certificate *x509.Certificate
	Key         crypto.Signer
}

func (s *Signer) sign(t *x509.Certificate, key crypto.PublicKey) (*x509.Certificate, error) {
	parent := s.Certificate
	if parent == nil {
		parent = t
	}
	if t.NotAfter.After(parent.NotAfter) {
		t.NotAfter = parent.NotAfter
	}
	der, err := x509.CreateCertificate(rand.Reader, t, parent, key, s.Key)
	if err != nil {
		return nil, fmt.Errorf("sign a certificate: %w", err)
	}
	return x509.ParseCertificate(der)
}

// NewAuthority signs the authority's own certificate.
func NewAuthority(key crypto.Signer, now time.Time) (*x509.Certificate, error) {
	t, err := template("Branchline authority", now, AuthorityLife)
	if err != nil {
		return nil, err
	}
	t.IsCA, t.MaxPathLenZero = true, true
	t.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	return (&Signer{Key: key}).sign(t, key.Public())
}

// Branch signs a branch's certificate.
func (s *Signer) Branch(h Holder, key crypto.PublicKey, now time.Time, life time.Duration) (*x509.Certificate, error) {
	if !movement.ValidBranch(h.Branch) || h.Branch == HubName || !ValidEnrolment(h.Enrolment) {
		return nil, errors.New("no certificate for a branch or enrolment of such a name")
	}
	t, err := template(h.Branch, now, life)
	if err != nil {
		return nil, err
	}
	t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	for _, name := range []string{branchName + h.Branch, enrolmentName + h.Enrolment} {
		u, err := url.Parse(name)
		if err != nil {
			return nil, err
		}
		t.URIs = append(t.URIs, u)
	}
	return s.sign(t, key)
}

// Server signs the hub's certificate for the names and addresses by which
// branches reach it.
func (s *Signer) Server(names []string, key crypto.PublicKey, now time.Time) (*x509.Certificate, error) {
	t, err := template("Branchline hub", now, Life)
	if err != nil {
		return nil, err
	}
	t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	for _, n := range names {
		if ip := net.ParseIP(n); ip != nil {
			t.IPAddresses = append(t.IPAddresses, ip)
		} else {
			t.DNSNames = append(t.DNSNames, n)
		}
	}
	return s.sign(t, key)
}

// HubName is the hub's at a broker elsewhere. No branch is called so.
const HubName = "branchline-hub"

// Hub signs the certificate by which the hub proves itself to a broker elsewhere.
func (s *Signer) Hub(key crypto.PublicKey, now time.Time) (*x509.Certificate, error) {
	t, err := template(HubName, now, Life)
	if err != nil {
		return nil, err
	}
	t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	return s.sign(t, key)
}

// ConfigurationSigner signs the certificate of the key that signs what branches
// are configured with. It is good for neither end of a connection.
func (s *Signer) ConfigurationSigner(key crypto.PublicKey, now time.Time) (*x509.Certificate, error) {
	t, err := template("Branchline configuration", now, AuthorityLife)
	if err != nil {
		return nil, err
	}
	t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}
	t.URIs = []*url.URL{{Scheme: "branchline", Opaque: strings.TrimPrefix(signerName, "branchline:")}}
	return s.sign(t, key)
}

// RenewAt is from when a certificate is to be renewed: two thirds of its life.
func RenewAt(c *x509.Certificate) time.Time {
	return c.NotBefore.Add(c.NotAfter.Sub(c.NotBefore) * 2 / 3)
}
