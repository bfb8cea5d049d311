package reconcile

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"branchline/hub/ledger"
	"branchline/internal/movement"
	"branchline/internal/wire"
)

// Report is what a branch last said of its outbox, and when the hub heard it.
type Report struct {
	Streams []wire.StreamState
	At      time.Time
}

// book collects what is found at a branch.
type book struct {
	days    map[movement.Date]*ledger.Buckets
	records []ledger.RecordDifference
	left    int64
	// known is what people have accepted, agreed what of it is there still.
	known  []ledger.Accepted
	agreed []ledger.AcceptedRecord
}

func (b *book) day(d movement.Date) *ledger.Buckets {
	if b.days[d] == nil {
		b.days[d] = new(ledger.Buckets)
	}
	return b.days[d]
}

func (b *book) differs(d ledger.RecordDifference) {
	if len(b.records) >= ledger.MaxReconciled {
		b.left++
		return
	}
	b.records = append(b.records, d)
}

// accepted tells whether a person has said of a difference that Odoo is right, and
// keeps that.
func (b *book) accepted(d ledger.RecordDifference) bool {
	i := slices.IndexFunc(b.known, func(a ledger.Accepted) bool { return a.Of(&d) })
	if i >= 0 && len(b.agreed) < ledger.MaxReconciled {
		b.agreed = append(b.agreed, ledger.AcceptedRecord{RecordDifference: d, At: b.known[i].At, Who: b.known[i].Who, Why: b.known[i].Why})
	}
	return i >= 0
}

// sorted gives the days, the newest first; those without a day at the end.
func (b *book) sorted() (all []ledger.ReconciledDay, sum ledger.Buckets) {
	for _, d := range slices.SortedFunc(maps.Keys(b.days), func(x, y movement.Date) int { return cmp.Compare(y.String(), x.String()) }) {
		all = append(all, ledger.ReconciledDay{Day: d, Buckets: *b.days[d]})
		sum.Add(*b.days[d])
	}
	return all, sum
}

// posted is a posting and how many of its movements happened on which day.
type posted struct {
	id   int64
	days map[movement.Date]int64
}

func (p *posted) count() (n int64) {
	for _, d := range p.days {
		n += d
	}
	return n
}

// day is the last of its days.
func (p *posted) day() (last movement.Date) {
	for d := range p.days {
		if last.Before(d) {
			last = d
		}
	}
	return last
}

// count puts the branch's movements since a day into their buckets, all but what is
// found in Odoo, and gives the postings that are to be looked for there.
func (r *Runner) count(ctx context.Context, b *book, branch string, from, today movement.Date) ([]posted, error) {
	totals, gaps, err := r.totals(ctx, branch)
	if err != nil {
		return nil, err
	}
	counts, err := r.ledger.DayCounts(ctx, branch, from)
	if err != nil {
		return nil, err
	}
	byID := map[int64]map[movement.Date]int64{}
	for _, c := range counts {
		d := b.day(c.Day)
		d.Captured, d.Received = d.Captured+c.Count, d.Received+c.Count
		switch c.State {
		case ledger.Pending, ledger.Planned:
			d.Waiting += c.Count
		case ledger.Excepted:
			d.Person += c.Count
		case ledger.Duplicate:
			d.Repeated += c.Count
		case ledger.Discarded:
			d.Discarded += c.Count
		case ledger.Posted:
			d.Posted += c.Count
			if byID[c.PostingID] == nil {
				byID[c.PostingID] = map[movement.Date]int64{}
			}
			byID[c.PostingID][c.Day] += c.Count
		}
	}
	unplaced := totals.Through - totals.Projected
	for _, g := range gaps {
		n := int64(g.Last-g.First) + 1
		unplaced -= n
		b.gap(&g, n, from)
	}
	switch d := b.day(today); {
	case unplaced > 0 && totals.Behind:
		d.Captured, d.Received, d.Arriving = d.Captured+unplaced, d.Received+unplaced, d.Arriving+unplaced
	case unplaced != 0 && !totals.Behind:
		d.Captured, d.Received = d.Captured+unplaced, d.Received+unplaced
		b.differs(ledger.RecordDifference{What: ledger.RecordUnplaced, Day: today, Count: unplaced,
			Text: fmt.Sprintf("the hub has received %d records of the branch, and holds %d more or fewer: branchline-hub verify tells whether the ledger is whole, branchline-hub rebuild makes its tables anew", totals.Through, unplaced)})
	}
	all := make([]posted, 0, len(byID))
	for _, id := range slices.Sorted(maps.Keys(byID)) {
		all = append(all, posted{id, byID[id]})
	}
	return all, nil
}

// totals reads what must fit together, again when something came in between.
func (r *Runner) totals(ctx context.Context, branch string) (t ledger.BranchTotals, gaps []ledger.BranchGap, err error) {
	for range 3 {
		if t, err = r.ledger.BranchTotals(ctx, branch); err != nil {
			return t, nil, err
		}
		if gaps, err = r.ledger.BranchGaps(ctx, branch); err != nil {
			return t, nil, err
		}
		again, err := r.ledger.BranchTotals(ctx, branch)
		if err != nil || again == t {
			return t, gaps, err
		}
	}
	t.Behind = true
	return t, gaps, nil
}

// gap is for records that are missing. The days before are not looked at, except
// for what a person has still to deal with.
func (b *book) gap(g *ledger.BranchGap, n int64, from movement.Date) {
	if g.Day.Before(from) && !g.Open {
		return
	}
	d, what, text := b.day(g.Day), ledger.RecordLost, "the branch no longer had them when the hub asked for them: count its stock"
	d.Captured += n
	if g.Damaged {
		what, text = ledger.RecordDamaged, "the hub can no longer read them: put back the newest backup of the ledger"
		d.Received += n
		d.Damaged += n
	} else {
		d.Lost += n
	}
	if g.Open {
		b.differs(ledger.RecordDifference{What: what, Day: g.Day, Text: text, Count: n, Movements: runWords([]ledger.Run{{Stream: g.Stream, First: g.First, Last: g.Last}})})
	}
}

// streams holds what the branch says of its outbox against what has come. before is
// what it had said by the last comparison.
func (r *Runner) streams(ctx context.Context, b *book, branch string, before []ledger.ReconciledStream, today movement.Date) (all []ledger.ReconciledStream, err error) {
	has, err := r.ledger.Streams(ctx, branch)
	if err != nil {
		return nil, err
	}
	said, heard := r.reported(branch)
	type name struct {
		epoch string
		lane  movement.Lane
	}
	at := map[name]int{}
	for _, s := range has {
		at[name{s.Epoch, s.Lane}] = len(all)
		all = append(all, ledger.ReconciledStream{Epoch: s.Epoch, Lane: s.Lane, Appended: s.Through, Received: s.Through})
	}
	for _, s := range before { // what it said once holds
		i, ok := at[name{s.Epoch, s.Lane}]
		if !ok && s.Appended == 0 {
			continue
		}
		if !ok { // nothing of it has ever come
			i = len(all)
			at[name{s.Epoch, s.Lane}] = i
			all = append(all, ledger.ReconciledStream{Epoch: s.Epoch, Lane: s.Lane})
		}
		all[i].Appended, all[i].Heard = max(all[i].Appended, s.Appended), s.Heard
	}
	if !heard {
		return all, nil
	}
	for _, s := range said.Streams {
		i, ok := at[name{s.Epoch, s.Lane}]
		if !ok {
			i = len(all)
			all = append(all, ledger.ReconciledStream{Epoch: s.Epoch, Lane: s.Lane})
		}
		c := &all[i]
		c.Appended, c.Heard = max(s.Last, c.Received), said.At
		run := func(first, last uint64) string {
			return runWords([]ledger.Run{{Stream: ledger.Stream{Branch: branch, Epoch: s.Epoch, Lane: s.Lane}, First: first, Last: last}})
		}
		switch {
		case s.Acked > c.Received:
			b.differs(ledger.RecordDifference{What: ledger.RecordBehind, Day: today, Count: int64(s.Acked - c.Received), Movements: run(c.Received+1, s.Acked), //nolint:gosec // bounded by the report
				Text: "the hub had acknowledged them and does not have them, as after it was put back from a backup: the branch sends them again when it connects"})
		case ok && s.Last < c.Received && said.At.After(has[i].LastReceived):
			b.differs(ledger.RecordDifference{What: ledger.RecordBehind, Day: today, Count: int64(c.Received - s.Last), Movements: run(s.Last+1, c.Received), //nolint:gosec // bounded by the stream
				Text: "the hub has them and the branch's outbox ends before them, as after its disk was put back from a copy"})
		}
	}
	return all, nil
}

// unsent counts what the branch has told of and not sent.
func unsent(all []ledger.ReconciledStream) (n uint64, heard bool) {
	for _, s := range all {
		n += s.Appended - s.Received
		heard = heard || !s.Heard.IsZero()
	}
	return n, heard
}
