package room_test

import (
	"context"
	"testing"
	"time"

	"branchline/hub/ledger"
	"branchline/hub/room"
	"branchline/hub/room/roomtest"
	"branchline/internal/wire"
)

// What is known of the branches is known after a restart, too; who was there until
// the hub ended is called silent from its start on only.
func TestWhatBranchesSaidIsKnownAfterARestart(t *testing.T) {
	d := roomtest.New(t)
	branches := []room.Branch{{Code: "BR01", Zone: time.UTC}, {Code: "BR02", Zone: time.UTC}, {Code: "BR03", Zone: time.UTC}}
	start := func() *room.Room {
		r := room.New(room.Parts{Ledger: d.Ledger, Log: d.Log, Branches: branches, Connections: func() []room.Connection { return nil },
			Posting: func() room.Posting { return room.Posting{} }})
		d.Must(r.Remember(t.Context()))
		return r
	}
	long := time.Now().Add(-3 * time.Hour).Truncate(time.Millisecond)
	first := start()
	first.LineChanged(ledger.LineChange{Branch: "BR01", At: long, Online: true})
	first.LineChanged(ledger.LineChange{Branch: "BR02", At: long.Add(-time.Hour), Online: true})
	first.LineChanged(ledger.LineChange{Branch: "BR02", At: long, Why: "the connection was cut"})
	first.Heard("BR01", wire.State{Unsent: 37, OldestUnsent: long, At: time.Now().Add(10 * time.Minute), Alarms: []wire.Alarm{{Text: "the disk is full"}}})
	ended, end := context.WithCancel(t.Context())
	end()
	_ = first.Keep(ended) // as at the end of the hub

	before := time.Now()
	w, err := start().Watch(t.Context())
	d.Must(err)
	one, two, three := w.Branches[0], w.Branches[1], w.Branches[2]
	if one.Unsent != 37 || !one.OldestUnsent.Equal(long) || one.ClockAhead < 9*time.Minute || len(one.Said) != 1 {
		t.Errorf("of its report is left: %+v", one)
	}
	if one.Connected || one.Since.Before(before) {
		t.Errorf("who was there until the hub ended is silent since %v", one.Since)
	}
	if !two.Since.Equal(long) || !three.Since.IsZero() {
		t.Errorf("silent since %v and %v", two.Since, three.Since)
	}
	lines, err := d.Ledger.Lines(t.Context(), "BR01", long, 10)
	if err != nil || len(lines) != 2 || lines[0].Online || lines[0].Why != ledger.WhyHubStopped || !lines[1].Online {
		t.Errorf("%+v, %v", lines, err)
	}
}

// A hub that ended without a word leaves lines that were up; they went when their
// branch was last heard of.
func TestALineThatWasUpWhenTheHubWasKilled(t *testing.T) {
	d := roomtest.New(t)
	at := time.Now().Add(-time.Hour).Truncate(time.Millisecond)
	d.Must(d.Ledger.Write(t.Context(), func(tx *ledger.Tx) error {
		if err := tx.KeepLine(ledger.LineChange{Branch: "BR01", At: at, Online: true}); err != nil {
			return err
		}
		return tx.KeepReport(ledger.BranchReport{Branch: "BR01", At: at.Add(time.Minute)})
	}))
	r := room.New(room.Parts{Ledger: d.Ledger, Log: d.Log, Branches: []room.Branch{{Code: "BR01"}}, Connections: func() []room.Connection { return nil }})
	d.Must(r.Remember(t.Context()))
	if l := r.Lines(); l[0].Connected || !l[0].Since.Equal(at.Add(time.Minute)) {
		t.Errorf("%+v", l)
	}
}
