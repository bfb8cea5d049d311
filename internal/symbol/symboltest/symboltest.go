// Package symboltest scans drawn barcodes as a printed sheet is scanned, for tests.
package symboltest

import (
	"image"
	"image/color"
	"regexp"
	"strconv"
	"strings"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/oned"

	"branchline/internal/symbol"
)

// TB is what a scan needs of a test, also of one of package rapid.
type TB interface {
	Helper()
	Fatalf(format string, args ...any)
}

var bar = regexp.MustCompile(`M(\d+) (\d+)h(\d+)v(\d+)`)

// paint makes of the SVG what a printer would, four dots a module.
func paint(s symbol.SVG) image.Image {
	const dots = 4
	img := image.NewGray(image.Rect(0, 0, s.Width*dots, s.Height*dots))
	for i := range img.Pix {
		img.Pix[i] = 255
	}
	_, paths, _ := strings.Cut(s.Text, `fill="#000"`)
	for _, m := range bar.FindAllStringSubmatch(paths, -1) {
		var n [4]int
		for i := range n {
			n[i], _ = strconv.Atoi(m[i+1])
		}
		for y := n[1] * dots; y < (n[1]+n[3])*dots; y++ {
			for x := n[0] * dots; x < (n[0]+n[2])*dots; x++ {
				img.SetGray(x, y, color.Gray{})
			}
		}
	}
	return img
}

// Scan reads a Code 128. It ends the test when the symbol cannot be read.
func Scan(t TB, s symbol.SVG) string {
	t.Helper()
	return scan(t, s, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_TRY_HARDER: true})
}

// ScanFNC1 is Scan for a code that holds FNC1, which it gives as GS, as scanners
// send it.
func ScanFNC1(t TB, s symbol.SVG) string {
	t.Helper()
	text := scan(t, s, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_TRY_HARDER: true, gozxing.DecodeHintType_ASSUME_GS1: true})
	return strings.TrimPrefix(text, "]C1")
}

func scan(t TB, s symbol.SVG, hints map[gozxing.DecodeHintType]any) string {
	t.Helper()
	bmp, err := gozxing.NewBinaryBitmapFromImage(paint(s))
	if err != nil {
		t.Fatalf("cannot be painted: %v", err)
	}
	r, err := oned.NewCode128Reader().Decode(bmp, hints)
	if err != nil {
		t.Fatalf("cannot be scanned: %v\n%s", err, s.Text)
	}
	return r.GetText()
}
