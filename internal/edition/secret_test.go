package edition_test

import (
	"bytes"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"branchline/internal/edition"
	"branchline/internal/fault"
)

// A sealed value opens for its branch, edition and name, and nowhere else.
func TestASecretOpensAtItsPlaceOnly(t *testing.T) {
	key, other := newKey(t), newKey(t)
	sealed := must[[]byte](t)(edition.Seal(&key.PublicKey, "BR01", 7, "pin", "s3cr3t"))
	if again := must[[]byte](t)(edition.Seal(&key.PublicKey, "BR01", 7, "pin", "s3cr3t")); bytes.Equal(again, sealed) {
		t.Error("the same value is sealed to the same bytes: who compares them learns that nothing changed")
	}
	with := func(name string, sealed []byte) edition.Edition {
		return edition.Edition{Branch: "BR01", Number: 7, Configuration: "users: [{initials: AB, pin: {secret: " + name + "}}]\n",
			Secrets: map[string]edition.Secret{name: {Version: 1, Sealed: sealed}}}
	}
	good := with("pin", sealed)
	if text, err := good.Reveal(key); err != nil || !strings.Contains(string(text), `"s3cr3t"`) {
		t.Fatalf("%s, %v", text, err)
	}
	spoilt := bytes.Clone(sealed)
	spoilt[len(spoilt)-1] ^= 1
	moved, numbered := with("pin", sealed), with("pin", sealed)
	moved.Branch, numbered.Number = "BR02", 8
	wrong, short, altered := with("pin2", sealed), with("pin", nil), with("pin", spoilt)
	for name, e := range map[string]*edition.Edition{"another branch": &moved, "another number": &numbered, "another name": &wrong, "nothing sealed": &short, "altered": &altered} {
		if text, err := e.Reveal(key); fault.CodeOf(err) != edition.CodeSealedForAnother || text != nil {
			t.Errorf("%s: %s, %v", name, text, err)
		}
	}
	if _, err := good.Reveal(other); fault.CodeOf(err) != edition.CodeSealedForAnother {
		t.Errorf("another key: %v", err)
	}
	for name, value := range map[string]string{"": "x", "a/b": "x", "empty": "", "large": strings.Repeat("x", edition.MaxSecret+1)} {
		if _, err := edition.Seal(&key.PublicKey, "BR01", 7, name, value); fault.ClassOf(err) != fault.Data {
			t.Errorf("%q is sealed: %v", name, err)
		}
	}
}

// Whatever a secret holds, it is a text in its place and changes nothing else.
func TestASecretIsAlwaysOneText(t *testing.T) {
	key := newKey(t)
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.StringN(1, 200, 800).Draw(t, "value")
		sealed, err := edition.Seal(&key.PublicKey, "BR01", 1, "s", value)
		if err != nil {
			t.Fatal(err)
		}
		e := edition.Edition{Branch: "BR01", Number: 1, Configuration: "a: {secret: s}\nb: [1, {c: {secret: s}}]\n",
			Secrets: map[string]edition.Secret{"s": {Version: 1, Sealed: sealed}}}
		text, err := e.Reveal(key)
		if err != nil {
			t.Fatal(err)
		}
		got := decoded(t, text)
		if got.A != value || len(got.B) != 2 || got.B[1].(map[string]any)["c"] != value {
			t.Fatalf("%q became %+v", value, got)
		}
	})
}

func TestTheHashIsOfWhatAnEditionHolds(t *testing.T) {
	one := edition.HashOf("a: 1\n", map[string]uint64{"x": 1, "y": 2})
	if same := edition.HashOf("a: 1\n", map[string]uint64{"y": 2, "x": 1}); same != one {
		t.Error("the order of the secrets counts")
	}
	for name, h := range map[string]edition.Hash{
		"another text":    edition.HashOf("a: 2\n", map[string]uint64{"x": 1, "y": 2}),
		"another version": edition.HashOf("a: 1\n", map[string]uint64{"x": 2, "y": 2}),
		"another name":    edition.HashOf("a: 1\n", map[string]uint64{"z": 1, "y": 2}),
		"one less":        edition.HashOf("a: 1\n", map[string]uint64{"x": 1}),
		"none":            edition.HashOf("a: 1\n", nil),
	} {
		if h == one {
			t.Errorf("%s has the same hash", name)
		}
	}
}

func TestSecretsAreFoundByName(t *testing.T) {
	got, err := edition.Secrets("a: {secret: b}\nc: [{d: {secret: a}}, {secret: b}]\ne: {secret: x, more: y}\n")
	if err != nil || strings.Join(got, " ") != "a b" {
		t.Errorf("%v, %v", got, err)
	}
}
