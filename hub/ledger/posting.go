package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"branchline/internal/fault"
	"branchline/internal/killpoint"
	"branchline/internal/movement"
)

// PostingState is where a posting stands.
type PostingState string

const (
	// PostingPlanned waits for the poster; nothing of it is in Odoo.
	PostingPlanned PostingState = "planned"
	// PostingBegun may be in Odoo, in part or whole: Step says how far.
	PostingBegun PostingState = "posting"
	// PostingDone is in Odoo, and was read back.
	PostingDone PostingState = "posted"
	// PostingSplit was refused and replaced by smaller ones.
	PostingSplit PostingState = "split"
	// PostingWithdrawn was taken back; its movements wait for the planner again.
	PostingWithdrawn PostingState = "withdrawn"
	// PostingRefused was refused for good; its movements are exceptions.
	PostingRefused PostingState = "refused"
)

// Alive tells whether the posting's movements belong to it.
func (s PostingState) Alive() bool {
	return s == PostingPlanned || s == PostingBegun || s == PostingDone
}

// aliveStates is Alive in SQL.
const aliveStates = `('planned', 'posting', 'posted')`

// movementState is the state of a movement in a posting that is alive.
func (s PostingState) movementState() State {
	if s == PostingDone {
		return Posted
	}
	return Planned
}

// Posting is one document made or to be made in Odoo.
type Posting struct {
	ID int64
	// Name is the document's name in Odoo and says which movements are in it.
	Name      string
	Branch    string
	Kind      movement.Kind
	Document  movement.Document
	Movements int64
	State     PostingState
	// Step is the poster's own note of how far it is.
	Step string
	// Parent is the posting that this was split from, 0 for none.
	Parent               int64
	CreatedAt, ChangedAt time.Time
	// NextAt is when to try again; Attempts how often it was tried.
	NextAt   time.Time
	Attempts int64
	// Fault is the newest failure, with Odoo's own words in Text.
	Fault FaultWords
	// Odoo names the document in Odoo; ID is 0 as long as there is none.
	Odoo OdooRef
	// Body is the planner's plan, in a form that it and the poster agree on.
	Body []byte
}

// FaultWords is a failure as it is kept.
type FaultWords struct{ Class, Code, Text string }

// OdooRef names a record in Odoo.
type OdooRef struct {
	Model string
	ID    int64
	Name  string
}

// NewPosting is a posting to be made.
type NewPosting struct {
	Name      string
	Branch    string
	Kind      movement.Kind
	Document  movement.Document
	Body      []byte
	Movements []MovementID
	// Aliases is the generation of the aliases that it was planned by.
	Aliases int64
}

// Run is a contiguous part of a stream.
type Run struct {
	Stream      Stream
	First, Last uint64
	// Hash is the chain's [ShortHash] after Last; empty where it is not known.
	Hash string
}

// ErrNotPending says that a movement no longer waits for the planner, or that
// the projector is about to look at some again: plan again.
var ErrNotPending = errors.New("a movement is not pending any more")

// ErrBeingMade is an [ErrNotPending]: the derived tables are being made anew, and
// what is pending in them is not yet what is pending.
var ErrBeingMade = fmt.Errorf("the tables of the movements are being made anew: %w", ErrNotPending)

// ErrAliasesChanged is an [ErrNotPending]: codes mean something else than when it
// was planned.
var ErrAliasesChanged = fmt.Errorf("%w: codes mean something else than when it was planned", ErrNotPending)

// CreatePosting makes a posting and takes its movements, which must all be
// pending, else [ErrNotPending] and nothing is done, as with [ErrAliasesChanged]. When a posting that is
// alive has the name already, which names the same movements, its id is given.
func (l *Ledger) CreatePosting(ctx context.Context, p NewPosting, at time.Time) (id int64, err error) {
	err = l.Write(ctx, func(tx *Tx) (err error) {
		id, err = tx.createPosting(p, 0, at)
		killpoint.Here("plan.before-commit")
		return err
	})
	if err == nil {
		killpoint.Here("plan.committed")
	}
	return id, err
}

func (t *Tx) createPosting(p NewPosting, parent int64, at time.Time) (id int64, err error) {
	runs := runsOf(p.Movements)
	if len(runs) == 0 {
		return 0, fmt.Errorf("posting %s has no movements", p.Name)
	}
	var state string
	var unsettled int64
	if err := t.made(); err != nil {
		return 0, err
	}
	if err := t.Row(`SELECT COUNT(*) FROM reconsider`).Scan(&unsettled); err != nil {
		return 0, err
	} else if unsettled > 0 {
		return 0, ErrNotPending
	}
	if now, err := aliasGeneration(t); err != nil {
		return 0, err
	} else if now != p.Aliases {
		return 0, ErrAliasesChanged
	}
	err = t.Row(`SELECT id, state FROM postings WHERE name = $1`, p.Name).Scan(&id, &state)
	if err == nil && PostingState(state).Alive() {
		other, err := t.otherHistory(id)
		if err != nil || !other {
			return id, err
		}
		// The name is that of a document which holds others under these numbers.
		return t.createChained(p, parent, at)
	}
	if err == nil || errors.Is(err, sql.ErrNoRows) {
		// Or that of one which a person has put right in Odoo.
		if settled, err := t.nameSettled(p.Name); err != nil {
			return 0, err
		} else if settled {
			return t.createChained(p, parent, at)
		}
	}
	if err == nil {
		// Planned again after it was taken back: the name is the same since
		// the movements are.
		_, err = t.Exec(`UPDATE postings SET state = $1, step = '', parent_id = $2, changed_at = $3, next_at = 0, body = $4
			WHERE id = $5`, string(PostingPlanned), parent, at.UnixMilli(), bytesOf(p.Body), id)
	} else if errors.Is(err, sql.ErrNoRows) {
		id, err = t.insertPosting(p, PostingPlanned, parent, OdooRef{}, int64(len(p.Movements)), runs, at)
	}
	if err != nil {
		return 0, fmt.Errorf("posting %s: %w", p.Name, err)
	}
	var taken int64
	for _, r := range runs {
		n, err := t.Exec(`UPDATE movements SET state = $1, posting_id = $2 WHERE id BETWEEN $3 AND $4 AND state = 1`,
			int64(Planned), id, int64(r.first), int64(r.last))
		if err != nil {
			return 0, err
		}
		taken += n
		t.stirLive(r.first)
	}
	if taken != int64(len(p.Movements)) {
		return 0, ErrNotPending
	}
	t.Tell(PostingsChanged)
	return id, nil
}

// createChained creates a posting whose name is taken in Odoo.
func (t *Tx) createChained(p NewPosting, parent int64, at time.Time) (id int64, err error) {
	name, err := t.chainedName(&p)
	if err != nil || name == p.Name {
		return 0, errors.Join(err, fmt.Errorf("posting %s: its name is taken", p.Name))
	}
	p.Name = name
	return t.createPosting(p, parent, at)
}

func (t *Tx) insertPosting(p NewPosting, state PostingState, parent int64, odoo OdooRef, count int64, runs []idRun,
	at time.Time) (id int64, err error) {
	branch, err := t.ensureBranch(p.Branch)
	if err != nil {
		return 0, err
	}
	if err := t.Row(`INSERT INTO postings (name, branch_id, kind, document_type, document_ref, movements, state, step,
			parent_id, created_at, changed_at, next_at, attempts, fault_class, fault_code, fault_text,
			odoo_model, odoo_id, odoo_name, body)
		VALUES ($1, $2, $3, $4, $5, $6, $7, '', $8, $9, $10, 0, 0, '', '', '', $11, $12, $13, $14) RETURNING id`,
		p.Name, branch, KindNumber(p.Kind), p.Document.Type, p.Document.Ref, count, string(state), parent,
		at.UnixMilli(), at.UnixMilli(), odoo.Model, odoo.ID, storable(odoo.Name), bytesOf(p.Body)).Scan(&id); err != nil {
		return 0, err
	}
	for _, r := range runs {
		if _, err := t.Exec(`INSERT INTO posting_sets (posting_id, stream_id, first_seq, last_seq) VALUES ($1, $2, $3, $4)`,
			id, r.first.Stream(), int64(r.first.Seq()), int64(r.last.Seq())); err != nil {
			return 0, err
		}
	}
	return id, nil
}

// bytesOf keeps no bytes from being NULL.
func bytesOf(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

type idRun struct{ first, last MovementID }

// runsOf joins neighbours; ids that come twice count once.
func runsOf(ids []MovementID) []idRun {
	ids = slices.Clone(ids)
	slices.Sort(ids)
	var runs []idRun
	for _, id := range slices.Compact(ids) {
		if n := len(runs); n > 0 && runs[n-1].last+1 == id && id.Seq() != 0 {
			runs[n-1].last = id
			continue
		}
		runs = append(runs, idRun{id, id})
	}
	return runs
}

const selectPosting = `SELECT p.id, p.name, b.code, p.kind, p.document_type, p.document_ref, p.movements, p.state, p.step,
	p.parent_id, p.created_at, p.changed_at, p.next_at, p.attempts, p.fault_class, p.fault_code, p.fault_text,
	p.odoo_model, p.odoo_id, p.odoo_name, p.body FROM postings p JOIN branches b ON b.id = p.branch_id `

func scanPosting(r Row) (p Posting, err error) {
	var kind, created, changed, next int64
	var state string
	err = r.Scan(&p.ID, &p.Name, &p.Branch, &kind, &p.Document.Type, &p.Document.Ref, &p.Movements, &state, &p.Step,
		&p.Parent, &created, &changed, &next, &p.Attempts, &p.Fault.Class, &p.Fault.Code, &p.Fault.Text,
		&p.Odoo.Model, &p.Odoo.ID, &p.Odoo.Name, &p.Body)
	p.Kind, p.State = kindOf(kind), PostingState(state)
	p.CreatedAt, p.ChangedAt = time.UnixMilli(created).UTC(), time.UnixMilli(changed).UTC()
	if next > 0 {
		p.NextAt = time.UnixMilli(next).UTC()
	}
	return p, err
}

func (l *Ledger) postings(ctx context.Context, where string, args ...any) ([]Posting, error) {
	var all []Posting
	err := l.reader(ctx).Rows(selectPosting+where, args, func(r Row) error {
		p, err := scanPosting(r)
		all = append(all, p)
		return err
	})
	if err != nil {
		return nil, classify(fmt.Errorf("postings: %w", err))
	}
	return all, nil
}

// Posting gives one posting; none is a fault of class Data, "unknown_posting".
func (l *Ledger) Posting(ctx context.Context, id int64) (Posting, error) {
	all, err := l.postings(ctx, `WHERE p.id = $1`, id)
	if err == nil && len(all) == 0 {
		err = unknownPosting(id)
	}
	if err != nil {
		return Posting{}, err
	}
	return all[0], nil
}

func unknownPosting(id int64) error {
	return fault.New(fault.Data, "unknown_posting", "the hub has no posting %d", id)
}

// PostingByName is Posting by the document's name; ok is false for none.
func (l *Ledger) PostingByName(ctx context.Context, name string) (p Posting, ok bool, err error) {
	all, err := l.postings(ctx, `WHERE p.name = $1`, name)
	if err != nil || len(all) == 0 {
		return p, false, err
	}
	return all[0], true, nil
}

// MaxPause bounds how far a posting's NextAt may lie after its ChangedAt: what is
// further away was told by a clock that has been set back in between.
const MaxPause = 24 * time.Hour

// OpenPostings gives the postings of a branch that are to be made in Odoo and
// whose NextAt has come, oldest first, at most limit. One that was changed after
// now waits for no moment that the same clock has told, and none waits longer
// than [MaxPause]. A zero now gives those that still have to wait, too.
func (l *Ledger) OpenPostings(ctx context.Context, branch string, now time.Time, limit int) ([]Posting, error) {
	next := int64(1) << 62
	if !now.IsZero() {
		next = now.UnixMilli()
	}
	return l.postings(ctx, `WHERE b.code = $1 AND p.state IN ('planned', 'posting')
			AND (p.next_at <= $2 OR p.changed_at > $2 OR p.next_at - p.changed_at > $3)
		ORDER BY p.id LIMIT $4`, branch, next, MaxPause.Milliseconds(), limit)
}

// BranchesWithPostings lists the branches that have postings to be made.
func (l *Ledger) BranchesWithPostings(ctx context.Context) ([]string, error) {
	var all []string
	err := l.reader(ctx).Rows(`SELECT DISTINCT b.code FROM postings p JOIN branches b ON b.id = p.branch_id
		WHERE p.state IN ('planned', 'posting') ORDER BY b.code`, nil, func(r Row) error {
		var code string
		err := r.Scan(&code)
		all = append(all, code)
		return err
	})
	return all, classify(err)
}

// PostingRuns tells which movements are in a posting.
func (l *Ledger) PostingRuns(ctx context.Context, id int64) ([]Run, error) {
	r := l.reader(ctx)
	var runs []Run
	var streams []int64
	err := r.Rows(`SELECT stream_id, first_seq, last_seq FROM posting_sets WHERE posting_id = $1
		ORDER BY stream_id, first_seq`, []any{id}, func(row Row) error {
		var stream, first, last int64
		err := row.Scan(&stream, &first, &last)
		runs, streams = append(runs, Run{First: uint64(first), Last: uint64(last)}), append(streams, stream)
		return err
	})
	for i := range runs {
		if err != nil {
			break
		}
		var k known
		k, err = l.streamByID(r, streams[i])
		runs[i].Stream = k.Stream
	}
	return runs, classify(err)
}

// PostingMovements gives the movements of a posting, in order, whether it is
// alive or not.
func (l *Ledger) PostingMovements(ctx context.Context, id int64) ([]Movement, error) {
	return l.movements(ctx, `JOIN posting_sets s ON m.id BETWEEN s.stream_id * 1099511627776 + s.first_seq
			AND s.stream_id * 1099511627776 + s.last_seq
		WHERE s.posting_id = $1 ORDER BY m.id`, id)
}
