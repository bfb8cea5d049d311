package dispense

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"branchline/internal/conf"
	"branchline/internal/movement"
)

var guideBlock = regexp.MustCompile("(?s)```yaml\n(.*?)```\n\nTried on `([^`]+)`: (\\d+ rows are understood, \\d+ goe?s? to a person)\\.")

// Each mapping of the guide is a configuration as it stands, and makes of its
// sample what the guide says.
func TestTheGuideIsRight(t *testing.T) {
	text, err := os.ReadFile("../../configs/exports.md")
	if err != nil {
		t.Fatal(err)
	}
	formats := map[string]bool{}
	for _, m := range guideBlock.FindAllStringSubmatch(string(text), -1) {
		var c Config
		block := "exports:\n" + m[1]
		if runtime.GOOS == "windows" {
			block = strings.ReplaceAll(block, "folder: /", `folder: C:/`)
		}
		if err := conf.Parse("exports.md", []byte(block), &c); err != nil {
			t.Errorf("%s: %v", m[2], err)
			continue
		}
		formats[filepath.Base(filepath.Dir(m[2]))] = true
		files, _ := filepath.Glob(filepath.Join("../..", m[2], "export.*"))
		if len(files) != 1 {
			t.Errorf("%s holds %d exports", m[2], len(files))
			continue
		}
		sample, err := os.ReadFile(files[0])
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), filepath.Base(files[0]))
		if err := os.WriteFile(file, sample, 0o600); err != nil {
			t.Fatal(err)
		}
		written := time.Date(2026, 11, 23, 17, 0, 0, 0, time.UTC)
		if err := os.Chtimes(file, written, written); err != nil {
			t.Fatal(err)
		}
		sum, err := Try(t.Context(), c.Exports[0], file, func(*movement.Movement, int64) error { return nil })
		if err != nil {
			t.Errorf("%s: %v", m[2], err)
			continue
		}
		verb := "go"
		if sum.Bad == 1 {
			verb = "goes"
		}
		if got := fmt.Sprintf("%d rows are understood, %d %s to a person", sum.Good, sum.Bad, verb); got != m[3] {
			t.Errorf("%s: %s; the guide says %s", m[2], got, m[3])
		}
	}
	if blocks := strings.Count(string(text), "```yaml"); len(formats) != 6 || blocks != 6 {
		t.Errorf("%d blocks, tried %v", blocks, formats)
	}
}
