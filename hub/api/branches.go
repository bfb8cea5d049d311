package api

import (
	"net/http"
	"time"

	"branchline/hub/room"
	"branchline/internal/wire"
)

// Branch is a branch's line of the board.
type Branch struct {
	Code      string    `json:"code"`
	Name      string    `json:"name,omitempty"`
	Groups    []string  `json:"groups"`
	Need      string    `json:"need"`
	Connected bool      `json:"connected"`
	Since     time.Time `json:"since,omitzero"`
	Why       string    `json:"why,omitempty"`
	Closed    bool      `json:"closed"`
	// Unsent and what follows is what the branch last reported; the others are of the
	// hub.
	Unsent       uint64    `json:"unsent"`
	OldestUnsent time.Time `json:"oldest_unsent,omitzero"`
	Version      string    `json:"version,omitempty"`
	Config       string    `json:"config,omitempty"`
	ClockAhead   float64   `json:"clock_ahead_seconds"`
	DiskFree     *int64    `json:"disk_free_bytes,omitempty"`
	ScannersDown []string  `json:"scanners_down"`
	AdaptersDown []string  `json:"adapters_down"`
	BadRows      int64     `json:"bad_rows"`
	Alarms       []string  `json:"alarms"`

	LastMovement    time.Time `json:"last_movement,omitzero"`
	OnItsWay        time.Time `json:"on_its_way_since,omitzero"`
	Received        int64     `json:"received"`
	Waiting         int64     `json:"waiting"`
	Documents       int64     `json:"documents"`
	Exceptions      int64     `json:"exceptions"`
	OldestException time.Time `json:"oldest_exception,omitzero"`
}

func branchOf(x *room.Row) Branch {
	b := Branch{Code: x.Code, Name: x.Name, Groups: append([]string{}, x.Groups...), Need: x.Need.String(), Connected: x.Connected, Since: x.Since, Why: x.Why,
		Closed: x.Closed, Unsent: x.Unsent, OldestUnsent: x.OldestUnsent, Version: x.Version, Config: x.Config, ClockAhead: x.ClockAhead.Seconds(),
		ScannersDown: append([]string{}, x.ScannersDown...), AdaptersDown: append([]string{}, x.AdaptersDown...), BadRows: x.BadRows,
		Alarms: append([]string{}, x.Alarms...), LastMovement: x.LastMovement, OnItsWay: x.OnItsWay, Received: x.Received, Waiting: x.Waiting,
		Documents: x.Documents, Exceptions: x.Exceptions, OldestException: x.OldestException}
	if x.DiskFree >= 0 {
		b.DiskFree = &x.DiskFree
	}
	return b
}

func (a *API) branches(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	f := room.BranchFilter{Group: q.Get("group"), State: room.BranchState(q.Get("state")), Text: q.Get("text"), Sort: room.ByCode}
	var err error
	if f.Size, err = limitOf(r, maxPage); err == nil {
		_, err = cursorOf(r, &f.After)
	}
	var b room.Board
	if err == nil {
		b, err = a.Room.Board(r.Context(), f)
	}
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	page := struct {
		Branches []Branch `json:"branches"`
		Alarms   []string `json:"alarms"`
		Next     string   `json:"next,omitempty"`
	}{make([]Branch, len(b.Branches)), append([]string{}, b.Alarms...), ""}
	for i := range b.Branches {
		page.Branches[i] = branchOf(&b.Branches[i])
	}
	if n := len(b.Branches); b.Found > n {
		page.Next = cursorText(b.Branches[n-1].Code)
	}
	a.answer(w, http.StatusOK, page)
}

// WholeBranch is everything that is known of a branch.
type WholeBranch struct {
	Branch
	Reported time.Time `json:"reported,omitzero"`
	Scanners []Device  `json:"scanners"`
	Adapters []Adapter `json:"adapters"`
	Lines    []Change  `json:"lines"`
	Hours    []Hour    `json:"hours"`
}

// Device is a scanner.
type Device struct {
	Name   string    `json:"name"`
	Up     bool      `json:"up"`
	Since  time.Time `json:"since,omitzero"`
	Reason string    `json:"reason,omitempty"`
}

// Adapter is a reader of exported files.
type Adapter struct {
	Name   string    `json:"name"`
	State  string    `json:"state"`
	Since  time.Time `json:"since,omitzero"`
	Reason string    `json:"reason,omitempty"`
	Good   int64     `json:"good"`
	Bad    int64     `json:"bad"`
	Open   int64     `json:"open"`
}

// Change is that a line came or went.
type Change struct {
	At        time.Time `json:"at"`
	Connected bool      `json:"connected"`
	Why       string    `json:"why,omitempty"`
}

// Hour is how many movements happened in an hour.
type Hour struct {
	Hour      time.Time `json:"hour"`
	Movements int64     `json:"movements"`
}

func (a *API) branch(w http.ResponseWriter, r *http.Request) {
	b, err := a.Room.Branch(r.Context(), r.PathValue("code"))
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	v := WholeBranch{Branch: branchOf(&b.Row), Reported: b.Reported, Scanners: []Device{}, Adapters: []Adapter{}, Lines: []Change{}, Hours: []Hour{}}
	for _, x := range b.Report.Scanners {
		v.Scanners = append(v.Scanners, Device(x))
	}
	for _, x := range b.Report.Adapters {
		v.Adapters = append(v.Adapters, adapterOf(x))
	}
	for _, c := range b.Changes {
		v.Lines = append(v.Lines, Change{c.At, c.Online, c.Why})
	}
	for _, h := range b.Hours {
		v.Hours = append(v.Hours, Hour(h))
	}
	a.answer(w, http.StatusOK, v)
}

func adapterOf(x wire.AdapterState) Adapter {
	return Adapter{x.Name, x.State, x.Since, x.Reason, x.Good, x.Bad, x.Open}
}
