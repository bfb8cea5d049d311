package receive

import (
	"strings"

	"branchline/internal/movement"
)

var (
	small = strings.Fields("zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen")
	tens  = strings.Fields("- - twenty thirty forty fifty sixty seventy eighty ninety")
)

// inWords spells a whole number below a million, as a nought too many is easily
// overlooked in figures; empty for any other quantity.
func inWords(q movement.Quantity) string {
	if q < 0 || q >= movement.Units(1_000_000) || q%movement.QuantityScale != 0 {
		return ""
	}
	return spelled(int(q / movement.QuantityScale))
}

func spelled(n int) string {
	rest := func(head string, n int) string {
		if n == 0 {
			return head
		}
		return head + " " + spelled(n)
	}
	switch {
	case n >= 1000:
		return rest(spelled(n/1000)+" thousand", n%1000)
	case n >= 100:
		return rest(spelled(n/100)+" hundred", n%100)
	case n < 20:
		return small[n]
	case n%10 == 0:
		return tens[n/10]
	}
	return tens[n/10] + "-" + small[n%10]
}

// told is an amount in figures and in words.
func told(q movement.Quantity, unit string) string {
	if words := inWords(q); words != "" {
		return amount(q, unit) + " (" + words + ")"
	}
	return amount(q, unit)
}
