package ingest

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"branchline/internal/fault"
	"branchline/internal/killpoint"
	"branchline/internal/movement"
	"branchline/internal/wire"
)

// StreamID names a stream.
type StreamID struct {
	Branch string
	Epoch  string
	Lane   movement.Lane
}

// Ledger is what ingest uses of the hub's store. Its methods are called
// concurrently for different branches.
type Ledger interface {
	// Cursor tells how far the stream is committed; 0 and the genesis for one
	// that is not known.
	Cursor(ctx context.Context, s StreamID) (Cursor, error)
	// Stored gives the payload of the batch that holds seq, nil where none
	// does.
	Stored(ctx context.Context, s StreamID, seq uint64) ([]byte, error)
	// Commit writes the batch, its gap and the stream's new cursor in one
	// transaction, durable when it returns. If the cursor is not e.After any
	// more, it changes nothing and returns [ErrMoved].
	Commit(ctx context.Context, e Entry) error
	// Forked notes in the audit trail that the branch was told to go on in a
	// new stream.
	Forked(ctx context.Context, s StreamID, common uint64) error
}

// Entry is a batch to be committed.
type Entry struct {
	wire.Header
	// After is the cursor that it was decided on.
	After Cursor
	// Gap is what is lost before it; zero for none.
	Gap Gap
	// Payload is the batch exactly as it came. It is the ledger's to keep.
	Payload []byte
}

// ErrMoved says that another process of the hub has moved the cursor.
var ErrMoved = errors.New("the stream's cursor has moved")

// Ingest takes in what branches send. Safe for concurrent use: branches run in
// parallel, each one's messages one after the other.
type Ingest struct {
	ledger  Ledger
	log     *slog.Logger
	metrics *metrics
	// OnState is told of each report that a branch makes, if set before the
	// first message. It must not block.
	OnState func(branch string, s wire.State)

	mu       sync.Mutex
	branches map[string]*branch
}

// branch is what is held of a branch in memory: nothing that decides.
type branch struct {
	sync.Mutex
	// forked is the last fork noted, so that the same one is noted once.
	forked StreamID
	common uint64
}

// New makes an Ingest with its metrics in reg.
func New(ledger Ledger, log *slog.Logger, reg prometheus.Registerer) *Ingest {
	return &Ingest{ledger: ledger, log: log, metrics: newMetrics(reg), branches: map[string]*branch{}}
}

// Receive takes one message of a branch, and says every answer to it through
// reply before it returns. An error means that the message was not dealt with
// and nothing was answered: the branch will send it again. What is wrong with
// the message itself is answered, counted and logged, and is no error.
func (in *Ingest) Receive(ctx context.Context, name string, c wire.Channel, payload []byte, reply func(wire.Answer)) error {
	br := in.branch(name)
	br.Lock()
	defer br.Unlock()
	switch c {
	case wire.Movements:
		return in.batch(ctx, name, br, payload, reply)
	case wire.Report:
		return in.report(ctx, name, payload, reply)
	}
	return nil
}

func (in *Ingest) branch(name string) *branch {
	in.mu.Lock()
	defer in.mu.Unlock()
	br := in.branches[name]
	if br == nil {
		br = new(branch)
		in.branches[name] = br
	}
	return br
}

func (in *Ingest) batch(ctx context.Context, name string, br *branch, payload []byte, reply func(wire.Answer)) error {
	start := time.Now()
	of := wire.NameOf(payload)
	b, err := wire.Open(payload)
	if err == nil && b.Branch != name {
		err = fault.New(fault.Data, "foreign_branch", "the batch was made for branch %s", b.Branch)
	}
	if err != nil {
		in.refuse(name, fault.CodeOf(err), err.Error())
		reply(wire.Answer{Of: of, Verdict: wire.Refused, Code: fault.CodeOf(err), Text: err.Error()})
		return nil
	}
	d, err := in.settle(ctx, b, payload)
	if err != nil {
		in.metrics.failed.Inc()
		return err
	}
	id := StreamID{name, b.Epoch, b.Lane}
	if err := in.note(ctx, br, id, b, d); err != nil {
		return err
	}
	reply(wire.Answer{Of: of, Epoch: b.Epoch, Lane: b.Lane, Verdict: d.Verdict, Through: d.Through, Code: d.Code, Text: d.Text})
	killpoint.Here("ingest.answered")
	in.metrics.seconds.Observe(time.Since(start).Seconds())
	return nil
}

// settle decides on b and commits it where that is the decision, again when
// another process of the hub was faster.
func (in *Ingest) settle(ctx context.Context, b *wire.Batch, payload []byte) (Decision, error) {
	id := StreamID{b.Branch, b.Epoch, b.Lane}
	stored := func(seq uint64) (*wire.Batch, error) {
		p, err := in.ledger.Stored(ctx, id, seq)
		if err != nil || p == nil {
			return nil, err
		}
		return wire.Open(p)
	}
	for {
		at, err := in.ledger.Cursor(ctx, id)
		if err != nil {
			return Decision{}, err
		}
		d, err := Decide(b, at, stored)
		if err != nil || !d.Commit {
			return d, err
		}
		killpoint.Here("ingest.before-commit")
		err = in.ledger.Commit(ctx, Entry{Header: b.Header, After: at, Gap: d.Gap, Payload: payload})
		if errors.Is(err, ErrMoved) && ctx.Err() == nil {
			continue
		}
		killpoint.Here("ingest.committed")
		return d, err
	}
}

// note counts, logs and records what was decided.
func (in *Ingest) note(ctx context.Context, br *branch, id StreamID, b *wire.Batch, d Decision) error {
	log := in.log.With("branch", id.Branch, "epoch", id.Epoch, "lane", id.Lane.String(), "seq", b.First)
	in.metrics.batches.WithLabelValues(string(d.Verdict)).Inc()
	switch {
	case d.Commit:
		in.metrics.records.WithLabelValues(id.Branch).Add(float64(b.Count))
		if d.Gap != (Gap{}) {
			in.metrics.gaps.Inc()
			log.Error("records are lost at the branch", "first", d.Gap.First, "last", d.Gap.Last)
		}
	case d.Verdict == wire.Refused:
		in.refuse(id.Branch, d.Code, d.Text)
	case d.Verdict == wire.Resend:
		log.Info("the branch is asked to send again", "through", d.Through)
	case d.Verdict == wire.Fork && (br.forked != id || br.common != d.Through):
		if err := in.ledger.Forked(ctx, id, d.Through); err != nil {
			return err
		}
		br.forked, br.common = id, d.Through
		in.metrics.forks.Inc()
		log.Error("the branch's outbox is a copy or was restored from one; it goes on in a new stream", "through", d.Through)
	}
	return nil
}

func (in *Ingest) refuse(branch, code, text string) {
	in.metrics.refused.WithLabelValues(branch, code).Inc()
	in.log.Warn("a message of the branch is refused", "branch", branch, "code", code, "err", text)
}

// report looks whether the branch thinks something committed that the hub
// lacks, since it was restored from a backup, and asks for it.
func (in *Ingest) report(ctx context.Context, name string, payload []byte, reply func(wire.Answer)) error {
	s, err := wire.ParseState(payload)
	if err != nil {
		in.refuse(name, fault.CodeOf(err), err.Error())
		return nil
	}
	for _, st := range s.Streams {
		at, err := in.ledger.Cursor(ctx, StreamID{name, st.Epoch, st.Lane})
		if err != nil {
			return err
		}
		if st.Oldest > 0 && max(at.Through+1, st.Oldest) <= st.Acked {
			in.log.Warn("the hub lacks what the branch had sent; the branch is asked to send it again",
				"branch", name, "epoch", st.Epoch, "lane", st.Lane.String(), "seq", at.Through+1)
			reply(wire.Answer{Epoch: st.Epoch, Lane: st.Lane, Verdict: wire.Resend, Through: at.Through})
		}
	}
	if in.OnState != nil {
		in.OnState(name, s)
	}
	return nil
}
