package trust

import (
	"crypto/x509"
	"slices"
	"time"

	"branchline/internal/fault"
)

// CheckHub tells whether a chain that was shown by the other end of a connection
// is the hub's: signed by the authority, for the name by which the hub was asked
// for, and not ended at floor, the latest time that the hub itself has told. The
// clock of this machine is not asked: it may be years wrong. Errors are faults
// of class Setup.
func CheckHub(chain []*x509.Certificate, authority *x509.Certificate, name string, floor time.Time) error {
	if len(chain) == 0 {
		return fault.New(fault.Setup, "hub_unproved", "%s shows no certificate", name)
	}
	leaf := chain[0]
	if !leaf.NotAfter.After(floor) {
		return fault.New(fault.Setup, "hub_ended", "the certificate of %s ended on %s, but the hub has told %s already",
			name, leaf.NotAfter.UTC().Format(time.DateTime), floor.UTC().Format(time.DateTime)).
			WithHint("look at the clock of the hub")
	}
	if err := signed(leaf, authority, x509.ExtKeyUsageServerAuth, later(leaf.NotBefore, floor)); err != nil {
		return fault.New(fault.Setup, "hub_unproved", "%s is not the hub that this branch is enrolled at: %w", name, err).
			WithHint("check the address; if the hub has another authority now, enrol the branch anew")
	}
	if err := leaf.VerifyHostname(name); err != nil {
		return fault.New(fault.Setup, "hub_unproved", "the hub's certificate is not for this address: %w", err).
			WithHint("name the address in fleet.names of hub.yaml")
	}
	return nil
}

// PinnedAuthority finds the authority of a code in a chain: how a branch meets it
// for the first time. Errors are faults of class Setup, "hub_unproved".
func PinnedAuthority(chain []*x509.Certificate, pin Pin) (*x509.Certificate, error) {
	i := slices.IndexFunc(chain, func(c *x509.Certificate) bool { return c.IsCA && PinOf(c) == pin })
	if i < 0 {
		return nil, fault.New(fault.Setup, "hub_unproved", "the hub at this address is not the one that made the enrolment code").
			WithHint("check the address; something between here and the hub may open the connection")
	}
	if err := chain[i].CheckSignatureFrom(chain[i]); err != nil {
		return nil, fault.New(fault.Setup, "hub_unproved", "the hub's authority is not signed by its own key: %w", err)
	}
	return chain[i], nil
}

// CheckBranch gives whose certificate a connection was proved with, and tells
// whether the authority has signed it. When it begins and ends is not looked at:
// the hub knows that of what it has signed.
func CheckBranch(leaf, authority *x509.Certificate) (Holder, error) {
	h, err := HolderOf(leaf)
	if err == nil {
		if serr := signed(leaf, authority, x509.ExtKeyUsageClientAuth, leaf.NotBefore); serr != nil {
			err = fault.New(fault.Data, "foreign_certificate", "the certificate was not signed by this hub's authority: %w", serr)
		}
	}
	if err != nil {
		return Holder{}, err
	}
	return h, nil
}

// CheckSigner tells whether c may sign configuration.
func CheckSigner(c, authority *x509.Certificate) error {
	if c.IsCA || len(c.URIs) != 1 || c.URIs[0].String() != signerName {
		return fault.New(fault.Setup, "foreign_signer", "the certificate is not for signing configuration")
	}
	if err := signed(c, authority, x509.ExtKeyUsageCodeSigning, c.NotBefore); err != nil {
		return fault.New(fault.Setup, "foreign_signer", "the signer of configuration is not the hub's: %w", err)
	}
	return nil
}

func signed(leaf, authority *x509.Certificate, use x509.ExtKeyUsage, at time.Time) error {
	roots := x509.NewCertPool()
	roots.AddCert(authority)
	// An authority that was renewed with its key begins after what it signed before.
	at = later(at, authority.NotBefore)
	_, err := leaf.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{use}})
	return err
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
