// Package keyboard finds out what happens to a code between a scanner that
// types like a keyboard and the program that receives its characters. Such a
// scanner presses keys by their places; the PC's layout makes characters of
// them. Where the two do not agree, or Caps Lock is on, codes come out wrong,
// often without anybody seeing it. The package is pure and safe for concurrent
// use.
//
// The layouts are those of Windows (KBDUS, KBDGR, KBDFR, KBDSP, KBDIT, KBDUK,
// KBDSG): for each key of the US layout, unshifted and shifted, the character
// that it gives. Keys that are dead there (accents that wait for a letter) give
// [dead].
package keyboard

import (
	"maps"
	"slices"
	"strings"
)

// dead stands for a key that gives nothing by itself.
const dead = '\uFFFD'

// us are the characters of the US layout, key by key; the rows of the other
// layouts stand in the same order.
const us = "`1234567890-=" + "qwertyuiop[]" + `\` + "asdfghjkl;'" + "zxcvbnm,./" +
	"~!@#$%^&*()_+" + "QWERTYUIOP{}" + "|" + `ASDFGHJKL:"` + "ZXCVBNM<>?"

var rows = map[string]string{
	"us": us,
	"de": "\uFFFD1234567890ß\uFFFD" + "qwertzuiopü+" + "#" + "asdfghjklöä" + "yxcvbnm,.-" +
		"°!\"§$%&/()=?\uFFFD" + "QWERTZUIOPÜ*" + "'" + "ASDFGHJKLÖÄ" + "YXCVBNM;:_",
	"ch": "§1234567890'\uFFFD" + "qwertzuiopü\uFFFD" + "$" + "asdfghjklöä" + "yxcvbnm,.-" +
		"°+\"*ç%&/()=?\uFFFD" + "QWERTZUIOPè!" + "£" + "ASDFGHJKLéà" + "YXCVBNM;:_",
	"fr": "²&é\"'(-è_çà)=" + "azertyuiop\uFFFD$" + "*" + "qsdfghjklmù" + "wxcvbn,;:!" +
		"\uFFFD1234567890°+" + "AZERTYUIOP\uFFFD£" + "µ" + "QSDFGHJKLM%" + "WXCVBN?./§",
	"es": "º1234567890'¡" + "qwertyuiop\uFFFD+" + "ç" + "asdfghjklñ\uFFFD" + "zxcvbnm,.-" +
		"ª!\"·$%&/()=?¿" + "QWERTYUIOP\uFFFD*" + "Ç" + "ASDFGHJKLÑ\uFFFD" + "ZXCVBNM;:_",
	"it": "\\1234567890'ì" + "qwertyuiopè+" + "ù" + "asdfghjklòà" + "zxcvbnm,.-" +
		"|!\"£$%&/()=?^" + "QWERTYUIOPé*" + "§" + "ASDFGHJKLç°" + "ZXCVBNM;:_",
	"uk": "`1234567890-=" + "qwertyuiop[]" + "#" + "asdfghjkl;'" + "zxcvbnm,./" +
		"¬!\"£$%^&*()_+" + "QWERTYUIOP{}" + "~" + "ASDFGHJKL:@" + "ZXCVBNM<>?",
}

// words name the layouts for people.
var words = map[string]string{"us": "US", "de": "German", "ch": "Swiss German", "fr": "French (AZERTY)", "es": "Spanish", "it": "Italian", "uk": "British"}

// layouts lists the layouts that are known, by name.
func layouts() []string { return slices.Sorted(maps.Keys(rows)) }

var tables = func() map[string]map[rune]rune {
	t := map[string]map[rune]rune{}
	from := []rune(us)
	for name, row := range rows {
		m := map[rune]rune{}
		for i, c := range []rune(row) {
			m[from[i]] = c
		}
		t[name] = m
	}
	return t
}()

// mangle gives what a PC with the layout pc makes of text that a scanner types
// as if the layout were scanner. Characters that are on no key stay. A scanner
// cannot type characters that its layout has not: they stay, too.
func mangle(text, scanner, pc string) string {
	keys := inverse(scanner)
	return strings.Map(func(c rune) rune {
		key, ok := keys[c]
		if !ok {
			return c
		}
		return tables[pc][key]
	}, text)
}

// inverse gives the US key of each character.
func inverse(layout string) map[rune]rune {
	m := map[rune]rune{}
	for key, c := range tables[layout] {
		if c != dead {
			m[c] = key
		}
	}
	return m
}
