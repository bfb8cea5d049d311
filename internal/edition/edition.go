package edition

import (
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"regexp"
	"slices"
	"time"

	"branchline/internal/fault"
	"branchline/internal/movement"
)

// Version is of the form of an edition.
const Version = 1

// Bounds of one edition.
const (
	// MaxMessage is the most bytes of a message as it is published.
	MaxMessage = 256 << 10
	// MaxConfiguration is the most bytes of the configuration's text. With as many
	// secrets as there may be it still fits into a message.
	MaxConfiguration = 96 << 10
	// MaxSecrets is how many secrets there may be, MaxSecret how many bytes each
	// may have, and maxAllSecrets all of them together when they are sealed.
	MaxSecrets    = 200
	MaxSecret     = 4 << 10
	maxAllSecrets = 48 << 10
	// maxNumber is far from what can be counted to, and exact in every JSON reader.
	maxNumber = 1 << 53
)

// Hash is over what an edition holds; see [HashOf].
type Hash = movement.Hash

// Edition is what is signed.
type Edition struct {
	V      int       `json:"v"`
	Branch string    `json:"branch"`
	Number uint64    `json:"number"`
	MadeAt time.Time `json:"made_at"`
	// Configuration is what counts in the place of agent.yaml, all but branch and
	// data_dir, as YAML.
	Configuration string `json:"configuration"`
	// Secrets are those that the configuration names, by name.
	Secrets map[string]Secret `json:"secrets,omitempty"`
	// Hash is set by [Sign].
	Hash Hash `json:"hash"`
}

// Secret is one, as only the branch can read it.
type Secret struct {
	// Version counts, at the hub, the values that the secret has had.
	Version uint64 `json:"version"`
	// Sealed is what [Seal] made of the value.
	Sealed []byte `json:"sealed"`
}

// Ref names an edition of a branch.
type Ref struct {
	Number uint64 `json:"number"`
	Hash   Hash   `json:"hash"`
}

// Ref is the edition's own.
func (e *Edition) Ref() Ref { return Ref{e.Number, e.Hash} }

var secretForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$`)

// ValidSecretName tells whether s can name a secret: 1 to 64 letters, digits, dots,
// - and _, so that it can also be the name of a file.
func ValidSecretName(s string) bool { return secretForm.MatchString(s) }

// HashOf is the SHA-256 over the configuration's text and over name and version of
// each secret; of their values it knows nothing.
func HashOf(configuration string, versions map[string]uint64) Hash {
	b := []byte("branchline/1/edition\x00")
	text := func(s string) {
		b = binary.BigEndian.AppendUint64(b, uint64(len(s)))
		b = append(b, s...)
	}
	text(configuration)
	for _, name := range slices.Sorted(maps.Keys(versions)) {
		text(name)
		b = binary.BigEndian.AppendUint64(b, versions[name])
	}
	return sha256.Sum256(b)
}

func (e *Edition) hash() Hash {
	versions := make(map[string]uint64, len(e.Secrets))
	for name, s := range e.Secrets {
		versions[name] = s.Version
	}
	return HashOf(e.Configuration, versions)
}

// check tells what is wrong with an edition by itself. Errors are faults of class
// Data.
func (e *Edition) check() error {
	switch {
	case !movement.ValidBranch(e.Branch):
		return malformed("it names no branch")
	case e.Number < 1 || e.Number > maxNumber:
		return malformed("its number cannot be")
	case e.MadeAt.IsZero():
		return malformed("it does not say when it was made")
	case len(e.Configuration) > MaxConfiguration:
		return tooLarge("its configuration has %d bytes, more than %d", len(e.Configuration), MaxConfiguration)
	case len(e.Secrets) > MaxSecrets:
		return tooLarge("it has %d secrets, more than %d", len(e.Secrets), MaxSecrets)
	}
	all := 0
	for name, s := range e.Secrets {
		if !ValidSecretName(name) || s.Version < 1 || len(s.Sealed) > MaxSecret+sealedMore {
			return malformed("it has a secret that cannot be")
		}
		all += len(name) + len(s.Sealed)
	}
	if all > maxAllSecrets {
		return tooLarge("its secrets have %d bytes, more than %d", all, maxAllSecrets)
	}
	names, err := Secrets(e.Configuration)
	if err != nil {
		return err
	}
	for _, n := range names {
		if _, ok := e.Secrets[n]; !ok {
			return fault.New(fault.Data, CodeSecretMissing, "the configuration names the secret %q, which is not with it", n)
		}
	}
	if len(names) != len(e.Secrets) {
		return malformed("it has a secret that its configuration does not name")
	}
	return nil
}
