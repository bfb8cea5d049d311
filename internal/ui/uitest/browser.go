// Package uitest looks at the pages through a real browser, for tests:
// Chromium without a window. Where there is none, a test is skipped and says so.
package uitest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// patience bounds every step; a browser on a busy machine is slow to start.
const patience = 60 * time.Second

// Page is one tab. Its methods end the test when a step fails. At the end of
// the test it fails, too, when a script of the page did.
type Page struct {
	t   testing.TB
	ctx context.Context
	// now is what the browser takes for the time of the next key.
	now time.Time

	mu     sync.Mutex
	faults []string
}

// Open starts a browser of its own and opens url in a window of a counter PC,
// 1366 by 768.
func Open(t testing.TB, url string) *Page {
	t.Helper()
	program := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			program = found
			break
		}
	}
	if program == "" {
		t.Skip("no Chromium on this machine (Debian: apt-get install chromium): the page was not looked at")
	}
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.ExecPath(program), chromedp.WindowSize(1366, 768), chromedp.WSURLReadTimeout(patience))
	if os.Getuid() == 0 {
		options = append(options, chromedp.NoSandbox)
	}
	ctx, end := chromedp.NewExecAllocator(context.WithoutCancel(t.Context()), options...)
	t.Cleanup(end)
	ctx, end = chromedp.NewContext(ctx)
	t.Cleanup(end)
	p := &Page{t: t, ctx: ctx, now: time.Now()}
	if err := chromedp.Listen(ctx, p.hear); err != nil {
		t.Fatalf("the browser does not start: %v", err)
	}
	t.Cleanup(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, f := range p.faults {
			t.Error("on the page: " + f)
		}
	})
	p.do(chromedp.EmulateViewport(1366, 768))
	p.Go(url)
	return p
}

func (p *Page) hear(event any) {
	if e, ok := event.(*runtime.EventExceptionThrown); ok {
		p.mu.Lock()
		defer p.mu.Unlock()
		text := e.ExceptionDetails.Text
		if e.ExceptionDetails.Exception != nil {
			text += " " + e.ExceptionDetails.Exception.Description
		}
		p.faults = append(p.faults, text)
	}
}

func (p *Page) do(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		p.t.Fatalf("on the page: %v", err)
	}
}

// Go opens another address in the same tab.
func (p *Page) Go(url string) { p.t.Helper(); p.do(chromedp.Navigate(url)) }

// Size makes the window as large as another device's.
func (p *Page) Size(width, height int64) { p.t.Helper(); p.do(chromedp.EmulateViewport(width, height)) }

// Dark asks for the dark colours.
func (p *Page) Dark() { p.t.Helper(); p.prefer("prefers-color-scheme", "dark") }

// Still asks for nothing that moves.
func (p *Page) Still() { p.t.Helper(); p.prefer("prefers-reduced-motion", "reduce") }

func (p *Page) prefer(feature, value string) {
	p.t.Helper()
	p.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: feature, Value: value}}})
		return err
	}))
}

// Print shows the page as it is printed.
func (p *Page) Print() {
	p.t.Helper()
	p.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"})
		return err
	}))
}

// Click clicks the first element that the selector names. Where the page is
// made anew in that moment, it clicks in the new one.
func (p *Page) Click(selector string) {
	p.t.Helper()
	if err := p.again(func(ctx context.Context) error {
		return chromedp.Do(ctx, chromedp.Click(chromedp.CSS(selector)))
	}); err != nil {
		p.t.Fatalf("clicking %s: %v\nthe page says:\n%s", selector, err, p.Text("body"))
	}
}

// again does a step, and once more whenever the page has moved on under it.
func (p *Page) again(step func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	for {
		if err := step(ctx); err == nil || ctx.Err() != nil || !movedOn(err) {
			return err
		}
	}
}

// movedOn tells that what a step looked at has given way to something newer.
func movedOn(err error) bool {
	for _, sign := range []string{"context with", "navigated", "Could not find node", "No node with given id", "not attached"} {
		if strings.Contains(err.Error(), sign) {
			return true
		}
	}
	return false
}

// Wait waits until the JavaScript expression is true.
func (p *Page) Wait(expression string) {
	p.t.Helper()
	if err := p.again(func(ctx context.Context) error {
		_, err := chromedp.Run(ctx, chromedp.Poll[bool](expression, chromedp.WithPollingTimeout(0)))
		return err
	}); err != nil {
		p.t.Fatalf("waited for %s: %v\nthe page says:\n%s", expression, err, p.Text("body"))
	}
}

// WaitText waits until the page shows the text.
func (p *Page) WaitText(text string) {
	p.t.Helper()
	p.Wait(fmt.Sprintf("document.body.innerText.includes(%q)", text))
}

// Text is what a person reads in the first element that the selector names.
func (p *Page) Text(selector string) string {
	p.t.Helper()
	return strings.TrimSpace(Eval[string](p, fmt.Sprintf("document.querySelector(%q)?.innerText ?? ''", selector)))
}

// Eval is the value of a JavaScript expression.
func Eval[T any](p *Page, expression string) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		p.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// Shot keeps a picture of the window when BRANCHLINE_SHOTS names a folder.
func (p *Page) Shot(name string) {
	p.t.Helper()
	folder := os.Getenv("BRANCHLINE_SHOTS")
	if folder == "" {
		return
	}
	p.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		shot, err := cdp.Call(ctx, t, page.CaptureScreenshot, page.CaptureScreenshotParams{})
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(folder, name+".png"), []byte(shot.Data), 0o644)
	}))
}
