package fleet

import (
	"context"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"time"

	"branchline/hub/ledger"
	"branchline/internal/killpoint"
	"branchline/internal/trust"
)

// Enrol makes who asks the branch's PC, if the code is right. The code is used up
// in the same transaction in which the certificate is kept. Asked again with the
// same code and key, the answer is the same; with another key it is refused.
// address is where it was asked from.
func (f *Fleet) Enrol(ctx context.Context, ask trust.Ask, key *ecdsa.PublicKey, address string) (trust.Grant, error) {
	secret, ok := trust.ReadSecret(ask.Secret)
	if !ok {
		return trust.Grant{}, unknownCode()
	}
	sum := secret.Sum()
	spki, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return trust.Grant{}, err
	}
	wanted := sha256.Sum256(spki)
	now := f.Now().UTC()
	var grant trust.Grant
	again := false
	err = f.Ledger.Write(ctx, func(tx *ledger.Tx) error {
		again = false
		code, found, err := tx.CodeOf(sum)
		switch {
		case err != nil:
			return err
		case !found:
			return unknownCode()
		case code.Branch != ask.Branch:
			return refuse(trust.CodeOtherBranch, "use it there, or have one made for "+ask.Branch,
				fmt.Sprintf("the enrolment code is for another branch than %s; it is not used up", ask.Branch))
		case !now.Before(code.EndsAt):
			return refuse(trust.CodeCodeEnded, newCode(code.Branch), "the enrolment code ended on "+stamp(code.EndsAt))
		case !code.WithdrawnAt.IsZero():
			return refuse(trust.CodeCodeEnded, newCode(code.Branch), "a later enrolment code was made, or this one was withdrawn, on "+stamp(code.WithdrawnAt))
		case !f.known[code.Branch]:
			return notConfigured(code.Branch)
		case !code.UsedAt.IsZero():
			was, found, err := tx.CertificateByID(code.CertificateID)
			if err != nil {
				return err
			}
			if !found || was.Certificate.Key != wanted || was.Enrolment.Ended != "" {
				return refuse(trust.CodeCodeUsed, newCode(code.Branch), "the enrolment code was used already, on "+stamp(code.UsedAt))
			}
			grant, again = f.grant(was.Certificate.DER, was.Enrolment, now), true
			return nil
		}
		e := ledger.Enrolment{Name: trust.NewEnrolment(), Branch: code.Branch, At: now, Host: ask.Host, System: ask.System, Address: address}
		replaced, err := tx.EndEnrolments(e.Branch, ledger.EnrolmentReplaced, pcWords(e), "", now)
		if err != nil {
			return err
		}
		if err := tx.AddEnrolment(e); err != nil {
			return err
		}
		der, id, err := f.sign(tx, e, key, 0, now)
		if err != nil {
			return err
		}
		used, err := tx.UseCode(code.ID, id, now)
		if err != nil {
			return err
		}
		if !used { // by another hub at the same database
			return refuse(trust.CodeCodeUsed, newCode(code.Branch), "the enrolment code was used at this moment")
		}
		detail := pcWords(e) + ", with a code made by " + code.MadeBy
		if replaced > 0 {
			detail += "; the PC before it is refused from now on"
		}
		if err := tx.Audit(audit(now, pcWords(e), "enrolled", e.Branch, detail)); err != nil {
			return err
		}
		grant = f.grant(der, e, now)
		killpoint.Here("fleet.before-commit")
		return nil
	})
	if err != nil {
		return trust.Grant{}, err
	}
	killpoint.Here("fleet.committed")
	if !again {
		f.metrics.enrolled.Inc()
		f.Log.Info("a PC is enrolled", "branch", ask.Branch, "remote", address)
		f.tellChanged()
	}
	return grant, nil
}

// sign makes a certificate and keeps it.
func (f *Fleet) sign(tx *ledger.Tx, e ledger.Enrolment, key *ecdsa.PublicKey, predecessor int64, now time.Time) (der []byte, id int64, err error) {
	c, err := f.Authority.Branch(trust.Holder{Branch: e.Branch, Enrolment: e.Name}, key, now, trust.Life)
	if err != nil {
		return nil, 0, err
	}
	id, err = tx.AddCertificate(kept(c, predecessor, time.Time{}))
	return c.Raw, id, err
}

// kept is a certificate as the ledger has it.
func kept(c *x509.Certificate, predecessor int64, seen time.Time) ledger.BranchCertificate {
	h, _ := trust.HolderOf(c) // it was checked, or made
	return ledger.BranchCertificate{Fingerprint: sha256.Sum256(c.Raw), Key: keyHash(c), Serial: c.SerialNumber.Text(16),
		Enrolment: h.Enrolment, Predecessor: predecessor, DER: c.Raw, IssuedAt: c.NotBefore, EndsAt: c.NotAfter, SeenAt: seen}
}

func (f *Fleet) grant(der []byte, e ledger.Enrolment, now time.Time) trust.Grant {
	return trust.Grant{V: trust.Version, Branch: e.Branch, Enrolment: e.Name, Certificate: der, Authority: f.Authority.Certificate.Raw,
		Signer: f.Authority.Configuration.Raw, Broker: f.Broker, Time: now}
}

// pcWords name a PC for people.
func pcWords(e ledger.Enrolment) string {
	if e.Host == "" {
		return "a PC at " + e.Address
	}
	return e.Host + " at " + e.Address
}

func unknownCode() *refused {
	return refuse(trust.CodeUnknownCode, "have a new one made", "the hub has not made this enrolment code")
}

func notConfigured(branch string) *refused {
	return refuse(trust.CodeNotConfigured, "put it into hub.yaml and start the hub again", fmt.Sprintf("branch %s is not in the hub's configuration", branch))
}

func newCode(branch string) string {
	return "have a new one made: branchline-hub branch add " + branch
}
