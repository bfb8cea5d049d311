package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"pgregory.net/rapid"

	"branchline/internal/fault"
	"branchline/internal/movement"
)

const epoch = "abcdefgh2345"

// sample is a sound batch of n records from seq first on.
func sample(first uint64, n int) *Batch {
	prev := movement.Genesis("BR01", epoch, movement.Live)
	b := &Batch{Header: Header{Branch: "BR01", Epoch: epoch, Lane: movement.Live, First: first, Prev: prev, Oldest: 1}}
	chain := movement.NewChain(prev)
	for i := range n {
		r := fmt.Appendf(nil, `{"v":1,"n":%d}`, i)
		b.Records = append(b.Records, r)
		chain.Add(r)
	}
	b.Last = chain.Head()
	return b
}

func pack(t testing.TB, b *Batch) []byte {
	t.Helper()
	p, err := NewPacker().Pack(nil, b)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func compressed(t testing.TB, text string) []byte {
	t.Helper()
	enc, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return enc.EncodeAll([]byte(text), nil)
}

func TestBatchComesBackAsItWas(t *testing.T) {
	packer := NewPacker()
	rapid.Check(t, func(t *rapid.T) {
		record := rapid.SliceOfN(rapid.ByteRange(' ', '~'), 1, 300)
		b := &Batch{Header: Header{Branch: "BR-1_x", Epoch: epoch, Lane: rapid.SampledFrom(movement.Lanes).Draw(t, "lane"),
			Oldest: rapid.Uint64Range(1, 1<<61).Draw(t, "oldest")}}
		b.First = b.Oldest + rapid.Uint64Range(0, 1000).Draw(t, "older")
		b.Records = rapid.SliceOfN(record, 1, 50).Draw(t, "records")
		b.Prev = movement.Hash(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "prev"))
		chain := movement.NewChain(b.Prev)
		for _, r := range b.Records {
			chain.Add(r)
		}
		b.Last = chain.Head()
		payload, err := packer.Pack([]byte("before"), b)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Open(bytes.TrimPrefix(payload, []byte("before")))
		if err != nil {
			t.Fatal(err)
		}
		b.V, b.Count = BatchVersion, len(b.Records)
		if got.Header != b.Header || len(got.Records) != len(b.Records) {
			t.Fatalf("%+v, want %+v", got.Header, b.Header)
		}
		for i := range b.Records {
			if !bytes.Equal(got.Records[i], b.Records[i]) {
				t.Fatalf("record %d is %q, want %q", i, got.Records[i], b.Records[i])
			}
		}
	})
}

func TestOneAlteredRecordBreaksTheChain(t *testing.T) {
	for i := range 5 {
		b := sample(1, 5)
		b.Records[i] = []byte(`{"v":1,"n":99}`)
		if _, err := Open(pack(t, b)); fault.CodeOf(err) != "broken_chain" {
			t.Errorf("record %d altered: %v", i, err)
		}
	}
}

func TestUnreadablePayloadIsRefusedWithItsReason(t *testing.T) {
	header := func(change func(*Header)) string {
		b := sample(7, 1)
		b.V, b.Count = BatchVersion, 1
		change(&b.Header)
		head, err := json.Marshal(b.Header)
		if err != nil {
			head = []byte(`{"v":1,"branch":"BR01","lane":"none"}`)
		}
		return string(head) + "\n" + string(b.Records[0]) + "\n"
	}
	sound := header(func(*Header) {})
	if _, err := Open(compressed(t, sound)); err != nil {
		t.Fatalf("the sound one: %v", err)
	}
	cases := map[string]struct {
		payload []byte
		code    string
	}{
		"nothing":                {nil, "malformed_batch"},
		"no zstd":                {[]byte("{}\n"), "malformed_batch"},
		"an empty frame":         {compressed(t, ""), "malformed_batch"},
		"no header":              {compressed(t, "\n\n"), "malformed_batch"},
		"a header without end":   {compressed(t, strings.Repeat(" ", 5000)), "malformed_batch"},
		"half a frame":           {compressed(t, sound)[:20], "malformed_batch"},
		"a version to come":      {compressed(t, header(func(h *Header) { h.V = 2 })), "unsupported_version"},
		"no branch":              {compressed(t, header(func(h *Header) { h.Branch = "a/b" })), "malformed_batch"},
		"no epoch":               {compressed(t, header(func(h *Header) { h.Epoch = "" })), "malformed_batch"},
		"no lane":                {compressed(t, header(func(h *Header) { h.Lane = 0 })), "malformed_batch"},
		"seq 0":                  {compressed(t, header(func(h *Header) { h.First, h.Oldest = 0, 0 })), "malformed_batch"},
		"a seq beyond all":       {compressed(t, header(func(h *Header) { h.First = 1 << 63 })), "malformed_batch"},
		"no records":             {compressed(t, header(func(h *Header) { h.Count = 0 })), "malformed_batch"},
		"more than it claims":    {compressed(t, sound+"{}\n"), "malformed_batch"},
		"less than it claims":    {compressed(t, header(func(h *Header) { h.Count = 2 })), "malformed_batch"},
		"claims too many":        {compressed(t, header(func(h *Header) { h.Count = 1 << 40 })), "malformed_batch"},
		"oldest after first":     {compressed(t, header(func(h *Header) { h.Oldest = 8 })), "malformed_batch"},
		"all before first gone":  {compressed(t, header(func(h *Header) { h.Gone = 6 })), "malformed_batch"},
		"more gone than existed": {compressed(t, header(func(h *Header) { h.Gone = 1 << 50 })), "malformed_batch"},
		"a record without end":   {compressed(t, strings.TrimSuffix(sound, "\n")), "malformed_batch"},
		"an empty record":        {compressed(t, strings.Replace(sound, "{\"v\":1,\"n\":0}", "", 1)), "malformed_batch"},
		"a record too long":      {compressed(t, head(sound)+strings.Repeat("x", movement.MaxRecord+1)+"\n"), "malformed_batch"},
		"a bomb":                 {compressed(t, head(sound)+strings.Repeat("x", 64<<20)), "oversized_batch"},
		"too many bytes":         {make([]byte, MaxPayload+1), "oversized_batch"},
		"another hash":           {compressed(t, header(func(h *Header) { h.Last[3] ^= 1 })), "broken_chain"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			b, err := Open(c.payload)
			if fault.CodeOf(err) != c.code || fault.ClassOf(err) != fault.Data || b != nil {
				t.Errorf("%v (%s), want %s", err, fault.CodeOf(err), c.code)
			}
		})
	}
}

func head(text string) string { return text[:strings.IndexByte(text, '\n')+1] }

func TestMissingFrom(t *testing.T) {
	for _, c := range []struct{ first, oldest, gone, want uint64 }{
		{1, 1, 0, 1}, {9, 1, 0, 9}, {9, 9, 8, 1}, {9, 9, 0, 1}, {9, 2, 3, 6},
	} {
		h := Header{First: c.first, Oldest: c.oldest, Gone: c.gone}
		if got := h.MissingFrom(); got != c.want {
			t.Errorf("%+v: %d", c, got)
		}
	}
}

func FuzzOpen(f *testing.F) {
	f.Add(pack(f, sample(1, 3)))
	f.Add(pack(f, sample(7, 1)))
	f.Add(compressed(f, "{}\n{}\n"))
	f.Add([]byte{0x28, 0xb5, 0x2f, 0xfd})
	f.Fuzz(func(t *testing.T, payload []byte) {
		b, err := Open(payload)
		if err != nil {
			if fault.ClassOf(err) != fault.Data {
				t.Errorf("class %v: %v", fault.ClassOf(err), err)
			}
			return
		}
		again, err := Open(pack(t, b))
		if err != nil || again.Header != b.Header {
			t.Errorf("what was read cannot be written and read again: %v", err)
		}
	})
}

// FuzzHeader goes past the compression, where chance seldom gets.
func FuzzHeader(f *testing.F) {
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(`{"v":1,"branch":"BR01","epoch":"abcdefgh2345","lane":"live","first":1,"count":1,"oldest":1}` + "\n{}\n"))
	f.Fuzz(func(t *testing.T, plain []byte) {
		if b, err := Open(enc.EncodeAll(plain, nil)); err == nil && (b.Count != len(b.Records) || b.Count < 1) {
			t.Errorf("%d records, %d claimed", len(b.Records), b.Count)
		} else if err != nil && fault.ClassOf(err) != fault.Data {
			t.Errorf("class %v: %v", fault.ClassOf(err), err)
		}
	})
}
