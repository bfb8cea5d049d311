package capture

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

const gap = 500 * time.Millisecond

func TestFrames(t *testing.T) {
	// "~" stands for half a second of silence, "|" for a new read.
	cases := map[string]struct {
		end  Ending
		in   string
		want string // kind:data, separated by spaces
	}{
		"one code":                    {EndCR, "abc\r", "0:abc"},
		"two codes in one read":       {EndCR, "abc\rdef\r", "0:abc 0:def"},
		"a code in three reads":       {EndCR, "a|b|c\r", "0:abc"},
		"CR profile, CRLF scanner":    {EndCR, "abc\r\ndef\r\n", "0:abc 0:def"},
		"LF profile, CRLF scanner":    {EndLF, "abc\r\ndef\r\n", "0:abc 0:def"},
		"CRLF":                        {EndCRLF, "abc\r\ndef\r|\n", "0:abc 0:def"},
		"CRLF keeps a lone CR":        {EndCRLF, "a\rb\r\n", "0:a\rb"},
		"empty codes":                 {EndCR, "\r\r\n\r", ""},
		"by silence":                  {EndIdle, "abc~def~", "0:abc 0:def"},
		"by silence, seen late":       {EndIdle, "abc~|def~", "0:abc 0:def"},
		"by silence with line ends":   {EndIdle, "abc\r\n~", "0:abc"},
		"half a code, then silence":   {EndCR, "abc~def\r", "1:abc 0:def"},
		"endless, then good":          {EndCR, strings.Repeat("x", 30) + "\rabc\r", "2:xxxxxxxx 0:abc"},
		"endless CRLF, then good":     {EndCRLF, strings.Repeat("x", 30) + "\r\nabc\r\n", "2:xxxxxxxx 0:abc"},
		"endless by silence":          {EndIdle, strings.Repeat("x", 30) + "~abc~", "2:xxxxxxxx 0:abc"},
		"endless, silence, then good": {EndCR, strings.Repeat("x", 30) + "~abc\r", "2:xxxxxxxx 0:abc"},
		"exactly as long as allowed":  {EndCR, "12345678\r", "0:12345678"},
		"control characters stay":     {EndCR, "a\x1db\x00\xff\r", "0:a\x1db\x00\xff"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			f := newFramer(c.end, 8, gap)
			var got []string
			emit := func(fr frame) { got = append(got, string('0'+rune(fr.kind))+":"+string(fr.data)) }
			now := time.Unix(0, 0)
			for _, read := range strings.Split(c.in, "|") {
				for i, part := range strings.Split(read, "~") {
					if i > 0 {
						now = now.Add(gap)
						f.silence(now, emit)
					}
					f.feed([]byte(part), now, emit)
				}
			}
			if s := strings.Join(got, " "); s != c.want {
				t.Errorf("%q became %q, want %q", c.in, s, c.want)
			}
		})
	}
}

func TestLostLineGivesUpItsHalfCode(t *testing.T) {
	f := newFramer(EndCR, 8, gap)
	var got []frame
	f.feed([]byte("abc"), time.Unix(0, 0), func(frame) { t.Error("a code without its end") })
	f.lost(func(fr frame) { got = append(got, frame{fr.kind, bytes.Clone(fr.data)}) })
	if len(got) != 1 || got[0].kind != cut || string(got[0].data) != "abc" {
		t.Errorf("got %v", got)
	}
	f.lost(func(fr frame) { t.Errorf("%v came twice", fr) })
}

// However the bytes fall into reads, the codes are those that were sent; and
// after any garbage the next code but one comes whole.
func TestFramingIsIndependentOfReads(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		end := rapid.SampledFrom([]Ending{EndCR, EndLF, EndCRLF}).Draw(t, "end")
		terminator := map[Ending]string{EndCR: "\r", EndLF: "\n", EndCRLF: "\r\n"}[end]
		code := rapid.StringMatching(`[!-~\x1d]{1,20}`)
		codes := rapid.SliceOfN(code, 1, 8).Draw(t, "codes")
		stream := rapid.SliceOfN(rapid.Byte(), 0, 100).Draw(t, "garbage")
		garbage := len(stream)
		if garbage > 0 {
			stream = append(stream, terminator...)
		}
		for _, c := range codes {
			stream = append(append(stream, c...), terminator...)
		}
		f := newFramer(end, 20, gap)
		var got []string
		now := time.Unix(0, 0)
		for len(stream) > 0 {
			n := rapid.IntRange(1, len(stream)).Draw(t, "read")
			f.feed(stream[:n], now, func(fr frame) {
				if len(fr.data) > 20 {
					t.Fatalf("a frame of %d bytes", len(fr.data))
				}
				got = append(got, string(fr.data))
			})
			stream = stream[n:]
		}
		if cap(f.buf) > 64 {
			t.Fatalf("the framer holds %d bytes", cap(f.buf))
		}
		if garbage == 0 && !slices.Equal(got, codes) {
			t.Fatalf("got %q, want %q", got, codes)
		}
		if len(got) < len(codes) || !slices.Equal(got[len(got)-len(codes):], codes) {
			t.Fatalf("after garbage got %q, want to end with %q", got, codes)
		}
	})
}
