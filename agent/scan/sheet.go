package scan

import (
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"

	"branchline/internal/fault"
	"branchline/internal/feed"
	"branchline/internal/symbol"
)

// The command barcodes. Behind those that end with "-" stands a number, the
// name of a reason, or the code of a branch.
const (
	Confirm = CommandPrefix + "CONFIRM"
	Undo    = CommandPrefix + "UNDO"
	Cancel  = CommandPrefix + "CANCEL"
	Accept  = CommandPrefix + "ACCEPT"
	Person  = CommandPrefix + "PERSON"
	Qty     = CommandPrefix + "QTY-"
	Because = CommandPrefix + "REASON-"
	Damaged = CommandPrefix + "DAMAGED-"
	Short   = CommandPrefix + "SHORT-"
	Other   = CommandPrefix + "BRANCH-"
)

// MaxQuantity is the most that [Qty] can say, in packs.
const MaxQuantity = 99_999

// CheckCommand says what is wrong with the number of a command barcode, as a
// fault of class Data; nil for every other command, and for what is none.
func CheckCommand(text string) error {
	number, ok := strings.CutPrefix(text, Qty)
	if !ok {
		return nil
	}
	switch n, err := strconv.ParseUint(number, 10, 64); {
	case errors.Is(err, strconv.ErrRange) || n > MaxQuantity:
		return fault.New(fault.Data, "bad_quantity", "%.40q asks for more than the %d packs that one scan can stand for", text, MaxQuantity).
			WithHint("say at most that many, then scan the product again and say the rest")
	case err != nil || n == 0:
		return fault.New(fault.Data, "bad_quantity", "%.40q does not say how many packs", text).
			WithHint("use a number of the printed sheet, or BL-QTY- with 1 to " + strconv.Itoa(MaxQuantity))
	}
	return nil
}

// Command is one barcode of the printed sheet.
type Command struct {
	// Code is what a scanner sends, Label what people read.
	Code, Label string
}

// Draw gives the barcode: Code 128, which every scanner reads as it is
// delivered.
func (c Command) Draw() (symbol.SVG, error) { return symbol.Code128(c.Code, c.Label, 40) }

// Group is a part of the sheet.
type Group struct {
	Title    string
	Commands []Command
}

// sheetNumbers is how many quantities are on the sheet, one by one; then come
// the tens.
const sheetNumbers = 12

// Sheet lists the commands that a sheet for a branch shows, with its reasons
// (name to text, as in receiving.reasons) and the branches that goods are sent to
// most simply by a scan: those with short codes, where there are not too many.
func Sheet(reasons map[string]string, branches []feed.Branch) []Group {
	sheet := []Group{{"Commands", []Command{
		{Confirm, "Confirm: all is scanned"},
		{Undo, "Undo the last scan"},
		{Accept, "Accept: I have seen the warning"},
		{Person, "Leave it to a person"},
		{Cancel, "Throw away (scan twice)"},
	}}}
	quantity := Group{Title: "Quantity: how many of the product just scanned"}
	for n := 1; n <= sheetNumbers; n++ {
		quantity.Commands = append(quantity.Commands, Command{Qty + strconv.Itoa(n), strconv.Itoa(n)})
	}
	for _, n := range []int{15, 20, 24, 25, 30, 36, 40, 48, 50, 60, 100} {
		quantity.Commands = append(quantity.Commands, Command{Qty + strconv.Itoa(n), strconv.Itoa(n)})
	}
	sheet = append(sheet, quantity)
	for _, g := range []struct{ title, prefix string }{
		{"Reason for the scan", Because}, {"The product just scanned is damaged", Damaged}, {"The product just scanned came short", Short},
	} {
		group := Group{Title: g.title}
		for _, name := range slices.Sorted(maps.Keys(reasons)) {
			group.Commands = append(group.Commands, Command{g.prefix + name, reasons[name]})
		}
		if len(group.Commands) > 0 {
			sheet = append(sheet, group)
		}
	}
	if others := others(branches); len(others) > 0 {
		sheet = append(sheet, Group{"The other branch of a transfer", others})
	}
	return sheet
}

// sheetBranches is how many branches are on the sheet, and sheetCode the longest
// code whose barcode is not too wide for it. All others are chosen on the page.
const (
	sheetBranches = 60
	sheetCode     = 10
)

func others(branches []feed.Branch) (list []Command) {
	if len(branches) > sheetBranches {
		return nil
	}
	for _, b := range branches {
		if len(b.Code) <= sheetCode {
			list = append(list, Command{Other + b.Code, b.Words()})
		}
	}
	return list
}
