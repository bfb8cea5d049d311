// Package symbol draws barcodes as SVG, for sheets that people print and scan.
// It is pure and safe for concurrent use.
package symbol

import (
	"html"
	"strconv"
	"strings"

	"github.com/boombuler/barcode"
	"github.com/boombuler/barcode/code128"
	"github.com/boombuler/barcode/datamatrix"

	"branchline/internal/fault"
)

// FNC1 in a text for [Code128] is the function character, which a scanner
// sends as GS unless it is told otherwise.
const FNC1 = string(code128.FNC1)

// MaxLength bounds the text of a symbol, in characters: more is too wide for a
// printed page, or for a scanner.
const MaxLength = 80

// Quiet zones, in modules: ISO/IEC 15417 wants 10 for Code 128, ISO/IEC 16022
// one for Data Matrix, where more does no harm.
const (
	quiet128    = 10
	quietMatrix = 2
)

// Code128 draws text (ASCII and [FNC1]) as Code 128 with bars of that height.
// width and height count modules; printed, a module is best 0.3 to 0.5 mm wide.
func Code128(text, title string, height int) (SVG, error) {
	return draw(text, title, quiet128, height, func() (barcode.Barcode, error) { return code128.Encode(text) })
}

// DataMatrix draws text (ASCII) as Data Matrix.
func DataMatrix(text, title string) (SVG, error) {
	return draw(text, title, quietMatrix, 0, func() (barcode.Barcode, error) { return datamatrix.Encode(text) })
}

// SVG is a drawn symbol.
type SVG struct {
	// Width and Height are in modules, the quiet zone included.
	Width, Height int
	// Text is the whole svg element: black on white whatever the page's
	// colours are, of no size but its viewBox, with the title for those who do
	// not see it.
	Text string
}

func draw(text, title string, quiet, height int, encode func() (barcode.Barcode, error)) (SVG, error) {
	if text == "" || len([]rune(text)) > MaxLength {
		return SVG{}, fault.New(fault.Data, "symbol", "%d characters do not fit into a barcode of 1 to %d", len([]rune(text)), MaxLength)
	}
	code, err := encode()
	if err != nil {
		return SVG{}, fault.New(fault.Data, "symbol", "%.40q cannot be a barcode: %w", text, err)
	}
	size := code.Bounds().Size()
	rows, top := size.Y, quiet
	if height > 0 {
		rows, top = 1, 0 // bars are of one row, and need no room above
	}
	s := SVG{Width: size.X + 2*quiet, Height: size.Y + 2*quiet}
	if height > 0 {
		s.Height = height
	}
	var b strings.Builder
	w, h := strconv.Itoa(s.Width), strconv.Itoa(s.Height)
	b.WriteString(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ` + w + ` ` + h + `" role="img" shape-rendering="crispEdges"><title>`)
	b.WriteString(html.EscapeString(title))
	b.WriteString(`</title><path fill="#fff" d="M0 0h` + w + `v` + h + `H0z"/><path fill="#000" d="`)
	tall := "1"
	if height > 0 {
		tall = h
	}
	for y := range rows {
		for x := 0; x < size.X; x++ {
			if !black(code, x, y) {
				continue
			}
			from := x
			for x < size.X && black(code, x, y) {
				x++
			}
			n := strconv.Itoa(x - from)
			b.WriteString("M" + strconv.Itoa(from+quiet) + " " + strconv.Itoa(y+top) + "h" + n + "v" + tall + "h-" + n + "z")
		}
	}
	b.WriteString(`"/></svg>`)
	s.Text = b.String()
	return s, nil
}

func black(code barcode.Barcode, x, y int) bool {
	r, _, _, _ := code.At(x+code.Bounds().Min.X, y+code.Bounds().Min.Y).RGBA()
	return r < 0x8000
}
