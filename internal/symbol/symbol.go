// Package symbol draws barcodes as SVG, for sheets that people print and scan.
// It is pure and safe for concurrent use.
package symbol

import (
	"html"
	"strconv"
	"strings"

	"github.com/boombuler/barcode"
	"github.com/boombuler/barcode/code128"

	"branchline/internal/fault"
)

// FNC1 in a text for [Code128] is the function character, which a scanner
// sends as GS unless it is told otherwise.
const FNC1 = string(code128.FNC1)

// MaxLength bounds the text of a symbol, in characters: more is too wide for a
// printed page, or for a scanner.
const MaxLength = 80

// quiet is the empty zone at both ends, in modules, that ISO/IEC 15417 wants.
const quiet = 10

// SVG is a drawn symbol.
type SVG struct {
	// Width and Height are in modules, the quiet zone included.
	Width, Height int
	// Text is the whole svg element: black on white whatever the page's
	// colours are, of no size but its viewBox, with the title for those who do
	// not see it.
	Text string
}

// Code128 draws text (ASCII and [FNC1]) as Code 128 with bars of that height.
// width and height count modules; printed, a module is best 0.3 to 0.5 mm wide.
func Code128(text, title string, height int) (SVG, error) {
	if text == "" || len([]rune(text)) > MaxLength {
		return SVG{}, fault.New(fault.Data, "symbol", "%d characters do not fit into a barcode of 1 to %d", len([]rune(text)), MaxLength)
	}
	code, err := code128.Encode(text)
	if err != nil {
		return SVG{}, fault.New(fault.Data, "symbol", "%.40q cannot be a barcode: %w", text, err)
	}
	modules := code.Bounds().Dx()
	s := SVG{Width: modules + 2*quiet, Height: height}
	var b strings.Builder
	w, h := strconv.Itoa(s.Width), strconv.Itoa(s.Height)
	b.WriteString(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ` + w + ` ` + h + `" role="img" shape-rendering="crispEdges"><title>`)
	b.WriteString(html.EscapeString(title))
	b.WriteString(`</title><path fill="#fff" d="M0 0h` + w + `v` + h + `H0z"/><path fill="#000" d="`)
	for x := 0; x < modules; x++ {
		if !black(code, x) {
			continue
		}
		from := x
		for x < modules && black(code, x) {
			x++
		}
		n := strconv.Itoa(x - from)
		b.WriteString("M" + strconv.Itoa(from+quiet) + " 0h" + n + "v" + h + "h-" + n + "z")
	}
	b.WriteString(`"/></svg>`)
	s.Text = b.String()
	return s, nil
}

func black(code barcode.Barcode, x int) bool {
	r, _, _, _ := code.At(x+code.Bounds().Min.X, code.Bounds().Min.Y).RGBA()
	return r < 0x8000
}
