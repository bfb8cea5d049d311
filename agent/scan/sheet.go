package scan

import (
	"maps"
	"slices"
	"strconv"

	"branchline/internal/symbol"
)

// The command barcodes. Behind those that end with "-" stands a number or the
// name of a reason.
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
)

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
// (name to text, as in receiving.reasons).
func Sheet(reasons map[string]string) []Group {
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
	return sheet
}
