package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"branchline/internal/movement"
)

// Reconciled is what the last comparison of a branch with Odoo found.
type Reconciled struct {
	Branch string
	// BeganAt is when it began: what came later is not in it. At is when it ended.
	BeganAt, At time.Time
	// Who asked for it: a person, or the schedule.
	Who string
	// Differences counts all that is otherwise, Since is since when there is any;
	// zero for nothing.
	Differences int64
	Since       time.Time
	Summary     ReconciledSummary
	// Result is nil in a list.
	Result *ReconciledResult
}

// ReconciledSummary is a comparison in a line.
type ReconciledSummary struct {
	// All is over the days that were looked at.
	All     Buckets `json:"all"`
	Unsent  uint64  `json:"unsent"`
	Heard   bool    `json:"heard"`
	Records int64   `json:"records"`
	Stock   int64   `json:"stock"`
	// NoStock is why the stock was not compared; empty if it was.
	NoStock string `json:"no_stock,omitempty"`
}

// Buckets counts movements. Each of Captured is in exactly one of Lost, Damaged,
// Arriving, Waiting, Person, Discarded, Repeated and Posted; each of Posted in
// exactly one of Found, Changed, Missing and Accepted.
type Buckets struct {
	// Captured is what the hub has asked the branch for: all that it had sent or lost
	// by then. Lost the branch no longer had.
	Captured int64 `json:"captured"`
	Lost     int64 `json:"lost,omitempty"`
	// Received is in the ledger: Captured without Lost.
	Received int64 `json:"received"`
	// Damaged can no longer be read there; Arriving is not looked at yet.
	Damaged  int64 `json:"damaged,omitempty"`
	Arriving int64 `json:"arriving,omitempty"`
	// Waiting is on its way to Odoo, Person waits for one.
	Waiting int64 `json:"waiting,omitempty"`
	Person  int64 `json:"person,omitempty"`
	// Discarded was taken out by a person, Repeated is an event that is there
	// already.
	Discarded int64 `json:"discarded,omitempty"`
	Repeated  int64 `json:"repeated,omitempty"`
	Posted    int64 `json:"posted"`
	// Found is in a document in Odoo that is done and as it was posted, Changed in
	// one that is otherwise, Missing in none that is done. Accepted is in one that is
	// otherwise or not done, of which a person has said that it is right so.
	Found    int64 `json:"found"`
	Changed  int64 `json:"changed,omitempty"`
	Missing  int64 `json:"missing,omitempty"`
	Accepted int64 `json:"accepted,omitempty"`
}

// Add sums two.
func (b *Buckets) Add(o Buckets) {
	b.Captured, b.Lost, b.Received, b.Damaged = b.Captured+o.Captured, b.Lost+o.Lost, b.Received+o.Received, b.Damaged+o.Damaged
	b.Arriving, b.Waiting, b.Person, b.Discarded = b.Arriving+o.Arriving, b.Waiting+o.Waiting, b.Person+o.Person, b.Discarded+o.Discarded
	b.Repeated, b.Posted, b.Found = b.Repeated+o.Repeated, b.Posted+o.Posted, b.Found+o.Found
	b.Changed, b.Missing, b.Accepted = b.Changed+o.Changed, b.Missing+o.Missing, b.Accepted+o.Accepted
}

// Unplaced is what is in no bucket, which there must never be; negative for what is
// in two.
func (b *Buckets) Unplaced() int64 {
	return b.Captured - b.Lost - b.Damaged - b.Arriving - b.Waiting - b.Person - b.Discarded - b.Repeated - b.Posted
}

// ReconciledResult is a comparison as a whole.
type ReconciledResult struct {
	// From is the first day that was looked at.
	From    movement.Date      `json:"from"`
	Streams []ReconciledStream `json:"streams"`
	Days    []ReconciledDay    `json:"days"`
	// Records are at most [MaxReconciled]; RecordsLeft counts the others.
	Records     []RecordDifference `json:"records,omitempty"`
	RecordsLeft int64              `json:"records_left,omitempty"`
	// Accepted are those that are no difference any more, as a person has said; at
	// most [MaxReconciled].
	Accepted []AcceptedRecord `json:"accepted,omitempty"`
	Stock    ReconciledStock  `json:"stock"`
}

// MaxReconciled bounds each list of differences that is kept of a branch.
const MaxReconciled = 1000

// ReconciledStream is what a branch has said of one stream of its outbox, and what
// the hub has of it.
type ReconciledStream struct {
	Epoch string        `json:"epoch"`
	Lane  movement.Lane `json:"lane"`
	// Appended is the last place that the branch has told of at Heard; Received the
	// last one that the hub has.
	Appended uint64    `json:"appended"`
	Heard    time.Time `json:"heard,omitzero"`
	Received uint64    `json:"received"`
}

// ReconciledDay is a day of the branch, by when its movements happened there. Of the
// zero day are those whose time cannot be read.
type ReconciledDay struct {
	Day movement.Date `json:"day,omitzero"`
	Buckets
}

// RecordDifference is something between the branch, the ledger and Odoo that is not
// as it should be.
type RecordDifference struct {
	What RecordWhat    `json:"what"`
	Day  movement.Date `json:"day,omitzero"`
	// Text says what is otherwise; Movements which of the branch's, as runs of
	// epoch/lane:first-last, Count how many.
	Text      string `json:"text"`
	Movements string `json:"movements,omitempty"`
	Count     int64  `json:"count"`
	Posting   string `json:"posting,omitempty"`
	OdooModel string `json:"odoo_model,omitempty"`
	OdooID    int64  `json:"odoo_id,omitempty"`
	OdooName  string `json:"odoo_name,omitempty"`
}

// AcceptedRecord is a difference of which a person has said that Odoo is right.
type AcceptedRecord struct {
	RecordDifference
	At  time.Time `json:"at"`
	Who string    `json:"who"`
	Why string    `json:"why"`
}

// Cut stands at the end of words of a difference that go on.
const Cut = "…"

// RecordWhat is a kind of difference.
type RecordWhat string

// Kinds of differences.
const (
	// RecordLost: the branch no longer had it when it was asked for it.
	RecordLost RecordWhat = "lost"
	// RecordDamaged: the hub can no longer read it.
	RecordDamaged RecordWhat = "damaged"
	// RecordBehind: the branch's outbox ends before what the hub has of it, or says
	// that the hub has more than it has.
	RecordBehind RecordWhat = "outbox"
	// RecordUnplaced: the ledger's own numbers do not add up.
	RecordUnplaced RecordWhat = "unplaced"
	// DocumentGone, DocumentCancelled, DocumentOpen and DocumentChanged: the
	// document in Odoo is not there any more, cancelled, not done any more, or not
	// what was posted. DocumentForeign says that it is no longer marked as ours.
	DocumentGone      RecordWhat = "gone"
	DocumentCancelled RecordWhat = "cancelled"
	DocumentOpen      RecordWhat = "not done"
	DocumentChanged   RecordWhat = "changed"
	DocumentForeign   RecordWhat = "unmarked"
	// DocumentUnknown: a document of ours that the ledger does not know.
	DocumentUnknown RecordWhat = "unknown"
)

// Words say the kind shortly.
func (w RecordWhat) Words() string {
	if words := recordWords[w]; words != "" {
		return words
	}
	return string(w)
}

var recordWords = map[RecordWhat]string{RecordLost: "Lost at the branch", RecordDamaged: "Unreadable at the hub", RecordBehind: "Outbox and hub differ",
	RecordUnplaced: "Does not add up", DocumentGone: "Gone from Odoo", DocumentCancelled: "Cancelled in Odoo", DocumentOpen: "Not done in Odoo",
	DocumentChanged: "Changed in Odoo", DocumentForeign: "Marker gone in Odoo", DocumentUnknown: "In Odoo, not known here"}

// ReconciledStock is the stock that follows from the ledger against Odoo's.
type ReconciledStock struct {
	// At is when Odoo was asked; zero if it was not, and Why says why.
	At  time.Time `json:"at,omitzero"`
	Why string    `json:"why,omitempty"`
	// Start is from when on it is compared: what Odoo had then is taken as it was.
	Start    time.Time `json:"start,omitzero"`
	StartWho string    `json:"start_who,omitempty"`
	StartWhy string    `json:"start_why,omitempty"`
	// Compared counts products and lots, Left what could not be, with why.
	Compared    int64             `json:"compared"`
	Left        []StockLeft       `json:"left,omitempty"`
	Differences []StockDifference `json:"differences,omitempty"`
	// More counts those beyond [MaxReconciled].
	More int64 `json:"more,omitempty"`
	// MovesLeft tells that Odoo had more foreign moves than were read.
	MovesLeft bool `json:"moves_left,omitempty"`
}

// StockLeft is a product code of the branch that was not compared.
type StockLeft struct {
	Product movement.Product `json:"product"`
	Lot     string           `json:"lot,omitempty"`
	Why     string           `json:"why"`
}

// StockDifference is a product and lot of which Odoo has more or less than follows
// from what it had at the start and what was posted since. Quantities are in the
// product's own unit.
type StockDifference struct {
	ProductID int64  `json:"product_id"`
	Name      string `json:"name"`
	Code      string `json:"code,omitempty"`
	Unit      string `json:"unit,omitempty"`
	// Lot is empty for a product that is compared as a whole; Together says why that
	// is, for one that has lots.
	Lot      string `json:"lot,omitempty"`
	Together string `json:"together,omitempty"`
	// Start is what Odoo had that the ledger's documents do not explain, Moved what
	// they moved in all, Expected the sum; Odoo is what it has.
	Start    movement.Quantity `json:"start"`
	Moved    movement.Quantity `json:"moved"`
	Expected movement.Quantity `json:"expected"`
	Odoo     movement.Quantity `json:"odoo"`
	// Waiting is what the branch moved and is not posted yet: in no sum.
	Waiting movement.Quantity `json:"waiting,omitempty"`
	Moves   []ForeignMove     `json:"moves,omitempty"`
}

// Off is how much more Odoo has than expected; negative for less.
func (d *StockDifference) Off() movement.Quantity { return d.Odoo - d.Expected }

// ForeignMove is a movement of stock in Odoo that nobody at the branch recorded.
type ForeignMove struct {
	At time.Time `json:"at"`
	// Who wrote it last.
	Who      string            `json:"who"`
	Document string            `json:"document"`
	OdooID   int64             `json:"odoo_id,omitempty"`
	Lot      string            `json:"lot,omitempty"`
	Quantity movement.Quantity `json:"quantity"`
	// Unit is empty for the product's own. Ours tells that it is a document of ours
	// that is not as it was posted.
	Unit string `json:"unit,omitempty"`
	Ours bool   `json:"ours,omitempty"`
}

const selectReconciled = `SELECT b.code, r.began_at, r.at, r.who, r.differences, r.since, r.summary FROM reconciled r JOIN branches b ON b.id = r.branch_id `

func scanReconciled(row Row, more ...any) (c Reconciled, err error) {
	var began, at, since int64
	var summary []byte
	if err = row.Scan(append([]any{&c.Branch, &began, &at, &c.Who, &c.Differences, &since, &summary}, more...)...); err != nil {
		return c, err
	}
	c.BeganAt, c.At, c.Since = timeOf(began), timeOf(at), timeOf(since)
	return c, json.Unmarshal(summary, &c.Summary)
}

// Reconciliations lists what was found at each branch, by its name. It takes time
// with the number of branches.
func (l *Ledger) Reconciliations(ctx context.Context) (all []Reconciled, err error) {
	err = l.reader(ctx).Rows(selectReconciled+`ORDER BY b.code`, nil, func(row Row) error {
		c, err := scanReconciled(row)
		all = append(all, c)
		return err
	})
	return all, classify(err)
}

// Reconciliation is what was found at a branch, as a whole; found is false while it
// was never compared.
func (l *Ledger) Reconciliation(ctx context.Context, branch string) (c Reconciled, found bool, err error) {
	var result []byte
	c, err = scanReconciled(l.reader(ctx).Row(`SELECT b.code, r.began_at, r.at, r.who, r.differences, r.since, r.summary, r.result
		FROM reconciled r JOIN branches b ON b.id = r.branch_id WHERE b.code = $1`, branch), &result)
	if errors.Is(err, errNoRows) {
		return Reconciled{}, false, nil
	}
	if err == nil {
		c.Result = new(ReconciledResult)
		err = json.Unmarshal(result, c.Result)
	}
	if err != nil {
		return c, false, classify(fmt.Errorf("reconciliation of %s: %w", branch, err))
	}
	return c, true, nil
}

// SaveReconciled keeps what was found at a branch in place of what was before, takes
// it from what is to be compared unless it was asked for again meanwhile, and puts
// it into the audit trail. start, unless nil, is kept as the stock to go on from.
func (l *Ledger) SaveReconciled(ctx context.Context, c Reconciled, start *StockStart) error {
	summary, err := json.Marshal(&c.Summary)
	if err != nil {
		return err
	}
	result, err := json.Marshal(c.Result)
	if err != nil {
		return err
	}
	return l.Write(ctx, func(tx *Tx) error {
		branch, err := tx.ensureBranch(c.Branch)
		if err != nil {
			return err
		}
		since := int64(0)
		if c.Differences > 0 {
			err := tx.Row(`SELECT since FROM reconciled WHERE branch_id = $1`, branch).Scan(&since)
			if err != nil && !errors.Is(err, errNoRows) {
				return err
			}
			if since == 0 {
				since = c.At.UnixMilli()
			}
		}
		if _, err := tx.Exec(`INSERT INTO reconciled (branch_id, began_at, at, who, differences, since, summary, result)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (branch_id) DO UPDATE SET began_at = excluded.began_at, at = excluded.at,
			who = excluded.who, differences = excluded.differences, since = excluded.since, summary = excluded.summary, result = excluded.result`,
			branch, c.BeganAt.UnixMilli(), c.At.UnixMilli(), storable(c.Who), c.Differences, since, summary, result); err != nil {
			return err
		}
		if start != nil { // what was said is done, whoever has asked again meanwhile
			if _, err := tx.Exec(`UPDATE to_reconcile SET start_why = '' WHERE branch_id = $1 AND who = $2 AND start_why = $3`,
				branch, storable(start.Who), storable(start.Why)); err != nil {
				return err
			}
		}
		// A stock that is to be taken as it is, and could not be, is asked for until it is.
		if _, err := tx.Exec(`DELETE FROM to_reconcile WHERE branch_id = $1 AND asked_at <= $2 AND start_why = ''`, branch, c.BeganAt.UnixMilli()); err != nil {
			return err
		}
		if start != nil {
			if err := tx.startStock(branch, start); err != nil {
				return err
			}
		}
		tx.Tell(ReconciliationChanged)
		return tx.Audit(Entry{At: c.At, Who: c.Who, Action: "reconciled", Subject: c.Branch, Detail: c.words()})
	})
}

// words are the result in a line, for the audit trail.
func (c *Reconciled) words() string {
	b := &c.Summary.All
	stock := fmt.Sprintf("differences of stock: %d", c.Summary.Stock)
	if c.Summary.NoStock != "" {
		stock = "stock not compared: " + c.Summary.NoStock
	}
	return fmt.Sprintf("since %s captured %d, received %d, posted %d, found in Odoo %d, waiting %d, for a person %d, discarded %d, repeated %d, lost %d; differences of records: %d; %s",
		c.Result.From, b.Captured, b.Received, b.Posted, b.Found, b.Waiting, b.Person, b.Discarded, b.Repeated, b.Lost, c.Summary.Records, stock)
}
