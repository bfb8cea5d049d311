package fleet

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"branchline/hub/ledger"
	"branchline/internal/fault"
	"branchline/internal/trust"
)

// judge tells why a certificate does not count; nil when it does.
func judge(i *ledger.Identity, now time.Time) *refused {
	e, c := &i.Enrolment, &i.Certificate
	switch {
	case e.Ended == ledger.EnrolmentReplaced:
		return refuse(trust.CodeReplaced, "if this is the branch's PC after all, enrol it with a new code",
			fmt.Sprintf("this PC was replaced as branch %s on %s by %s", e.Branch, stamp(e.EndedAt), e.EndedBy))
	case e.Ended != "":
		return refuse(trust.CodeRevoked, "ask IT; to let it in again it is enrolled with a new code",
			fmt.Sprintf("this PC may no longer be branch %s since %s, by %s: %s", e.Branch, stamp(e.EndedAt), e.EndedBy, e.Why))
	case i.Later:
		return refuse(trust.CodeCopied, "find out which of the two is the branch's PC, and enrol it with a new code",
			fmt.Sprintf("this PC proves itself with a certificate of branch %s that has a successor in use: its disk is a copy, or was put back from one", e.Branch))
	case !now.Before(c.EndsAt):
		return refuse(trust.CodeCertEnded, "the agent renews it by itself as soon as it reaches the hub",
			fmt.Sprintf("the certificate of branch %s ended on %s", e.Branch, stamp(c.EndsAt)))
	}
	return nil
}

// Identify tells which branch it is that has proved a certificate's key on a
// connection from an address, and notes that it was used. A certificate that does
// not count is a fault of class Data with the code of the refusal.
func (f *Fleet) Identify(ctx context.Context, leaf *x509.Certificate, address string) (branch string, err error) {
	i, err := f.identity(ctx, leaf, address, false)
	if err != nil {
		return i.Enrolment.Branch, f.asFault(err)
	}
	return i.Enrolment.Branch, nil
}

// Counts is [Fleet.Identify] for a connection that was let in before, without
// noting a use.
func (f *Fleet) Counts(ctx context.Context, leaf *x509.Certificate) error {
	i, found, err := f.Ledger.IdentityOf(ctx, sha256.Sum256(leaf.Raw))
	switch {
	case err != nil:
		return err
	case !found:
		return f.asFault(unknownCertificate())
	}
	if err := f.stillRevoked(ctx, &i); err != nil {
		return err
	}
	if r := judge(&i, f.Now().UTC()); r != nil {
		return f.asFault(r)
	}
	return nil
}

func (f *Fleet) asFault(err error) error {
	var r *refused
	if errors.As(err, &r) {
		return fault.New(fault.Data, r.Code, "%s", r.Text).WithHint(r.Hint)
	}
	return err
}

func unknownCertificate() *refused {
	return refuse(trust.CodeForeign, "enrol the PC with a new code", "the hub does not know this certificate")
}

// identity looks a certificate up, judges it and notes its use. ended lets a
// certificate pass that has only ended.
func (f *Fleet) identity(ctx context.Context, leaf *x509.Certificate, address string, ended bool) (ledger.Identity, error) {
	h, err := trust.CheckBranch(leaf, f.Authority.Certificate)
	if err != nil {
		return ledger.Identity{}, err
	}
	none := ledger.Identity{Enrolment: ledger.Enrolment{Branch: h.Branch}}
	if !f.known[h.Branch] {
		return none, notConfigured(h.Branch)
	}
	fingerprint := sha256.Sum256(leaf.Raw)
	i, found, err := f.Ledger.IdentityOf(ctx, fingerprint)
	if err == nil && !found {
		i, err = f.adopt(ctx, leaf, h, address)
	}
	if err == nil {
		err = f.stillRevoked(ctx, &i)
	}
	if err != nil {
		return none, err
	}
	now := f.Now().UTC()
	r := judge(&i, now)
	if r != nil && r.Code == trust.CodeCertEnded && ended {
		r = nil
	}
	if r != nil {
		f.metrics.refused.WithLabelValues(r.Code).Inc()
		if r.Code == trust.CodeCopied {
			return i, errors.Join(r, f.copied(ctx, &i, address, now))
		}
		return i, r
	}
	if i.Certificate.SeenAt.IsZero() {
		err = f.Ledger.Write(ctx, func(tx *ledger.Tx) error { return tx.SawCertificate(i.Certificate.ID, now) })
		i.Certificate.SeenAt = now
	}
	return i, err
}

// copyEvery is how often a copied disk that goes on trying is written down.
const copyEvery = time.Hour

// copied writes down that a certificate was used after its successor.
func (f *Fleet) copied(ctx context.Context, i *ledger.Identity, address string, now time.Time) error {
	first := false
	err := f.Ledger.Write(ctx, func(tx *ledger.Tx) (err error) {
		if first, err = tx.CopiedCertificate(i.Certificate.ID, now, now.Add(-copyEvery), address); err != nil || !first {
			return err
		}
		return tx.Audit(audit(now, "hub", "copied disk refused", i.Enrolment.Branch, "a certificate that has a successor in use was shown from "+address))
	})
	if err == nil && first {
		f.metrics.copies.WithLabelValues(i.Enrolment.Branch).Inc()
		f.Log.Warn("a copy of the branch's disk is refused", "branch", i.Enrolment.Branch, "remote", address)
	}
	return err
}

// adopt takes in a certificate that the authority has signed and the ledger does
// not know, since it was put back from a backup: otherwise each branch that was
// enrolled or renewed since then would have to be enrolled anew by hand. One that
// was not signed after all that the ledger knows of the branch stays unknown.
func (f *Fleet) adopt(ctx context.Context, leaf *x509.Certificate, h trust.Holder, address string) (i ledger.Identity, err error) {
	now := f.Now().UTC()
	err = f.Ledger.Write(ctx, func(tx *ledger.Tx) error {
		newest, present, err := tx.NewestCertificate(h.Branch)
		if err != nil {
			return err
		}
		e, known, err := tx.EnrolmentNamed(h.Enrolment)
		if err != nil {
			return err
		}
		if !leaf.NotBefore.After(newest) || known && e.Ended != "" {
			return unknownCertificate()
		}
		if !known {
			if present != "" {
				if _, err := tx.EndEnrolments(h.Branch, ledger.EnrolmentReplaced, "a PC at "+address, "", now); err != nil {
					return err
				}
			}
			if err := tx.AddEnrolment(ledger.Enrolment{Name: h.Enrolment, Branch: h.Branch, At: leaf.NotBefore, Address: address}); err != nil {
				return err
			}
		}
		if _, err := tx.AddCertificate(kept(leaf, 0, now)); err != nil {
			return err
		}
		if err := tx.Audit(audit(now, "hub", "certificate taken in", h.Branch,
			"the authority has signed it and the ledger did not know it, as after it was put back from a backup; from "+address)); err != nil {
			return err
		}
		i, _, err = tx.IdentityOf(sha256.Sum256(leaf.Raw))
		return err
	})
	return i, err
}
