package ingest

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"branchline/hub/ledger"
	"branchline/internal/fault"
	"branchline/internal/killpoint"
	"branchline/internal/movement"
	"branchline/internal/wire"
)

// Ledger is what ingest uses of the hub's store. Its methods are called
// concurrently for different branches.
type Ledger interface {
	// Cursor tells how far the stream is committed; 0 and the genesis for one
	// that is not known.
	Cursor(ctx context.Context, s ledger.Stream) (ledger.Cursor, error)
	// Covering yields the committed batches that hold any of the seqs.
	Covering(ctx context.Context, s ledger.Stream, from, through uint64) iter.Seq2[*ledger.Batch, error]
	// Commit writes the batch, its gap and the stream's new cursor in one
	// transaction, durable when it returns. If the cursor is not a.After any
	// more, it changes nothing and returns [ledger.ErrMoved].
	Commit(ctx context.Context, a ledger.Arrival) error
	// NoteAhead is told that a branch has seen the hub acknowledge more of the
	// stream than the ledger holds.
	NoteAhead(ctx context.Context, s ledger.Stream, at time.Time) (noted bool, err error)
	// NoteEnd is told the last seq that a branch has of a stream; ended tells that
	// documents in Odoo name more of it, and that it goes on no further.
	NoteEnd(ctx context.Context, s ledger.Stream, last uint64, at time.Time) (ended bool, err error)
	// Audit appends to the audit trail.
	Audit(ctx context.Context, e ledger.Entry) error
}

var _ Ledger = (*ledger.Ledger)(nil)

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
	forked ledger.Stream
	common uint64
}

// New makes an Ingest with its metrics in reg.
func New(store Ledger, log *slog.Logger, reg prometheus.Registerer) *Ingest {
	return &Ingest{ledger: store, log: log, metrics: newMetrics(reg), branches: map[string]*branch{}}
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
	s := ledger.Stream{Branch: name, Epoch: b.Epoch, Lane: b.Lane}
	d, err := in.settle(ctx, s, b, payload)
	if err == nil {
		err = in.note(ctx, br, s, b, d)
	}
	if fault.ClassOf(err) == fault.Data {
		d, err = Decision{Verdict: wire.Refused, Code: fault.CodeOf(err), Text: err.Error()}, nil
		in.refuse(name, d.Code, d.Text)
	}
	if err != nil {
		in.metrics.failed.Inc()
		return err
	}
	reply(wire.Answer{Of: of, Epoch: b.Epoch, Lane: b.Lane, Verdict: d.Verdict, Through: d.Through, Code: d.Code, Text: d.Text})
	killpoint.Here("ingest.answered")
	in.metrics.seconds.Observe(time.Since(start).Seconds())
	return nil
}

// settle decides on b and commits it where that is the decision, again when
// another process of the hub was faster.
func (in *Ingest) settle(ctx context.Context, s ledger.Stream, b *wire.Batch, payload []byte) (Decision, error) {
	stored := func(seq uint64) (*Run, error) { return in.stored(ctx, s, seq) }
	for {
		at, err := in.ledger.Cursor(ctx, s)
		if err != nil {
			return Decision{}, err
		}
		d, err := Decide(b, at, stored)
		if err != nil || d.From == 0 {
			return d, err
		}
		err = in.ledger.Commit(ctx, ledger.Arrival{Header: b.Header, Payload: payload, After: at,
			From: d.From, Prev: d.Prev, Lost: d.Lost, ReceivedAt: time.Now()})
		if errors.Is(err, ledger.ErrMoved) && ctx.Err() == nil {
			continue
		}
		if err == nil {
			killpoint.Here("ingest.committed")
			in.committed(s, b, d, at)
		}
		return d, err
	}
}

// stored is what [Decide] compares with.
func (in *Ingest) stored(ctx context.Context, s ledger.Stream, seq uint64) (*Run, error) {
	for b, err := range in.ledger.Covering(ctx, s, seq, seq) {
		if err != nil {
			return nil, err
		}
		records, err := b.Records()
		if err != nil { // not the branch's fault, whatever class the opening gave it
			return nil, fault.New(fault.Setup, "ledger_damaged", "what is stored of %s cannot be read: %w", s, err)
		}
		return &Run{First: b.First, Prev: b.Prev, Records: records}, nil
	}
	return nil, nil
}

func (in *Ingest) committed(s ledger.Stream, b *wire.Batch, d Decision, at ledger.Cursor) {
	in.metrics.records.WithLabelValues(s.Branch).Add(float64(b.Through() - d.From + 1))
	if d.Lost {
		in.metrics.gaps.Inc()
		in.log.Error("records are lost at the branch", "branch", s.Branch, "epoch", s.Epoch, "lane", s.Lane.String(),
			"seq", at.Through+1, "through", d.From-1)
	}
}

// note counts, logs and records what is not the usual course.
func (in *Ingest) note(ctx context.Context, br *branch, s ledger.Stream, b *wire.Batch, d Decision) error {
	in.metrics.batches.WithLabelValues(string(d.Verdict)).Inc()
	switch {
	case d.Verdict == wire.Refused:
		in.refuse(s.Branch, d.Code, d.Text)
	case d.Verdict == wire.Resend:
		in.log.Info("the branch is asked to send again", "branch", s.Branch, "epoch", s.Epoch, "lane", s.Lane.String(),
			"seq", b.First, "through", d.Through)
	case d.Verdict == wire.Fork && (br.forked != s || br.common != d.Through):
		if err := in.ledger.Audit(ctx, ledger.Entry{At: time.Now(), Who: "hub", Action: "fork answered",
			Subject: s.String(), Detail: d.Text}); err != nil {
			return err
		}
		br.forked, br.common = s, d.Through
		in.metrics.forks.Inc()
		in.log.Error("the branch's outbox is a copy or was restored from one; it goes on in a new stream",
			"branch", s.Branch, "epoch", s.Epoch, "lane", s.Lane.String(), "through", d.Through)
	}
	return nil
}

func (in *Ingest) refuse(branch, code, text string) {
	in.metrics.refused.WithLabelValues(branch, code).Inc()
	in.log.Warn("a message of the branch is refused", "branch", branch, "code", code, "err", text)
}

// report looks whether the branch thinks something committed that the hub
// lacks, or has otherwise, since it was restored from a backup, and asks for it.
func (in *Ingest) report(ctx context.Context, name string, payload []byte, reply func(wire.Answer)) error {
	state, err := wire.ParseState(payload)
	if err != nil {
		in.refuse(name, fault.CodeOf(err), err.Error())
		return nil
	}
	for i := range state.Streams {
		st := &state.Streams[i]
		if st.Last > 0 {
			if _, err := in.ledger.NoteEnd(ctx, ledger.Stream{Branch: name, Epoch: st.Epoch, Lane: st.Lane}, st.Last, time.Now()); err != nil {
				return err
			}
		}
		through, lacks, err := in.lacking(ctx, ledger.Stream{Branch: name, Epoch: st.Epoch, Lane: st.Lane}, st)
		if err != nil {
			return err
		}
		if lacks {
			in.log.Warn("the hub lacks what the branch had sent; the branch is asked to send it again",
				"branch", name, "epoch", st.Epoch, "lane", st.Lane.String(), "seq", through+1)
			reply(wire.Answer{Epoch: st.Epoch, Lane: st.Lane, Verdict: wire.Resend, Through: through})
		}
	}
	if in.OnState != nil {
		in.OnState(name, state)
	}
	return nil
}

// lacking tells where the branch is to begin again, if it must.
func (in *Ingest) lacking(ctx context.Context, s ledger.Stream, st *wire.StreamState) (through uint64, lacks bool, err error) {
	at, err := in.ledger.Cursor(ctx, s)
	if err == nil && at.Through < st.Acked {
		_, err = in.ledger.NoteAhead(ctx, s, time.Now())
	}
	switch {
	case err != nil:
		return 0, false, err
	case st.Oldest == 0 || st.Oldest > st.Acked:
		return 0, false, nil // the branch has none of what it had sent
	case at.Through < st.Acked:
		return at.Through, true, nil
	case st.Hash == movement.Hash{} || at.Through == st.Acked && at.Hash == st.Hash:
		return 0, false, nil
	}
	run, err := in.stored(ctx, s, st.Acked)
	if err != nil || run == nil {
		return 0, false, err // what is recorded as lost is not asked for
	}
	chain := movement.NewChain(run.Prev)
	for _, r := range run.Records[:st.Acked-run.First+1] {
		chain.Add(r)
	}
	return max(st.Oldest-1, st.Acked-min(st.Acked, lookBack)), chain.Head() != st.Hash, nil
}
