package projection_test

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"branchline/hub/ledger"
	"branchline/hub/ledger/ledgertest"
	"branchline/hub/projection"
	"branchline/internal/movement"
)

// childLedger names the ledger that this process works on as the one to be
// killed, instead of running tests.
const childLedger = "BRANCHLINE_TEST_CHILD_LEDGER"

func TestMain(m *testing.M) {
	if path := os.Getenv(childLedger); path != "" {
		if err := beKilled(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	if raceDetector {
		if err := flag.Set("rapid.checks", "20"); err != nil { // a flag of the command line still wins
			panic(err)
		}
	}
	os.Exit(m.Run())
}

const killStreams = 4

func killSender(stream int) *ledgertest.Sender {
	return ledgertest.NewSender(fmt.Sprintf("BR%02d", stream/2), epoch, movement.Lanes[stream%2])
}

// killRecord is the same at every start: the branch sends what it has stored.
func killRecord(stream int, seq uint64) []byte {
	r := rand.New(rand.NewPCG(uint64(stream), seq))
	if r.IntN(20) == 0 {
		return []byte(`{"v":99}`)
	}
	return ledgertest.Record(movement.Dispense, 1+r.Int64N(3), func(m *movement.Movement) {
		m.Lot = string(rune('A' + r.IntN(3)))
		m.NaturalKey = fmt.Sprintf("%d", r.IntN(int(seq)+5))
	})
}

// failer stands in for a test in the child.
type failer struct{}

func (f *failer) Helper()           {}
func (f *failer) Fatal(args ...any) { panic(fmt.Sprint(args...)) }

// beKilled commits, projects and posts for ever, telling on standard output
// what it was told is on disk.
func beKilled(path string) error {
	ctx := context.Background()
	l, err := ledger.Open(ctx, ledger.Config{Path: path}, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	p := projection.New(l, slog.New(slog.DiscardHandler), nil)
	failed := make(chan error)
	for stream := range killStreams {
		s := killSender(stream)
		if s.At, err = l.Cursor(ctx, s.Stream); err != nil {
			return err
		}
		go func() {
			for {
				var records [][]byte
				for seq := s.At.Through + 1; len(records) < 1+int(s.At.Through%5); seq++ {
					records = append(records, killRecord(stream, seq))
				}
				if err := l.Commit(ctx, s.Batch(&failer{}, records...)); err != nil {
					failed <- err
				}
				fmt.Printf("taken %d %d\n", stream, s.At.Through)
			}
		}()
	}
	go func() { failed <- p.Run(ctx) }()
	go func() {
		for n := 0; ; n++ {
			if err := postSome(ctx, l, n); err != nil {
				failed <- err
			}
		}
	}()
	return <-failed
}

// postSome plans what is pending, refuses one in ten and posts the rest.
func postSome(ctx context.Context, l *ledger.Ledger, n int) error {
	branch := fmt.Sprintf("BR%02d", n%(killStreams/2))
	pending, err := l.PendingLoose(ctx, branch, movement.Dispense, 0, 10)
	if err != nil || len(pending) == 0 {
		return err
	}
	now := time.Now()
	if err := l.Refuse(ctx, []ledger.Refusal{{Movement: pending[0].ID, Stage: "plan", Reason: "no_such", Text: "no"}}, now); err != nil {
		return err
	}
	post := ledger.NewPosting{Name: fmt.Sprintf("P%d", pending[0].ID), Branch: branch, Kind: movement.Dispense}
	for _, m := range pending[1:] {
		post.Movements = append(post.Movements, m.ID)
	}
	if len(post.Movements) == 0 {
		return nil
	}
	id, err := l.CreatePosting(ctx, post, now)
	if err == nil {
		_, err = l.ChangePosting(ctx, id, ledger.PostingChange{At: now, State: ledger.PostingDone})
	}
	if err == nil {
		fmt.Printf("posted %d %d\n", id, len(post.Movements))
	}
	return err
}

// A process that is killed at any moment has lost nothing that it said was
// taken, and has projected nothing that a new start would not.
func TestKilled(t *testing.T) {
	points := []string{"", "", "", "", "", ""}
	if killpoints {
		for _, name := range []string{"ingest.before-commit", "projection.before-commit", "projection.committed",
			"plan.before-commit", "plan.committed"} {
			for range 4 {
				points = append(points, fmt.Sprintf("%s:%d", name, 1+rand.IntN(20)))
			}
		}
	}
	path := filepath.Join(t.TempDir(), "ledger.db")
	said := map[string]uint64{}
	for round, point := range points {
		runAndKill(t, path, point, 1+rand.IntN(200), said)
		checkAfterKill(t, path, said, round%3 == 0)
	}
}

// runAndKill kills the child after some lines, or lets it kill itself at a
// point.
func runAndKill(t *testing.T, path, point string, lines int, said map[string]uint64) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childLedger+"="+path, "BRANCHLINE_KILL_AT="+point)
	var complaint strings.Builder
	cmd.Stderr = &complaint
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	scanner := bufio.NewScanner(out)
	for n := 0; scanner.Scan(); n++ {
		if n == lines && point == "" {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
		word := strings.Fields(scanner.Text())
		if len(word) != 3 { // the line in which it was killed
			continue
		}
		v, err := strconv.ParseUint(word[2], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		said[word[0]+" "+word[1]] = v
	}
	if err := cmd.Wait(); err == nil || complaint.Len() > 0 {
		t.Fatalf("the child ended by itself: %v: %s", err, complaint.String())
	}
}

func checkAfterKill(t *testing.T, path string, said map[string]uint64, rebuild bool) {
	t.Helper()
	l, err := ledger.Open(t.Context(), ledger.Config{Path: path}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}()
	if _, err := l.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	for stream := range killStreams {
		s := killSender(stream)
		cursor, err := l.Cursor(t.Context(), s.Stream)
		if err != nil {
			t.Fatal(err)
		}
		if told := said[fmt.Sprintf("taken %d", stream)]; cursor.Through < told {
			t.Errorf("%s: said that %d is taken, has %d", s.Stream, told, cursor.Through)
		}
		seq := uint64(0)
		for b, err := range l.Covering(t.Context(), s.Stream, 1, cursor.Through) {
			if err != nil {
				t.Fatal(err)
			}
			records, err := b.Records()
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range records {
				if seq++; string(r) != string(killRecord(stream, seq)) {
					t.Fatalf("%s: record %d is %s", s.Stream, seq, r)
				}
			}
		}
		if seq != cursor.Through {
			t.Errorf("%s: %d records, cursor %d", s.Stream, seq, cursor.Through)
		}
	}
	for what, n := range said {
		var id int64
		if _, err := fmt.Sscanf(what, "posted %d", &id); err != nil {
			continue
		}
		p, err := l.Posting(t.Context(), id)
		if err != nil || p.State != ledger.PostingDone || uint64(p.Movements) != n {
			t.Errorf("posting %d: %+v, %v", id, p, err)
		}
	}
	p := projector(l)
	if !rebuild {
		return
	}
	catchUp(t, p)
	before := ledgertest.Dump(t, l)
	if err := p.Rebuild(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, ledgertest.Dump(t, l)); diff != "" {
		t.Errorf("rebuilt otherwise (- before, + rebuilt):\n%s", diff)
	}
}
