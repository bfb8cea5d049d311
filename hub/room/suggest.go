package room

import (
	"cmp"
	"slices"
	"strings"
	"unicode"

	"branchline/internal/feed"
	"branchline/internal/movement"
)

// Suggestion is a product that a code may mean.
type Suggestion struct {
	feed.Product
	// Why says what speaks for it.
	Why  string
	rank int
}

// Named is how an alias names the product.
func (s *Suggestion) Named() string { return cmp.Or(s.Reference, s.Barcode) }

// maxSuggested bounds what is suggested for a code.
const maxSuggested = 8

// Suggest gives products that a code which Odoo does not know may mean, the
// likeliest first: by codes that are alike, and by words of their names in what
// was read. They are for a person to choose from; nothing follows from them.
func (m *Room) Suggest(code movement.Product, raw string) []Suggestion {
	if m.Goods == nil {
		return nil
	}
	words := wordsIn(raw)
	var all []Suggestion
	for _, p := range m.Goods() {
		if p.Archived || p.Unstocked || p.Reference == "" && p.Barcode == "" {
			continue
		}
		s := Suggestion{Product: p}
		have := []string{p.Reference, p.Barcode}
		for _, pack := range p.Packs {
			have = append(have, pack.GTIN)
		}
		for _, a := range p.Aliases {
			have = append(have, a.Code)
		}
		for _, h := range have {
			if why, rank := alike(code.Code, h); rank > s.rank {
				s.Why, s.rank = why, rank
			}
		}
		if shared := sharedWords(words, p.Name); len(shared) > 0 {
			if rank := 10 * len(shared); rank > s.rank {
				s.Why, s.rank = "its name has "+strings.Join(shared, ", "), rank
			} else {
				s.rank += len(shared)
			}
		}
		if s.rank > 0 {
			all = append(all, s)
		}
	}
	slices.SortFunc(all, func(x, y Suggestion) int {
		return cmp.Or(cmp.Compare(y.rank, x.rank), cmp.Compare(x.Name, y.Name), cmp.Compare(x.Key, y.Key))
	})
	return all[:min(len(all), maxSuggested)]
}

// alike compares two codes, in whatever numbering: what is equal but for signs
// and zeros around, for the check digit or for the pack level, and what differs by
// one sign or by two neighbours that have changed places. A rank of 0 is of codes
// that are not alike.
func alike(code, have string) (why string, rank int) {
	a, b := bare(code), bare(have)
	if len(a) < 4 || len(b) < 4 {
		return "", 0
	}
	switch {
	case a == b:
		return "the same code in another numbering", 100
	case len(a) == len(b) && a[:len(a)-1] == b[:len(b)-1]:
		return "the same code with another check digit", 90
	case sameItem(code, have):
		return "another pack of the same article number", 80
	case (strings.Contains(a, b) || strings.Contains(b, a)) && min(len(a), len(b)) >= 6:
		return "the one code stands in the other", 70
	case swapped(a, b):
		return "two signs have changed places", 60
	case oneApart(a, b) && min(len(a), len(b)) >= 6:
		return "one sign differs", 50
	}
	return "", 0
}

// bare is a code without what numberings put around it.
func bare(code string) string {
	s := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToUpper(r)
		}
		return -1
	}, code)
	return strings.TrimLeft(strings.TrimPrefix(s, "PZN"), "0")
}

// sameItem compares GTINs without pack level and check digit.
func sameItem(a, b string) bool {
	core := func(s string) string {
		if len(s) == 13 {
			s = "0" + s
		}
		if len(s) != 14 {
			return ""
		}
		return s[1:13]
	}
	return core(a) != "" && core(a) == core(b)
}

func swapped(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	return i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:]
}

// oneApart tells codes of which one sign was changed, left out or put in.
func oneApart(a, b string) bool {
	if len(a) < len(b) {
		a, b = b, a
	}
	if len(a)-len(b) > 1 {
		return false
	}
	i := 0
	for i < len(b) && a[i] == b[i] {
		i++
	}
	if len(a) == len(b) {
		return i < len(a) && a[i+1:] == b[i+1:]
	}
	return a[i+1:] == b[i:]
}

// wordsIn are the words of a text that can be of a name, in small letters.
func wordsIn(text string) map[string]bool {
	all := map[string]bool{}
	for _, w := range strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		if strings.ContainsFunc(w, unicode.IsLetter) && len(w) >= 4 {
			all[strings.ToLower(w)] = true
		}
	}
	return all
}

func sharedWords(words map[string]bool, name string) (shared []string) {
	for w := range wordsIn(name) {
		if words[w] {
			shared = append(shared, w)
		}
	}
	slices.Sort(shared)
	return shared
}
