package fleet

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"sync"
	"time"

	"branchline/hub/ledger"
	"branchline/internal/fault"
	"branchline/internal/trust"
)

// This file is for a broker that is not the hub's own, such as a Mosquitto: it lets in
// whom the hub's authority has signed, and is told whom no longer.

// BrokerFiles are what such a broker needs, as PEM.
type BrokerFiles struct {
	// Authority is whom it believes, Certificate its own, for the key that it sent.
	Authority   []byte `json:"authority"`
	Certificate []byte `json:"certificate"`
	// Revoked lists the certificates that it must refuse, until RevokedUntil: a broker
	// that has no newer list by then lets nobody in.
	Revoked      []byte    `json:"revoked"`
	RevokedUntil time.Time `json:"revoked_until"`
}

// revokedLife is for how long a list of revoked certificates holds.
const revokedLife = 7 * 24 * time.Hour

// ForBroker signs a certificate for a broker's key, for the names by which branches
// reach it, and the list of those that it must refuse. What branches prove themselves
// with is not among it, nor is any key.
func (f *Fleet) ForBroker(ctx context.Context, names []string, key crypto.PublicKey) (b BrokerFiles, err error) {
	if k, ok := key.(*ecdsa.PublicKey); !ok || k.Curve != elliptic.P256() {
		return b, fault.New(fault.Data, "bad_key", "a broker's key must be ECDSA over P-256")
	}
	now := f.Now().UTC()
	a := f.Authority
	leaf, err := a.Server(names, key, now)
	if err != nil {
		return b, err
	}
	serials, since, err := f.Ledger.EndedCertificates(ctx, now)
	if err != nil {
		return b, err
	}
	list := &x509.RevocationList{Number: big.NewInt(now.UnixMilli()), ThisUpdate: now.Add(-time.Hour), NextUpdate: now.Add(revokedLife)}
	for i, s := range serials {
		n, ok := new(big.Int).SetString(s, 16)
		if !ok {
			return b, fmt.Errorf("the serial number %.70q of a certificate cannot be read", s)
		}
		list.RevokedCertificateEntries = append(list.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: n, RevocationTime: since[i].UTC()})
	}
	der, err := x509.CreateRevocationList(rand.Reader, list, a.Certificate, a.Key)
	if err != nil {
		return b, err
	}
	text := func(kind string, der []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}) }
	return BrokerFiles{text("CERTIFICATE", a.Certificate.Raw), text("CERTIFICATE", leaf.Raw), text("X509 CRL", der), list.NextUpdate}, nil
}

// HubName is the name in the certificate by which the hub proves itself to a broker
// elsewhere, and with which it logs in there.
const HubName = trust.HubName

// HubTLS is for the hub's end of a connection to a broker elsewhere, which the authority
// has signed, too.
func (a *Authority) HubTLS() *tls.Config {
	roots := x509.NewCertPool()
	roots.AddCert(a.Certificate)
	var mu sync.Mutex
	var kept *tls.Certificate
	return &tls.Config{MinVersion: tls.VersionTLS13, RootCAs: roots, Time: a.now, GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		mu.Lock()
		defer mu.Unlock()
		now := a.now()
		if kept != nil && now.Before(trust.RenewAt(kept.Leaf)) && !now.Before(kept.Leaf.NotBefore) {
			return kept, nil
		}
		key, err := trust.NewKey()
		if err != nil {
			return nil, err
		}
		leaf, err := a.Hub(key.Public(), now)
		if err != nil {
			return nil, err
		}
		kept = &tls.Certificate{Certificate: [][]byte{leaf.Raw, a.Certificate.Raw}, PrivateKey: key, Leaf: leaf}
		return kept, nil
	}}
}

// Revoked tells whether the branch's PC was revoked and none has taken its place: what
// a broker elsewhere still brings from it does not count. What cannot be looked up
// counts as not revoked: the broker has its own list.
func (f *Fleet) Revoked(branch string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.out[branch]
}

// lookWhoIsOut finds out which branches' PCs are revoked, and ends in the ledger what
// was revoked before it was put back from a backup.
func (f *Fleet) lookWhoIsOut(ctx context.Context) error {
	identities, err := f.Ledger.Identities(ctx, time.Time{})
	if err != nil {
		return err
	}
	present, out := map[string]bool{}, map[string]bool{}
	for i := range identities {
		e := &identities[i].Enrolment
		if err := f.stillRevoked(ctx, &identities[i]); err != nil {
			return err
		}
		switch e.Ended {
		case "":
			present[e.Branch] = true
		case ledger.EnrolmentRevoked:
			out[e.Branch] = true
		}
	}
	for b := range present {
		delete(out, b)
	}
	f.mu.Lock()
	f.out = out
	f.mu.Unlock()
	return nil
}
