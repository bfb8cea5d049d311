package edition_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"branchline/internal/edition"
	"branchline/internal/fault"
	"branchline/internal/trust"
)

var now = time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)

func must[T any](t testing.TB) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func newKey(t testing.TB) *ecdsa.PrivateKey { return must[*ecdsa.PrivateKey](t)(trust.NewKey()) }

// hub is who signs.
type hub struct {
	key         *ecdsa.PrivateKey
	certificate *x509.Certificate
}

func newHub(t testing.TB) hub {
	authority := newKey(t)
	own := &trust.Signer{Certificate: must[*x509.Certificate](t)(trust.NewAuthority(authority, now)), Key: authority}
	key := newKey(t)
	return hub{key, must[*x509.Certificate](t)(own.ConfigurationSigner(key.Public(), now))}
}

const configuration = "hub:\n    min_backoff: 2s\nusers:\n    - initials: AB\n      pin:\n        secret: pin-ab\n"

// sample is edition 7 of BR01, with one secret sealed to the branch.
func sample(t testing.TB, branch *ecdsa.PublicKey) edition.Edition {
	sealed := must[[]byte](t)(edition.Seal(branch, "BR01", 7, "pin-ab", "s3cr3t"))
	return edition.Edition{Branch: "BR01", Number: 7, MadeAt: now, Configuration: configuration,
		Secrets: map[string]edition.Secret{"pin-ab": {Version: 3, Sealed: sealed}}}
}

// asIs signs any payload as the hub's key would, without looking at it.
func (h hub) asIs(t testing.TB, payload []byte) []byte {
	sum := edition.Signed(payload)
	signature := must[[]byte](t)(ecdsa.SignASN1(nil, h.key, sum))
	return must[[]byte](t)(json.Marshal(map[string][]byte{"payload": payload, "signature": signature}))
}

func payloadOf(t testing.TB, message []byte) []byte {
	var m struct{ Payload []byte }
	if err := json.Unmarshal(message, &m); err != nil {
		t.Fatal(err)
	}
	return m.Payload
}

func TestAnEditionArrivesAsItWasSigned(t *testing.T) {
	h, branch := newHub(t), newKey(t)
	message := must[[]byte](t)(edition.Sign(sample(t, &branch.PublicKey), h.key))
	if bytes.Contains(message, []byte("s3cr3t")) || bytes.Contains(payloadOf(t, message), []byte("s3cr3t")) {
		t.Fatal("the secret travels as it is")
	}
	asked := 0
	x := edition.Expect{Branch: "BR01", Signer: h.certificate, Newest: edition.Ref{Number: 6}, Accept: func(*edition.Edition) error { asked++; return nil }}
	got, err := edition.Open(message, x)
	if err != nil || got.Number != 7 || got.Configuration != configuration || !got.MadeAt.Equal(now) || asked != 1 {
		t.Fatalf("%+v, %v, looked at %d times", got, err, asked)
	}
	text := must[[]byte](t)(got.Reveal(branch))
	if want := strings.Replace(configuration, "pin:\n        secret: pin-ab", `pin: "s3cr3t"`, 1); string(text) != want {
		t.Errorf("revealed is\n%s, want\n%s", text, want)
	}
	// The same once more, as after each connecting, and sealed anew for another key.
	x.Newest = got.Ref()
	again := must[[]byte](t)(edition.Sign(sample(t, &newKey(t).PublicKey), h.key))
	for name, message := range map[string][]byte{"the same": message, "sealed anew": again} {
		if e, err := edition.Open(message, x); err != nil || e.Ref() != got.Ref() || asked != 1 {
			t.Errorf("%s: %+v, %v, looked at %d times", name, e.Ref(), err, asked)
		}
	}
}

// Whatever is refused is refused with its own code, before anything is tried, and
// says which edition it is as soon as that is proved.
func TestEditionsThatAreRefused(t *testing.T) {
	h, stranger, branch := newHub(t), newHub(t), newKey(t)
	good := must[[]byte](t)(edition.Sign(sample(t, &branch.PublicKey), h.key))
	first := must[edition.Edition](t)(edition.Open(good, edition.Expect{Branch: "BR01", Signer: h.certificate}))
	known := first.Ref()
	payload := func(change func(map[string]any)) []byte {
		var all map[string]any
		if err := json.Unmarshal(payloadOf(t, good), &all); err != nil {
			t.Fatal(err)
		}
		change(all)
		return h.asIs(t, must[[]byte](t)(json.Marshal(all)))
	}
	set := func(key string, v any) []byte { return payload(func(m map[string]any) { m[key] = v }) }
	text := func(s string) []byte { return set("configuration", s) }
	spoilt := func(of string) []byte {
		var m map[string][]byte
		if err := json.Unmarshal(good, &m); err != nil {
			t.Fatal(err)
		}
		m[of][len(m[of])/2] ^= 1
		return must[[]byte](t)(json.Marshal(m))
	}
	sign := func(change func(*edition.Edition)) []byte {
		e := sample(t, &branch.PublicKey)
		change(&e)
		return must[[]byte](t)(edition.Sign(e, h.key))
	}
	type ref = edition.Ref
	for name, c := range map[string]struct {
		message []byte
		newest  ref
		code    string
		proved  bool
	}{
		"an older number":             {good, ref{Number: 8}, edition.CodeOlder, true},
		"the same number, other hash": {good, ref{Number: 7, Hash: edition.Hash{1}}, edition.CodeDiffers, true},
		"the same, secret changed":    {sign(func(e *edition.Edition) { s := e.Secrets["pin-ab"]; s.Version++; e.Secrets["pin-ab"] = s }), known, edition.CodeDiffers, true},
		"another branch":              {sign(func(e *edition.Edition) { e.Branch = "BR02" }), ref{}, edition.CodeOtherBranch, true},
		"another signer":              {must[[]byte](t)(edition.Sign(sample(t, &branch.PublicKey), stranger.key)), ref{}, edition.CodeBadSignature, false},
		"altered on its way":          {spoilt("payload"), ref{}, edition.CodeBadSignature, false},
		"a spoilt signature":          {spoilt("signature"), ref{}, edition.CodeBadSignature, false},
		"no signature":                {[]byte(`{"payload":"e30="}`), ref{}, edition.CodeBadSignature, false},
		"signed without its prefix":   {h.signedPlain(t, payloadOf(t, good)), ref{}, edition.CodeBadSignature, false},
		"a version to come":           {set("v", 2), ref{}, edition.CodeUnknownVersion, true},
		"no version":                  {payload(func(m map[string]any) { delete(m, "v") }), ref{}, edition.CodeUnknownVersion, true},
		"too large":                   {append(bytes.Repeat([]byte(" "), edition.MaxMessage), good...), ref{}, edition.CodeTooLarge, false},
		"a configuration too large":   {text(strings.Repeat("# x\n", 25<<10) + configuration), ref{}, edition.CodeTooLarge, true},
		"no JSON":                     {[]byte("edition 7"), ref{}, edition.CodeMalformed, false},
		"nothing":                     {nil, ref{}, edition.CodeMalformed, false},
		"a payload that is no JSON":   {h.asIs(t, []byte("edition 7")), ref{}, edition.CodeMalformed, false},
		"another type":                {set("made_at", 7), ref{}, edition.CodeMalformed, true},
		"number 0":                    {set("number", 0), ref{}, edition.CodeMalformed, false},
		"a number beyond all":         {set("number", uint64(1)<<60), ref{}, edition.CodeMalformed, true},
		"no time":                     {set("made_at", time.Time{}), ref{}, edition.CodeMalformed, true},
		"a hash of something else":    {set("hash", edition.Hash{9}), ref{}, edition.CodeMalformed, true},
		"other content":               {text(configuration + "log: {level: debug}\n"), ref{}, edition.CodeMalformed, true},
		"no YAML":                     {text("hub: ["), ref{}, edition.CodeMalformed, true},
		"no settings":                 {text("- hub"), ref{}, edition.CodeMalformed, true},
		"an empty configuration":      {text(""), ref{}, edition.CodeMalformed, true},
		"two documents":               {text(configuration + "---\nhub: {}\n"), ref{}, edition.CodeMalformed, true},
		"an alias":                    {text("hub: &h {}\noutbox: *h\n"), ref{}, edition.CodeMalformed, true},
		"a merged mapping":            {text("hub: {<<: {a: 1}}\n"), ref{}, edition.CodeMalformed, true},
		"a setting twice":             {text("hub: {}\nhub: {}\n"), ref{}, edition.CodeMalformed, true},
		"the branch's own code":       {text("branch: BR01\n"), ref{}, edition.CodeMalformed, true},
		"the PC's own folder":         {text("data_dir: /\n"), ref{}, edition.CodeMalformed, true},
		"a secret that is not there":  {payload(func(m map[string]any) { delete(m, "secrets") }), ref{}, edition.CodeSecretMissing, true},
		"a secret that nobody names":  {text("hub: {}\n"), ref{}, edition.CodeMalformed, true},
		"a secret of such a name":     {text("users: [{pin: {secret: ../key}}]\n"), ref{}, edition.CodeMalformed, true},
		"not as it should be":         {sign(func(e *edition.Edition) { e.Number = 9 }), ref{}, edition.CodeUnusable, true},
	} {
		t.Run(name, func(t *testing.T) {
			asked := false
			e, err := edition.Open(c.message, edition.Expect{Branch: "BR01", Signer: h.certificate, Newest: c.newest, Accept: func(e *edition.Edition) error {
				asked = true
				return errors.New("hub.min_backoff: 2s is too short")
			}})
			if fault.CodeOf(err) != c.code || fault.ClassOf(err) != fault.Data {
				t.Fatalf("%s, want %s: %v", fault.CodeOf(err), c.code, err)
			}
			if asked != (c.code == edition.CodeUnusable) {
				t.Errorf("looked at: %v", asked)
			}
			if asked && !strings.Contains(err.Error(), "hub.min_backoff: 2s is too short") {
				t.Errorf("the reason is lost: %v", err)
			}
			if (e.Number != 0) != c.proved {
				t.Errorf("it is named as number %d", e.Number)
			}
			if strings.Contains(fmt.Sprint(err), "s3cr3t") {
				t.Error("the refusal quotes a secret")
			}
		})
	}
}

// signedPlain signs the payload alone, as the key would sign something else.
func (h hub) signedPlain(t testing.TB, payload []byte) []byte {
	signature := must[[]byte](t)(ecdsa.SignASN1(nil, h.key, edition.Plain(payload)))
	return must[[]byte](t)(json.Marshal(map[string][]byte{"payload": payload, "signature": signature}))
}

// What cannot be opened anywhere is not signed.
func TestWhatNobodyCouldTakeIsNotSigned(t *testing.T) {
	h, branch := newHub(t), newKey(t)
	for name, change := range map[string]func(*edition.Edition){
		"no branch":           func(e *edition.Edition) { e.Branch = "a/+" },
		"number 0":            func(e *edition.Edition) { e.Number = 0 },
		"no time":             func(e *edition.Edition) { e.MadeAt = time.Time{} },
		"branch named":        func(e *edition.Edition) { e.Configuration += "branch: BR01\n" },
		"a secret missing":    func(e *edition.Edition) { e.Secrets = nil },
		"a secret without":    func(e *edition.Edition) { e.Secrets["pin-ab"] = edition.Secret{Sealed: []byte("x")} },
		"too many":            func(e *edition.Edition) { e.Configuration += strings.Repeat("#", edition.MaxConfiguration) },
		"a secret of no name": func(e *edition.Edition) { e.Secrets["a/b"] = edition.Secret{Version: 1} },
	} {
		e := sample(t, &branch.PublicKey)
		change(&e)
		if m, err := edition.Sign(e, h.key); fault.ClassOf(err) != fault.Data || m != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	// What is just small enough fits into a message, secrets and all.
	e := sample(t, &branch.PublicKey)
	e.Configuration = strings.Repeat("#", edition.MaxConfiguration-len(configuration)-1) + "\n" + configuration
	m := must[[]byte](t)(edition.Sign(e, h.key))
	if _, err := edition.Open(m, edition.Expect{Branch: "BR01", Signer: h.certificate}); err != nil {
		t.Errorf("%d bytes: %v", len(m), err)
	}
}
