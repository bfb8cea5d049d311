package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"branchline/agent/dispense"
	"branchline/internal/feed"
	"branchline/internal/movement"
	"branchline/internal/wire"
)

// What the hub tells of rows is found by their places, once, and told to the exports
// until they have kept it.
func TestRowsSettledAtTheHubAreFoundByTheirPlaces(t *testing.T) {
	var reads int
	var got []string
	var fails error
	told := []feed.Outcome{{Key: "h/1", Epoch: "aaaaaaaaaaaa", Lane: movement.Bulk, Runs: []feed.OutcomeRun{
		{First: 3, Last: 4, State: feed.Discarded, Who: "anna", Why: "a test", At: 100},
		{First: 9, Last: 9, State: feed.Corrected, Who: "bob", Why: "12", At: 200},
		{First: 12, Last: 11}, {First: 20, Last: 20 + maxSettledRun},
	}}, {Key: "h/2", Epoch: "bbbbbbbbbbbb", Lane: movement.Bulk, Runs: []feed.OutcomeRun{{First: 1, Last: 1, State: feed.Released}}}}
	s := &settled{rows: func() []feed.Outcome { return told }, log: slog.New(slog.DiscardHandler), done: map[place]bool{},
		read: func(epoch string, _ movement.Lane, from uint64, _, _ int) (*wire.Batch, error) {
			reads++
			m := movement.Movement{Kind: movement.Dispense, OccurredAt: time.Now(), RecordedAt: time.Now(), NaturalKey: fmt.Sprint("till/", from, "!0011223344556677"),
				Problem: &movement.Problem{Code: "bad_quantity", Text: "x"}}
			switch {
			case epoch != "aaaaaaaaaaaa":
				return nil, errors.New("no such stream")
			case from == 4: // kept no longer: the next one comes
				from = 5
			}
			b := &wire.Batch{Records: [][]byte{m.AppendJSON(nil)}}
			b.First = from
			return b, nil
		},
		settle: func(_ context.Context, words map[string]dispense.HubWord) (int, error) {
			for _, key := range slices.Sorted(maps.Keys(words)) {
				w := words[key]
				got = append(got, fmt.Sprint(key, " ", w.As, " ", w.Who, " ", w.Why, " ", w.At.Unix()))
			}
			return len(words), fails
		}}
	want := "till/3!0011223344556677 discarded anna a test 100, till/9!0011223344556677 corrected bob 12 200"
	fails = errors.New("the disk is full")
	for i := range 4 {
		got, reads = nil, 0
		if i == 1 {
			fails = nil
		}
		s.take(t.Context())
		switch told := strings.Join(got, ", "); {
		case i < 2 && (told != want || reads != 4):
			t.Errorf("%d: %s, want %s, %d reads", i, told, want, reads)
		case i >= 2 && (told != "" || reads != 0):
			t.Errorf("%d: %s again, %d reads", i, told, reads)
		}
	}
}
