package edition

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"fmt"

	"branchline/internal/fault"
)

// Codes of refusals: why an edition is not taken. Nothing of it is ever tried.
const (
	CodeTooLarge       = "edition_too_large"
	CodeMalformed      = "edition_malformed"
	CodeBadSignature   = "edition_bad_signature"
	CodeUnknownVersion = "edition_unknown_version"
	CodeOtherBranch    = "edition_of_another_branch"
	CodeOlder          = "edition_older"
	CodeDiffers        = "edition_differs"
	CodeSecretMissing  = "edition_secret_missing"
	CodeUnusable       = "edition_unusable"
)

func malformed(format string, args ...any) error {
	return fault.New(fault.Data, CodeMalformed, "the edition cannot be used: "+format, args...)
}

func tooLarge(format string, args ...any) error {
	return fault.New(fault.Data, CodeTooLarge, "the edition is too large: "+format, args...)
}

// message is an edition on its way. The signature is over the payload's bytes as
// they are, so that nobody has to write them again in the same form.
type message struct {
	Payload   []byte `json:"payload"`
	Signature []byte `json:"signature"`
}

// signed is what the signature is over: the key signs nothing else by accident.
func signed(payload []byte) []byte {
	sum := sha256.Sum256(append([]byte("branchline/1/edition\n"), payload...))
	return sum[:]
}

// Sign makes the message of an edition; V and Hash are set by it. An edition that
// no agent could take is a fault of class Data.
func Sign(e Edition, key crypto.Signer) ([]byte, error) {
	e.V, e.MadeAt = Version, e.MadeAt.UTC()
	e.Hash = e.hash()
	if err := e.check(); err != nil {
		return nil, err
	}
	payload, err := json.Marshal(e)
	if err != nil {
		return nil, err
	}
	signature, err := key.Sign(rand.Reader, signed(payload), crypto.SHA256)
	if err != nil {
		return nil, fmt.Errorf("sign an edition: %w", err)
	}
	m, err := json.Marshal(message{payload, signature})
	if err == nil && len(m) > MaxMessage {
		return nil, tooLarge("as a message it has %d bytes, more than %d", len(m), MaxMessage)
	}
	return m, err
}

// Expect is what an edition is held against.
type Expect struct {
	// Branch is who opens it.
	Branch string
	// Signer is the certificate of who may sign, as it was pinned when the branch
	// was enrolled. That it is one for signing was checked then.
	Signer *x509.Certificate
	// Newest is the newest edition that was taken so far; the zero Ref for none.
	Newest Ref
	// Accept tells whether the configuration can be used at all; it is asked last,
	// and not for the edition that is the newest already. Its error is a sentence
	// for people.
	Accept func(*Edition) error
}

// Open reads a message. Errors are faults of class Data with one of the codes
// above; where who has signed it is proved, the edition that is returned with the
// error says at least which one it was. An edition that is the newest already is
// no error: it comes again when the connection does, and with its secrets sealed
// anew when the branch has another key.
func Open(body []byte, x Expect) (Edition, error) {
	if len(body) > MaxMessage {
		return Edition{}, tooLarge("it has %d bytes, more than %d", len(body), MaxMessage)
	}
	var m message
	if err := json.Unmarshal(body, &m); err != nil {
		return Edition{}, malformed("it is not as it should be: %w", err)
	}
	key, ok := x.Signer.PublicKey.(*ecdsa.PublicKey)
	if !ok || key.Curve != elliptic.P256() || !ecdsa.VerifyASN1(key, signed(m.Payload), m.Signature) {
		return Edition{}, fault.New(fault.Data, CodeBadSignature, "the edition is not signed by the hub at which this branch was enrolled").
			WithHint("if the hub's authority was made anew, enrol the branch again; otherwise somebody else has sent it")
	}
	var form struct {
		V int `json:"v"`
		Ref
	}
	if err := json.Unmarshal(m.Payload, &form); err != nil {
		return Edition{}, malformed("it is not as it should be: %w", err)
	}
	e := Edition{V: form.V, Number: form.Number, Hash: form.Hash}
	if form.V != Version {
		return e, fault.New(fault.Data, CodeUnknownVersion, "the edition has version %d, this agent reads %d", form.V, Version).WithHint("update the agent")
	}
	if err := json.Unmarshal(m.Payload, &e); err != nil {
		return Edition{V: form.V, Number: form.Number, Hash: form.Hash}, malformed("it is not as it should be: %w", err)
	}
	return e, e.held(x)
}

// held holds an edition that was proved against what is expected.
func (e *Edition) held(x Expect) error {
	switch {
	case e.Number < 1:
		return malformed("it has no number")
	case e.Branch != x.Branch:
		return fault.New(fault.Data, CodeOtherBranch, "the edition is for branch %.40q, this is %s", e.Branch, x.Branch)
	case e.Number < x.Newest.Number:
		return fault.New(fault.Data, CodeOlder, "the edition has number %d, but %d was there before", e.Number, x.Newest.Number).
			WithHint("apply the configuration again at the hub: it gets a new number")
	case e.Number == x.Newest.Number && e.Hash != x.Newest.Hash:
		return fault.New(fault.Data, CodeDiffers, "the edition has number %d, as another one had before", e.Number).
			WithHint("apply the configuration again at the hub: it gets a new number")
	}
	if err := e.check(); err != nil {
		return err
	}
	if e.Hash != e.hash() {
		return malformed("its hash is not that of what it holds")
	}
	if x.Accept == nil || e.Ref() == x.Newest {
		return nil
	}
	if err := x.Accept(e); err != nil {
		return fault.New(fault.Data, CodeUnusable, "the configuration cannot be used: %w", err)
	}
	return nil
}
