package dispense

import (
	"branchline/agent/outbox"
	"context"
	"errors"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Options are what [New] takes beside the configuration.
type Options struct {
	Store   Store
	Log     *slog.Logger
	Metrics prometheus.Registerer // may be nil
	// Now is nil for time.Now.
	Now func() time.Time
	// Retention is how long the store keeps a record at least, which tells
	// what a repeated key can be a repeat of.
	Retention time.Duration

	secret []byte
	// waiting is the note of a secret for which there was no room.
	waiting []outbox.Note
}

// Dispense runs all adapters of a branch.
type Dispense struct {
	adapters []*adapter
}

// New checks the configuration and reads the checkpoints. Folders need not be
// there yet.
func New(cfg Config, o Options) (*Dispense, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if o.Store == nil || o.Log == nil {
		return nil, errors.New("dispense: a store and a log are needed")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	var err error
	at := &starting{Store: o.Store}
	if o.secret, err = loadSecret(at); err != nil {
		return nil, err
	}
	o.waiting = at.waiting
	m := newMetrics(o.Metrics)
	d := &Dispense{}
	for i := range cfg.Exports {
		a, err := newAdapter(&cfg.Exports[i], o, m)
		if err != nil {
			return nil, err
		}
		a.strays = newStrays(&cfg.Exports[i], cfg.Exports)
		d.adapters = append(d.adapters, a)
	}
	return d, nil
}

// Run watches until ctx ends, and returns when what is being committed is. It
// never fails; [Dispense.Status] says how things are.
func (d *Dispense) Run(ctx context.Context) {
	var wg sync.WaitGroup
	for _, a := range d.adapters {
		wg.Go(func() { a.run(ctx) })
	}
	wg.Wait()
}

// Status tells how each adapter is, in the order of the configuration.
func (d *Dispense) Status() []Status {
	list := make([]Status, len(d.adapters))
	for i, a := range d.adapters {
		list[i] = a.status.get()
		list[i].Open, list[i].Withheld = a.bad.waiting(), a.names.withheld()
	}
	return list
}

// State is what an adapter is doing.
type State string

const (
	// Watching: all files are read.
	Watching State = "watching"
	// Reading: a file is being read.
	Reading State = "reading"
	// Waiting: something is in the way that passes by itself.
	Waiting State = "waiting"
	// Held: a file does not fit its mapping, is left as it is, and a person
	// must mend it or the configuration. The other files are read.
	Held State = "held"
)

// Status is how one adapter is.
type Status struct {
	Name, Folder string
	State        State
	// Since is when the state began; Code and Reason say why, for Waiting and
	// Held.
	Since        time.Time
	Code, Reason string
	// Rows are those since the agent started.
	Rows Counts
	// Unfit are the rows since the agent started with a text that has not the shape of
	// its column, by the mapping's field: left out of the row for [FieldReason], else
	// why the row went to a person.
	Unfit map[string]int64
	// Open are the rows that wait for a person at the branch.
	Open int
	// Files are the latest ones that were read, the newest first, at most
	// [recentFiles].
	Files []FileStatus
	// Withheld are the files whose names are told to nobody but the branch.
	Withheld []Withheld
}

// Withheld is a file with a name that can be about a patient, and what it is called
// in all that is kept, logged and sent.
type Withheld struct{ Name, Told string }

// FileStatus is what became of one file.
type FileStatus struct {
	Name string
	// Done tells that all of it is recorded; At is when it was last read.
	Done bool
	At   time.Time
	// Rows are all of this file, under this name.
	Rows Counts
	// Reason says why it is not done.
	Reason string
}

// recentFiles bounds Status.Files.
const recentFiles = 50

type guardedStatus struct {
	mu sync.Mutex
	s  Status
}

func (g *guardedStatus) get() Status {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := g.s
	s.Files, s.Unfit = append([]FileStatus(nil), s.Files...), maps.Clone(s.Unfit)
	return s
}

func (g *guardedStatus) set(fn func(*Status)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	fn(&g.s)
}

// unfit counts rows with a text that has not the shape of its column.
func (s *Status) unfit(rows map[string]int64) {
	if s.Unfit == nil && len(rows) > 0 {
		s.Unfit = map[string]int64{}
	}
	for field, n := range rows {
		s.Unfit[field] += n
	}
}

// left is file for one that is not done; told again, it stays where it is.
func (s *Status) left(f FileStatus) {
	for i := range s.Files {
		if o := &s.Files[i]; o.Name == f.Name && !o.Done && o.Reason == f.Reason {
			o.At, o.Rows = f.At, f.Rows
			return
		}
	}
	s.file(f)
}

// file puts what became of a file at the front.
func (s *Status) file(f FileStatus) {
	for i := range s.Files {
		if s.Files[i].Name == f.Name {
			s.Files = append(s.Files[:i], s.Files[i+1:]...)
			break
		}
	}
	s.Files = append([]FileStatus{f}, s.Files[:min(len(s.Files), recentFiles-1)]...)
}

type metrics struct {
	rows  *prometheus.CounterVec
	files *prometheus.CounterVec
	up    *prometheus.GaugeVec
	held  *prometheus.GaugeVec
}

func newMetrics(r prometheus.Registerer) *metrics {
	m := &metrics{
		rows: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "branchline_agent_export_rows_total", Help: "Rows of export files: good, bad (kept for a person), known before.",
		}, []string{"adapter", "result"}),
		files: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "branchline_agent_export_files_total", Help: "Readings of export files to their end.",
		}, []string{"adapter"}),
		up: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "branchline_agent_export_up", Help: "0 while a file cannot be read, or the folder.",
		}, []string{"adapter"}),
		held: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "branchline_agent_export_files_held", Help: "Export files that do not fit their mapping and wait for a person.",
		}, []string{"adapter"}),
	}
	if r != nil {
		r.MustRegister(m.rows, m.files, m.up, m.held)
	}
	return m
}

func (m *metrics) count(adapter string, n Counts) {
	m.rows.WithLabelValues(adapter, "good").Add(float64(n.Good))
	m.rows.WithLabelValues(adapter, "bad").Add(float64(n.Bad))
	m.rows.WithLabelValues(adapter, "known").Add(float64(n.Known))
}
