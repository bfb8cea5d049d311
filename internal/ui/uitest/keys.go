package uitest

import (
	"context"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// Between two keys of a scanner, and of a person who types fast.
const (
	scannerPause = 4 * time.Millisecond
	personPause  = 110 * time.Millisecond
)

// Key is one key that goes down and up, as the system reports it.
type Key struct {
	// Key and Code are what the browser calls them: the character that the
	// layout makes of it, and the place on the keyboard.
	Key, Code string
	// Text is what it types; empty for none.
	Text  string
	Ctrl  bool
	Alt   bool
	Shift bool
	// Down and Up are for a key that is held while others are pressed: only
	// the one half of it.
	Down, Up bool
}

// Scan types text as a scanner does that ends a code with Enter. A GS comes as
// Ctrl+].
func (p *Page) Scan(text string) {
	p.t.Helper()
	p.Wait("document.documentElement.dataset.scanner === 'ready'")
	p.next()
	p.send(append(keys(text), Enter), scannerPause)
}

// ScanTorn is Scan with a pause in the middle of the code.
func (p *Page) ScanTorn(head string, pause time.Duration, tail string) {
	p.t.Helper()
	p.Wait("document.documentElement.dataset.scanner === 'ready'")
	p.next()
	p.send(keys(head), scannerPause)
	p.now = p.now.Add(pause)
	p.send(append(keys(tail), Enter), scannerPause)
}

// ScanAt is Scan, with the first key at a moment.
func (p *Page) ScanAt(at time.Time, text string) {
	p.t.Helper()
	p.now = at
	p.send(append(keys(text), Enter), scannerPause)
}

// next is some time after what was typed before, and after the page was opened.
func (p *Page) next() {
	if now := time.Now(); p.now.Before(now) {
		p.now = now
	}
	p.now = p.now.Add(2 * time.Second)
}

// ScanKeys is Scan with keys of any kind, without an Enter of its own.
func (p *Page) ScanKeys(k ...Key) { p.t.Helper(); p.next(); p.send(k, scannerPause) }

// Type types as a person does, wherever the focus is.
func (p *Page) Type(text string) { p.t.Helper(); p.next(); p.send(keys(text), personPause) }

// Press presses one key, as a person does.
func (p *Page) Press(k Key) { p.t.Helper(); p.next(); p.send([]Key{k}, personPause) }

// Keys that are no characters.
var (
	Enter = Key{Key: "Enter", Code: "Enter", Text: "\r"}
	Tab   = Key{Key: "Tab", Code: "Tab"}
	GS    = Key{Key: "]", Code: "BracketRight", Ctrl: true}
)

func keys(text string) (list []Key) {
	for _, r := range text {
		if r == '\x1d' {
			list = append(list, GS)
			continue
		}
		for _, k := range kb.Encode(r) {
			if k.Type == kb.KeyDown {
				list = append(list, Key{Key: k.Key, Code: k.Code, Text: string(r), Shift: k.Modifiers&int64(chromedp.ModifierShift) != 0})
			}
		}
	}
	return list
}

var codes = map[string]int64{"Enter": 13, "Tab": 9, "Escape": 27, "Backspace": 8, "Alt": 18, "F2": 113, "F4": 115}

// send gives the keys with times of their own, so that how busy this machine
// is makes no scanner slow and no person fast.
func (p *Page) send(list []Key, pause time.Duration) {
	p.t.Helper()
	at := p.now
	p.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		for _, k := range list {
			e := input.DispatchKeyEventParams{Type: kb.KeyDown, Key: k.Key, Code: k.Code, Text: k.Text,
				UnmodifiedText: k.Text, WindowsVirtualKeyCode: codes[k.Key]}
			for set, bit := range map[chromedp.Modifier]bool{chromedp.ModifierCtrl: k.Ctrl, chromedp.ModifierAlt: k.Alt, chromedp.ModifierShift: k.Shift} {
				if bit {
					e.Modifiers |= int64(set)
				}
			}
			if e.Text == "" || k.Ctrl || k.Alt {
				e.Type, e.Text, e.UnmodifiedText = kb.KeyRawDown, "", ""
			}
			at = at.Add(pause)
			e.Timestamp = since(at)
			if !k.Up {
				if _, err := cdp.Call(ctx, t, input.DispatchKeyEvent, e); err != nil {
					return err
				}
			}
			if k.Down {
				continue
			}
			e.Type, e.Text, e.UnmodifiedText = kb.KeyUp, "", ""
			e.Timestamp = since(at.Add(pause / 4))
			if _, err := cdp.Call(ctx, t, input.DispatchKeyEvent, e); err != nil {
				return err
			}
		}
		return nil
	}))
	p.now = at
}

func since(at time.Time) input.TimeSinceEpoch {
	return input.TimeSinceEpoch(float64(at.UnixMicro()) / 1e6)
}
