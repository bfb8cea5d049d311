package ledger

import (
	"context"
	"fmt"
	"time"
)

// Restore is that the ledger was put back from a backup. What the branches had
// sent comes again, and what is in Odoo is adopted; what people decided after
// AsOf is gone.
type Restore struct {
	// AsOf is when the backup was made, or the newest that the ledger knew when
	// it was noticed; Exact tells which: the first, or that it may be older.
	AsOf  time.Time
	Exact bool
	// NotedAt is when the hub noticed.
	NotedAt time.Time
	// Sign is how it noticed, in a sentence.
	Sign string
}

// RestoreShown is for how long a restore is shown since it was noticed, unless
// somebody settles it before.
const RestoreShown = 7 * 24 * time.Hour

// Words say what a person must do, in sentences.
func (r Restore) Words() string {
	from, since := " from a backup of "+r.AsOf.UTC().Format(momentForm), " since then"
	switch {
	case r.AsOf.IsZero():
		from, since = ", empty", ""
	case !r.Exact:
		from += " or earlier"
	}
	return fmt.Sprintf("The ledger was put back%s (%s). What people decided%s is gone and must be made again: "+
		"retries, releases, discards and aliases. An alias from before is held until somebody has looked (branchline-hub alias list, remove what is wrong, alias confirm). "+
		"Everybody signs in again, API tokens must be made anew, and whom you took away, or whose rights you changed, since then is as before: look at branchline-hub user list. "+
		"What branches sent and what is in Odoo come back by themselves. When that is done, branchline-hub restored ends this warning.", from, r.Sign, since)
}

// catchUp is how long a branch may take to send again what the ledger lost.
const catchUp = 24 * time.Hour

// momentForm is how a moment is told, in UTC.
const momentForm = "2006-01-02 15:04:05 UTC"

// signCopied marks the ledger's copy that is a backup.
const signCopied = "it is a copy made by branchline-hub backup"

// noteCopy takes notice of an own copy that was put in the ledger's place.
func (l *Ledger) noteCopy(ctx context.Context) error {
	return l.Write(ctx, func(tx *Tx) error {
		var asOf int64
		if err := tx.Row(`SELECT COALESCE(MAX(as_of), 0) FROM restores WHERE noted_at = 0`).Scan(&asOf); err != nil || asOf == 0 {
			return err
		}
		if _, err := tx.Exec(`DELETE FROM restores WHERE noted_at = 0`); err != nil {
			return err
		}
		return tx.noteRestore(Restore{AsOf: timeOf(asOf), Exact: true, NotedAt: time.Now().UTC(), Sign: signCopied})
	})
}

// NoteAhead is told that a branch has seen the hub acknowledge more of a stream
// than the ledger holds, which is so only after the ledger was put back from a
// backup. It is noted once for each time; noted tells whether it was. A single
// branch with a stream that the ledger never held is told of by itself
// ([Ledger.Elsewhere]).
func (l *Ledger) NoteAhead(ctx context.Context, s Stream, at time.Time) (noted bool, err error) {
	if known, err := l.restoreKnown(l.reader(ctx), s, at); err != nil || known {
		return false, classify(err)
	}
	var was int64
	if err := l.reader(ctx).Row(`SELECT COUNT(*) FROM elsewhere e WHERE branch = $1 AND epoch = $2 AND lane = $3 AND NOT EXISTS
		(SELECT 1 FROM streams s JOIN branches b ON b.id = s.branch_id WHERE b.code = e.branch AND s.epoch = e.epoch AND s.lane = e.lane)`,
		s.Branch, s.Epoch, int64(s.Lane)).Scan(&was); err != nil || was > 0 {
		return false, classify(err)
	}
	err = l.Write(ctx, func(tx *Tx) error {
		noted = false
		known, err := l.restoreKnown(tx, s, at)
		if err != nil || known {
			return err
		}
		foreign, isNew, err := tx.foreign(s, at)
		if err != nil {
			return err
		}
		if foreign {
			if !isNew {
				return nil
			}
			return tx.noteElsewhere(s, at)
		}
		noted = true
		return tx.noteRestore(Restore{AsOf: l.openedAsOf, NotedAt: at, Sign: "branch " + s.Branch + " had sent more than the ledger holds"})
	})
	return noted, err
}

// restoreKnown tells whether a restore was noted that explains why the stream
// lacks something. What came of it since one was noted is not lacking because of
// that one, once the branch has had the time to send again what it was asked
// for. One that was noted later than at was noted by a clock that was ahead, and
// may be long ago.
func (l *Ledger) restoreKnown(r rower, s Stream, at time.Time) (bool, error) {
	var received, n int64
	if err := r.Row(`SELECT COALESCE(MAX(s.received_at), 0) FROM streams s JOIN branches b ON b.id = s.branch_id
		WHERE b.code = $1 AND s.epoch = $2 AND s.lane = $3`, s.Branch, s.Epoch, int64(s.Lane)).Scan(&received); err != nil {
		return false, err
	}
	since := min(received-catchUp.Milliseconds(), l.opened.UnixMilli())
	err := r.Row(`SELECT COUNT(*) FROM restores WHERE noted_at BETWEEN $1 AND $2`, max(since, 1), at.UnixMilli()).Scan(&n)
	return n > 0, err
}

func (t *Tx) noteRestore(r Restore) error {
	exact := 0
	if r.Exact {
		exact = 1
	}
	var asOf int64
	if !r.AsOf.IsZero() {
		asOf = r.AsOf.UnixMilli()
	}
	if _, err := t.Exec(`INSERT INTO restores (as_of, noted_at, exact, sign) VALUES ($1, $2, $3, $4)`,
		asOf, r.NotedAt.UnixMilli(), exact, r.Sign); err != nil {
		return err
	}
	if err := t.holdAliases(Alias{At: r.NotedAt}); err != nil {
		return err
	}
	if err := t.dropCodes(r.NotedAt); err != nil {
		return err
	}
	if err := t.dropSignedIn(r.NotedAt); err != nil {
		return err
	}
	t.After(func() { t.w.l.log.Warn(r.Words()) })
	return t.Audit(Entry{At: r.NotedAt, Who: "hub", Action: "ledger put back", Subject: "ledger", Detail: r.Words()})
}

// SettleRestores says that what had to be done after each restore so far, and about
// each branch of [Ledger.Elsewhere], is done; it returns how many it was still to be
// said of. A missing name or reason is a
// fault of class Data, "incomplete_decision".
func (l *Ledger) SettleRestores(ctx context.Context, who, why string, at time.Time) (settled int, err error) {
	if err := checkDecision(who, why); err != nil {
		return 0, err
	}
	err = l.Write(ctx, func(tx *Tx) error {
		n, err := tx.Exec(`UPDATE restores SET done_at = $1 WHERE done_at = 0 AND noted_at > 0`, at.UnixMilli())
		if err != nil {
			return err
		}
		settled = int(n)
		n, err = tx.Exec(`UPDATE elsewhere SET done_at = $1 WHERE done_at = 0`, at.UnixMilli())
		if settled += int(n); err != nil || settled == 0 {
			return err
		}
		return tx.Audit(Entry{At: at, Who: who, Action: "restore settled", Subject: "ledger", Detail: why})
	})
	return settled, err
}

// Restores lists what was noted since and is not settled, the oldest first.
func (l *Ledger) Restores(ctx context.Context, since time.Time) ([]Restore, error) {
	var all []Restore
	err := l.reader(ctx).Rows(`SELECT as_of, noted_at, exact, sign FROM restores WHERE noted_at >= $1 AND noted_at > 0 AND done_at = 0 ORDER BY id`,
		[]any{max(since.UnixMilli(), 1)}, func(row Row) error {
			var r Restore
			var asOf, at, exact int64
			err := row.Scan(&asOf, &at, &exact, &r.Sign)
			r.AsOf, r.NotedAt, r.Exact = timeOf(asOf), timeOf(at), exact != 0
			all = append(all, r)
			return err
		})
	return all, classify(err)
}

// newestFact is when the newest that the ledger knows was written; zero for an
// empty one.
func (l *Ledger) newestFact(ctx context.Context) (newest time.Time, err error) {
	r := l.reader(ctx)
	for _, query := range []string{
		`SELECT COALESCE(MAX(at), 0) FROM audit WHERE id = (SELECT MAX(id) FROM audit)`,
		`SELECT COALESCE(MAX(at), 0) FROM rulings WHERE id = (SELECT MAX(id) FROM rulings)`,
		`SELECT COALESCE(MAX(at), 0) FROM posting_attempts WHERE id = (SELECT MAX(id) FROM posting_attempts)`,
		`SELECT COALESCE(MAX(received_at), 0) FROM batches WHERE id = (SELECT MAX(id) FROM batches)`,
	} {
		var at int64
		if err := r.Row(query).Scan(&at); err != nil {
			return newest, err
		}
		if t := timeOf(at); t.After(newest) {
			newest = t
		}
	}
	return newest, nil
}
