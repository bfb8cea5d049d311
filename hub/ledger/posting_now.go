package ledger

import (
	"context"
	"fmt"
	"time"

	"branchline/internal/fault"
)

// CodeNotNow is of a posting that cannot be tried or planned again.
const CodeNotNow = "not_now"

// TryNow lets the poster try a posting without waiting for the pause that it is
// in. It goes on from the step at which it stands, each of which can be repeated,
// so that nothing is made twice. One that is not to be made any more is a fault
// of class Data, "not_now".
func (l *Ledger) TryNow(ctx context.Context, id int64, who, why string, at time.Time) error {
	if err := checkDecision(who, why); err != nil {
		return err
	}
	return l.Write(ctx, func(tx *Tx) error {
		p, err := tx.Document(id)
		if err != nil {
			return err
		}
		if p.State != PostingPlanned && p.State != PostingBegun {
			return notNow(p, "there is nothing to try")
		}
		if _, err := tx.Exec(`UPDATE postings SET next_at = 0 WHERE id = $1`, id); err != nil {
			return err
		}
		tx.Tell(PostingsChanged)
		return tx.Audit(Entry{At: at, Who: who, Action: "try posting", Subject: p.Name, Detail: why})
	})
}

// PlanAgain takes a posting back of which nothing is in Odoo, so that its
// movements are planned by what Odoo and people say now. One that has begun or is
// over is a fault of class Data, "not_now".
func (l *Ledger) PlanAgain(ctx context.Context, id int64, who, why string, at time.Time) error {
	if err := checkDecision(who, why); err != nil {
		return err
	}
	return l.Write(ctx, func(tx *Tx) error {
		p, err := tx.Document(id)
		if err != nil {
			return err
		}
		if p.State != PostingPlanned {
			return notNow(p, "it may be in Odoo already, or is over")
		}
		if _, err := tx.changePosting(id, PostingChange{At: at, State: PostingWithdrawn, Step: "plan again"}); err != nil {
			return err
		}
		return tx.Audit(Entry{At: at, Who: who, Action: "plan again", Subject: p.Name, Detail: why})
	})
}

func notNow(p *Posting, why string) error {
	return fault.New(fault.Data, CodeNotNow, "posting %s is %s: %s", p.Name, p.State, why).WithHint("look at it again")
}

// Tries sums up the newest tries of all postings.
type Tries struct {
	// Of is how many there were, Failed how many of them failed.
	Of, Failed int
	// Median and Slowest are how long they took.
	Median, Slowest time.Duration
	Last            time.Time
}

// LatestTries looks at the newest of them, at most n.
func (l *Ledger) LatestTries(ctx context.Context, n int) (t Tries, err error) {
	var took []int64
	err = l.reader(ctx).Rows(`SELECT took_ms, class, at FROM (SELECT id, took_ms, class, at FROM posting_attempts ORDER BY id DESC LIMIT $1) a
		ORDER BY took_ms`, []any{n}, func(r Row) error {
		var ms, at int64
		var class string
		err := r.Scan(&ms, &class, &at)
		took = append(took, ms)
		if class != "" {
			t.Failed++
		}
		if last := timeOf(at); last.After(t.Last) {
			t.Last = last
		}
		return err
	})
	if err != nil {
		return t, classify(fmt.Errorf("tries of postings: %w", err))
	}
	if t.Of = len(took); t.Of > 0 {
		t.Median = time.Duration(took[t.Of/2]) * time.Millisecond
		t.Slowest = time.Duration(took[t.Of-1]) * time.Millisecond
	}
	return t, nil
}
