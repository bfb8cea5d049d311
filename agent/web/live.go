package web

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"branchline/agent/scan"
	"branchline/internal/ui"
)

// Answer is what a scan came to, as the page shows it.
type Answer struct {
	Scanner string
	// Sound is ok, warn or refused.
	Sound string
	Text  string
	At    time.Time
	// Unrecorded is that of what was only looked up, Action that of what a
	// person did, by a command barcode or on the page, which is no scan that
	// counts.
	Unrecorded, Action bool
	// Where is the work on the page that it belongs to; empty for any, and for
	// what a scanner of its own came to.
	Where string
}

// SoundWord says the sound to those who cannot hear it.
func (a Answer) SoundWord() string {
	words := [...]string{"Counted", "Look", "Not counted"}
	switch {
	case a.Unrecorded:
		words = [...]string{"Looked up", "Look", "Not known"}
	case a.Action:
		words = [...]string{"Done", "Look", "Not done"}
	}
	switch a.Sound {
	case scan.OK.String():
		return words[0]
	case scan.Warn.String():
		return words[1]
	}
	return words[2]
}

// refreshEvery is how often open pages ask for themselves when nobody scans.
const refreshEvery = 2 * time.Second

// live keeps the latest answer of each scanner, and tells open pages at once.
type live struct {
	stream ui.Stream

	mu      sync.Mutex
	answers []Answer // the latest first, one a scanner, and one for each work on the page
}

// Beep hears the answer to a scan. It never waits.
func (l *live) Beep(scanner string, a scan.Answer) {
	now := time.Now()
	shown := newAnswer(scanner, a, now)
	l.remember(shown)
	l.stream.Send("answer", shown.event())
	l.stream.Changed()
}

func newAnswer(scanner string, a scan.Answer, at time.Time) Answer {
	return Answer{Scanner: scanner, Sound: a.Sound.String(), Text: sentence(a.Text), At: at, Unrecorded: a.Unrecorded, Action: a.Action}
}

func (l *live) remember(a Answer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.answers = slices.DeleteFunc(l.answers, func(o Answer) bool { return o.Scanner == a.Scanner && o.Where == a.Where })
	l.answers = slices.Insert(l.answers, 0, a)
}

// event is the answer as pages hear it.
func (a Answer) event() map[string]string {
	event := map[string]string{"scanner": a.Scanner, "sound": a.Sound, "text": a.Text, "detail": a.Detail(), "stamp": a.Stamp()}
	if a.Counted() {
		event["at"] = clockOf(a.At)
	}
	return event
}

// Stamp tells which of two answers is the later one.
func (a Answer) Stamp() string { return strconv.FormatInt(a.At.UnixMicro(), 10) }

// Counted tells whether it counts and is safe beyond doubt.
func (a Answer) Counted() bool { return a.Sound == scan.OK.String() && !a.Unrecorded }

// Mark is the sound as a sign.
func (a Answer) Mark() string {
	switch a.Sound {
	case scan.OK.String():
		return "✓"
	case scan.Warn.String():
		return "!"
	}
	return "✕"
}

// Detail is who, how and when, under the text.
func (a Answer) Detail() string {
	return strings.Join([]string{a.Scanner, a.SoundWord(), clockOf(a.At)}, " · ")
}

func clockOf(t time.Time) string { return t.Format("15:04:05") }

// latest is the latest answer of these scanners, of all when none is named, that
// belongs to a work on the page; nil for none. An empty where stands for any.
func (l *live) latest(where string, scanners ...string) *Answer {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, a := range l.answers {
		if (len(scanners) == 0 || slices.Contains(scanners, a.Scanner)) && (where == "" || a.Where == "" || a.Where == where) {
			return &a
		}
	}
	return nil
}

// run lets open pages follow what no scan tells of, until ctx ends; then they
// are let go, so that they do not hold up the end of the server.
func (l *live) run(ctx context.Context) error {
	tick := time.NewTicker(refreshEvery)
	defer tick.Stop()
	defer l.stream.End()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
			l.stream.Changed()
		}
	}
}
