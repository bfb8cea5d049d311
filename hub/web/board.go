package web

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"branchline/hub/room"
)

// boardBody is the board, and what of it was asked for.
type boardBody struct {
	room.Board
	Filter room.BranchFilter
	Rows   []boardRow
	// Order are the keys of all rows of this page, in their order; those that the
	// browser has already are not in Rows.
	Order string
	// Chips lead to the branches of a state.
	Chips          []chip
	Sorts          []choice
	Previous, Next string
	Wrong          string
}

// boardRow is a branch, and a mark that is the same as long as nothing of it that is
// shown has changed.
type boardRow struct {
	room.Row
	Mark string
}

type chip struct {
	ID, Path, Word string
	Count          int
	Current        bool
}

// choice is one of a list, and its word.
type choice struct{ Value, Word string }

var stateWords = map[room.BranchState]string{"": "All", room.Attention: "Need attention", room.Offline: "Not connected", room.Late: "Late",
	room.WithExceptions: "With exceptions", room.DevicesDown: "Scanner or export down", room.Connected: "Connected"}

var sortChoices = []choice{{string(room.ByNeed), "what needs attention"}, {string(room.ByCode), "code"}, {string(room.ByUnsent), "most unsent"},
	{string(room.ByLag), "longest lag"}, {string(room.ByExceptions), "most exceptions"}}

// maxMarks bounds what a browser says that it has, in bytes.
const maxMarks = 8 << 10

func (s *Site) board(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	b := boardBody{Sorts: sortChoices}
	page, _ := strconv.Atoi(q.Get("page")) // what is no number is the first page
	b.Filter = room.BranchFilter{Group: cut(q.Get("group"), 100), State: room.BranchState(cut(q.Get("state"), 40)),
		Text: cut(strings.TrimSpace(q.Get("q")), 100), Sort: room.BranchSort(cut(q.Get("sort"), 40)), Page: page}
	var err error
	b.Board, err = s.Room.Board(r.Context(), b.Filter)
	if f, ok := faultOf(err); ok && f.Code == room.CodeBadFilter {
		b.Wrong = sentence(f.Message)
		b.Filter = room.BranchFilter{}
		b.Board, err = s.Room.Board(r.Context(), b.Filter)
	}
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	b.Filter.Page = b.Page
	b.mark(r.Header.Get("X-Have"))
	b.lead()
	s.show(w, r, http.StatusOK, "board.html", "/", frame{Title: "Branches", Body: b})
}

// mark leaves out the rows that the browser has, by the marks that it names.
func (b *boardBody) mark(have string) {
	has := map[string]bool{}
	if len(have) <= maxMarks {
		for mark := range strings.FieldsSeq(have) {
			has[mark] = true
		}
	}
	codes := make([]string, len(b.Branches))
	for i := range b.Branches {
		row := boardRow{Row: b.Branches[i]}
		row.Mark = markOf(&row.Row)
		codes[i] = row.Code
		if !has[row.Mark] {
			b.Rows = append(b.Rows, row)
		}
	}
	b.Order = strings.Join(codes, " ")
}

// markOf is made of what a row shows; how long ago things were the browser counts by
// itself.
func markOf(r *room.Row) string {
	h := fnv.New64a()
	_, _ = fmt.Fprintf(h, "%+v", *r) // a hash takes everything
	return strconv.FormatUint(h.Sum64(), 36)
}

// lead makes the addresses that lead on from here.
func (b *boardBody) lead() {
	for _, state := range append([]room.BranchState{""}, room.BranchStates...) {
		f := b.Filter
		f.State, f.Page = state, 1
		n := b.Counts[state]
		if state == "" {
			n = b.All
		}
		b.Chips = append(b.Chips, chip{cmp.Or(string(state), "all"), pathOf(f), stateWords[state], n, state == b.Filter.State})
	}
	at := func(page int) string {
		f := b.Filter
		f.Page = page
		return pathOf(f)
	}
	if b.Page > 1 {
		b.Previous = at(b.Page - 1)
	}
	if b.Page < b.Pages {
		b.Next = at(b.Page + 1)
	}
}

func pathOf(f room.BranchFilter) string {
	q := url.Values{}
	for name, value := range map[string]string{"group": f.Group, "state": string(f.State), "q": f.Text, "sort": string(f.Sort)} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if f.Page > 1 {
		q.Set("page", strconv.Itoa(f.Page))
	}
	if len(q) == 0 {
		return "/"
	}
	return "/?" + q.Encode()
}
