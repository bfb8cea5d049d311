package capture

import "time"

// Ending says how a scanner ends a code.
type Ending string

const (
	// EndCR, EndLF and EndCRLF: by that character. For CR and LF, the other of
	// the two beside it is no part of the code.
	EndCR   Ending = "cr"
	EndLF   Ending = "lf"
	EndCRLF Ending = "crlf"
	// EndIdle: by sending nothing for the idle gap.
	EndIdle Ending = "idle"
)

// frameKind says how a frame came to its end.
type frameKind uint8

const (
	// whole: with its terminator.
	whole frameKind = iota
	// cut: the line fell silent, or was lost, before the terminator came. What
	// is there may read as a shorter code, so it is never taken for one.
	cut
	// endless: more bytes than any code has. The frame holds the first of
	// them; the rest up to the next terminator or silence is dropped.
	endless
)

// frame is what a scanner sent between two ends.
type frame struct {
	kind frameKind
	// data is valid until the framer is used again.
	data []byte
}

// framer cuts a stream of bytes into codes. It holds at most max bytes. It is
// pure: time comes in with the calls; not for concurrent use.
type framer struct {
	end Ending
	max int
	gap time.Duration

	buf      []byte
	dropping bool
	last     time.Time
}

func newFramer(end Ending, max int, gap time.Duration) *framer {
	return &framer{end: end, max: max, gap: gap, buf: make([]byte, 0, max)}
}

// feed takes bytes that came at the time now, and calls emit for each frame
// that ends among them.
func (f *framer) feed(b []byte, now time.Time, emit func(frame)) {
	if len(b) == 0 {
		return
	}
	f.silence(now, emit)
	f.last = now
	for _, c := range b {
		if f.ends(c) {
			f.flush(whole, emit)
			continue
		}
		if f.dropping {
			f.note(c)
			continue
		}
		if len(f.buf) == 0 && (c == '\n' && f.end == EndCR || c == '\r' && f.end == EndLF) {
			continue
		}
		if len(f.buf) == f.max {
			emit(frame{endless, f.buf})
			f.dropping = true
			f.note(c)
			continue
		}
		f.buf = append(f.buf, c)
	}
}

// note remembers a dropped byte, since CRLF is seen by two.
func (f *framer) note(c byte) { f.buf = append(f.buf[:0], c) }

func (f *framer) ends(c byte) bool {
	switch f.end {
	case EndCR:
		return c == '\r'
	case EndLF:
		return c == '\n'
	case EndCRLF:
		return c == '\n' && len(f.buf) > 0 && f.buf[len(f.buf)-1] == '\r'
	}
	return false
}

// silence tells the framer that nothing has come up to now.
func (f *framer) silence(now time.Time, emit func(frame)) {
	if len(f.buf) == 0 && !f.dropping || now.Sub(f.last) < f.gap {
		return
	}
	if f.end == EndIdle {
		f.flush(whole, emit)
	} else {
		f.flush(cut, emit)
	}
}

// lost tells the framer that the line is gone.
func (f *framer) lost(emit func(frame)) { f.flush(cut, emit) }

func (f *framer) flush(kind frameKind, emit func(frame)) {
	data := f.buf
	if f.dropping {
		data = nil // the frame was emitted when it became endless
	}
	for len(data) > 0 && kind == whole && (data[len(data)-1] == '\r' || data[len(data)-1] == '\n') {
		data = data[:len(data)-1]
	}
	if len(data) > 0 {
		emit(frame{kind, data})
	}
	f.buf, f.dropping = f.buf[:0], false
}
