package dispense

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"branchline/agent/outbox"
)

// A child process imports a folder until it is killed.
const childFolder, childStore = "BRANCHLINE_TEST_FOLDER", "BRANCHLINE_TEST_STORE"

func TestMain(m *testing.M) {
	if folder := os.Getenv(childFolder); folder != "" {
		if err := child(folder, os.Getenv(childStore)); err != nil {
			fmt.Println("error:", err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func killable(folder string) Export {
	e := sample(folder)
	e.Settle, e.Poll = lasting(time.Millisecond), 100*time.Millisecond
	return e
}

func child(folder, path string) error {
	cfg := outbox.DefaultConfig()
	cfg.Path, cfg.Branch = path, "BR01"
	log := slog.New(slog.DiscardHandler)
	store, err := outbox.Open(cfg, log, nil)
	if err != nil {
		return err
	}
	defer store.Close()
	d, err := New(Config{Exports: []Export{killable(folder)}}, Options{Store: store, Log: log})
	if err != nil {
		return err
	}
	fmt.Println("started")
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		defer cancel()
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for range tick.C {
			s := d.Status()[0]
			if s.Rows.Good > 0 {
				fmt.Println("reading")
			}
			if len(s.Files) > 0 && s.Files[0].Done {
				fmt.Println("done")
				return
			}
		}
	}()
	d.Run(ctx)
	return nil
}

// The importing process is killed at random moments. In the end every row is
// there once, the bad ones too, in the order of the file, and each bad one is on the
// branch's list.
func TestKilledWhileImporting(t *testing.T) {
	if testing.Short() {
		t.Skip("kills processes for some seconds")
	}
	const rows, bad, rounds = 30_000, 100, 12
	folder, path := t.TempDir(), filepath.Join(t.TempDir(), "outbox.db")
	var text strings.Builder
	text.WriteString(head)
	for i := range rows {
		text.WriteString(row(i/3, i%3, "2"))
		if i%(rows/bad) == 0 {
			text.WriteString("torn;line\n")
		}
	}
	if err := os.WriteFile(filepath.Join(folder, "a.csv"), []byte(text.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	killed := 0
	for round := 0; ; round++ {
		if ctx.Err() != nil {
			t.Fatal("the import never comes to its end")
		}
		cmd := exec.CommandContext(ctx, os.Args[0])
		cmd.Env = append(os.Environ(), childFolder+"="+folder, childStore+"="+path)
		if round < rounds { // ends the process at a named step in builds with the tag "killpoints"
			step := []string{"capture.file.read", "capture.file.recorded", "outbox.append.committed"}[round%3]
			cmd.Env = append(cmd.Env, fmt.Sprintf("BRANCHLINE_KILL_AT=%s:%d", step, 1+rand.IntN(4)))
		}
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		// Early rounds die before or at their first rows, so that there is
		// something left to import for all of them.
		after := map[bool]string{true: "started", false: "reading"}[round%2 == 0]
		delay := time.Duration(rand.Int64N(int64(130 * time.Millisecond)))
		if after == "reading" {
			delay /= 20
		}
		done := false
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if lines.Text() == after && round < rounds {
				time.AfterFunc(delay, func() { cmd.Process.Kill() })
				after = ""
			}
			if strings.HasPrefix(lines.Text(), "error:") {
				t.Fatal(lines.Text())
			}
			done = done || lines.Text() == "done"
		}
		if err := cmd.Wait(); err != nil {
			killed++
		} else if done {
			break
		}
	}
	if killed == 0 {
		t.Error("no process was killed")
	}
	t.Logf("killed %d times", killed)

	cfg := outbox.DefaultConfig()
	cfg.Path, cfg.Branch = path, "BR01"
	store, err := outbox.Open(cfg, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	seen := map[string]int{}
	line, good := int64(1), 0
	for _, m := range movements(t, store) {
		seen[m.NaturalKey]++
		if m.Source.Line != line+1 {
			t.Fatalf("line %d after line %d", m.Source.Line, line)
		}
		line = m.Source.Line
		if m.Problem == nil {
			good++
		} else if m.Problem.Code != "wrong_column_count" {
			t.Fatalf("line %d: %+v", m.Source.Line, m.Problem)
		}
	}
	if good != rows || len(seen) != rows+bad || line != rows+bad+1 {
		t.Errorf("%d good rows, %d keys, last line %d", good, len(seen), line)
	}
	d, err := New(Config{Exports: []Export{killable(folder)}}, Options{Store: store, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if _, n, err := d.BadRows(0, 0); n != bad || err != nil {
		t.Errorf("%d of %d bad rows are on the branch's list: %v", n, bad, err)
	}
}
