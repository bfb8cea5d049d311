package dispense

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"

	"branchline/agent/outbox"
	"branchline/internal/fault"
	"branchline/internal/movement"
)

// calm is the least time between two looks at a folder, however often the
// system announces changes.
const calm = 100 * time.Millisecond

// Codes of troubles with files beside header_changed.
const (
	codeUnreadable = "file_unreadable"
	codeUnmoved    = "file_unmoved"
)

// adapter watches one folder. Only its goroutine touches it, but for status.
type adapter struct {
	Options
	e      *Export
	log    *slog.Logger
	m      *metrics
	marks  *checkpoints
	bad    *badBook
	reads  *readings
	status guardedStatus
	// writing tells whether another program has a file open for writing.
	writing func(path string) bool
	// seen is how the files were at the latest look.
	seen map[string]sighting
	// failed are the files that could not be read to their end, and unmoved those
	// that could not be moved.
	failed, unmoved map[string]failure
	names           *namer
	strays          *strays // nil where another export of the folder tells of them
	// waiting are notes of the start for which the store had no room.
	waiting []outbox.Note
	moved   moved
	// state, code and reason are what the latest look came to.
	state        State
	code, reason string
}

// sighting is a file as it was seen, and since when it has not changed.
type sighting struct {
	size    int64
	changed time.Time
	since   time.Time
}

// failure is why a file could not be read. As long as it has not changed it is
// read again only after a while: reading a large one up to its fault takes
// time.
type failure struct {
	sighting
	why   error
	until time.Time
}

// patience is how many times as long as a reading took a file that failed is
// left alone, and maxPatience the most.
const (
	patience    = 20
	maxPatience = 10 * time.Minute
)

// attempt reads a file, unless it failed lately and is as it was.
func (a *adapter) attempt(ctx context.Context, f file) error {
	if last, ok := a.failed[f.mark]; ok && last.holds(f, a.Now()) {
		return last.why
	}
	began := a.Now()
	err := a.read(ctx, f)
	delete(a.failed, f.mark)
	if err != nil && !errors.Is(err, errNotYet) && ctx.Err() == nil {
		now := a.Now()
		a.failed[f.mark] = failure{sighting{size: f.size, changed: f.changed}, err, now.Add(min(now.Sub(began)*patience, maxPatience))}
	}
	return err
}

func (l failure) holds(f file, now time.Time) bool {
	return l.size == f.size && l.changed.Equal(f.changed) && now.Before(l.until)
}

func newAdapter(e *Export, o Options, m *metrics) (*adapter, error) {
	a := &adapter{Options: o, e: e, log: o.Log.With("adapter", e.Name), m: m, writing: heldForWriting,
		seen: map[string]sighting{}, failed: map[string]failure{}, unmoved: map[string]failure{}, names: newNamer(e, o.secret)}
	var err error
	at := &starting{Store: o.Store}
	if a.marks, err = loadCheckpoints(at, e.Name, a.names, o.Now); err != nil {
		return nil, err
	}
	if a.reads, err = loadReadings(at, e, o.Now()); err != nil {
		return nil, err
	}
	if a.bad, err = loadBadRows(at, e.Name, o.Now); err != nil {
		return nil, err
	}
	a.bad.store, a.waiting = o.Store, append(o.waiting[:len(o.waiting):len(o.waiting)], at.waiting...)
	a.state = Watching
	a.status.s = Status{Name: e.Name, Folder: e.Folder, State: Watching, Since: o.Now(), Files: a.marks.recent()}
	return a, nil
}

func (a *adapter) run(ctx context.Context) {
	hints, stop := watch(a.e.Folder)
	defer stop()
	for ctx.Err() == nil {
		soon := a.look(ctx)
		wait := time.NewTimer(calm)
		select {
		case <-ctx.Done():
		case <-wait.C:
		}
		wait.Reset(max(min(a.e.Poll, soon)-calm, 0))
		select {
		case <-ctx.Done():
		case <-wait.C:
		case <-hints:
		}
		wait.Stop()
	}
}

// watch gives a hint for each change that the system announces; none where it
// announces none, as on network shares.
func watch(folder string) (hints <-chan struct{}, stop func()) {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, func() {}
	}
	if err := w.Add(folder); err != nil {
		w.Close()
		return nil, func() {}
	}
	out := make(chan struct{}, 1)
	go func() {
		for {
			select {
			case _, ok := <-w.Events:
				if !ok {
					return
				}
				select {
				case out <- struct{}{}:
				default:
				}
			case _, ok := <-w.Errors:
				if !ok {
					return
				}
			}
		}
	}()
	return out, func() { w.Close() }
}

// look reads what is new in the folder, and tells when to look again at the
// latest.
func (a *adapter) look(ctx context.Context) (soon time.Duration) {
	soon = a.e.Poll
	if err := a.writeWaiting(ctx); err != nil {
		if ctx.Err() == nil {
			a.become(Waiting, err)
		}
		return soon
	}
	files, entries, err := a.list()
	if err != nil {
		a.become(Waiting, fault.New(fault.Transient, "folder_unreadable", "the folder of %s cannot be read: %w", a.e.Name, err).
			WithHint("check that the folder is there and the agent's account may read it"))
		return soon
	}
	var in troubles
	present := make(map[string]bool, len(files))
	for _, f := range files {
		present[f.mark] = true
	}
	files = append(files, a.follow(ctx)...)
	for _, f := range files {
		if ctx.Err() != nil {
			return soon
		}
		s := a.sight(f)
		if k := a.marks.byName[f.mark]; k != nil && k.unchanged(f) {
			left, err := a.finished(ctx, f, s)
			soon = min(soon, left)
			in.add(err)
			continue
		}
		if left := a.unsettled(f, s); left > 0 {
			soon = min(soon, left)
			continue
		}
		err := a.attempt(ctx, f)
		if ctx.Err() != nil {
			return soon
		}
		switch {
		case errors.Is(err, errNotYet):
			continue
		case err == nil:
			left, err := a.finished(ctx, f, s)
			soon = min(soon, left)
			in.add(err)
			continue
		}
		in.add(err)
		a.status.set(func(s *Status) {
			s.left(FileStatus{Name: f.told, At: a.Now(), Reason: err.Error(), Rows: a.rows(f.mark)})
		})
		if fault.ClassOf(err) == fault.Transient && fault.CodeOf(err) != codeUnreadable {
			break // nothing can be recorded now, of no file
		}
	}
	for mark := range a.seen {
		if k := a.marks.byName[mark]; !present[mark] && (k == nil || k.Moved.IsZero()) {
			delete(a.seen, mark)
			delete(a.failed, mark)
			delete(a.unmoved, mark)
		}
	}
	if notes := a.marks.forget(present); len(notes) > 0 {
		if _, err := a.Store.Append(ctx, outbox.Write{Lane: movement.Bulk, Notes: notes}); err != nil {
			a.log.Warn("old checkpoints stay", "err", err)
		}
	}
	in.add(a.strayFiles(entries))
	a.m.held.WithLabelValues(a.e.Name).Set(float64(in.held))
	a.become(in.state(), in.why())
	return soon
}

func (a *adapter) rows(mark string) Counts {
	if k := a.marks.byName[mark]; k != nil {
		return k.Counts
	}
	return Counts{}
}

// list gives the folder's files that are for this adapter, the oldest first, and all
// that is there.
func (a *adapter) list() (files []file, entries []os.DirEntry, err error) {
	if entries, err = os.ReadDir(a.e.Folder); err != nil {
		return nil, nil, err
	}
	for _, entry := range entries {
		name := entry.Name()
		if !a.ours(name) {
			continue
		}
		info, err := os.Stat(filepath.Join(a.e.Folder, name)) // a link counts as what it leads to
		if err != nil || !info.Mode().IsRegular() {
			continue // gone, or not ours to complain of
		}
		told := a.names.told(name)
		files = append(files, file{name: name, path: filepath.Join(a.e.Folder, name), told: told, mark: told,
			size: info.Size(), changed: info.ModTime().UTC()})
	}
	slices.SortFunc(files, func(x, y file) int {
		return cmp.Or(x.changed.Compare(y.changed), strings.Compare(x.name, y.name))
	})
	return files, entries, nil
}

func (a *adapter) ours(name string) bool { return a.e.Reads(name) }

// Reads tells whether a file of this name, without its folder, is for the
// export.
func (e *Export) Reads(name string) bool {
	if passing(name) || len(name) > 255 || toValid(name) != name {
		return false
	}
	ok, _ := filepath.Match(strings.ToLower(e.Pattern), strings.ToLower(name))
	return ok
}

// passing tells a name under which a file is only written, or that is hidden.
func passing(name string) bool {
	lower := strings.ToLower(name)
	return strings.HasPrefix(lower, ".") || strings.HasPrefix(lower, "~") || strings.HasSuffix(lower, ".tmp") || strings.HasSuffix(lower, ".part")
}

// sight tells since when a file is as it is.
func (a *adapter) sight(f file) sighting {
	s, known := a.seen[f.mark]
	if !known || s.size != f.size || !s.changed.Equal(f.changed) {
		s = sighting{f.size, f.changed, a.Now()}
		a.seen[f.mark] = s
	}
	return s
}

// unsettled tells how long a file must stay as it is until it counts as whole.
func (a *adapter) unsettled(f file, s sighting) time.Duration {
	if a.e.Arrival == "growing" {
		return 0
	}
	still := a.Now().Sub(s.since)
	left := *a.e.Settle - still
	if left <= 0 && a.writing(f.path) {
		left = openSettle**a.e.Settle - still
	}
	return max(left, 0)
}

// openSettle is how many times as long as others a whole file must stay as it is
// that another program has open for writing, or that is to be moved: a program may
// have paused in the middle, or hold its file all day.
const openSettle = 10

// read records what is new in a file. It is recorded to its end when the error
// is nil.
func (a *adapter) read(ctx context.Context, f file) error {
	opened, err := openShared(f.path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return fault.New(fault.Transient, codeUnreadable, "%s cannot be opened, which is normal while it is being written: %w", f.told, cause(err))
	}
	defer opened.Close()
	f.ReaderAt, f.secret, f.book = opened, a.secret, a.bad
	a.status.set(func(s *Status) { s.State = Reading })
	r, k, err := a.marks.start(a.e, f)
	if err != nil {
		return readFault(f.told, err)
	}
	k.position = r.pos
	if old := a.marks.byName[f.mark]; old != nil {
		k.Moved, k.File = old.Moved, old.File
	}
	im := &importer{store: a.Store, marks: a.marks, bad: a.bad, file: f, k: k, now: a.Now, read: a.reads, retention: a.Retention, tally: func(n Counts, unfit map[string]int64) {
		a.m.count(a.e.Name, n)
		a.status.set(func(s *Status) {
			s.Rows.add(n)
			s.unfit(unfit)
		})
	}}
	before := k.Counts
	if a.marks.byName[f.mark] == nil && before.Known > 0 { // read before, under another name
		im.tally(before, nil)
		before = Counts{}
	}
	err = im.run(ctx, r)
	kept := im.k
	a.marks.byName[f.mark] = &kept
	if im.fuller > 0 {
		a.log.Info("rows were recorded before with less or more than the mapping reads now, and count as known", "file", f.told, "rows", im.fuller)
	}
	if err != nil {
		return readFault(f.told, err)
	}
	info, err := opened.Stat()
	if err != nil {
		return readFault(f.told, err)
	}
	if info.Size() != f.size || !info.ModTime().Equal(f.changed) {
		return errNotYet // it has changed meanwhile: there is more
	}
	if err := im.finish(ctx, f); err != nil {
		return readFault(f.told, err)
	}
	done := im.k
	a.marks.byName[f.mark] = &done
	a.m.files.WithLabelValues(a.e.Name).Inc()
	a.status.set(func(s *Status) { s.file(FileStatus{Name: f.told, Done: true, At: a.Now(), Rows: im.k.Counts}) })
	if n := im.k.Counts; n != before {
		a.log.Info("export read", "file", f.told, "good", n.Good-before.Good, "bad", n.Bad-before.Bad, "known", n.Known-before.Known)
	} else {
		a.log.Info("export was read before, and holds nothing new", "file", f.told, "rows", n.Good+n.Bad+n.Known)
	}
	return nil
}

func readFault(name string, err error) error {
	var f *fault.Error
	if errors.As(err, &f) || errors.Is(err, errNotYet) || errors.Is(err, context.Canceled) {
		return err
	}
	return fault.New(fault.Transient, codeUnreadable, "%s cannot be read: %w", name, cause(err))
}

// become tells the state after a look, and logs it when it is another.
func (a *adapter) become(state State, why error) {
	code, reason := "", ""
	if why != nil {
		code, reason = fault.CodeOf(why), why.Error()
	}
	since := a.Now()
	a.status.set(func(s *Status) {
		if a.state == state && a.code == code {
			since = s.Since
		}
		s.State, s.Since, s.Code, s.Reason = state, since, code, reason
	})
	if why != nil && (a.state != state || a.code != code || a.reason != reason) {
		a.log.Warn("export adapter "+string(state), "err", why)
	}
	a.state, a.code, a.reason = state, code, reason
	up := 1.0
	if why != nil {
		up = 0
	}
	a.m.up.WithLabelValues(a.e.Name).Set(up)
}
