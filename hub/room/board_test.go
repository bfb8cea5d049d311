package room_test

import (
	"slices"
	"testing"
	"time"

	"branchline/hub/room"
	"branchline/hub/room/roomtest"
	"branchline/internal/fault"
	"branchline/internal/wire"
)

// The board says what each branch needs, what needs somebody comes first, and it is
// chosen from as people ask.
func TestTheBoardShowsWhatNeedsSomebodyFirst(t *testing.T) {
	d := roomtest.New(t)
	d.Chain(60, 30)
	d.Posted(4)
	now := time.Now()
	d.Heard("BR0001", wire.State{Version: "1.4", At: now, Adapters: []wire.AdapterState{{Name: "till", State: wire.AdapterHeld, Open: 4}}})
	d.Heard("BR0002", wire.State{At: now.Add(-time.Hour), Unsent: 3, OldestUnsent: now.Add(-2 * time.Hour)})
	board := func(f room.BranchFilter) room.Board {
		t.Helper()
		b, err := d.Board(t.Context(), f)
		d.Must(err)
		return b
	}
	all := board(room.BranchFilter{Size: 25})
	if all.Found != 60 || all.All != 60 || len(all.Branches) != 25 || all.Pages != 3 || !slices.Equal(all.Groups, []string{"East", "North", "South", "West"}) {
		t.Errorf("%d of %d, %d on a page, %d pages, groups %v", all.Found, all.All, len(all.Branches), all.Pages, all.Groups)
	}
	if !slices.IsSortedFunc(all.Branches, func(x, y room.Row) int { return int(y.Need) - int(x.Need) }) || all.Branches[0].Need != room.NeedsHelp {
		t.Error("what needs help is not first")
	}
	if all.Postings.Waiting != 2 || all.Postings.Posted != 2 || all.ForPeople() != 3 {
		t.Errorf("%+v, %d for people", all.Postings, all.ForPeople())
	}
	codes := func(f room.BranchFilter) (list []string) {
		for _, r := range board(f).Branches {
			list = append(list, r.Code)
		}
		return list
	}
	for name, c := range map[string]struct {
		f    room.BranchFilter
		want []string
	}{
		"offline":      {room.BranchFilter{State: room.Offline}, []string{"BR0018"}},
		"late":         {room.BranchFilter{State: room.Late, Sort: room.ByCode}, []string{"BR0002"}},
		"exceptions":   {room.BranchFilter{State: room.WithExceptions, Sort: room.ByCode}, []string{"BR0004", "BR0024", "BR0044"}},
		"devices":      {room.BranchFilter{State: room.DevicesDown, Sort: room.ByCode}, []string{"BR0001", "BR0010", "BR0035", "BR0052", "BR0060"}},
		"a group":      {room.BranchFilter{Group: "North", State: room.DevicesDown}, []string{"BR0001"}},
		"by its code":  {room.BranchFilter{Text: "r0033"}, []string{"BR0033"}},
		"by its name":  {room.BranchFilter{Text: "harbour", Size: 2, Page: 2, Sort: room.ByCode}, []string{"BR0024", "BR0032"}},
		"by unsent":    {room.BranchFilter{Size: 2, Sort: room.ByUnsent}, []string{"BR0018", "BR0002"}},
		"by lag":       {room.BranchFilter{Size: 1, Sort: room.ByLag}, []string{"BR0002"}},
		"nobody":       {room.BranchFilter{Text: "nowhere"}, nil},
		"a page after": {room.BranchFilter{Text: "BR0060", Page: 99}, []string{"BR0060"}},
	} {
		if got := codes(c.f); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
	one := board(room.BranchFilter{Text: "BR0001"}).Branches[0]
	if one.BadRows != 4 || one.Version != "1.4" || one.DiskFree >= 0 || one.Received != 30 || one.Need != room.NeedsLook || one.Documents != 0 {
		t.Errorf("%+v", one)
	}
	if two := board(room.BranchFilter{Text: "BR0002"}).Branches[0]; !two.ClockWrong() || two.Documents != 1 {
		t.Errorf("%+v", two)
	}
	sum := int64(0)
	for _, n := range one.Day {
		sum += n
	}
	if sum < 28 || sum > 30 { // what happened a day ago may be before the first hour
		t.Errorf("%d movements in a day", sum)
	}
	for _, bad := range []room.BranchFilter{{State: "sad"}, {Sort: "luck"}} {
		if _, err := d.Board(t.Context(), bad); fault.CodeOf(err) != room.CodeBadFilter {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}

// A branch that is closed and away needs nobody.
func TestABranchThatIsClosedMayBeAway(t *testing.T) {
	d := roomtest.New(t)
	hours, err := room.ParseHours([]string{"Su", "Mo", "Tu", "We", "Th", "Fr", "Sa"}[(time.Now().UTC().Weekday()+3)%7] + " 09:00-10:00")
	d.Must(err)
	since := time.Now().Add(-time.Hour)
	d.Room.Branches = []room.Branch{{Code: "BR01", Zone: time.UTC}, {Code: "BR02", Zone: time.UTC, Hours: hours}, {Code: "BR03"}}
	d.Lines = []room.Connection{{Branch: "BR01", Since: since}, {Branch: "BR02", Since: since}}
	b, err := d.Board(t.Context(), room.BranchFilter{Sort: room.ByCode})
	d.Must(err)
	if b.Branches[0].Need != room.NeedsHelp || b.Branches[1].Need != room.NeedsNothing || !b.Branches[1].Closed || b.Branches[2].Need != room.NeedsLook {
		t.Errorf("%+v", b.Branches)
	}
}
