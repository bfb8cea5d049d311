package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"branchline/agent/outbox"
	"branchline/internal/fault"
	"branchline/internal/movement"
)

func appendAll(t testing.TB, o *outbox.Outbox, lane movement.Lane, ms ...*movement.Movement) []outbox.Place {
	t.Helper()
	p, err := o.Append(t.Context(), outbox.Write{Lane: lane, Movements: ms})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestKnownKeysAreNotRecordedAgain(t *testing.T) {
	c := config(t)
	for name, between := range map[string]func(*outbox.Outbox) *outbox.Outbox{
		"at once":             func(o *outbox.Outbox) *outbox.Outbox { return o },
		"after reopening":     func(o *outbox.Outbox) *outbox.Outbox { o.Close(); return open(t, c) },
		"after folding":       func(o *outbox.Outbox) *outbox.Outbox { outbox.Fold(o); return o },
		"folded and reopened": func(o *outbox.Outbox) *outbox.Outbox { outbox.Fold(o); o.Close(); return open(t, c) },
	} {
		t.Run(name, func(t *testing.T) {
			c = config(t)
			o := open(t, c)
			first := appendAll(t, o, movement.Bulk, keyed(1, "a"), dispensed(2), keyed(3, "b"), keyed(4, "a"))
			if first[0].Known || first[1].Known || first[2].Known || !first[3].Known || first[3].Seq != 1 {
				t.Errorf("within one write: %v", first)
			}
			o = between(o)
			second := appendAll(t, o, movement.Live, keyed(1, "a"), keyed(5, "c"), keyed(3, "b"), dispensed(2))
			want := []outbox.Place{
				{Epoch: first[0].Epoch, Lane: movement.Bulk, Seq: 1, Known: true, Print: keyed(1, "").Print()},
				{Epoch: first[0].Epoch, Lane: movement.Live, Seq: 1},
				{Epoch: first[0].Epoch, Lane: movement.Bulk, Seq: 3, Known: true, Print: keyed(3, "").Print()},
				{Epoch: first[0].Epoch, Lane: movement.Live, Seq: 2},
			}
			if diff := cmp.Diff(want, second, cmpopts.IgnoreFields(outbox.Place{}, "By")); diff != "" {
				t.Error(diff)
			}
			told, err := o.Known("b", "none", "c")
			want = []outbox.Place{
				{Epoch: first[0].Epoch, Lane: movement.Bulk, Seq: 3, Known: true, Print: keyed(3, "").Print()}, {},
				{Epoch: first[0].Epoch, Lane: movement.Live, Seq: 1, Known: true, Print: keyed(5, "").Print()},
			}
			if diff := cmp.Diff(want, told, cmpopts.IgnoreFields(outbox.Place{}, "By")); diff != "" || err != nil {
				t.Error(diff, err)
			}
			if n := len(drain(t, o)); n != 5 {
				t.Errorf("%d records, want 5", n)
			}
		})
	}
}

func TestAWriteOfKnownMovementsStillWritesItsNotes(t *testing.T) {
	o := open(t, config(t))
	appendAll(t, o, movement.Bulk, keyed(1, "a"))
	_, err := o.Append(t.Context(), outbox.Write{Lane: movement.Bulk, Movements: []*movement.Movement{keyed(1, "a")},
		Notes: []outbox.Note{{Space: "files", Key: "day.csv", Value: []byte("200")}}})
	if err != nil {
		t.Fatal(err)
	}
	if v, err := o.Note("files", "day.csv"); string(v) != "200" || err != nil {
		t.Errorf("note %q, %v", v, err)
	}
}

func TestRefusedWritesLeaveNothing(t *testing.T) {
	many := make([]*movement.Movement, outbox.MaxWrite+1)
	for i := range many {
		many[i] = dispensed(i)
	}
	bad := dispensed(1)
	bad.Quantity = 0
	good := outbox.Note{Space: "files", Key: "x", Value: []byte("1")}
	cases := map[string]struct {
		w    outbox.Write
		code string
		says string
	}{
		"an invalid movement among valid ones": {outbox.Write{Lane: movement.Live, Movements: []*movement.Movement{dispensed(0), bad}, Notes: []outbox.Note{good}},
			"invalid_movement", "movement 2 of 2: quantity"},
		"too many movements":     {outbox.Write{Lane: movement.Bulk, Movements: many}, "write_too_large", "10001 movements"},
		"no lane":                {outbox.Write{Movements: []*movement.Movement{dispensed(0)}}, "invalid_lane", "lane 0"},
		"a note without a space": {outbox.Write{Notes: []outbox.Note{good, {Key: "k"}}}, "invalid_note", "space"},
		"a note without a key":   {outbox.Write{Notes: []outbox.Note{{Space: "s"}}}, "invalid_note", "key"},
		"a note that is too large": {outbox.Write{Notes: []outbox.Note{{Space: "s", Key: "k", Value: make([]byte, 1<<20+1)}}},
			"invalid_note", "1048577 bytes"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			o := open(t, config(t))
			_, err := o.Append(t.Context(), c.w)
			if fault.CodeOf(err) != c.code || !strings.Contains(fmt.Sprint(err), c.says) {
				t.Errorf("error %v (%s), want %s saying %q", err, fault.CodeOf(err), c.code, c.says)
			}
			if got := drain(t, o); len(got) > 0 {
				t.Errorf("recorded %v", got)
			}
			if v, _ := o.Note("files", "x"); v != nil {
				t.Errorf("noted %q", v)
			}
		})
	}
}

func TestRecordedAtIsSetWhereItIsMissing(t *testing.T) {
	o := open(t, config(t))
	given := dispensed(1)
	given.RecordedAt = start.Add(-time.Hour)
	missing := dispensed(2)
	appendAll(t, o, movement.Live, given, missing)
	if !given.RecordedAt.Equal(start.Add(-time.Hour)) || !missing.RecordedAt.Equal(start) {
		t.Errorf("recorded at %v and %v", given.RecordedAt, missing.RecordedAt)
	}
}

func TestAWriteFailsWithTheOneBeforeIt(t *testing.T) {
	o := open(t, config(t))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var before *outbox.Ticket
	outbox.Hold(o, func() { // so that the first can still be withdrawn
		var err error
		if before, err = o.Submit(t.Context(), outbox.Write{Lane: movement.Bulk, Movements: []*movement.Movement{dispensed(1)}}); err != nil {
			t.Fatal(err)
		}
		if _, err := before.Wait(ctx); !errors.Is(err, context.Canceled) {
			t.Fatalf("withdrawn with %v", err)
		}
	})
	_, err := o.Append(t.Context(), outbox.Write{Lane: movement.Bulk, Movements: []*movement.Movement{dispensed(2)}, After: before})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want that of the write before", err)
	}
	if n := len(drain(t, o)); n != 0 {
		t.Errorf("%d records", n)
	}
	next, err := o.Submit(t.Context(), outbox.Write{Lane: movement.Bulk, Movements: []*movement.Movement{dispensed(3)}})
	if err != nil {
		t.Fatal(err)
	}
	p, err := o.Append(t.Context(), outbox.Write{Lane: movement.Bulk, Movements: []*movement.Movement{dispensed(4)}, After: next})
	if err != nil || p[0].Seq != 2 {
		t.Errorf("after a write that went well: %v, %v", p, err)
	}
}

func TestConcurrentWritersShareCommitsAndKeepTheirOrder(t *testing.T) {
	o := open(t, config(t))
	const writers, each = 16, 20
	var wg sync.WaitGroup
	places := make([][]outbox.Place, writers)
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				p, err := o.Append(t.Context(), outbox.Write{Lane: movement.Lanes[w%2], Movements: []*movement.Movement{dispensed(w*1000 + i)}})
				if err != nil {
					t.Error(err)
					return
				}
				places[w] = append(places[w], p...)
			}
		})
	}
	wg.Wait()
	got := make(map[string]bool)
	for _, r := range drain(t, o) {
		id, rec, _ := strings.Cut(r, " ")
		m, err := movement.Decode([]byte(rec))
		if err != nil {
			t.Fatal(err)
		}
		got[id+" "+m.Document.Ref] = true
	}
	for w := range places {
		for i, p := range places[w] {
			if !got[fmt.Sprintf("%s/%d RX-%06d", p.Lane, p.Seq, w*1000+i)] {
				t.Fatalf("writer %d: movement %d is not at %v", w, i, p)
			}
			if i > 0 && p.Seq <= places[w][i-1].Seq {
				t.Fatalf("writer %d: %v comes before %v", w, p, places[w][i-1])
			}
		}
	}
	if len(got) != writers*each {
		t.Errorf("%d records, want %d", len(got), writers*each)
	}
}

func TestChangedIsClosedByTheNextRecord(t *testing.T) {
	o := open(t, config(t))
	changed := o.Changed()
	if _, err := o.Append(t.Context(), outbox.Write{Notes: []outbox.Note{{Space: "s", Key: "k", Value: []byte("v")}}}); err != nil {
		t.Fatal(err)
	}
	select {
	case <-changed:
		t.Error("a note is nothing to send")
	default:
	}
	appendAll(t, o, movement.Live, dispensed(1))
	<-changed
}

func TestNotes(t *testing.T) {
	c := config(t)
	o := open(t, c)
	put := func(space, key string, value []byte) {
		if _, err := o.Append(t.Context(), outbox.Write{Notes: []outbox.Note{{space, key, value}}}); err != nil {
			t.Fatal(err)
		}
	}
	put("files", "b/2", []byte("two"))
	put("files", "b/1", []byte("one"))
	put("files", "a/1", []byte{})
	put("filesystem", "b/3", []byte("other space"))
	put("files", "b/4", []byte("gone"))
	put("files", "b/4", nil)
	o.Close()
	o = open(t, c)
	var got []string
	for n, err := range o.Notes("files", "b/") {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, n.Key+"="+string(n.Value))
		put("files", n.Key, nil) // writing within the loop
	}
	if diff := cmp.Diff([]string{"b/1=one", "b/2=two"}, got); diff != "" {
		t.Error(diff)
	}
	if v, err := o.Note("files", "a/1"); v == nil || err != nil {
		t.Errorf("an empty note is %v, %v", v, err)
	}
	if v, err := o.Note("files", "b/1"); v != nil || err != nil {
		t.Errorf("a deleted note is %q, %v", v, err)
	}
}

func TestOpenRefuses(t *testing.T) {
	held := config(t)
	open(t, held)
	theirs := config(t)
	open(t, theirs).Close()
	theirs.Branch = "BR02"
	folder := config(t)
	folder.Path = filepath.Dir(folder.Path)
	nowhere := config(t)
	nowhere.Path = filepath.Join(nowhere.Path, "no", "such", "folder")
	negative := config(t)
	negative.Retention = -1
	forgetful := config(t)
	forgetful.KeyMemory = time.Hour
	small := config(t)
	small.MaxBytes = 10
	nameless := config(t)
	nameless.Branch = "BR 01"
	cases := map[string]struct {
		cfg        outbox.Config
		code, says string
	}{
		"an outbox that another process has": {held, "outbox_locked", "another agent"},
		"another branch's outbox":            {theirs, "outbox_foreign", "belongs to branch BR01, not to BR02"},
		"a folder":                           {folder, "outbox_unreadable", "is no file"},
		"a folder that is missing":           {nowhere, "outbox_unreadable", "no such file"},
		"no path":                            {outbox.Config{Branch: "BR01"}, "invalid_setting", "outbox.path"},
		"no branch code":                     {nameless, "invalid_setting", `"BR 01"`},
		"a negative retention":               {negative, "invalid_setting", "outbox.retention -1ns"},
		"keys kept shorter than records":     {forgetful, "invalid_setting", "outbox.key_memory 1h0m0s"},
		"no room":                            {small, "invalid_setting", "outbox.max_bytes 10"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			o, err := outbox.Open(c.cfg, slog.New(slog.DiscardHandler), nil)
			if err == nil {
				o.Close()
			}
			if fault.CodeOf(err) != c.code || fault.ClassOf(err) != fault.Setup || !strings.Contains(fmt.Sprint(err), c.says) {
				t.Errorf("error %v (%s), want %s saying %q", err, fault.CodeOf(err), c.code, c.says)
			}
		})
	}
	if _, err := os.Stat(theirs.Path); err != nil {
		t.Error("another branch's outbox was touched")
	}
}

func TestAfterCloseNothingIsAccepted(t *testing.T) {
	o := open(t, config(t))
	appendAll(t, o, movement.Live, dispensed(1))
	s := o.Streams()
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	_, errAppend := o.Append(t.Context(), outbox.Write{Lane: movement.Live, Movements: []*movement.Movement{dispensed(1)}})
	_, errRead := o.Read(s[0].Epoch, s[0].Lane, 1, 1, 1)
	for _, err := range []error{errAppend, errRead, o.Fork(s[0].Epoch, s[0].Lane, 0)} {
		if fault.CodeOf(err) != "outbox_closed" {
			t.Errorf("error %v", err)
		}
	}
	if err := o.Close(); err != nil {
		t.Errorf("closing twice: %v", err)
	}
}
