package dispense

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"iter"
	"time"

	"branchline/agent/outbox"
	"branchline/internal/fault"
	"branchline/internal/killpoint"
	"branchline/internal/movement"
	"branchline/internal/wire"
)

// Store is what this package needs of the outbox.
type Store interface {
	Append(ctx context.Context, w outbox.Write) ([]outbox.Place, error)
	Submit(ctx context.Context, w outbox.Write) (*outbox.Ticket, error)
	Notes(space, prefix string) iter.Seq2[outbox.Note, error]
	Read(epoch string, lane movement.Lane, from uint64, maxRecords, maxBytes int) (*wire.Batch, error)
}

const (
	// chunkRows is how many rows are recorded together; a chunk holds about
	// 1 MB.
	chunkRows = 2048
	// underWay is how many chunks are being committed while the next is read.
	underWay = 4
)

// chunk is a run of rows. Its memory is used again.
type chunk struct {
	rows []movement.Movement
	list []*movement.Movement
	end  position
	// traces are those of its bad rows, by their keys.
	traces map[string]string
	err    error // why there is no chunk after this one; io.EOF at the end
}

// produce reads chunks until the file ends, an error, or ctx.
func produce(ctx context.Context, r *reader, free <-chan *chunk, full chan<- *chunk) {
	defer close(full)
	for {
		var c *chunk
		select {
		case c = <-free:
		case <-ctx.Done():
			return
		}
		c.rows, c.list, c.err = c.rows[:0], c.list[:0], nil
		for len(c.rows) < cap(c.rows) {
			c.rows = c.rows[:len(c.rows)+1]
			m := &c.rows[len(c.rows)-1]
			if c.err = r.next(m); c.err != nil {
				break
			}
			c.list = append(c.list, m)
		}
		r.mark()
		c.end, c.traces, r.traces = r.pos, r.traces, nil
		last := c.err != nil
		select {
		case full <- c:
		case <-ctx.Done():
			return
		}
		if last {
			return
		}
	}
}

// flight is a chunk under way.
type flight struct {
	c *chunk
	t *outbox.Ticket
}

// importer records one file.
type importer struct {
	store Store
	marks *checkpoints
	bad   *badBook
	file  file
	k     checkpoint // behind the last chunk that was compared
	now   func() time.Time
	tally func(_ Counts, unfit map[string]int64)
	// read is what was read of each row when, and fuller counts the rows that say more
	// than what was recorded of them, since more is read.
	read   *readings
	fuller int64
	// retention is how long the outbox keeps a record at least.
	retention time.Duration

	flights []flight
	last    *outbox.Ticket
	window  *wire.Batch // of earlier records, for comparing
}

// run records all rows of r; the checkpoint is k when it returns, whole or
// not.
func (im *importer) run(ctx context.Context, r *reader) error {
	ctx, cancel := context.WithCancel(ctx)
	free, full := make(chan *chunk, underWay+2), make(chan *chunk, 1)
	for range underWay + 2 {
		free <- &chunk{rows: make([]movement.Movement, 0, chunkRows), list: make([]*movement.Movement, 0, chunkRows)}
	}
	go produce(ctx, r, free, full)
	// The producer must have ended before the file is closed.
	defer func() {
		cancel()
		for range full {
		}
	}()
	for c := range full {
		if err := c.err; err != nil && !errors.Is(err, io.EOF) {
			return errors.Join(err, im.land(ctx, 0, free))
		}
		killpoint.Here("capture.file.read")
		if len(c.list) > 0 {
			if err := im.submit(ctx, c); err != nil {
				return errors.Join(err, im.land(ctx, 0, free))
			}
		} else {
			if err := im.land(ctx, 0, free); err != nil {
				return err
			}
			im.k.position = c.end
		}
		if err := im.land(ctx, underWay-1, free); err != nil {
			return err
		}
	}
	if err := im.land(ctx, 0, free); err != nil {
		return err
	}
	return ctx.Err()
}

// submit hands a chunk to the outbox, with the checkpoint as it is.
func (im *importer) submit(ctx context.Context, c *chunk) error {
	k := im.k
	k.Done, k.At = false, im.now()
	note, err := im.marks.note(im.file, &k)
	if err != nil {
		return err
	}
	w := outbox.Write{Lane: movement.Bulk, Movements: c.list, Notes: []outbox.Note{note}, After: im.last}
	t, err := im.store.Submit(ctx, w)
	if err != nil && fault.ClassOf(err) == fault.Data {
		setApart(c.list)
		t, err = im.store.Submit(ctx, w)
	}
	if err != nil {
		return err
	}
	im.last = t
	im.flights = append(im.flights, flight{c, t})
	return nil
}

// setApart makes problems of the movements that the outbox would refuse.
func setApart(list []*movement.Movement) {
	for _, m := range list {
		if err := m.Validate(); err != nil {
			*m = movement.Movement{Kind: m.Kind, OccurredAt: m.OccurredAt, RecordedAt: m.RecordedAt,
				Source: movement.Source{Adapter: m.Source.Adapter, File: m.Source.File, Line: m.Source.Line}, Problem: problemOf(err)}
		}
	}
}

// land waits until at most left chunks are under way. What is durable is
// compared and counted, also when a later one fails.
func (im *importer) land(ctx context.Context, left int, free chan<- *chunk) error {
	for len(im.flights) > left {
		f := im.flights[0]
		im.flights = im.flights[1:]
		// The outbox ends by itself, and a chunk must not be given up half way.
		places, err := f.t.Wait(context.WithoutCancel(ctx))
		if err != nil {
			for _, rest := range im.flights {
				<-rest.t.Done()
			}
			im.flights = nil
			return err
		}
		killpoint.Here("capture.file.recorded")
		counts, err := im.compare(ctx, f.c, places)
		if err != nil {
			im.flights = nil
			return err
		}
		im.k.position = f.c.end
		im.k.Counts.add(counts)
		im.tally(counts, unfit(f.c, places))
		free <- f.c
	}
	return nil
}

// compare counts the rows, and finds those whose natural key was recorded
// before with another content: they go to a person, also where the earlier record
// is no longer kept, as when a till's numbers begin again. Of a record that an
// earlier version made, and that is gone, the row's own time decides: what happened
// after it is no repeat of it.
func (im *importer) compare(ctx context.Context, c *chunk, places []outbox.Place) (Counts, error) {
	var n Counts
	var conflicts, bad []*movement.Movement
	for i, p := range places {
		m := c.list[i]
		switch {
		case !p.Known && m.Problem == nil:
			n.Good++
		case !p.Known:
			n.Bad++
			bad = append(bad, m)
		default:
			n.Known++
			if m.Problem != nil && m.Problem.Code != codeImplausible && m.Problem.Code != codeFuture {
				bad = append(bad, m)
				continue
			}
			same := p.Print == m.Print()
			if same && m.Problem == nil {
				continue
			}
			earlier, kept, err := im.earlier(p)
			switch {
			case err != nil:
				return n, err
			case kept && m.Problem != nil && earlier.Problem != nil && m.SameEvent(&earlier):
				bad = append(bad, m)
			case kept && m.SameEvent(&earlier):
			case kept && im.read.same(m, &earlier), !kept && p.Print != 0 && !same && im.read.print(m, p):
				im.fuller++
			case kept:
				conflicts = append(conflicts, conflict(m, &earlier))
			case !kept && p.Print != 0 && !same:
				conflicts = append(conflicts, unproved(m))
			case !kept && p.Print == 0 && im.later(m, p):
				conflicts = append(conflicts, unproved(m))
			}
		}
	}
	for len(conflicts) > 0 {
		part := conflicts[:min(len(conflicts), chunkRows)]
		conflicts = conflicts[len(part):]
		places, err := im.store.Append(ctx, outbox.Write{Lane: movement.Bulk, Movements: part})
		if err != nil {
			return n, err
		}
		for _, p := range places {
			if !p.Known {
				n.Known--
				n.Bad++
			}
		}
		bad = append(bad, part...)
	}
	return n, im.bad.add(ctx, bad, c.traces)
}

// earlier reads a recorded movement again; kept is false when the outbox no
// longer has it.
func (im *importer) earlier(p outbox.Place) (m movement.Movement, kept bool, err error) {
	w := im.window
	if w == nil || w.Epoch != p.Epoch || w.Lane != p.Lane || p.Seq < w.First || p.Seq > w.Through() {
		w, err = im.store.Read(p.Epoch, p.Lane, p.Seq, 512, 1<<20)
		if fault.ClassOf(err) == fault.Data { // of a stream that is gone
			return m, false, nil
		}
		if err != nil {
			return m, false, err
		}
		if w == nil || w.First != p.Seq {
			return m, false, nil
		}
		im.window = w
	}
	m, err = movement.Decode(w.Records[p.Seq-w.First])
	return m, err == nil, nil
}

// later tells whether a row happened after all that can have been recorded with
// its key.
func (im *importer) later(m *movement.Movement, p outbox.Place) bool {
	return m.OccurredAt.After(im.now().Add(-im.retention)) || !p.By.IsZero() && m.OccurredAt.After(p.By)
}

// What marks a row whose key was recorded before with another content.
const (
	codeConflict = "conflicting_repeat"
	codeUnproved = "repeat_unproved"
)

func conflict(m, earlier *movement.Movement) *movement.Movement {
	return apart(m, fault.New(fault.Data, codeConflict,
		"line %d of %s has the same key as line %d of %s, but says something else", m.Source.Line, m.Source.File, earlier.Source.Line, earlier.Source.File).
		WithHint("if it is a correction, record the difference by hand; if they are two events, add a column to the key"))
}

func unproved(m *movement.Movement) *movement.Movement {
	return apart(m, fault.New(fault.Data, codeUnproved,
		"line %d of %s has the same key as a row that was recorded before and is no longer kept, but says something else", m.Source.Line, m.Source.File).
		WithHint("the system's numbers may have begun again: release it if it is an event of its own, and add the date to the key"))
}

// apart is a row for a person, under a key of its own.
func apart(m *movement.Movement, why error) *movement.Movement {
	c := *m
	c.Problem = problemOf(why)
	c.RecordedAt = time.Time{}
	// The content is part of the key, so that each other content is told once.
	content := c
	content.Source, content.Problem, content.NaturalKey = movement.Source{}, nil, ""
	sum := sha256.Sum256(content.AppendJSON(nil))
	c.NaturalKey = movement.BadRowKey(m.NaturalKey, sum[:])
	return &c
}

// finish writes down that all of the file is recorded.
func (im *importer) finish(ctx context.Context, f file) error {
	im.k.Done, im.k.Size, im.k.Changed, im.k.At = true, f.size, f.changed, im.now()
	note, err := im.marks.note(im.file, &im.k)
	if err != nil {
		return err
	}
	_, err = im.store.Append(ctx, outbox.Write{Lane: movement.Bulk, Notes: []outbox.Note{note}})
	return err
}
