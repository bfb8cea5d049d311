package receive

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"branchline/agent/scan"
	"branchline/internal/movement"
)

// movements makes the group of movements of a confirmed session. Their natural
// keys are those of the session, so that confirming it again changes nothing.
// There is one movement for each entry, but what was counted is summed by
// product, lot, expiry and serial, as a count says how many there are. by are
// the initials of who confirms, for what nobody has signed. of tells for each
// entry, by its number, which of the movements it is in.
func (s *Session) movements(k *knowledge, by string) (list []*movement.Movement, of map[int]int) {
	problems := s.problems(k)
	entries := s.Entries
	of = make(map[int]int, len(entries))
	for i := range entries {
		of[entries[i].Number] = i
	}
	if s.Purpose == scan.Count {
		entries = summed(entries, problems, of)
	}
	group := movement.Group{ID: s.ID, Size: len(entries)}
	list = make([]*movement.Movement, len(entries))
	for i := range entries {
		e := &entries[i]
		list[i] = &movement.Movement{
			Kind: s.Purpose.Kind(), Product: e.Item.Product, Lot: e.Item.Lot, Expiry: e.Item.Expiry, ExpiryRaw: e.Item.ExpiryRaw,
			Serial: e.Item.Serial, Quantity: e.Quantity, OccurredAt: e.At, Document: s.Document, By: cmp.Or(e.Edited, e.By, by),
			NaturalKey: s.key(e), Paper: s.paper(e, by), Source: e.Source, Group: group, Problem: problems[e.Number],
			Reason: e.why(), Counterpart: cmp.Or(s.Counterpart, e.Counterpart),
		}
		if s.Form != "" { // who did it stands on the form, and who accepted it can be another one each time
			list[i].By, list[i].Reason = e.By, e.accepted("")
		}
	}
	return list, of
}

// why is the reason of the movement: a person's words, and what was accepted
// with a warning.
func (e *Entry) why() string { return e.accepted(e.AcceptedBy) }

func (e *Entry) accepted(by string) string {
	if len(e.Accepted) == 0 {
		return e.Reason
	}
	words := "accepted: " + strings.Join(e.Accepted, ", ")
	if by != "" {
		words = "accepted by " + by + ": " + strings.Join(e.Accepted, ", ")
	}
	if e.Reason != "" {
		return e.Reason + "; " + words
	}
	return words
}

// setCodes are the reason codes of what a person said of an entry.
var setCodes = map[string]string{SetDamaged: "came_damaged", SetShort: "did_not_come"}

// problems are those of the entries that go to a person, by their numbers.
func (s *Session) problems(k *knowledge) map[int]*movement.Problem {
	problems := map[int]*movement.Problem{}
	for _, f := range s.find(k) {
		if f.code == ConflictingExpiry {
			problems[f.entry] = &movement.Problem{Code: f.code, Field: f.field, Text: clip(f.text)}
		}
	}
	for i := range s.Entries {
		e := &s.Entries[i]
		text := ""
		switch {
		case e.Set == SetDamaged:
			text = e.Quantity.String() + " came damaged: " + e.Reason
		case e.Set == SetShort:
			text = e.Quantity.String() + " did not come, though they were to: " + e.Reason
		}
		switch {
		case text != "":
			problems[e.Number] = &movement.Problem{Code: setCodes[e.Set], Text: clip(text)}
		case e.Left == ProductNeeded:
			problems[e.Number] = &movement.Problem{Code: e.Left, Field: "product.code",
				Text: clip("the product is none that the branch knows; the form says " + strconv.Quote(e.Source.Raw))}
		case e.Left != "" && problems[e.Number] == nil:
			problems[e.Number] = &movement.Problem{Code: e.Left, Field: strings.TrimSuffix(e.Left, "_needed"),
				Text: "the branch could not say the " + strings.TrimSuffix(e.Left, "_needed") + ", and left it to a person"}
		}
	}
	return problems
}

// clip keeps a problem's text within the bounds of a record.
func clip(s string) string {
	if len(s) <= 480 {
		return s
	}
	return strings.ToValidUTF8(s[:480], "") + "…"
}

// summed joins what is alike, and notes in of which sum each entry is in.
func summed(entries []Entry, problems map[int]*movement.Problem, of map[int]int) []Entry {
	type like struct {
		p               movement.Product
		lot, serial     string
		expiry          movement.Date
		problem, reason string
	}
	at := map[like]int{}
	var sums []Entry
	for _, e := range entries {
		g := like{e.Item.Product, e.Item.Lot, e.Item.Serial, e.Item.Expiry, "", e.why()}
		if p := problems[e.Number]; p != nil {
			g.problem = p.Code
		}
		if i, known := at[g]; known && sums[i].Quantity <= movement.MaxQuantity-e.Quantity {
			sums[i].Quantity += e.Quantity
			of[e.Number] = i
			continue
		}
		at[g], of[e.Number] = len(sums), len(sums)
		sums = append(sums, e)
	}
	return slices.Clip(sums)
}
