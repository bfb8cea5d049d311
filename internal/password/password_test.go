package password_test

import (
	"strings"
	"testing"

	"branchline/internal/password"
)

var cheap = password.Cost{MemoryKiB: 8, Passes: 1}

func TestFitsItsOwnPasswordOnly(t *testing.T) {
	h := password.New("korrekt Pferd 12", cheap)
	read, err := password.Parse(h.String())
	if err != nil {
		t.Fatal(err)
	}
	for secret, want := range map[string]bool{"korrekt Pferd 12": true, "korrekt Pferd 1": false, "": false, "Korrekt Pferd 12": false} {
		if h.Fits(secret) != want || read.Fits(secret) != want {
			t.Errorf("%q: fits %v and %v, want %v", secret, h.Fits(secret), read.Fits(secret), want)
		}
	}
	if other := password.New("korrekt Pferd 12", cheap); other.String() == h.String() {
		t.Error("two hashes of one password are the same")
	}
}

func TestNothingFitsWhatIsNoHash(t *testing.T) {
	var zero password.Hash
	decoy := password.Decoy(cheap)
	for _, secret := range []string{"", "x", strings.Repeat("\x00", 32)} {
		if zero.Fits(secret) || decoy.Fits(secret) {
			t.Errorf("%q fits", secret)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	good := password.New("geheim", cheap).String()
	for name, s := range map[string]string{
		"nothing":         "",
		"plain text":      "geheim",
		"another method":  strings.Replace(good, "argon2id", "argon2i", 1),
		"another version": strings.Replace(good, "v=19", "v=16", 1),
		"too much memory": strings.Replace(good, "m=8", "m=4000000", 1),
		"too many passes": strings.Replace(good, "t=1", "t=1000", 1),
		"no passes":       strings.Replace(good, "t=1", "t=0", 1),
		"cut off":         good[:len(good)-4],
		"not base64":      good[:len(good)-4] + "!!!!",
	} {
		if _, err := password.Parse(s); err == nil {
			t.Errorf("%s was taken", name)
		} else if strings.Contains(err.Error(), "geheim") {
			t.Errorf("%s: the error tells the secret: %v", name, err)
		}
	}
}
