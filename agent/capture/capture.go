// Package capture reads the branch's scanners: serial ones, those on the network,
// and those that type into the branch page.
//
// Each scanner has one goroutine that finds its port, opens, reads and closes
// it, and does so again for as long as the agent runs: an unplugged scanner, a
// port taken by another program, noise on the line never stop the agent or the
// other scanners. Bytes are cut into codes, a code is read by its standard
// ([scan.Scan.Read]) as the scanner's own profile says, and given to a [Handler], which returns when
// it is durable. Only then the scanner beeps.
//
// # What is recorded, and what is not
//
// A code that cannot be read with certainty goes to the handler with its
// reason, and from there to a person. So does a code that was cut short, or
// that would not end. Three things are told to the person at the counter by
// sound, and counted, but not recorded: a code about a person (nobody may keep
// it), the same code again within a second (unless the profile says allow or
// keep), and what comes from a scanner that has sent sixty unreadable codes
// within a minute, which is a wrong speed and no codes at all.
//
// Why a second identical code is refused and not kept for a person later: the
// one who holds the pack hears at once that it did not count, and can scan it
// again after a moment, or scan a quantity. An hour later nobody can tell any
// more whether it was one pack or two. A pharmacy that scans fast sets allow;
// a serial number again is always refused.
package capture

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"branchline/agent/scan"
)

// Handler makes a scan durable. It is called by one goroutine a scanner, so by
// several at a time. An error means that nothing was recorded.
type Handler interface {
	Scan(ctx context.Context, s scan.Scan) (scan.Answer, error)
}

// Beeper hears the answer to every scan, after the commit: the page, for its
// sound and its text. It must return at once and is called by several
// goroutines at a time.
type Beeper interface {
	Beep(scanner string, a scan.Answer)
}

// Options are what [New] takes beside the configuration.
type Options struct {
	Handler Handler
	// Beeper may be nil: scanners still get their own byte sequences.
	Beeper Beeper
	// Memory keeps settings made at run time; nil forgets them at the end.
	Memory  Memory
	Log     *slog.Logger
	Metrics prometheus.Registerer // may be nil
	// Now is nil for time.Now. Its location is the branch's.
	Now func() time.Time

	open     func(s *Scanner, name string, timeout time.Duration) (port, error)
	find     func(pattern string) ([]string, error)
	retryMin time.Duration
	retryMax time.Duration
}

// Capture runs all scanners of a branch.
type Capture struct {
	runners []*runner
	// typists are those that type into the page, first the one for all that have
	// no profile of their own. typing lets one code be taken at a time.
	typists []*typist
	typing  sync.Mutex
	memory  Memory

	// mu guards profiles, which are as they are in use; configured are as the
	// configuration says.
	mu         sync.Mutex
	profiles   map[string]*Scanner
	configured map[string]*Scanner
}

// New checks the configuration; it opens nothing.
func New(cfg Config, o Options) (*Capture, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if o.Handler == nil || o.Log == nil {
		return nil, errors.New("capture: a handler and a log are needed")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.open == nil {
		o.open = openSerial
	}
	if o.find == nil {
		o.find = findPorts
	}
	o.retryMin = cmp.Or(o.retryMin, 250*time.Millisecond)
	o.retryMax = cmp.Or(o.retryMax, 5*time.Second)
	m := newMetrics(o.Metrics)
	shared := &ports{used: map[string]string{}}
	c := &Capture{memory: o.Memory, profiles: map[string]*Scanner{}, configured: map[string]*Scanner{}}
	hold := func(s *Scanner) {
		configured, used := *s, *s
		c.configured[s.Name], c.profiles[s.Name] = &configured, &used
	}
	for i := range cfg.Scanners {
		hold(&cfg.Scanners[i])
	}
	for _, k := range append([]Keyboard{cfg.Keyboard}, cfg.Keyboards...) {
		s := k.scanner()
		hold(&s)
		c.typists = append(c.typists, newTypist(k, o, m))
	}
	if err := c.recall(context.Background()); err != nil {
		return nil, err
	}
	for _, t := range c.typists {
		t.r.pending.Store(c.profiles[t.r.name])
	}
	for i := range cfg.Scanners {
		own := *c.profiles[cfg.Scanners[i].Name]
		c.runners = append(c.runners, newRunner(&own, o, shared, m))
	}
	return c, nil
}

// Run reads until ctx ends, and returns when every port is closed, at the
// latest a read timeout after that. It never fails.
func (c *Capture) Run(ctx context.Context) {
	var wg sync.WaitGroup
	for _, r := range c.runners {
		wg.Go(func() { r.run(ctx) })
	}
	wg.Wait()
}

// Status tells how each scanner is that has a line of its own, in the order of the
// configuration.
func (c *Capture) Status() []Status {
	list := make([]Status, len(c.runners))
	for i, r := range c.runners {
		list[i] = r.look()
	}
	return list
}

// Keyboards tells how those are that type into the branch page.
func (c *Capture) Keyboards() []Status {
	list := make([]Status, len(c.typists))
	for i, t := range c.typists {
		list[i] = t.r.look()
	}
	return list
}

// Status is how one scanner is.
type Status struct {
	Name    string
	Station string
	For     scan.Purpose
	// Keyboard is true of those that type into the page.
	Keyboard bool
	// Up tells whether the port is open; Since is when that began.
	Up    bool
	Since time.Time
	// Port is the device in use, or the one that is looked for.
	Port string
	// Code and Reason say why it is down, or what is wrong with it though it
	// is up; empty when all is well.
	Code, Reason string
	// Codes counts scans answered since the agent started, Unreadable those
	// of them that went to a person, NotCounted those that were refused.
	Codes, Unreadable, NotCounted int64
	// Last is the latest answer, LastAt when it was given.
	Last   scan.Answer
	LastAt time.Time
	// Testing is until when its scans are explained and not recorded; zero for
	// no test. Test is the latest one's report, nil for none.
	Testing time.Time
	Test    *Report
}

type guardedStatus struct {
	mu sync.Mutex
	s  Status
}

func (g *guardedStatus) get() Status {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.s
}

// look is the status now: a test whose time is over has ended.
func (r *runner) look() Status {
	s := r.status.get()
	if !s.Testing.IsZero() && r.Now().After(s.Testing) {
		s.Testing = time.Time{}
	}
	return s
}

func (g *guardedStatus) set(fn func(*Status)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	fn(&g.s)
}
