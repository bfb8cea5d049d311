// Package gs1 reads what barcode scanners send for trade items: GS1 element
// strings, and plain EAN, UPC and ITF numbers. It says what a code means only
// where that is certain; everything else is an error of class fault.Data with
// a reason code, for a person to decide. It is pure: no clock, no state, safe
// for concurrent use, and it never panics, whatever the input.
//
// # Words
//
//   - element: an application identifier (AI) with its data, "17280131".
//   - element string: elements one behind the other.
//   - predefined: elements whose length GS1 fixes by the first two digits of
//     the identifier. All others end at a separator or at the end of the data,
//     even those of one length only.
//   - separator: FNC1 in the symbol, GS (0x1D) on the wire, or whatever the
//     scanner's profile names as its substitute.
//   - symbology identifier: "]" and two characters before the data, by
//     ISO/IEC 15424 (AIM), which say what kind of symbol was read.
//
// # What is certain
//
// With a symbology identifier that says GS1 (]d2, ]C1, ]e0, ]Q3, ]J1) the data
// are an element string. ]E0, ]E4 and ]I0 are plain numbers. ]d1, ]C0 and ]Q1
// are not GS1, whatever they look like, unless the profile knows better.
//
// Without one, 8, 12, 13 or 14 digits with a right check digit are a GTIN;
// with a wrong one they are refused, except where they read as a whole element
// string that starts with a date ("17280131" + "10" + a lot of digits), which
// is taken. Digits that are both are ambiguous. Anything else must bear
// witness that it is GS1 at all: an element with a right check digit, a
// separator, or a date beside another element. UPC-E is read only behind ]E0:
// eight bare digits are never expanded.
//
// # A separator that never came
//
// A scanner, a keyboard driver or a web page that drops GS makes one element
// out of two: lot ABC and serial X arrive as "10ABC21X", which is at the same
// time the correct form of a lot "ABC21X". Nothing in the string tells the two
// apart, and the wrong choice books a lot that does not exist. What tells them
// apart is the way the string came: a scanner that has once delivered a
// separator delivers them all.
//
//  1. A separator between elements or at the end of this very string, or a
//     profile that says SeparatorsProved, is proof. The string means what it
//     says, and a lot "A21B7" is a lot.
//  2. Without proof, a variable-length element (by construction the last one)
//     is refused as missing_separator if it is longer than it may be, or if it
//     can be cut so that the front is valid data and the rest is a sequence of
//     complete elements, each with right length, characters, check digits and
//     dates, none of them present already or barred beside those present. No
//     minimum length softens this: lots of one character exist, and a rule of
//     thumb would be a guess.
//  3. As long as nothing is known of the scanner (SeparatorsUnproved), the
//     rest must begin with what labels in health care carry behind a lot or a
//     serial: identifiers of items, lot, serial, dates, counts, national
//     numbers and a few more (trait "health"). Two-digit identifiers without
//     any check that medicines do not carry (20, 22, 90-99) are left out: they
//     fit into every third lot of digits ("A2024", "451907"), and a warning
//     that comes so often is soon clicked away.
//  4. For a scanner known to drop separators (SeparatorsDropped) every
//     identifier counts, because there they do go missing.
//
// The price is that some ordinary lots wait for a person on a scanner that has
// proved nothing. It ends by itself: Code.ProvesSeparators tells the caller to
// remember the proof, and most serialised packs give it.
//
// # Persons
//
// Identifiers of patients, staff and addressees (8017-8019, 7241-7259,
// 4300-4319) are refused with CodePersonal. Neither result nor error holds any
// of the data; the caller must not keep the raw code either.
package gs1
