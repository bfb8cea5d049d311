package fleet

import (
	"context"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"

	"branchline/hub/ledger"
	"branchline/internal/fault"
	"branchline/internal/killpoint"
	"branchline/internal/trust"
)

// Renew signs a certificate for a new key of the PC that has proved its present
// one, which may have ended. Asked again with the same two keys, the answer is the
// same.
func (f *Fleet) Renew(ctx context.Context, leaf *x509.Certificate, ask trust.Ask, key *ecdsa.PublicKey, address string) (trust.Grant, error) {
	i, err := f.identity(ctx, leaf, address, true)
	if err != nil {
		return trust.Grant{}, err
	}
	if i.Enrolment.Branch != ask.Branch {
		return trust.Grant{}, fault.New(fault.Data, codeMalformed, "the request is for another branch than its certificate")
	}
	spki, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return trust.Grant{}, err
	}
	wanted := sha256.Sum256(spki)
	if wanted == i.Certificate.Key {
		return trust.Grant{}, fault.New(fault.Data, codeMalformed, "a renewal needs a new key")
	}
	now := f.Now().UTC()
	var grant trust.Grant
	err = f.Ledger.Write(ctx, func(tx *ledger.Tx) error {
		// Once more inside: it may have been replaced a moment ago.
		now, found, err := tx.IdentityOf(i.Certificate.Fingerprint)
		at := f.Now().UTC()
		if err != nil {
			return err
		}
		if !found {
			return unknownCertificate()
		}
		if r := judge(&now, at); r != nil && r.Code != trust.CodeCertEnded {
			return r
		}
		was, found, err := tx.SuccessorOf(i.Certificate.ID, wanted)
		if err != nil {
			return err
		}
		if found {
			grant = f.grant(was.Certificate.DER, was.Enrolment, at)
			return nil
		}
		der, _, err := f.sign(tx, i.Enrolment, key, i.Certificate.ID, at)
		if err != nil {
			return err
		}
		grant = f.grant(der, i.Enrolment, at)
		killpoint.Here("fleet.before-commit")
		return nil
	})
	if err != nil {
		return trust.Grant{}, err
	}
	killpoint.Here("fleet.committed")
	f.metrics.renewed.Inc()
	f.Log.Info("the branch's certificate is renewed", "branch", i.Enrolment.Branch, "remote", address, "ends", now.Add(trust.Life))
	return grant, nil
}

// Standing tells a PC that has proved a certificate whether it may connect.
func (f *Fleet) Standing(ctx context.Context, leaf *x509.Certificate, address string) (trust.Standing, error) {
	s := trust.Standing{V: trust.Version, Broker: f.Broker, Time: f.Now().UTC()}
	if _, err := f.identity(ctx, leaf, address, false); err != nil {
		no := f.refusalOf(err)
		if no.Code == codeBusy {
			return s, err
		}
		s.Refusal = no
	}
	return s, nil
}
