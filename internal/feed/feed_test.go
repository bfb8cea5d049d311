package feed

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"pgregory.net/rapid"

	"branchline/internal/fault"
)

func build(t interface{ Fatal(...any) }, k Kind, before *Document, rows []string) *Document {
	branch := "BR01"
	if k.Shared() {
		branch = ""
	}
	b := NewBuilder(k, branch, before, NewPacker())
	for _, r := range rows {
		if err := b.AddRaw(r, []byte(`{"k":"`+r+`"}`)); err != nil {
			t.Fatal(err)
		}
	}
	d, err := b.Done()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func keys(n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprint(1000 + 3*i)
	}
	return all
}

func TestADocumentComesBackAsItWas(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kind := rapid.SampledFrom(Kinds).Draw(t, "kind")
		rows := keys(rapid.IntRange(0, 3000).Draw(t, "rows"))
		d := build(t, kind, nil, rows)
		m, err := Open(d.Manifest)
		if err != nil || !m.IsManifest || m.Kind != kind || m.Version != d.Version || m.Branch != d.Branch || len(m.Parts) != len(d.Parts) {
			t.Fatalf("%v %+v", err, m)
		}
		n := 0
		for row, err := range d.All() {
			if err != nil || string(row) != `{"k":"`+rows[n]+`"}` {
				t.Fatalf("row %d is %s, %v", n, row, err)
			}
			n++
		}
		if n != len(rows) || d.Rows != n {
			t.Fatalf("%d rows, want %d", n, len(rows))
		}
		for _, p := range m.Parts {
			payload, ok := d.Payload(p.ID)
			if part, err := Open(payload); !ok || err != nil || part.Part != p.ID || bytes.Count(part.Body, []byte{'\n'}) != p.Rows || len(payload) != p.Bytes {
				t.Fatalf("part %s: %v", p.ID, err)
			}
		}
	})
}

// One row that is new, gone or changed leaves all parts but its own neighbours
// as they were.
func TestASmallChangeKeepsTheOtherParts(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	rows := keys(20_000)
	before := build(t, Catalogue, nil, rows)
	if n := len(before.Parts); n < 40 || n > 160 {
		t.Errorf("%d parts for %d rows", n, len(rows))
	}
	for _, change := range []string{"new", "gone"} {
		for range 20 {
			at := r.IntN(len(rows))
			list := append([]string{}, rows[:at]...)
			if change == "new" {
				list = append(append(list, rows[at]+"5"), rows[at:]...)
			} else {
				list = append(list, rows[at+1:]...)
			}
			after := build(t, Catalogue, before, list)
			if after.Version == before.Version {
				t.Fatal("another content has the same version")
			}
			fresh := 0
			for _, p := range after.Parts {
				if _, ok := before.Payload(p.ID); !ok {
					fresh++
				}
			}
			if fresh < 1 || fresh > 6 {
				t.Errorf("%s at %d: %d of %d parts are other ones", change, at, fresh, len(after.Parts))
			}
		}
	}
	if again := build(t, Catalogue, nil, rows); again.Version != before.Version {
		t.Error("the same content has another version")
	}
}

func TestBoundsOfADocument(t *testing.T) {
	b := NewBuilder(OnHand, "BR01", nil, NewPacker())
	if err := b.AddRaw("1", make([]byte, MaxRow+1)); err == nil {
		t.Error("a row without end was taken")
	}
	noise := make([]byte, MaxRow)
	r := rand.New(rand.NewPCG(3, 4))
	for i := range noise { // does not compress
		noise[i] = byte(r.IntN(250))
		if noise[i] == '\n' {
			noise[i] = 0
		}
	}
	for range 5 {
		if err := b.AddRaw("1", noise); err != nil {
			t.Fatal(err)
		}
		noise[0]++
	}
	d, err := b.Done()
	if err != nil || len(d.Parts) != 5 {
		t.Fatalf("%v, %d parts", err, len(d.Parts))
	}
	for _, p := range d.Parts {
		if _, err := Open(p.Payload); err != nil {
			t.Error(err)
		}
	}
}

func TestANoticeSaysVersionAndMoment(t *testing.T) {
	d := build(t, Deliveries, nil, keys(3))
	at := time.Date(2026, 3, 2, 10, 0, 0, 500, time.UTC)
	payload, err := NewPacker().Notice(d, at)
	if err != nil {
		t.Fatal(err)
	}
	m, err := Open(payload)
	if err != nil || m.Version != d.Version || !m.AsOf.Equal(at.Truncate(time.Second)) || m.IsManifest || m.Branch != "BR01" {
		t.Errorf("%+v %v", m, err)
	}
	if len(payload) > 200 {
		t.Errorf("a notice takes %d bytes", len(payload))
	}
}

func frame(text string) []byte {
	enc, _ := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	return enc.EncodeAll([]byte(text), nil)
}

func TestUnreadableMessages(t *testing.T) {
	id := PartID([]byte("{}\n")).String()
	none := VersionOf(nil).String()
	cases := map[string]struct{ text, code string }{
		"nothing":                   {"", "malformed_feed"},
		"no JSON":                   {"part\n", "malformed_feed"},
		"no line":                   {`{"v":1}`, "malformed_feed"},
		"a version to come":         {`{"v":2,"w":"part","k":"stock"}` + "\n", "unsupported_version"},
		"no kind":                   {`{"v":1,"w":"part","k":"config","i":"` + id + `"}` + "\n{}\n", "malformed_feed"},
		"no such message":           {`{"v":1,"w":"order","k":"stock"}` + "\n", "malformed_feed"},
		"another part's name":       {`{"v":1,"w":"part","k":"stock","i":"` + none + `"}` + "\n{}\n", "malformed_feed"},
		"a part without end":        {`{"v":1,"w":"part","k":"stock","i":"` + PartID([]byte("{}")).String() + `"}` + "\n{}", "malformed_feed"},
		"an empty part":             {`{"v":1,"w":"part","k":"stock","i":"` + PartID(nil).String() + `"}` + "\n", "malformed_feed"},
		"a manifest of nobody":      {`{"v":1,"w":"manifest","k":"stock","d":"` + none + `"}` + "\n", "malformed_feed"},
		"a catalogue of a branch":   {`{"v":1,"w":"manifest","k":"catalogue","b":"BR01","d":"` + none + `"}` + "\n", "malformed_feed"},
		"a manifest of another":     {`{"v":1,"w":"manifest","k":"catalogue","d":"` + id + `"}` + "\n", "malformed_feed"},
		"a notice without a moment": {`{"v":1,"w":"notice","k":"catalogue","d":"` + id + `"}` + "\n", "malformed_feed"},
		"a name too short":          {`{"v":1,"w":"notice","k":"catalogue","d":"00"}` + "\n", "malformed_feed"},
		"a bomb":                    {strings.Repeat(" ", 64<<20), "oversized_feed"},
	}
	for name, c := range cases {
		if m, err := Open(frame(c.text)); fault.CodeOf(err) != c.code || m != nil {
			t.Errorf("%s: %v, want %s", name, err, c.code)
		}
	}
	if _, err := Open(make([]byte, MaxPayload+1)); fault.CodeOf(err) != "oversized_feed" {
		t.Error(err)
	}
	if _, err := Open([]byte("no frame")); fault.CodeOf(err) != "malformed_feed" {
		t.Error(err)
	}
	if m, err := Open(frame(`{"v":1,"w":"part","k":"stock","i":"` + id + `","new":1}` + "\n{}\n")); err != nil || string(m.Body) != "{}\n" {
		t.Errorf("the sound one: %v", err)
	}
}

func TestAWantComesBackAsItWas(t *testing.T) {
	w := Want{Kind: Catalogue, Version: ID{1}}
	for i := range MaxWanted {
		w.Parts = append(w.Parts, ID{2, byte(i)})
	}
	payload, err := w.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := ParseWant(payload); err != nil || got.Kind != w.Kind || got.Version != w.Version || len(got.Parts) != MaxWanted {
		t.Errorf("%+v %v", got, err)
	}
	for _, bad := range []string{"", "{}", `{"v":1,"k":"config","d":"` + w.Version.String() + `"}`, `{"v":1,"k":"stock"}`, strings.Repeat(" ", 5000)} {
		if _, err := ParseWant([]byte(bad)); fault.CodeOf(err) != "malformed_want" {
			t.Errorf("%.20q: %v", bad, err)
		}
	}
}

func FuzzOpen(f *testing.F) {
	d := build(f, Catalogue, nil, keys(5))
	f.Add(d.Manifest)
	f.Add(d.Parts[0].Payload)
	f.Fuzz(func(t *testing.T, payload []byte) {
		if _, err := Open(payload); err != nil && fault.ClassOf(err) != fault.Data {
			t.Errorf("class %v: %v", fault.ClassOf(err), err)
		}
	})
}

// FuzzPlain goes past the compression, where chance seldom gets.
func FuzzPlain(f *testing.F) {
	f.Add([]byte(`{"v":1,"w":"part","k":"stock","i":"` + PartID([]byte("{}\n")).String() + `"}` + "\n{}\n"))
	f.Add([]byte(`{"v":1,"w":"manifest","k":"catalogue","d":"` + VersionOf(nil).String() + `"}` + "\n"))
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, plain []byte) {
		m, err := Open(enc.EncodeAll(plain, nil))
		switch {
		case err != nil && fault.ClassOf(err) != fault.Data:
			t.Errorf("class %v: %v", fault.ClassOf(err), err)
		case err == nil && !m.IsManifest && m.AsOf.IsZero() && PartID(m.Body) != m.Part:
			t.Error("a part was taken that is not what its name says")
		}
	})
}

func FuzzParseWant(f *testing.F) {
	f.Add([]byte(`{"v":1,"k":"stock","d":"00112233445566778899aabbccddeeff"}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		if w, err := ParseWant(payload); err == nil && (len(w.Parts) > MaxWanted || w.Version.IsZero()) {
			t.Errorf("accepted %+v", w)
		}
	})
}
