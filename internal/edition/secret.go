package edition

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/hpke"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"branchline/internal/fault"
)

// secretKey is the only setting of a mapping that stands for a secret.
const secretKey = "secret"

// notOurs are settings that belong to the PC and to no edition.
var notOurs = []string{"branch", "data_dir"}

// NotOfEditions lists the settings that an edition must not have, since they are
// the PC's own.
func NotOfEditions() []string { return slices.Clone(notOurs) }

// The suite: DHKEM(P-256, HKDF-SHA256), HKDF-SHA256, AES-256-GCM of RFC 9180.
// sealedMore is by how much it makes a text longer.
const sealedMore = 65 + 16

// info binds a sealed value to its place: moved to another branch, number or name it
// does not open.
func info(branch string, number uint64, name string) []byte {
	return []byte(strings.Join([]string{"branchline edition", branch, strconv.FormatUint(number, 10), name}, "\x00"))
}

// Seal seals a secret's value to the key of a branch.
func Seal(to *ecdsa.PublicKey, branch string, number uint64, name, value string) ([]byte, error) {
	if !ValidSecretName(name) || value == "" || len(value) > MaxSecret {
		return nil, fault.New(fault.Data, CodeTooLarge, "the secret %.70q has %d bytes, want 1 to %d", name, len(value), MaxSecret)
	}
	key, err := to.ECDH()
	if err != nil {
		return nil, fmt.Errorf("seal the secret %s: %w", name, err)
	}
	public, err := hpke.NewDHKEMPublicKey(key)
	if err != nil {
		return nil, fmt.Errorf("seal the secret %s: %w", name, err)
	}
	return hpke.Seal(public, hpke.HKDFSHA256(), hpke.AES256GCM(), info(branch, number, name), []byte(value))
}

// CodeSealedForAnother is of an edition whose secrets this key does not open.
const CodeSealedForAnother = "edition_sealed_for_another"

func (e *Edition) unseal(key *ecdh.PrivateKey, name string) (string, error) {
	private, err := hpke.NewDHKEMPrivateKey(key)
	if err != nil {
		return "", fmt.Errorf("open the secret %s: %w", name, err)
	}
	value, err := hpke.Open(private, hpke.HKDFSHA256(), hpke.AES256GCM(), info(e.Branch, e.Number, name), e.Secrets[name].Sealed)
	if err != nil || len(value) == 0 || len(value) > MaxSecret {
		return "", fault.New(fault.Data, CodeSealedForAnother, "the secret %q of edition %d is not sealed for this PC", name, e.Number).
			WithHint("the hub seals it anew when it knows this PC's certificate; if that lasts, apply the configuration again")
	}
	return string(value), nil
}

// Reveal gives the configuration with the secrets in their places, for the decoder
// of the configuration and for nothing else: it must not be kept, logged or shown.
// Errors are faults of class Data and hold no part of a secret.
func (e *Edition) Reveal(key *ecdsa.PrivateKey) ([]byte, error) {
	own, err := key.ECDH()
	if err != nil {
		return nil, fmt.Errorf("open the secrets: %w", err)
	}
	root, err := parse(e.Configuration)
	if err != nil {
		return nil, err
	}
	var first error
	walk(root, func(n *yaml.Node, name string) {
		value, err := e.unseal(own, name)
		if err != nil && first == nil {
			first = err
		}
		*n = yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: value, Style: yaml.DoubleQuotedStyle}
	})
	if first != nil {
		return nil, first
	}
	return yaml.Marshal(root)
}

// Secrets lists the names of the secrets in a configuration, sorted, each once.
// A text that no edition may have is a fault of class Data.
func Secrets(configuration string) ([]string, error) {
	root, err := parse(configuration)
	if err != nil {
		return nil, err
	}
	names := []string{}
	walk(root, func(_ *yaml.Node, name string) { names = append(names, name) })
	for _, name := range names {
		if !ValidSecretName(name) {
			return nil, malformed("%.70q cannot name a secret", name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// SecretOf tells whether a node stands for a secret: a mapping whose only setting
// is "secret".
func SecretOf(n *yaml.Node) (name string, ok bool) {
	if n.Kind == yaml.MappingNode && len(n.Content) == 2 && n.Content[0].Value == secretKey && n.Content[1].Kind == yaml.ScalarNode {
		return n.Content[1].Value, true
	}
	return "", false
}

func walk(n *yaml.Node, found func(n *yaml.Node, name string)) {
	if name, ok := SecretOf(n); ok {
		found(n, name)
		return
	}
	for _, c := range n.Content {
		walk(c, found)
	}
}

// parse reads a configuration as far as every edition must be right.
func parse(configuration string) (*yaml.Node, error) {
	d := yaml.NewDecoder(bytes.NewReader([]byte(configuration)))
	var doc yaml.Node
	if err := d.Decode(&doc); err != nil {
		return nil, malformed("its configuration is not YAML: %w", err)
	}
	if len(doc.Content) != 1 {
		return nil, malformed("its configuration is empty")
	}
	root := doc.Content[0]
	if root.Kind != yaml.MappingNode || !errors.Is(d.Decode(new(yaml.Node)), io.EOF) {
		return nil, malformed("its configuration is not one group of settings")
	}
	if err := plain(root); err != nil {
		return nil, err
	}
	for i := 0; i+1 < len(root.Content); i += 2 {
		if name := root.Content[i].Value; slices.Contains(notOurs, name) {
			return nil, malformed("its configuration has the setting %q, which belongs to the PC alone", name)
		}
	}
	return root, nil
}

// plain refuses what is longer than it looks, and what two readers could read in two
// ways: aliases, and settings that are there twice.
func plain(n *yaml.Node) error {
	if n.Kind == yaml.AliasNode || n.Anchor != "" {
		return malformed("its configuration has an anchor or an alias in line %d", n.Line)
	}
	seen := map[string]bool{}
	for i, c := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 0 {
			if c.Kind != yaml.ScalarNode || c.Tag == "!!merge" || seen[c.Value] {
				return malformed("the setting %.70q in line %d of its configuration is there twice or is none", c.Value, c.Line)
			}
			seen[c.Value] = true
		}
		if err := plain(c); err != nil {
			return err
		}
	}
	return nil
}
