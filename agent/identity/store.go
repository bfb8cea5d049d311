package identity

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"time"

	"branchline/internal/disk"
	"branchline/internal/fault"
	"branchline/internal/trust"
)

// Files of the folder. Each is replaced whole.
const (
	fileIdentity = "identity.json"
	filePending  = "pending.json"
	fileTold     = "told.json"
	maxFile      = 64 << 10
)

// held is what proves this PC, as it is in use.
type held struct {
	trust.Granted
	door string
	key  *ecdsa.PrivateKey
	tls  tls.Certificate
}

// stored is its file.
type stored struct {
	V           int    `json:"v"`
	Door        string `json:"door"`
	Broker      string `json:"broker"`
	Key         []byte `json:"key"`
	Certificate []byte `json:"certificate"`
	Authority   []byte `json:"authority"`
	Signer      []byte `json:"signer"`
}

func (h *held) store(dir string) error {
	key, err := x509.MarshalPKCS8PrivateKey(h.key)
	if err != nil {
		return err
	}
	text, err := json.MarshalIndent(stored{V: trust.Version, Door: h.door, Broker: h.Broker, Key: key, Certificate: h.Certificate.Raw,
		Authority: h.Authority.Raw, Signer: h.Signer.Raw}, "", " ")
	if err != nil {
		return err
	}
	return write(dir, fileIdentity, text)
}

// load reads the identity; nil where there is none. An error is a fault of class
// Setup, "identity_damaged".
func load(dir, branch string) (*held, error) {
	bad := func(err error) (*held, error) {
		return nil, fault.New(fault.Setup, "identity_damaged", "%s cannot be used: %w", filepath.Join(dir, fileIdentity), err).
			WithHint("enrol this PC with a new code")
	}
	text, err := read(filepath.Join(dir, fileIdentity))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return bad(err)
	}
	var s stored
	if err := json.Unmarshal(text, &s); err != nil {
		return bad(errors.New("it is not as it was written"))
	}
	if !trust.ValidDoor(s.Door) {
		return bad(errors.New("it names no hub"))
	}
	key, err := readKey(s.Key)
	if err != nil {
		return bad(err)
	}
	authority, err := x509.ParseCertificate(s.Authority)
	if err != nil {
		return bad(errors.New("its authority cannot be read"))
	}
	// It is checked as it was when the hub sent it.
	body, err := json.Marshal(trust.Grant{V: s.V, Branch: branch, Certificate: s.Certificate, Authority: s.Authority, Signer: s.Signer,
		Broker: s.Broker, Time: time.Unix(1, 0)})
	if err != nil {
		return bad(err)
	}
	g, err := trust.ParseGrant(body, branch, &key.PublicKey, authority)
	if err != nil {
		return bad(err)
	}
	return hold(g, s.Door, key), nil
}

func hold(g trust.Granted, door string, key *ecdsa.PrivateKey) *held {
	return &held{Granted: g, door: door, key: key,
		tls: tls.Certificate{Certificate: [][]byte{g.Certificate.Raw}, PrivateKey: key, Leaf: g.Certificate}}
}

// pending is the key for which a certificate was asked and is not here yet. With
// the same key the hub gives the same answer again, where the first was lost.
type pending struct {
	Key []byte `json:"key"`
	// For is what it was asked with: the code, or the certificate before.
	For []byte `json:"for"`
}

// pendingKey is the key to ask with; a new one, kept before anybody is asked,
// unless there is one for the same.
func pendingKey(dir string, of [sha256.Size]byte) (*ecdsa.PrivateKey, error) {
	if text, err := read(filepath.Join(dir, filePending)); err == nil {
		var p pending
		if json.Unmarshal(text, &p) == nil && string(p.For) == string(of[:]) {
			if key, err := readKey(p.Key); err == nil {
				return key, nil
			}
		}
	}
	key, err := trust.NewKey()
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(pending{Key: der, For: of[:]})
	if err != nil {
		return nil, err
	}
	return key, write(dir, filePending, text)
}

func readKey(der []byte) (*ecdsa.PrivateKey, error) {
	k, err := x509.ParsePKCS8PrivateKey(der)
	if key, ok := k.(*ecdsa.PrivateKey); err == nil && ok {
		return key, nil
	}
	return nil, errors.New("its key cannot be read") // never the parser's words about a key
}

func read(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(b) > maxFile {
		err = errors.New("it is too large")
	}
	return b, err
}

// write makes the folder where it must, with rights for the agent alone, which may
// be another user than who enrols.
func write(dir, name string, content []byte) error {
	err := os.MkdirAll(dir, 0o700)
	if err == nil {
		err = os.Chmod(dir, 0o700)
	}
	if err == nil {
		err = disk.Replace(filepath.Join(dir, name), content)
	}
	if err == nil {
		err = handOver(dir, filepath.Join(dir, name))
	}
	if err != nil {
		return fault.New(fault.Setup, "identity_unwritable", "this PC's identity cannot be kept: %w", err).
			WithHint("run the command as the agent's user or as administrator, and see that the disk is not full")
	}
	return nil
}
