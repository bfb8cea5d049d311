package uitest

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// axe-core finds what keeps people from using a page, by the rules of WCAG. It
// is fetched for tests only and is no part of the product.
const (
	axeVersion = "4.10.3"
	axePackage = "axe-core@" + axeVersion
	axeSHA256  = "0f2b4d7dcdf7d1219df8d1959ad68e565f51d14c3f0d88bb71cd59abeb956292"
	axeFile    = "package/axe.min.js"
	maxArchive = 4 << 20
)

var axe = sync.OnceValues(loadAxe)

// loadAxe reads axe-core from where an earlier test left it, or fetches it.
func loadAxe() (script string, err error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	path := filepath.Join(cache, "branchline-test", "axe-core-"+axeVersion+".tgz")
	archive, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		if archive, err = fetchAxe(); err == nil {
			err = keep(path, archive)
		}
	}
	if err != nil {
		return "", err
	}
	if sum := sha256.Sum256(archive); hex.EncodeToString(sum[:]) != axeSHA256 {
		return "", fmt.Errorf("%s is not axe-core %s as it was looked at", path, axeVersion)
	}
	return unpack(archive)
}

// fetchAxe gets the package by npm, as this machine has it set up.
func fetchAxe() ([]byte, error) {
	dir, err := os.MkdirTemp("", "axe-core-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	npm := exec.CommandContext(ctx, "npm", "pack", "--silent", "--pack-destination", dir, axePackage)
	npm.Dir = dir
	if out, err := npm.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("npm pack %s: %w: %.200s", axePackage, err, out)
	}
	f, err := os.Open(filepath.Join(dir, "axe-core-"+axeVersion+".tgz"))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxArchive))
}

// keep writes the file so that another test never sees half of it.
func keep(path string, b []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), "*.tmp")
	if err != nil {
		return err
	}
	_, err = tmp.Write(b)
	if err = errors.Join(err, tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}

func unpack(archive []byte) (string, error) {
	z, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		return "", err
	}
	files := tar.NewReader(z)
	for {
		head, err := files.Next()
		if err != nil {
			return "", fmt.Errorf("%s: %w", axeFile, err)
		}
		if head.Name == axeFile {
			text, err := io.ReadAll(io.LimitReader(files, maxArchive))
			return string(text), err
		}
	}
}

// NeedAxe skips the test where axe-core cannot be had, and says so.
func NeedAxe(t testing.TB) {
	t.Helper()
	if _, err := axe(); err != nil {
		t.Skipf("axe-core cannot be had (%v): whether the pages can be used by everybody was not looked at", err)
	}
}

// Unusable tells what keeps people from using the page as it is now, in a window
// of that width: what WCAG 2.2, levels A and AA, finds wrong, what one must
// scroll sideways for, and what is too small to touch. It is empty for nothing.
// See [NeedAxe].
func (p *Page) Unusable(width int64) string {
	p.t.Helper()
	// Of a page that has not all come yet, much is missing.
	p.Wait(`document.readyState === "complete"`)
	found := p.axeFinds()
	if wide := Eval[int64](p, "document.documentElement.scrollWidth"); wide > width {
		found += fmt.Sprintf("\nit is %d wide", wide)
	}
	if small := p.smallTargets(); small != "" {
		found += "\ntoo small to touch: " + small
	}
	return strings.TrimSpace(found)
}

func (p *Page) axeFinds() string {
	p.t.Helper()
	script, err := axe()
	if err != nil {
		p.t.Fatal(err)
	}
	found := ""
	if err := p.again(func(ctx context.Context) (err error) {
		found, err = chromedp.Run(ctx, chromedp.Evaluate[string](script+axeRun, chromedp.EvalAwaitPromise))
		return err
	}); err != nil {
		p.t.Fatalf("axe-core: %v", err)
	}
	return found
}

// axeRun gives what is wrong, a line for each place.
const axeRun = `
;axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}).then(r =>
	r.violations.flatMap(v => v.nodes.map(n => v.id + ": " + v.help + ": " + n.html.slice(0, 200) + " " + (n.any[0]?.message ?? ""))).join("\n"))`

// smallTargets lists what one clicks or touches that is smaller than 24 by 24
// pixels and no link within a text (WCAG 2.2, 2.5.8).
func (p *Page) smallTargets() string {
	p.t.Helper()
	return Eval[string](p, `[...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, summary")].filter(e => {
		const r = e.getBoundingClientRect();
		return e.checkVisibility({visibilityProperty: true}) && r.width > 1 && (r.width < 24 || r.height < 24) &&
			!(e.tagName === "A" && getComputedStyle(e).display === "inline" && e.closest("p, li, td, th, small, footer"));
	}).map(e => e.outerHTML.slice(0, 120)).join("; ")`)
}
