package plan_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"branchline/hub/ledger"
	"branchline/hub/ledger/ledgertest"
	"branchline/hub/plan"
	"branchline/internal/movement"
)

const number = "BR02/BR01/T260301-090000"

func boxed(m *ledger.Movement) { m.Document = movement.Document{Type: "transfer", Ref: number} }

func state(s ledger.State) change { return func(m *ledger.Movement) { m.State = s } }

func at(branch string) change { return func(m *ledger.Movement) { m.Identity.Branch = branch } }

// known makes what the hub has of the transfer already.
func known(whole bool, all ...ledger.Movement) func(in *plan.Input) {
	for i := range all {
		all[i].ID = ledger.MakeID(2, uint64(i+1))
		all[i].Identity.Epoch, all[i].Identity.Lane, all[i].Identity.Seq = "bcdefghijklm", movement.Live, uint64(i+1)
		boxed(&all[i])
	}
	return func(in *plan.Input) {
		in.Transfers = map[string]ledger.Transfer{number: {Movements: all, Whole: whole}}
	}
}

func TestABoxIsHeldAgainstWhatWasSent(t *testing.T) {
	sent := func(n int64, changes ...change) ledger.Movement {
		return moved("transfer_out", "B", n, append([]change{at("BR02"), state(ledger.Posted), grouped(1)}, changes...)...)
	}
	sentA := func(n int64, changes ...change) ledger.Movement {
		return moved("transfer_out", "A", n, append([]change{at("BR02"), state(ledger.Posted), grouped(1)}, changes...)...)
	}
	took := func(n int64, changes ...change) ledger.Movement {
		return moved("transfer_in", "B", n, append([]change{at("BR03"), state(ledger.Posted), grouped(2)}, changes...)...)
	}
	comes := func(n int64, changes ...change) ledger.Movement {
		return moved("transfer_in", "B", n, append([]change{boxed, grouped(9)}, changes...)...)
	}
	cases := map[string]struct {
		pending []ledger.Movement
		with    func(in *plan.Input)
		want    []string
	}{
		"what was sent comes": {[]ledger.Movement{comes(2)}, known(true, sent(2)), []string{"posting"}},
		"in parts":            {[]ledger.Movement{comes(1), comes(2, grouped(10))}, known(true, sent(3)), []string{"posting", "posting"}},
		"more than was sent":  {[]ledger.Movement{comes(2), comes(1)}, known(true, sent(2)), []string{"posting", "more_than_sent"}},
		"taken in at another branch": {[]ledger.Movement{comes(2)}, known(true, sent(2), took(2)),
			[]string{"more_than_sent"}},
		"planned there counts, what waits for a person there does not": {[]ledger.Movement{comes(2), comes(1)},
			known(true, sent(4), took(2, state(ledger.Planned)), took(2, state(ledger.Excepted), grouped(3))), []string{"posting", "more_than_sent"}},
		"two lists of one branch at once": {[]ledger.Movement{comes(2), comes(2, grouped(10))}, known(true, sent(2)), []string{"posting", "more_than_sent"}},
		"another product": {[]ledger.Movement{moved("transfer_in", "K", 1, boxed, grouped(9)), comes(1)}, known(true, sent(2)),
			[]string{"more_than_sent", "posting"}},
		"another lot": {[]ledger.Movement{moved("transfer_in", "A", 1, boxed, grouped(9), lot("KNOWN")), moved("transfer_in", "A", 1, boxed, grouped(9), lot("N"), expires("2028-01-01"))},
			known(true, sentA(1, lot("known")), sentA(1, lot("M"))), []string{"posting", "more_than_sent"}},
		"a lot when it was sent without one": {[]ledger.Movement{moved("transfer_in", "A", 1, boxed, grouped(9), lot("KNOWN"))},
			known(true, sentA(1)), []string{"posting"}},
		"packs of another code are the same product": {[]ledger.Movement{comes(10)},
			known(true, sent(0, gtin("00000000000010"), amount("1"))), []string{"posting"}},
		"released": {[]ledger.Movement{comes(2)}, func(in *plan.Input) {
			known(true, sent(2), took(2))(in)
			in.Released = map[ledger.MovementID][]string{ledger.MakeID(1, 1): {"more_than_sent"}}
		}, []string{"posting"}},
		"the sender is offline":                    {[]ledger.Movement{comes(2), comes(1)}, known(true), []string{"posting", "posting"}},
		"the sender is offline, and it came twice": {[]ledger.Movement{comes(2)}, known(true, took(2)), []string{"taken_in_before"}},
		"the sender's words have come in part":     {[]ledger.Movement{comes(2)}, known(false, sent(1)), []string{"posting"}},
		"in part, and it came twice":               {[]ledger.Movement{comes(1)}, known(false, sent(4), took(1)), []string{"taken_in_before"}},
		"what was sent cannot be told": {[]ledger.Movement{comes(2)},
			known(true, moved("transfer_out", "NONE", 2, at("BR02"), state(ledger.Excepted))), []string{"posting"}},
		"a pack with a serial number, once": {[]ledger.Movement{moved("transfer_in", "S", 1, boxed, serial("1"), expires("2028-01-01")), comes(1)},
			known(true, took(1, grouped(9)), moved("transfer_in", "S", 1, at("BR03"), state(ledger.Posted), serial("1"))), []string{"taken_in_before", "posting"}},
		"without a number there is nothing to compare": {[]ledger.Movement{moved("transfer_in", "B", 5, grouped(9))}, known(true, sent(1)), []string{"posting"}},
		"an old catalogue is asked first": {[]ledger.Movement{comes(1)}, func(in *plan.Input) {
			known(true, sent(2), moved("transfer_out", "NONE", 2, at("BR02"), state(ledger.Posted)))(in)
			in.MissingIsFinal = false
		}, []string{"waits"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			in := input(slices.Clone(c.pending)...)
			in.Settings.NewLotsOn = append(in.Settings.NewLotsOn, movement.TransferIn)
			c.with(&in)
			out := plan.Plan(in)
			got := outcome(in, out)[:len(c.pending)]
			for i := range got {
				got[i], _, _ = strings.Cut(got[i], " ")
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got  %q\nwant %q\n%+v", got, c.want, out.Refused)
			}
			for _, r := range out.Refused {
				if !strings.Contains(r.Text, number) || !strings.Contains(r.Hint, "branchline-hub release") || !slices.Contains(ledger.Releasable, r.Reason) {
					t.Errorf("a person cannot do anything with %+v", r)
				}
			}
		})
	}
}

// Two branches take the same box in at the same moment, in whatever order the hub
// plans them: one of them counts.
func TestABoxThatTwoBranchesTakeIn(t *testing.T) {
	for round := range 20 {
		t.Run(fmt.Sprint(round), func(t *testing.T) {
			d := newDesk(t)
			box := func(m *movement.Movement) {
				m.Product = movement.Product{Scheme: movement.SKU, Code: "B"}
				m.Document = movement.Document{Type: "transfer", Ref: number}
			}
			in := func(m *movement.Movement) { box(m); m.Group = movement.Group{ID: "s1", Size: 1} }
			if round%2 == 0 {
				ledgertest.NewSender("BR02", "abcdefghijkl", movement.Live).Commit(t, d.ledger, ledgertest.Record(movement.TransferOut, 2, box))
			}
			for _, branch := range []string{"BR01", "BR03", "BR04"} {
				ledgertest.NewSender(branch, "abcdefghijkl", movement.Live).Commit(t, d.ledger, ledgertest.Record(movement.TransferIn, 2, in))
			}
			if err := d.projector.CatchUp(t.Context()); err != nil {
				t.Fatal(err)
			}
			d.once(t)
			counted := 0
			for _, branch := range []string{"BR01", "BR03", "BR04"} {
				all, err := d.ledger.OpenPostings(t.Context(), branch, ledgertest.Noon.AddDate(10, 0, 0), 10)
				if err != nil {
					t.Fatal(err)
				}
				counted += len(all)
				reasons, err := d.ledger.CountExceptions(t.Context(), branch)
				if err != nil || len(all)+len(reasons) != 1 {
					t.Errorf("%s has %d postings and %v (%v)", branch, len(all), reasons, err)
				}
			}
			if counted != 1 {
				t.Errorf("the box counts %d times", counted)
			}
		})
	}
}
