package room

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"branchline/hub/ledger"
	"branchline/internal/ui"
	"branchline/internal/wire"
)

// Row is a branch's line of the board.
type Row struct {
	Code, Name string
	Groups     []string
	Connected  bool
	// Since is when it came or was last heard of, zero for never; Why says why it
	// went. Closed tells that it is not open at this time of its day.
	Since  time.Time
	Why    string
	Closed bool
	// LastMovement is when the newest movement was received.
	LastMovement time.Time
	// Received counts movements, Waiting those for the planner, Documents
	// those to be made in Odoo, Exceptions what waits for a person, the first of it
	// since OldestException.
	Received, Waiting, Documents, Exceptions int64
	OldestException                          time.Time
	// Unsent is what the branch last reported to have kept, OldestUnsent when the
	// first of it was recorded; Open is what it has scanned and not confirmed,
	// Alarms what it said a person should look at.
	Unsent       uint64
	OldestUnsent time.Time
	Open         string
	Alarms       []string
	// OnItsWay is when the oldest movement was recorded that is known of and that
	// neither is in Odoo nor waits for a person; zero where there is none.
	OnItsWay time.Time
	// Version and Config are of its agent; empty where it did not tell.
	Version, Config string
	// ClockAhead is by how much its clock was ahead when it last reported, to 5
	// seconds; negative when behind.
	ClockAhead time.Duration
	// DiskFree are the bytes its disk had left, to 64 MiB; negative where it did not
	// tell.
	DiskFree int64
	// ScannersDown and AdaptersDown name what does not work, BadRows counts the rows
	// of files that wait for a person at the branch.
	ScannersDown, AdaptersDown []string
	BadRows                    int64
	// Day are its movements of the last 24 hours.
	Day ledger.DayHours
	// Need says how much it needs somebody.
	Need Need
}

// Need is how much a branch needs somebody.
type Need int

// Nothing, a look, or help: it is silent while it is open, or late.
const (
	NeedsNothing Need = iota
	NeedsLook
	NeedsHelp
)

func (n Need) String() string { return [...]string{"fine", "look", "help"}[n] }

// What the board calls late, wrong and low.
const (
	LateAfter = 30 * time.Minute
	clockOff  = 5 * time.Minute
	diskLow   = 1 << 30
)

// BranchState is what branches are chosen by on the board.
type BranchState string

// The states; a branch can be in several.
const (
	Attention      BranchState = "attention"
	Offline        BranchState = "offline"
	Late           BranchState = "late"
	WithExceptions BranchState = "exceptions"
	DevicesDown    BranchState = "devices"
	Connected      BranchState = "connected"
)

// BranchStates lists all states, in the order in which they are offered.
var BranchStates = []BranchState{Attention, Offline, Late, WithExceptions, DevicesDown, Connected}

// Is tells whether the branch is in a state; the empty state is everybody's.
func (r *Row) Is(s BranchState) bool {
	switch s {
	case "":
		return true
	case Attention:
		return r.Need > NeedsNothing
	case Offline:
		return !r.Connected
	case Late:
		return r.late(time.Now())
	case WithExceptions:
		return r.Exceptions > 0
	case DevicesDown:
		return len(r.ScannersDown)+len(r.AdaptersDown) > 0
	case Connected:
		return r.Connected
	}
	return false
}

func (r *Row) late(now time.Time) bool {
	return !r.OnItsWay.IsZero() && now.Sub(r.OnItsWay) > LateAfter
}

// ClockWrong tells that its clock is too far off for the times of its movements.
func (r *Row) ClockWrong() bool { return r.ClockAhead >= clockOff || r.ClockAhead <= -clockOff }

// DiskLow tells that its disk will soon be full.
func (r *Row) DiskLow() bool { return r.DiskFree >= 0 && r.DiskFree < diskLow }

func (r *Row) need(now time.Time) Need {
	switch {
	case !r.Connected && !r.Closed && !r.Since.IsZero(), r.late(now):
		return NeedsHelp
	case r.Exceptions > 0, len(r.Alarms) > 0, r.Is(DevicesDown), r.ClockWrong(), r.DiskLow(), !r.Connected && r.Since.IsZero():
		return NeedsLook
	}
	return NeedsNothing
}

// hear takes over what the branch reported; its time is now in zone.
func (r *Row) hear(s *report, zone *time.Location) {
	r.Unsent, r.OldestUnsent, r.Open, r.Alarms = s.Unsent, s.OldestUnsent, openWords(s.Open), saidBy(s.State, zone)
	r.Version, r.Config, r.DiskFree = s.Version, s.Config, -1
	if !s.at.IsZero() && !s.At.IsZero() {
		r.ClockAhead = s.At.Sub(s.at).Round(5 * time.Second)
	}
	if s.DiskFree != nil {
		r.DiskFree = *s.DiskFree &^ (64<<20 - 1)
	}
	for _, x := range s.Scanners {
		if !x.Up {
			r.ScannersDown = append(r.ScannersDown, x.Name)
		}
	}
	for _, x := range s.Adapters {
		r.BadRows += x.Open
		if x.Down() {
			r.AdaptersDown = append(r.AdaptersDown, x.Name)
		}
	}
}

// come takes over what the ledger has of the branch.
func (r *Row) come(o *ledger.BranchOverview) {
	r.LastMovement, r.Received, r.Waiting, r.Documents = o.LastReceived, o.Received, o.Pending, o.Open
	r.Exceptions, r.OldestException = o.Exceptions, o.OldestException
	if !r.Connected && o.LastReceived.After(r.Since) {
		r.Since = o.LastReceived
	}
	for _, at := range []time.Time{r.OldestUnsent, o.OldestPending, o.OldestOpen} {
		if !at.IsZero() && (r.OnItsWay.IsZero() || at.Before(r.OnItsWay)) {
			r.OnItsWay = at
		}
	}
}

// Bounds of what the board shows of a branch's own words.
const (
	maxAlarms     = 5
	maxAlarmBytes = 400
)

// saidBy is what a branch says that a person should look at, in its own time.
func saidBy(s wire.State, loc *time.Location) []string {
	var all, texts []string
	for _, alarm := range s.Alarms {
		all = append(all, alarm.Text)
	}
	for _, x := range s.Scanners {
		if !x.Up {
			all = append(all, x.Words(loc))
		}
	}
	for _, text := range all[:min(len(all), maxAlarms)] {
		if len(text) > maxAlarmBytes {
			text = strings.ToValidUTF8(text[:maxAlarmBytes], "") + "…"
		}
		texts = append(texts, text)
	}
	if more := len(all) - maxAlarms; more > 0 {
		texts = append(texts, "and "+strconv.Itoa(more)+" more")
	}
	return texts
}

// openWords says what was scanned at a branch and is not confirmed there.
func openWords(o wire.OpenWork) string {
	var parts []string
	for _, p := range []struct {
		n         uint
		one, many string
	}{{o.Deliveries, "delivery", "deliveries"}, {o.Counts, "count", "counts"}, {o.Others, "other", "others"}} {
		if p.n > 0 {
			parts = append(parts, ui.Many(uint64(p.n), p.one, p.many))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return strings.Join(parts, ", ") + ", " + ui.Many(uint64(o.Lines), "line", "lines")
}

// BranchSort is what the board is sorted by.
type BranchSort string

// The orders; equals stand by their codes.
const (
	ByNeed       BranchSort = ""
	ByCode       BranchSort = "code"
	ByUnsent     BranchSort = "unsent"
	ByLag        BranchSort = "lag"
	ByExceptions BranchSort = "exceptions"
)

// BranchSorts lists all orders.
var BranchSorts = []BranchSort{ByNeed, ByCode, ByUnsent, ByLag, ByExceptions}

func sortRows(rows []*Row, by BranchSort) {
	slices.SortFunc(rows, func(x, y *Row) int {
		order := 0
		switch by {
		case ByNeed:
			order = cmp.Or(cmp.Compare(y.Need, x.Need), earlier(x.OnItsWay, y.OnItsWay, x.Need == NeedsHelp))
		case ByUnsent:
			order = cmp.Compare(y.Unsent, x.Unsent)
		case ByLag:
			order = earlier(x.OnItsWay, y.OnItsWay, true)
		case ByExceptions:
			order = cmp.Compare(y.Exceptions, x.Exceptions)
		}
		return cmp.Or(order, cmp.Compare(x.Code, y.Code))
	})
}

// earlier puts the earlier first and none last, where it matters.
func earlier(x, y time.Time, matters bool) int {
	switch {
	case !matters || x.Equal(y):
		return 0
	case x.IsZero():
		return 1
	case y.IsZero():
		return -1
	}
	return x.Compare(y)
}
