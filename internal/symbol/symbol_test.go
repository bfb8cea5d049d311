package symbol_test

import (
	"image"
	"image/color"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	zxmatrix "github.com/makiuchi-d/gozxing/datamatrix"
	"github.com/makiuchi-d/gozxing/oned"
	"pgregory.net/rapid"

	"branchline/internal/symbol"
)

var bar = regexp.MustCompile(`M(\d+) (\d+)h(\d+)v(\d+)`)

// paint makes of the SVG what a printer would, four dots a module.
func paint(t rapid.TB, s symbol.SVG) image.Image {
	t.Helper()
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

func scanned(t rapid.TB, s symbol.SVG, r gozxing.Reader) string {
	t.Helper()
	bmp, err := gozxing.NewBinaryBitmapFromImage(paint(t, s))
	if err != nil {
		t.Fatal(err)
	}
	result, err := r.Decode(bmp, map[gozxing.DecodeHintType]interface{}{gozxing.DecodeHintType_TRY_HARDER: true})
	if err != nil {
		t.Fatalf("cannot be scanned: %v\n%s", err, s.Text)
	}
	return result.GetText()
}

// What is drawn scans as what was meant.
func TestDrawnSymbolsScan(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[ -~]{1,40}`).Draw(t, "text")
		s, err := symbol.Code128(text, "a code", 40)
		if err != nil {
			t.Fatal(err)
		}
		if got := scanned(t, s, oned.NewCode128Reader()); got != text {
			t.Fatalf("Code 128 of %q scans as %q", text, got)
		}
	})
	for _, text := range []string{"BL-CONFIRM", "BL-QTY-12", "1234567890", "Ab-1"} {
		s, err := symbol.DataMatrix(text, "a code")
		if err != nil {
			t.Fatal(err)
		}
		if got := scanned(t, s, zxmatrix.NewDataMatrixReader()); got != text {
			t.Errorf("Data Matrix of %q scans as %q", text, got)
		}
	}
}

func TestWhatCannotBeDrawn(t *testing.T) {
	for _, text := range []string{"", strings.Repeat("x", 81), "ü€"} {
		if s, err := symbol.Code128(text, "", 40); err == nil {
			t.Errorf("%q was drawn: %v", text, s)
		}
	}
	s, err := symbol.Code128("A", `<script>&"`, 40)
	if err != nil || strings.Contains(s.Text, "<script>") {
		t.Errorf("%v, %s", err, s.Text)
	}
}
