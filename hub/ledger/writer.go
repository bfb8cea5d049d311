package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"branchline/internal/fault"
	"branchline/internal/movement"
)

// maxGroup bounds how many waiting writes share one transaction.
const maxGroup = 512

// errClosed is what a write gets that comes after Close.
var errClosed = fault.New(fault.Transient, "ledger_closed", "the hub is stopping")

// writer is the one goroutine that writes. What waits in urgent is grouped into
// one transaction; what waits in bulk gets a transaction each, in turn with the
// groups, so that neither starves.
type writer struct {
	l            *Ledger
	urgent, bulk chan *job
	quit         chan struct{}
	stopped      chan struct{}
	// statements are kept prepared on the one connection; wanted are those to
	// be prepared when it is free.
	statements map[string]*sql.Stmt
	wanted     []string
}

type job struct {
	ctx  context.Context
	do   func(*Tx) error
	done chan error
}

func newWriter(l *Ledger) *writer {
	w := &writer{l: l, urgent: make(chan *job, maxGroup), bulk: make(chan *job),
		quit: make(chan struct{}), stopped: make(chan struct{}), statements: map[string]*sql.Stmt{}}
	go w.run()
	return w
}

// Write runs do inside a transaction, which it may share with other writes, and
// returns when it is on disk. When do fails, nothing of it is kept; do may then
// be run a second time, so it must not change anything outside tx before
// [Tx.After].
func (l *Ledger) Write(ctx context.Context, do func(tx *Tx) error) error {
	if l.writer == nil {
		return fault.New(fault.Setup, "ledger_read_only", "the ledger was opened for reading only")
	}
	return l.writer.submit(ctx, l.writer.urgent, do)
}

// WriteBulk is Write for long work: a transaction of its own, which gives way
// to what people and branches wait for.
func (l *Ledger) WriteBulk(ctx context.Context, do func(tx *Tx) error) error {
	if l.writer == nil {
		return fault.New(fault.Setup, "ledger_read_only", "the ledger was opened for reading only")
	}
	return l.writer.submit(ctx, l.writer.bulk, do)
}

func (w *writer) submit(ctx context.Context, queue chan *job, do func(*Tx) error) error {
	j := &job{ctx: ctx, do: do, done: make(chan error, 1)}
	select {
	case queue <- j:
	case <-ctx.Done():
		return ctx.Err()
	case <-w.quit:
		return errClosed
	}
	select {
	case err := <-j.done:
		return err
	case <-w.stopped:
		select {
		case err := <-j.done:
			return err
		default:
			return errClosed
		}
	}
}

func (w *writer) stop() {
	close(w.quit)
	<-w.stopped
}

func (w *writer) run() {
	defer close(w.stopped)
	var group []*job
	for {
		group = group[:0]
		select {
		case j := <-w.urgent:
			group = append(group, j)
		default:
			select {
			case j := <-w.urgent:
				group = append(group, j)
			case j := <-w.bulk:
				w.commit([]*job{j})
				continue
			case <-w.quit:
				if len(w.urgent) == 0 {
					return
				}
				continue
			}
		}
		for more := true; more && len(group) < maxGroup; {
			select {
			case j := <-w.urgent:
				group = append(group, j)
			default:
				more = false
			}
		}
		w.commit(group)
		select {
		case j := <-w.bulk:
			w.commit([]*job{j})
		default:
		}
	}
}

// commit runs a group in one transaction. When one fails all are undone and run
// again alone, so that each gets its own result.
func (w *writer) commit(group []*job) {
	group = slices.DeleteFunc(group, func(j *job) bool {
		err := j.ctx.Err()
		if err != nil {
			j.done <- err
		}
		return err != nil
	})
	if len(group) == 0 {
		return
	}
	err := w.transact(group)
	if err != nil && len(group) > 1 {
		for _, j := range group {
			j.done <- w.transact([]*job{j})
		}
		return
	}
	for _, j := range group {
		j.done <- err
	}
}

func (w *writer) transact(group []*job) (err error) {
	w.prepareWanted()
	// The transaction is not bound to a caller's context: it ends whole.
	ctx := context.Background()
	sqlTx, err := w.l.write.BeginTx(ctx, nil)
	if err != nil {
		return classify(err)
	}
	tx := &Tx{ctx: ctx, tx: sqlTx, w: w}
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("writing to the ledger panicked: %v", r)
		}
		if err != nil {
			if rerr := sqlTx.Rollback(); rerr != nil && !errors.Is(rerr, sql.ErrTxDone) {
				w.l.log.Error("a transaction of the ledger could not be undone", "err", rerr)
			}
		}
	}()
	for _, j := range group {
		if err := j.do(tx); err != nil {
			return classify(err)
		}
	}
	if err := sqlTx.Commit(); err != nil {
		return classify(err)
	}
	for _, f := range tx.after {
		f()
	}
	w.l.watchers.wake(tx.events)
	w.l.stirred.add(tx.stirred)
	return nil
}

// Tx is a transaction of the writer. It is valid inside the function it was
// given to, for one goroutine.
type Tx struct {
	ctx    context.Context
	tx     *sql.Tx
	w      *writer
	bound  map[string]*sql.Stmt
	after  []func()
	events Event
	// stirred are the streams of which movements have come or changed.
	stirred map[int64]bool
}

// maxStatements bounds the statements kept prepared.
const maxStatements = 200

func (t *Tx) stmt(query string) (*sql.Stmt, error) {
	if s := t.bound[query]; s != nil {
		return s, nil
	}
	var s *sql.Stmt
	if kept := t.w.statements[query]; kept != nil {
		s = t.tx.StmtContext(t.ctx, kept)
	} else {
		var err error
		if s, err = t.tx.PrepareContext(t.ctx, query); err != nil {
			return nil, err
		}
		t.w.wanted = append(t.w.wanted, query)
	}
	if t.bound == nil {
		t.bound = map[string]*sql.Stmt{}
	}
	t.bound[query] = s
	return s, nil
}

// prepareWanted keeps what the last transactions used, while the connection is
// free. A statement that cannot be prepared is tried again when it is used.
func (w *writer) prepareWanted() {
	for _, query := range w.wanted {
		if w.statements[query] != nil || len(w.statements) >= maxStatements {
			continue
		}
		if s, err := w.l.write.Prepare(query); err == nil {
			w.statements[query] = s
		}
	}
	w.wanted = w.wanted[:0]
}

// forgetStatements drops all prepared statements, since their tables change.
func (w *writer) forgetStatements() {
	for query, s := range w.statements {
		_ = s.Close() // nothing depends on it any more
		delete(w.statements, query)
	}
}

// Exec runs a statement with $1… for args and gives the number of rows that it
// changed.
func (t *Tx) Exec(query string, args ...any) (int64, error) {
	s, err := t.stmt(query)
	if err != nil {
		return 0, err
	}
	r, err := s.ExecContext(t.ctx, args...)
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

// Row runs a query for its first row; without one, Scan gives sql.ErrNoRows.
func (t *Tx) Row(query string, args ...any) Row {
	s, err := t.stmt(query)
	if err != nil {
		return failedRow{err}
	}
	return s.QueryRowContext(t.ctx, args...)
}

// Rows runs a query and hands each row to scan.
func (t *Tx) Rows(query string, args []any, scan func(Row) error) error {
	s, err := t.stmt(query)
	if err != nil {
		return err
	}
	rows, err := s.QueryContext(t.ctx, args...)
	return eachRow(rows, err, scan)
}

// After is called when the transaction is on disk, before its writers go on.
func (t *Tx) After(f func()) { t.after = append(t.after, f) }

// Tell wakes those who watch for e, when the transaction is on disk.
func (t *Tx) Tell(e Event) { t.events |= e }

// Stir tells that something has become of a movement that a branch is told of:
// it is of a session, or it waits for a person or does no longer. Those who
// follow its branch hear of it when the transaction is on disk.
func (t *Tx) Stir(id MovementID) {
	if t.stirred == nil {
		t.stirred = map[int64]bool{}
	}
	t.stirred[id.Stream()] = true
}

// stirLive is Stir for what becomes of movements in documents: branches are told
// that only of what people have confirmed, and all of that is in the live lane.
func (t *Tx) stirLive(id MovementID) {
	if k, err := t.w.l.streamByID(t, id.Stream()); err != nil || k.Lane == movement.Live {
		t.Stir(id)
	}
}

// Row is one row of an answer.
type Row interface{ Scan(dest ...any) error }

type failedRow struct{ err error }

func (f failedRow) Scan(...any) error { return f.err }

func eachRow(rows *sql.Rows, err error, scan func(Row) error) error {
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // Err tells what matters
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
