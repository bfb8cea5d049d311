package web

import (
	"context"
	"slices"
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
}

// SoundWord says the sound to those who cannot hear it.
func (a Answer) SoundWord() string {
	switch a.Sound {
	case scan.OK.String():
		return "Counted"
	case scan.Warn.String():
		return "Look"
	}
	return "Not counted"
}

// refreshEvery is how often open pages ask for themselves when nobody scans.
const refreshEvery = 2 * time.Second

// live keeps the latest answer of each scanner, and tells open pages at once.
type live struct {
	stream ui.Stream

	mu      sync.Mutex
	answers []Answer // the latest first, one a scanner
}

// Beep hears the answer to a scan. It never waits.
func (l *live) Beep(scanner string, a scan.Answer) { l.answered(scanner, a, time.Now()) }

func (l *live) answered(scanner string, a scan.Answer, at time.Time) {
	shown := Answer{Scanner: scanner, Sound: a.Sound.String(), Text: a.Text, At: at}
	l.mu.Lock()
	l.answers = slices.DeleteFunc(l.answers, func(o Answer) bool { return o.Scanner == scanner })
	l.answers = slices.Insert(l.answers, 0, shown)
	l.mu.Unlock()
	event := map[string]string{"scanner": scanner, "sound": shown.Sound, "text": shown.Text, "detail": shown.detail()}
	if a.Sound == scan.OK {
		event["at"] = clockOf(at)
	}
	l.stream.Send("answer", event)
	l.stream.Changed()
}

func (a Answer) detail() string {
	return strings.Join([]string{a.Scanner, a.SoundWord(), clockOf(a.At)}, " · ")
}

// Detail is who, how and when, under the text.
func (a Answer) Detail() string { return a.detail() }

func clockOf(t time.Time) string { return t.Format("15:04:05") }

// latest is the latest answer of all scanners, nil for none.
func (l *live) latest() *Answer {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.answers) == 0 {
		return nil
	}
	a := l.answers[0]
	return &a
}

func (l *live) of(scanner string) *Answer {
	l.mu.Lock()
	defer l.mu.Unlock()
	if i := slices.IndexFunc(l.answers, func(a Answer) bool { return a.Scanner == scanner }); i >= 0 {
		a := l.answers[i]
		return &a
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
