package outbox_test

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"branchline/agent/outbox"
	"branchline/internal/movement"
)

const childOf = "BRANCHLINE_OUTBOX_CHILD"

func TestMain(m *testing.M) {
	if path := os.Getenv(childOf); path != "" {
		child(path)
		return
	}
	os.Exit(m.Run())
}

// child captures until it is killed: four scanners, a file read in parts with
// its position in a note, acknowledgements, now and then a fork. It says on
// its output what Append has returned for.
func child(path string) {
	c := outbox.DefaultConfig()
	c.Path, c.Branch = path, "BR01"
	o, err := outbox.Open(c, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		fmt.Println("error", err)
		return
	}
	var mu sync.Mutex
	say := func(args ...any) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Println(args...)
	}
	ctx := context.Background()
	round := os.Getpid()
	for w := range 4 {
		go func() {
			for i := 0; ; i++ {
				key := fmt.Sprintf("scan-%d-%d-%d", round, w, i)
				m := keyed(i, key)
				if _, err := o.Append(ctx, outbox.Write{Lane: movement.Live, Movements: []*movement.Movement{m}}); err != nil {
					say("error", err)
					return
				}
				say("live", key)
			}
		}()
	}
	go func() {
		v, err := o.Note("files", "position")
		if err != nil {
			say("error", err)
		}
		at := 0
		if v != nil {
			fmt.Sscan(string(v), &at)
		}
		var before *outbox.Ticket
		for ; ; at += 8 {
			var ms []*movement.Movement
			for i := range 8 {
				ms = append(ms, keyed(at+i, fmt.Sprintf("line-%d", at+i)))
			}
			t, err := o.Submit(ctx, outbox.Write{Lane: movement.Bulk, Movements: ms, After: before,
				Notes: []outbox.Note{{Space: "files", Key: "position", Value: []byte(fmt.Sprint(at + 8))}}})
			if err == nil && before != nil {
				if _, err = before.Wait(ctx); err == nil {
					say("file", at)
				}
			}
			if err != nil {
				say("error", err)
				return
			}
			before = t
		}
	}()
	for n := 1; ; n++ {
		changed := o.Changed()
		<-changed
		for _, s := range o.Streams() {
			if err := o.Ack(s.Epoch, s.Lane, s.Acked+s.Unsent()/2); err != nil {
				say("error", err)
			}
			if s.Lane == movement.Live && n%60 == 0 && s.Unsent() > 0 {
				if err := o.Fork(s.Epoch, s.Lane, s.Acked); err != nil {
					say("error", err)
				}
			}
		}
	}
}

func TestNothingThatWasAppendedIsLostToAKill(t *testing.T) {
	rounds := 12
	if testing.Short() {
		rounds = 5
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := config(t)
	said := make(map[string]bool)
	position := 0
	for round := range rounds {
		cmd := exec.Command(exe)
		cmd.Env = append(os.Environ(), childOf+"="+c.Path)
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		left := 1 + rand.IntN(400)
		for lines := bufio.NewScanner(out); lines.Scan(); left-- {
			what, which, _ := strings.Cut(lines.Text(), " ")
			switch what {
			case "live":
				said[which] = true
			case "file":
				fmt.Sscan(which, &position)
			default:
				t.Errorf("round %d: %s", round, lines.Text())
			}
			if left == 0 {
				if err := cmd.Process.Kill(); err != nil { // and read what it had said
					t.Fatal(err)
				}
			}
		}
		_ = cmd.Wait() // it was killed
		verifyAfterKill(t, c, said, position)
		if t.Failed() {
			t.Fatalf("after round %d", round)
		}
	}
	if len(said) == 0 || position == 0 {
		t.Errorf("only %d scans and %d lines were recorded", len(said), position)
	}
	t.Logf("%d kills, %d scans, %d lines", rounds, len(said), position)
}

func verifyAfterKill(t *testing.T, c outbox.Config, said map[string]bool, position int) {
	t.Helper()
	o := open(t, c)
	defer o.Close()
	v, err := outbox.Verify(t.Context(), o)
	if err != nil || !v.Sound() {
		t.Fatalf("%+v, %v", v, err)
	}
	if aside, err := os.ReadDir(strings.TrimSuffix(c.Path, "/outbox.db")); err != nil || len(aside) != 2 {
		t.Errorf("beside the outbox and its lock lies %v, %v", aside, err)
	}
	seen := make(map[string]int)
	lines := 0
	for _, s := range o.Streams() {
		for from := uint64(1); from <= s.Last; {
			b, err := o.Read(s.Epoch, s.Lane, from, 5000, 4<<20)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range b.Records {
				m, err := movement.Decode(r)
				if err != nil {
					t.Fatal(err)
				}
				seen[m.NaturalKey]++
				if s.Lane == movement.Bulk {
					lines++
				}
			}
			from = b.Through() + 1
		}
	}
	for key, n := range seen {
		if n != 1 {
			t.Fatalf("%s is there %d times", key, n)
		}
	}
	for key := range said {
		if seen[key] == 0 {
			t.Fatalf("%s was appended and is lost", key)
		}
	}
	note, err := o.Note("files", "position")
	if err != nil || fmt.Sprint(lines) != string(note) && lines > 0 {
		t.Errorf("%d lines are recorded, the position says %s, %v", lines, note, err)
	}
	if lines < position {
		t.Errorf("%d lines are recorded, %d were", lines, position)
	}
}
