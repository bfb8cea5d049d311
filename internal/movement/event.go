package movement

import (
	"encoding/binary"
	"math/bits"
)

// SameEvent tells whether two movements with one natural key say the same of what
// was moved. Where, when and by whom it was recorded does not matter.
func (m *Movement) SameEvent(o *Movement) bool {
	return m.Kind == o.Kind && m.Product == o.Product && m.Lot == o.Lot && m.Expiry == o.Expiry && m.Serial == o.Serial &&
		m.Quantity == o.Quantity && m.Unit == o.Unit && m.Document == o.Document && m.Reason == o.Reason &&
		m.OccurredAt.UnixMilli() == o.OccurredAt.UnixMilli() && m.wordsOnly() == o.wordsOnly()
}

// wordsOnly are the words on a printed form of a product that nobody knows: all there
// is to find it by, so that other words are another event. Empty for all else.
func (m *Movement) wordsOnly() string {
	if m.Paper.Form == "" || m.Product != (Product{}) {
		return ""
	}
	return m.Source.Raw
}

// Print is a number of what [Movement.SameEvent] compares: the same for the same
// event in every version, as it is stored, and another for nearly all others (two
// events share it once in 2^64). It is never 0.
func (m *Movement) Print() uint64 {
	// The lengths are taken in first, four to a word, so that two texts side by side
	// are not the same as two others that are cut elsewhere.
	h := printWord(printSeed, printLengths(string(m.Kind), string(m.Product.Scheme), m.Product.Code, m.Lot))
	h = printWord(h, printLengths(m.Serial, m.Unit, m.Document.Type, m.Document.Ref))
	h = printText(h, string(m.Kind))
	h = printText(h, string(m.Product.Scheme))
	h = printText(h, m.Product.Code)
	h = printText(h, m.Lot)
	h = printText(h, m.Serial)
	h = printText(h, m.Unit)
	h = printText(h, m.Document.Type)
	h = printText(h, m.Document.Ref)
	h = printText(h, m.Reason)
	h = printWord(h, uint64(len(m.Reason))<<48^uint64(uint16(m.Expiry.Year))<<16|uint64(m.Expiry.Month)<<8|uint64(m.Expiry.Day))
	h = printWord(h, uint64(m.Quantity))
	h = printWord(h, uint64(m.OccurredAt.UnixMilli()))
	if words := m.wordsOnly(); words != "" {
		h = printText(printWord(h, uint64(len(words))), words)
	}
	return max(h, 1)
}

// The constants are digits of pi's fraction: nothing up a sleeve, and odd.
const (
	printSeed  = 0x243f6a8885a308d3
	printKey   = 0x13198a2e03707345
	printOther = 0xa4093822299f31d1
)

// printWord mixes by one multiplication of 64 by 64 bits, which an import can
// afford for each of its rows.
func printWord(h, word uint64) uint64 {
	hi, lo := bits.Mul64(h^printKey, word^printOther)
	return bits.RotateLeft64(h, 29) + (hi ^ lo)
}

func printLengths(a, b, c, d string) uint64 {
	return uint64(len(a))<<48 ^ uint64(len(b))<<32 ^ uint64(len(c))<<16 ^ uint64(len(d))
}

func printText(h uint64, s string) uint64 {
	for len(s) >= 8 {
		h = printWord(h, uint64(s[0])|uint64(s[1])<<8|uint64(s[2])<<16|uint64(s[3])<<24|uint64(s[4])<<32|uint64(s[5])<<40|uint64(s[6])<<48|uint64(s[7])<<56)
		s = s[8:]
	}
	if len(s) > 0 {
		var rest [8]byte
		copy(rest[:], s)
		h = printWord(h, binary.LittleEndian.Uint64(rest[:]))
	}
	return h
}
