package fleet

import (
	"crypto/ecdsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"branchline/internal/disk"
	"branchline/internal/fault"
	"branchline/internal/trust"
)

// Authority signs for the hub. It is safe for concurrent use.
type Authority struct {
	trust.Signer
	// Configuration is the certificate of the key that signs what branches are
	// configured with.
	Configuration *x509.Certificate

	names []string
	now   func() time.Time
	mu    sync.Mutex
	// server is the hub's own certificate with a key that never leaves the
	// memory: each start has another.
	server *tls.Certificate
}

// OpenAuthority reads the authority's folder. Where there is none it is made, if
// it may be; otherwise that is a fault of class Setup, "authority_gone". names
// are what the hub's own certificate is for.
func OpenAuthority(dir string, mayMake bool, names []string, now func() time.Time) (*Authority, error) {
	a := &Authority{names: names, now: now}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fault.New(fault.Setup, "authority_folder", "the authority's folder cannot be made: %w", err).WithHint("make it, or change data_dir")
	}
	if err := os.Chmod(dir, 0o700); err != nil { // it may have been put back with wider rights
		return nil, fault.New(fault.Setup, "authority_folder", "the rights of the authority's folder cannot be narrowed: %w", err)
	}
	var err error
	a.Certificate, a.Key, err = openPair(dir, "authority", mayMake, func(k *ecdsa.PrivateKey) (*x509.Certificate, error) { return trust.NewAuthority(k, now()) })
	if err != nil {
		return nil, err
	}
	a.Configuration, _, err = openPair(dir, "configuration", true, func(k *ecdsa.PrivateKey) (*x509.Certificate, error) {
		return a.ConfigurationSigner(k.Public(), now())
	})
	if err != nil {
		return nil, err
	}
	if err := trust.CheckSigner(a.Configuration, a.Certificate); err != nil {
		return nil, fault.New(fault.Setup, "authority_folder", "%s does not belong to the authority beside it: %w", filepath.Join(dir, "configuration.crt"), err).
			WithHint("put back both from the same backup")
	}
	return a, nil
}

// openPair reads a key and its certificate. A kill between the two files leaves
// the key, to which the certificate is made again: branches know the key.
func openPair(dir, name string, mayMake bool, sign func(*ecdsa.PrivateKey) (*x509.Certificate, error)) (*x509.Certificate, *ecdsa.PrivateKey, error) {
	keyFile, certFile := filepath.Join(dir, name+".key"), filepath.Join(dir, name+".crt")
	key, err := readPEM(keyFile, "PRIVATE KEY", func(der []byte) (*ecdsa.PrivateKey, error) {
		k, err := x509.ParsePKCS8PrivateKey(der)
		if err != nil {
			return nil, err
		}
		if k, ok := k.(*ecdsa.PrivateKey); ok {
			return k, nil
		}
		return nil, errors.New("it is no ECDSA key")
	})
	if errors.Is(err, os.ErrNotExist) {
		if !mayMake {
			return nil, nil, fault.New(fault.Setup, "authority_gone", "branches are enrolled, but %s is gone, and without it none of them is let in", keyFile).
				WithHint("put back the folder from a backup; only if there is none, move the ledger's branches to a new hub and enrol them all anew")
		}
		if key, err = trust.NewKey(); err == nil {
			var der []byte
			if der, err = x509.MarshalPKCS8PrivateKey(key); err == nil {
				err = writePEM(keyFile, "PRIVATE KEY", der)
			}
		}
	}
	if err != nil {
		return nil, nil, fault.New(fault.Setup, "authority_folder", "%s cannot be used: %w", keyFile, err)
	}
	cert, err := readPEM(certFile, "CERTIFICATE", x509.ParseCertificate)
	if errors.Is(err, os.ErrNotExist) {
		if cert, err = sign(key); err == nil {
			err = writePEM(certFile, "CERTIFICATE", cert.Raw)
		}
	}
	if err == nil && !key.PublicKey.Equal(cert.PublicKey) {
		err = fmt.Errorf("it is not of the key in %s", filepath.Base(keyFile))
	}
	if err != nil {
		return nil, nil, fault.New(fault.Setup, "authority_folder", "%s cannot be used: %w", certFile, err)
	}
	return cert, key, nil
}

// maxPEM bounds a file of the authority, in bytes.
const maxPEM = 16 << 10

func readPEM[T any](path, kind string, parse func([]byte) (T, error)) (v T, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return v, err
	}
	if info.Size() > maxPEM {
		return v, errors.New("it is too large")
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return v, err
	}
	block, _ := pem.Decode(text)
	if block == nil || block.Type != kind {
		return v, fmt.Errorf("it holds no %s", kind)
	}
	return parse(block.Bytes)
}

func writePEM(path, kind string, der []byte) error {
	return disk.Replace(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// Pin is what stands in codes.
func (a *Authority) Pin() trust.Pin { return trust.PinOf(a.Certificate) }

// serverCertificate is the hub's own, made anew when two thirds of it are over, or
// when the hub's clock was put back to before it.
func (a *Authority) serverCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.now()
	if a.server != nil && now.Before(trust.RenewAt(a.server.Leaf)) && !now.Before(a.server.Leaf.NotBefore) {
		return a.server, nil
	}
	key, err := trust.NewKey()
	if err != nil {
		return nil, err
	}
	leaf, err := a.Server(a.names, key.Public(), now)
	if err != nil {
		return nil, err
	}
	a.server = &tls.Certificate{Certificate: [][]byte{leaf.Raw, a.Certificate.Raw}, PrivateKey: key, Leaf: leaf}
	return a.server, nil
}

// TLS is for the end of the hub: TLS 1.3, proven by the hub's own certificate. A
// connection resumed from an earlier one would not prove the branch's again, so
// there are no tickets.
func (a *Authority) TLS(clients tls.ClientAuthType) *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS13, GetCertificate: a.serverCertificate, ClientAuth: clients, SessionTicketsDisabled: true}
}

// BrokerTLS is [Authority.TLS] for the broker: who has no certificate of a branch
// does not come as far as MQTT. Whether it still counts is asked later.
func (a *Authority) BrokerTLS() *tls.Config {
	c := a.TLS(tls.RequireAnyClientCert)
	c.VerifyConnection = func(s tls.ConnectionState) error {
		_, err := trust.CheckBranch(s.PeerCertificates[0], a.Certificate)
		return err
	}
	return c
}
