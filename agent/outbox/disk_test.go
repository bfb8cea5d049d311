//go:build linux

package outbox_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"branchline/agent/outbox"
	"branchline/internal/fault"
	"branchline/internal/movement"
)

// smallDisk mounts a file system of some megabytes.
func smallDisk(t *testing.T, megabytes int) string {
	if os.Getuid() != 0 {
		t.Skip("needs root to mount a small disk")
	}
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%dm", megabytes)); err != nil {
		t.Skipf("cannot mount a small disk: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func TestAFullDiskStopsCaptureAndGoesOnWhenThereIsRoom(t *testing.T) {
	dir := smallDisk(t, 4)
	c := config(t)
	c.Path = filepath.Join(dir, "outbox.db")
	o := open(t, c)
	other := filepath.Join(dir, "somebody else's file")
	accepted := make(map[string]bool)
	for round := range 3 {
		if err := os.WriteFile(other, make([]byte, 2<<20), 0o600); err != nil {
			t.Fatal(err)
		}
		var mu sync.Mutex
		var wg sync.WaitGroup
		for w := range 4 {
			wg.Go(func() {
				for i := range 3000 {
					var ms []*movement.Movement
					for j := range 10 {
						ms = append(ms, keyed(i, fmt.Sprint(round, w, i, j)))
					}
					_, err := o.Append(context.Background(), outbox.Write{Lane: movement.Lanes[w%2], Movements: ms})
					if err != nil {
						if fault.CodeOf(err) != "disk_full" || fault.ClassOf(err) != fault.Transient || fault.HintOf(err) == "" {
							t.Errorf("error %v (%s)", err, fault.CodeOf(err))
						}
						return
					}
					mu.Lock()
					for _, m := range ms {
						accepted[m.NaturalKey] = true
					}
					mu.Unlock()
				}
				t.Error("the disk never became full")
			})
		}
		wg.Wait()
		if st, err := o.Stats(); err != nil || st.Trouble != "disk_full" {
			t.Errorf("stats %+v, %v", st, err)
		}
		if n := len(drain(t, o)); n != len(accepted) {
			t.Errorf("round %d: %d records, %d were accepted", round, n, len(accepted))
		}
		if err := os.Remove(other); err != nil {
			t.Fatal(err)
		}
		if round == 2 {
			break // and leave it full of records
		}
		key := fmt.Sprint("after round ", round)
		appendAll(t, o, movement.Live, keyed(1, key)) // no restart, nobody asked
		accepted[key] = true
		if st, err := o.Stats(); err != nil || st.Trouble != "" {
			t.Errorf("stats %+v, %v", st, err)
		}
		// Give the records' room back, too.
		o.Close()
		if err := os.Remove(c.Path); err != nil {
			t.Fatal(err)
		}
		clear(accepted)
		o = open(t, c)
	}
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	o = open(t, c)
	if n := len(drain(t, o)); n != len(accepted) {
		t.Errorf("reopened: %d records, %d were accepted", n, len(accepted))
	}
	v, err := outbox.Verify(t.Context(), o)
	if err != nil || !v.Sound() {
		t.Errorf("%+v, %v", v, err)
	}
}

func TestASalvageThatFindsNoRoomLeavesTheDamagedFile(t *testing.T) {
	dir := smallDisk(t, 2)
	b := makeOriginal(t)
	c := b.cfg
	c.Path = filepath.Join(dir, "outbox.db")
	damaged := append([]byte{}, b.file...)
	clear(damaged[:4096])
	if err := os.WriteFile(c.Path, damaged, 0o600); err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(dir, "somebody else's file")
	f, err := os.Create(other)
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = f.Write(make([]byte, 16<<10))
	}
	f.Close()
	_, err = outbox.Open(c, slog.New(slog.DiscardHandler), nil)
	if fault.CodeOf(err) != "disk_full" {
		t.Fatalf("error %v (%s)", err, fault.CodeOf(err))
	}
	if err := os.Remove(other); err != nil {
		t.Fatal(err)
	}
	o := open(t, c)
	if n, want := len(drain(t, o)), len(b.records())+1; n != want {
		t.Errorf("%d records, want %d and the report", n, want-1)
	}
}

func TestDamageWhileInUseIsAFaultAndNoCrash(t *testing.T) {
	for name, damage := range map[string]func(f *os.File, size int64) error{
		"truncated": func(f *os.File, size int64) error { return f.Truncate(8192) },
		"overwritten": func(f *os.File, size int64) error {
			_, err := f.WriteAt(bytes.Repeat([]byte{0xa5}, int(size)-8192), 8192)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := config(t)
			o := open(t, c)
			for i := range 30 {
				appendAll(t, o, movement.Lanes[i%2], large(i))
			}
			s := o.Streams()[0]
			f, err := os.OpenFile(c.Path, os.O_RDWR, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if err := damage(f, fileSize(t, c.Path)); err != nil {
				t.Fatal(err)
			}
			_, errRead := o.Read(s.Epoch, s.Lane, 1, 100, 1<<20)
			_, errAppend := o.Append(t.Context(), outbox.Write{Lane: movement.Live, Movements: []*movement.Movement{dispensed(1)}})
			for _, err := range []error{errRead, errAppend} {
				if fault.CodeOf(err) != "outbox_damaged" || fault.ClassOf(err) != fault.Setup {
					t.Errorf("error %v (%s)", err, fault.CodeOf(err))
				}
			}
			<-o.Failed()
			if st, _ := o.Stats(); st.Trouble != "outbox_damaged" {
				t.Errorf("trouble %q", st.Trouble)
			}
			o.Close()
		})
	}
}
