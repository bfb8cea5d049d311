package edition_test

import (
	"encoding/json"
	"testing"

	"go.yaml.in/yaml/v3"

	"branchline/internal/edition"
	"branchline/internal/fault"
)

type twoTexts struct {
	A string
	B []any
}

func decoded(t interface{ Fatal(...any) }, text []byte) (v twoTexts) {
	if err := yaml.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// Whatever comes over the line: what was not signed is never opened.
func FuzzOpen(f *testing.F) {
	h, branch := newHub(f), newKey(f)
	good := must[[]byte](f)(edition.Sign(sample(f, &branch.PublicKey), h.key))
	x := edition.Expect{Branch: "BR01", Signer: h.certificate}
	known := must[edition.Edition](f)(edition.Open(good, x))
	f.Add(good)
	f.Add([]byte(`{"payload":"e30=","signature":"MAA="}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		e, err := edition.Open(body, x)
		if err == nil && e.Ref() != known.Ref() {
			t.Fatalf("opened what was never signed: %+v", e)
		}
		if err != nil && fault.ClassOf(err) != fault.Data {
			t.Fatalf("class %v: %v", fault.ClassOf(err), err)
		}
	})
}

// FuzzPayload goes past the signature, where chance never gets: whatever a hub
// might sign, an edition that opens can be used and signed again as it is.
func FuzzPayload(f *testing.F) {
	h, branch := newHub(f), newKey(f)
	good := must[[]byte](f)(edition.Sign(sample(f, &branch.PublicKey), h.key))
	f.Add(payloadOf(f, good))
	f.Add([]byte(`{"v":1,"branch":"BR01","number":1,"made_at":"2026-11-24T09:00:00Z","configuration":"{}","hash":"` +
		edition.HashOf("{}", nil).String() + `"}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		e, err := edition.Open(h.asIs(t, payload), edition.Expect{Branch: "BR01", Signer: h.certificate})
		if err != nil {
			if fault.ClassOf(err) != fault.Data {
				t.Fatalf("class %v: %v", fault.ClassOf(err), err)
			}
			return
		}
		again, err := edition.Sign(e, h.key)
		if err != nil {
			t.Fatalf("what was opened cannot be signed: %v", err)
		}
		if same, err := edition.Open(again, edition.Expect{Branch: "BR01", Signer: h.certificate}); err != nil || same.Ref() != e.Ref() {
			t.Fatalf("signed again it is %+v, %v", same.Ref(), err)
		}
		if _, err := e.Reveal(branch); err != nil && fault.ClassOf(err) != fault.Data {
			t.Fatalf("class %v: %v", fault.ClassOf(err), err)
		}
	})
}

// FuzzConfiguration looks at the text alone: what is let through has the same
// settings after the secrets were put in.
func FuzzConfiguration(f *testing.F) {
	f.Add(configuration)
	f.Add("a: {secret: b}\n")
	f.Add("{secret}")
	f.Add("a: &x [*x]\n")
	f.Add("? {a: b}\n: c\n")
	f.Fuzz(func(t *testing.T, text string) {
		names, err := edition.Secrets(text)
		if err != nil {
			if fault.ClassOf(err) != fault.Data {
				t.Fatalf("class %v: %v", fault.ClassOf(err), err)
			}
			return
		}
		for _, n := range names {
			if !edition.ValidSecretName(n) {
				t.Fatalf("the secret %q", n)
			}
		}
	})
}

func FuzzReport(f *testing.F) {
	f.Add([]byte(`{"number":7,"hash":"` + edition.Hash{7}.String() + `","phase":"good","runs":{"number":7,"hash":"` + edition.Hash{7}.String() + `"}}`))
	f.Add([]byte(`{"phase":"refused","reason":"bad signature","failure":{"number":3,"reason":"x"}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var r edition.Report
		if json.Unmarshal(body, &r) != nil {
			return
		}
		tidy := r.Tidy()
		if err := r.Check(); err == nil && tidy.Check() != nil {
			t.Fatalf("tidied it is worse: %+v", tidy)
		}
	})
}
