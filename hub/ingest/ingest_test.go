package ingest

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"branchline/hub/ledger"
	"branchline/internal/movement"
	"branchline/internal/wire"
)

func openLedger(t *testing.T) *ledger.Ledger {
	t.Helper()
	l, err := ledger.Open(t.Context(), ledger.Config{Path: filepath.Join(t.TempDir(), "ledger.db")}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

func newIngest(l Ledger) *Ingest {
	return New(l, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
}

// receive gives the answers to a message of branch BR01.
func receive(t *testing.T, in *Ingest, c wire.Channel, payload []byte) []wire.Answer {
	t.Helper()
	var answers []wire.Answer
	err := in.Receive(t.Context(), "BR01", c, payload, func(a wire.Answer) { answers = append(answers, a) })
	if err != nil {
		t.Fatal(err)
	}
	return answers
}

func payload(t *testing.T, b *wire.Batch) []byte {
	t.Helper()
	p, err := wire.NewPacker().Pack(nil, b)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestBatchIsCommittedAndAnswered(t *testing.T) {
	l := openLedger(t)
	in := newIngest(l)
	h := all("abcdef")
	for _, step := range []struct {
		first, last int
		verdict     wire.Verdict
		through     uint64
	}{
		{1, 2, wire.Taken, 2}, {1, 2, wire.Taken, 2}, {5, 6, wire.Resend, 2}, {2, 4, wire.Taken, 4}, {5, 6, wire.Taken, 6}, {3, 5, wire.Taken, 5},
	} {
		p := payload(t, h.batch(step.first, step.last))
		got := receive(t, in, wire.Movements, p)
		want := wire.Answer{Of: wire.NameOf(p), Epoch: epoch, Lane: movement.Live, Verdict: step.verdict, Through: step.through}
		if len(got) != 1 || got[0] != want {
			t.Fatalf("%d to %d: %+v, want %+v", step.first, step.last, got, want)
		}
	}
	if c, err := l.Cursor(t.Context(), ledger.Stream{Branch: "BR01", Epoch: epoch, Lane: movement.Live}); err != nil || c != h.cursor() {
		t.Errorf("cursor %+v, %v", c, err)
	}
	if n := testutil.ToFloat64(in.metrics.records.WithLabelValues("BR01")); n != 6 {
		t.Errorf("%v records counted", n)
	}
}

func TestForkIsAnsweredAlwaysAndRecordedOnce(t *testing.T) {
	l := openLedger(t)
	in := newIngest(l)
	receive(t, in, wire.Movements, payload(t, all("abcd").batch(1, 4)))
	for range 3 {
		got := receive(t, in, wire.Movements, payload(t, all("abXY").batch(1, 4)))
		if len(got) != 1 || got[0].Verdict != wire.Fork || got[0].Through != 2 {
			t.Fatalf("%+v", got)
		}
	}
	trail, err := l.AuditTrail(t.Context(), 0, 10)
	if err != nil || len(trail) != 1 {
		t.Errorf("audit trail %+v, %v", trail, err)
	}
}

func TestBadMessagesAreRefusedCountedAndNoError(t *testing.T) {
	foreign := all("ab").batch(1, 2)
	foreign.Branch = "BR02"
	altered := all("ab").batch(1, 2)
	altered.Records[1] = []byte("z")
	cases := map[string]struct {
		payload []byte
		code    string
	}{
		"another branch's batch": {payload(t, foreign), "foreign_branch"},
		"an altered record":      {payload(t, altered), "broken_chain"},
		"noise":                  {[]byte("\x00\x01"), "malformed_batch"},
		"too much":               {make([]byte, wire.MaxPayload+1), "oversized_batch"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			in := newIngest(openLedger(t))
			got := receive(t, in, wire.Movements, c.payload)
			if len(got) != 1 || got[0].Verdict != wire.Refused || got[0].Code != c.code || got[0].Of != wire.NameOf(c.payload) || got[0].Text == "" {
				t.Errorf("%+v", got)
			}
			if n := testutil.ToFloat64(in.metrics.refused.WithLabelValues("BR01", c.code)); n != 1 {
				t.Errorf("counted %v times", n)
			}
		})
	}
}

// failing is a ledger that another hub is faster at, or that is broken.
type failing struct {
	Ledger
	commits []error
}

func (f *failing) Commit(ctx context.Context, a ledger.Arrival) error {
	if len(f.commits) > 0 {
		err := f.commits[0]
		f.commits = f.commits[1:]
		return err
	}
	return f.Ledger.Commit(ctx, a)
}

func TestMovedCursorIsJudgedAgain(t *testing.T) {
	in := newIngest(&failing{openLedger(t), []error{ledger.ErrMoved, ledger.ErrMoved}})
	if got := receive(t, in, wire.Movements, payload(t, all("ab").batch(1, 2))); len(got) != 1 || got[0].Verdict != wire.Taken {
		t.Errorf("%+v", got)
	}
}

func TestWhatIsNotCommittedIsNotAnswered(t *testing.T) {
	full := errors.New("disk full")
	in := newIngest(&failing{openLedger(t), []error{full}})
	err := in.Receive(t.Context(), "BR01", wire.Movements, payload(t, all("ab").batch(1, 2)), func(a wire.Answer) {
		t.Errorf("answered %+v", a)
	})
	if !errors.Is(err, full) {
		t.Errorf("%v", err)
	}
}

func TestReportShowsWhatTheHubLacks(t *testing.T) {
	cases := map[string]struct {
		branch history
		acked  uint64
		oldest uint64
		want   int64 // where to begin again, -1 for nowhere
		// restored says that the hub must have been put back from a backup.
		restored bool
	}{
		"all is well":                  {all("abcd"), 4, 1, -1, false},
		"some is not acknowledged":     {all("abcd"), 2, 1, -1, false},
		"the hub was restored":         {all("abcdef"), 6, 1, 4, true},
		"and the branch forgot":        {all("abcdef"), 6, 7, -1, true},
		"the hub has another's":        {all("aXcd"), 3, 1, 0, false},
		"another's, and some forgot":   {all("aXcd"), 3, 2, 1, false},
		"a branch that has sent none":  {all("abcd"), 0, 1, -1, false},
		"a branch that keeps nothing":  {all("abcd"), 4, 0, -1, false},
		"another's at the hub's place": {all("aXcd"), 4, 1, 0, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			l := openLedger(t)
			in := newIngest(l)
			receive(t, in, wire.Movements, payload(t, all("abcd").batch(1, 4)))
			var seen *wire.State
			in.OnState = func(branch string, s wire.State) { seen = &s }
			report, err := wire.State{Streams: []wire.StreamState{{Epoch: epoch, Lane: movement.Live, Oldest: c.oldest,
				Last: uint64(len(c.branch.past)), Acked: c.acked, Hash: c.branch.hash(c.acked)}}}.Marshal()
			if err != nil {
				t.Fatal(err)
			}
			got := receive(t, in, wire.Report, report)
			if c.want < 0 && len(got) != 0 || c.want >= 0 && (len(got) != 1 || got[0].Verdict != wire.Resend ||
				got[0].Through != uint64(c.want) || got[0].Of != "") {
				t.Errorf("%+v, want %d", got, c.want)
			}
			if seen == nil {
				t.Error("nobody was told of the report")
			}
			if r, err := l.Restores(t.Context(), time.Time{}); err != nil || (len(r) > 0) != c.restored {
				t.Errorf("restores %+v, %v", r, err)
			}
		})
	}
}
